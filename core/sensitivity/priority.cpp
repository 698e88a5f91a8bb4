#include "core/sensitivity/priority.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace bitlens::sensitivity {

namespace {

constexpr double kRelativeError = 0.1;  // of a cell's own value
constexpr double kShareOfAll = 0.01;    // of what all cells of a format lose together

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double variance_of(std::span<const double> values) {
  if (values.size() < 2) return 0.0;
  const double mean = mean_of(values);
  double squares = 0.0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return squares / static_cast<double>(values.size() - 1);
}

}  // namespace

std::vector<std::size_t> most_informative_first(const model::Model& model, std::span<const Cell> cells,
                                                std::span<const Estimate> estimates, std::size_t batch) {
  std::vector<double> worth(cells.size());
  std::map<kernels::Format, std::vector<std::size_t>> of_format;
  for (std::size_t c = 0; c < cells.size(); ++c) of_format[cells[c].format].push_back(c);
  for (const auto& [format, members] : of_format)
    for (const std::size_t c : members) {
      const Estimate& own = estimates[c];
      if (std::isnan(own.kl_mean)) {
        worth[c] = std::numeric_limits<double>::infinity();
        continue;
      }
      const double error = std::isnan(own.kl_se) ? own.kl_mean : own.kl_se;
      std::size_t alike = 0;
      for (const std::size_t other : members) {
        const double its_error = std::isnan(estimates[other].kl_se) ? 0.0 : estimates[other].kl_se;
        if (other != c && std::abs(estimates[other].kl_mean - own.kl_mean) < 2 * std::hypot(error, its_error))
          ++alike;
      }
      const double share = static_cast<double>(alike) / static_cast<double>(members.size());
      worth[c] = (own.kl_mean + 2 * error) * (1 + share) * (own.near_decision ? 2 : 1);
    }
  std::vector<std::size_t> order(cells.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t c) { return worth[c]; });
  const auto start_of = [&](std::size_t c) { return first_layer(model, cells[c]); };
  for (std::size_t at = 0; at < order.size(); at += std::max<std::size_t>(1, batch)) {
    const auto some =
        std::span(order).subspan(at, std::min(std::max<std::size_t>(1, batch), order.size() - at));
    std::ranges::stable_sort(some, std::greater<>{}, start_of);
  }
  return order;
}

double error_that_matters(std::span<const double> kl_of_format) {
  double sum = 0.0;
  std::size_t count = 0;
  for (const double kl : kl_of_format) {
    if (std::isnan(kl)) continue;
    sum += kl;
    ++count;
  }
  return count == 0 ? 0.0 : kShareOfAll * sum / std::sqrt(static_cast<double>(count));
}

bool needs_more_tokens(double kl_mean, double kl_se, double error_that_matters) {
  return kl_se > kRelativeError * kl_mean && kl_se > error_that_matters;
}

WindowPrediction predict_windows(std::span<const float> response, std::size_t windows,
                                 std::uint64_t positions) {
  WindowPrediction out;
  if (windows == 0 || positions == 0 || response.size() < 2 * windows)
    return out;  // one draw: no noise to see
  const std::size_t draws = response.size() / windows;
  const auto scale = 1.0 / (2.0 * static_cast<double>(positions));
  double noise = 0.0;
  std::vector<double> of_window(draws);
  for (std::size_t w = 0; w < windows; ++w) {
    for (std::size_t d = 0; d < draws; ++d) {
      const auto a = static_cast<double>(response[d * windows + w]);
      of_window[d] = a * a * scale;
    }
    out.kl.push_back(mean_of(of_window));
    noise += variance_of(of_window) / static_cast<double>(draws);
  }
  out.noise = noise / static_cast<double>(windows);
  return out;
}

AdaptiveValue extrapolate(const MeasuredCell& so_far, std::size_t windows,
                          const WindowPrediction* prediction) {
  const std::size_t done = so_far.window_kl.size();
  AdaptiveValue out{so_far.kl_mean, so_far.kl_se};
  if (done >= windows) return out;
  const double open = 1.0 / static_cast<double>(done) - 1.0 / static_cast<double>(windows);
  if (prediction == nullptr || prediction->kl.size() != windows) {
    if (done < 2) {
      out.kl_se = std::numeric_limits<double>::infinity();
      return out;
    }
    const std::vector<double> measured(so_far.window_kl.begin(), so_far.window_kl.end());
    out.kl_se = std::max(out.kl_se, std::sqrt(variance_of(measured) * open));
    return out;
  }
  const double predicted_all = mean_of(prediction->kl);
  const double predicted_done = mean_of(std::span(prediction->kl).first(done));
  if (!(predicted_all > 0)) return out;
  // How much of the differences between predicted windows is real: the rest is the noise of few draws.
  const double seen = variance_of(prediction->kl), real = std::max(0.0, seen - prediction->noise);
  const double reliability = seen > 0 ? real / seen : 0.0;
  // A ratio estimate: what the windows measured cost beside what they were predicted to.
  const double ratio = so_far.kl_mean / (predicted_all + reliability * (predicted_done - predicted_all));
  out.kl_mean = ratio * predicted_all;
  // What that leaves open: (reliability - 1) of the real difference and reliability of the noise. The real
  // part may be larger than it seems by the standard error of a variance of so few values.
  const double doubt = seen * std::sqrt(2.0 / static_cast<double>(windows - 1));
  const double unexplained = ratio * ratio * open *
                             ((1 - reliability) * (1 - reliability) * (real + doubt) +
                              reliability * reliability * prediction->noise);
  const double own = so_far.kl_mean > 0 ? so_far.kl_se * out.kl_mean / so_far.kl_mean : so_far.kl_se;
  out.kl_se = std::sqrt(own * own + unexplained);
  return out;
}

}  // namespace bitlens::sensitivity
