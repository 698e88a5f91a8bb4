// Groups /weights, /histograms and their twins for layer inputs, and the per-channel arrays. Tensors without
// statistics have NaN and zero counts.
#include <limits>

#include "core/report/groups.h"

namespace bitlens::report {

namespace {

using analyze::Histogram;
using analyze::Statistics;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

struct Number {
  const char* name;
  const char* long_name;
  double Statistics::*member;
};
constexpr Number kNumbers[] = {
    {"min", "smallest value", &Statistics::min},
    {"max", "largest value", &Statistics::max},
    {"mean", "mean", &Statistics::mean},
    {"sigma", "population standard deviation", &Statistics::sigma},
    {"rms", "root of the mean square", &Statistics::rms},
    {"abs_max", "largest magnitude", &Statistics::abs_max},
    {"excess_kurtosis", "fourth central moment / sigma^4 - 3", &Statistics::excess_kurtosis},
    {"median_abs", "median of the non-zero magnitudes", &Statistics::median_abs},
    {"dynamic_range", "abs_max / median_abs", &Statistics::dynamic_range},
    {"zero_share", "share of exact zeros", &Statistics::zero_share},
    {"outliers_6sigma", "share of |x - mean| > 6 sigma", &Statistics::outliers_6sigma},
};
struct Count {
  const char* name;
  const char* long_name;
  std::uint64_t Statistics::*member;
};
constexpr Count kCounts[] = {
    {"count", "finite values", &Statistics::count},
    {"non_finite", "NaN and infinite values", &Statistics::non_finite},
    {"zeros", "exact zeros", &Statistics::zeros},
};

/// Statistics by tensor, of whichever kind; null where there are none.
template <typename T>
std::vector<const T*> pointers_to(const std::vector<std::optional<T>>& all) {
  std::vector<const T*> out;
  for (const auto& one : all) out.push_back(one ? &*one : nullptr);
  return out;
}

template <typename T>
void add_statistics(Hdf5File& file, const std::vector<const T*>& all) {
  for (const Count& count : kCounts) {
    std::vector<std::uint64_t> values;
    for (const T* one : all) values.push_back(one != nullptr ? one->all.*count.member : 0);
    file.variable(count.name, {"tensor"}, values, {count.long_name});
  }
  for (const Number& number : kNumbers) {
    std::vector<double> values;
    for (const T* one : all) values.push_back(one != nullptr ? one->all.*number.member : kMissing);
    file.variable(number.name, {"tensor"}, values, {number.long_name});
  }
}

/// One histogram per tensor, named with a prefix; `bins` is the current group's dimension.
template <typename T>
void add_histogram(Hdf5File& file, const std::vector<const T*>& all, Histogram T::*member,
                   const std::string& prefix, const std::string& what) {
  std::vector<std::uint64_t> counts, below, above;
  std::vector<double> low, high;
  for (const T* one : all) {
    const Histogram empty;
    const Histogram& histogram = one != nullptr ? one->*member : empty;
    for (std::size_t i = 0; i < analyze::kHistogramBins; ++i)
      counts.push_back(i < histogram.counts.size() ? histogram.counts[i] : 0);
    below.push_back(histogram.below);
    above.push_back(histogram.above);
    low.push_back(one != nullptr ? histogram.low : kMissing);
    high.push_back(one != nullptr ? histogram.high : kMissing);
  }
  file.variable(prefix + "count", {"tensor", "bin"}, counts, {"values of " + what + " in each bin"});
  file.variable(prefix + "low", {"tensor"}, low, {"lower edge of the first bin of " + what});
  file.variable(prefix + "high", {"tensor"}, high, {"upper edge of the last bin of " + what});
  file.variable(prefix + "below", {"tensor"}, below, {"values of " + what + " below the first bin"});
  file.variable(prefix + "above", {"tensor"}, above, {"values of " + what + " above the last bin"});
}

std::vector<std::int32_t> bin_numbers() {
  std::vector<std::int32_t> numbers(analyze::kHistogramBins);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::int32_t>(i);
  return numbers;
}

template <typename T>
void write_histogram_group(Hdf5File& file, const ReportInput& input, const std::string& name,
                           const std::string& what, const std::vector<const T*>& all) {
  file.group(
      name,
      {{"edges", std::string("edge i of a tensor = low + (high - low) * i / bins; bin i holds edge i <= x "
                             "< edge i + 1, the last one its upper edge too")},
       {"bins", static_cast<std::int64_t>(analyze::kHistogramBins)}});
  add_tensor_dimension(file, input);
  file.dimension("bin", bin_numbers(), {"bin number"});
  add_histogram(file, all, &T::histogram, "linear_", what);
  add_histogram(file, all, &T::log_histogram, "log_", "log10 |x| of non-zero " + what);
}

/// Arrays of different length per tensor, one behind the other (CF: contiguous ragged arrays). `lengths`
/// names how many belong to each tensor.
template <typename T, typename Get>
std::vector<float> joined(const std::vector<const T*>& all, const Get& get) {
  std::vector<float> out;
  for (const T* one : all)
    if (one != nullptr) out.insert(out.end(), get(*one).begin(), get(*one).end());
  return out;
}

template <typename T, typename Get>
void add_channel_dimension(Hdf5File& file, const std::vector<const T*>& all, const std::string& side,
                           const Get& get) {
  std::vector<std::uint64_t> lengths;
  std::vector<std::int32_t> channel, tensor;
  for (std::size_t t = 0; t < all.size(); ++t) {
    const std::size_t length = all[t] != nullptr ? get(*all[t]).size() : 0;
    lengths.push_back(length);
    for (std::size_t i = 0; i < length; ++i) {
      channel.push_back(static_cast<std::int32_t>(i));
      tensor.push_back(static_cast<std::int32_t>(t));
    }
  }
  file.variable(side + "_channels", {"tensor"}, lengths, {"number of " + side + " channels"});
  file.dimension(side + "_channel", channel,
                 {side + " channel within its tensor; tensors one behind the other"});
  file.variable(side + "_tensor", {side + "_channel"}, tensor,
                {"index of the tensor the channel belongs to"});
}

}  // namespace

void write_weights(Hdf5File& file, const ReportInput& input) {
  if (input.weights.empty()) return;
  const auto all = pointers_to(input.weights);
  using W = analyze::WeightStatistics;
  file.group("weights", {{"of", std::string("weights as the file holds them, decoded")}});
  add_tensor_dimension(file, input);
  add_statistics(file, all);

  file.group("weight_channels", {{"of", std::string("weights as the file holds them, decoded")}});
  add_tensor_dimension(file, input);
  const auto in_max = [](const W& w) -> const auto& { return w.channels.input_abs_max; };
  const auto in_sigma = [](const W& w) -> const auto& { return w.channels.input_sigma; };
  const auto out_max = [](const W& w) -> const auto& { return w.channels.output_abs_max; };
  const auto out_sigma = [](const W& w) -> const auto& { return w.channels.output_sigma; };
  add_channel_dimension(file, all, "input", in_max);
  file.variable("input_abs_max", {"input_channel"}, joined(all, in_max), {"largest magnitude of the column"});
  file.variable("input_sigma", {"input_channel"}, joined(all, in_sigma), {"population sigma of the column"});
  add_channel_dimension(file, all, "output", out_max);
  file.variable("output_abs_max", {"output_channel"}, joined(all, out_max), {"largest magnitude of the row"});
  file.variable("output_sigma", {"output_channel"}, joined(all, out_sigma), {"population sigma of the row"});
}

void write_histograms(Hdf5File& file, const ReportInput& input) {
  if (!input.weights.empty())
    write_histogram_group(file, input, "histograms", "weights", pointers_to(input.weights));
  if (!input.activations.empty())
    write_histogram_group(file, input, "activation_histograms", "inputs", pointers_to(input.activations));
}

void write_activations(Hdf5File& file, const ReportInput& input) {
  if (input.activations.empty()) return;
  const auto all = pointers_to(input.activations);
  using A = analyze::ActivationStatistics;
  const std::vector<Attribute> attributes{
      {"of", std::string("input of each linear layer over the calibration text, by weight tensor")},
      {"text_name", input.calibration_name},
      {"text_sha256", input.calibration_sha256}};
  file.group("activations", attributes);
  add_tensor_dimension(file, input);
  add_statistics(file, all);
  std::vector<std::uint64_t> tokens;
  std::vector<double> outliers;
  for (const A* one : all) {
    tokens.push_back(one != nullptr ? one->tokens : 0);
    outliers.push_back(one != nullptr ? one->outliers_llm_int8 : kMissing);
  }
  file.variable("tokens", {"tensor"}, tokens, {"tokens seen; 0: no linear layer"});
  file.variable("outliers_llm_int8", {"tensor"}, outliers, {"share of input channels with any |x| >= 6.0"});

  file.group("activation_channels", attributes);
  add_tensor_dimension(file, input);
  const auto peak = [](const A& a) -> const auto& { return a.channels.input_abs_max; };
  const auto sigma = [](const A& a) -> const auto& { return a.channels.input_sigma; };
  add_channel_dimension(file, all, "input", peak);
  file.variable("input_abs_max", {"input_channel"}, joined(all, peak), {"largest magnitude of the channel"});
  file.variable("input_sigma", {"input_channel"}, joined(all, sigma), {"population sigma of the channel"});
  std::vector<double> energy, mean;
  for (const A* one : all)
    if (one != nullptr) {
      energy.insert(energy.end(), one->energy.begin(), one->energy.end());
      mean.insert(mean.end(), one->mean.begin(), one->mean.end());
    }
  file.variable("input_energy", {"input_channel"}, energy, {"mean square of the channel"});
  file.variable("input_mean", {"input_channel"}, mean, {"mean of the channel"});
}

}  // namespace bitlens::report
