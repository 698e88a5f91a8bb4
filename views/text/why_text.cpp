#include "views/text/why_text.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "views/bridge/errors.h"
#include "views/document/document.h"
#include "views/document/recipe_edit.h"
#include "views/text/cell_text.h"
#include "views/text/units.h"

namespace bitlens::views {

using sensitivity::CellRecord;
using sensitivity::Method;

namespace {

struct Tr {
  Q_DECLARE_TR_FUNCTIONS(bitlens::views::Why)
};

constexpr double kOutlierChannel = 4;   // times the median channel's largest value
constexpr double kHeavyTails = 3;       // excess kurtosis; 0 for a normal distribution, 3 for a Laplace one
constexpr double kWideRange = 100;      // the literature's rule of thumb
constexpr double kManyOutliers = 0.01;  // likewise
constexpr double kFarInRank = 0.25;     // of all tensors

/// Channels that stand out: how many, which the largest, and how far above the median.
struct OutlierChannels {
  std::size_t count = 0, largest = 0;
  double ratio = 0;
};
OutlierChannels outlier_channels(const std::vector<float>& abs_max) {
  OutlierChannels out;
  if (abs_max.empty()) return out;
  std::vector<float> sorted = abs_max;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::ranges::nth_element(sorted, middle);
  const auto median = static_cast<double>(*middle);
  if (median <= 0) return out;
  for (std::size_t i = 0; i < abs_max.size(); ++i) {
    if (static_cast<double>(abs_max[i]) > kOutlierChannel * median) ++out.count;
    if (abs_max[i] > abs_max[out.largest]) out.largest = i;
  }
  out.ratio = static_cast<double>(abs_max[out.largest]) / median;
  return out;
}

void say_loss(QStringList& out, const CellTable& cells, const CellRecord& record, std::size_t tensor,
              const QString& name) {
  const CellTable::Rank rank = cells.rank_of_best(tensor, record.format);
  out << Tr::tr(
             "Setting this tensor alone to %1 costs a KL of %2 nats per token, %3: place %4 of %5 at this "
             "format (1 costs most).")
             .arg(name, value_text(record.kl_mean, record.kl_se), source_text(record))
             .arg(rank.place)
             .arg(rank.of);
  if (const QString doubt = doubt_text(cells, record); !doubt.isEmpty()) out << doubt;
  if (std::isfinite(record.dnll_mean)) {
    const bool clear = std::abs(record.dnll_mean) > 2 * record.dnll_se;
    out << (clear ? Tr::tr("ln(PPL ratio): %1.")
                  : Tr::tr("ln(PPL ratio): %1, within two standard errors of nothing: perplexity cannot see "
                           "it, KL can."))
               .arg(value_text(record.dnll_mean, record.dnll_se));
  }
  const CellRecord* predicted = cells.find(tensor, record.format, Method::Response);
  if (record.method != Method::Measured || !predicted || predicted->kl_mean <= 0) return;
  out << Tr::tr("Predicted before it was measured: %1; measured / predicted = %2.")
             .arg(value_text(predicted->kl_mean, predicted->kl_se),
                  number_text(record.kl_mean / predicted->kl_mean, 3));
}

/// Does the rounding error tell how much the tensor matters?
void say_rounding(QStringList& out, const Document& document, const CellTable* cells, std::size_t tensor,
                  kernels::Format format, const QString& name) {
  const auto* error = document.analysis().rounding(tensor, format, document.measurements().quantizer());
  if (!error) return;
  QString text = Tr::tr("Rounding to %1 changes its weights by %2 (relative RMSE).")
                     .arg(name, share_text(error->relative_rmse));
  const CellTable::Rank loss = cells ? cells->rank_of_best(tensor, format) : CellTable::Rank{};
  // The same score for all tensors stands in the sweep's rounding cells.
  const CellTable::Rank rounding = cells ? cells->rank(tensor, format, Method::Rounding) : CellTable::Rank{};
  if (loss.place > 0 && rounding.place > 0 && loss.of > 1) {
    const double apart = static_cast<double>(rounding.place - loss.place) / loss.of;
    text +=
        QLatin1Char(' ') + Tr::tr("By that it would be place %1 of %2.").arg(rounding.place).arg(rounding.of);
    if (apart > kFarInRank)
      text += QLatin1Char(' ') +
              Tr::tr("It costs far more than its rounding error suggests: what it computes matters.");
    else if (apart < -kFarInRank)
      text += QLatin1Char(' ') +
              Tr::tr("It costs far less than its rounding error suggests: the model hardly feels it.");
  }
  out << text;
}

void say_weights(QStringList& out, const analyze::WeightStatistics& weights) {
  const analyze::Statistics& s = weights.all;
  out << (s.excess_kurtosis > kHeavyTails
              ? Tr::tr("Its weights have heavy tails: excess kurtosis %1 (a normal distribution has 0). Few "
                       "large "
                       "weights set the scale of their blocks, and the many small ones share what is left.")
              : Tr::tr("Its weights have no heavy tails: excess kurtosis %1 (a normal distribution has 0)."))
             .arg(number_text(s.excess_kurtosis, 3));
  out << (s.dynamic_range > kWideRange ? Tr::tr("The largest weight is %1 times the median: above 100, where "
                                                "the literature's rule of thumb "
                                                "keeps 16 bit.")
                                       : Tr::tr("The largest weight is %1 times the median."))
             .arg(number_text(s.dynamic_range, 3));
  if (s.outliers_6sigma > 0)
    out << (s.outliers_6sigma > kManyOutliers
                ? Tr::tr("%1 of the weights lie beyond 6σ: above 1 %, where the rule of thumb keeps 16 bit.")
                : Tr::tr("%1 of the weights lie beyond 6σ."))
               .arg(share_text(s.outliers_6sigma));
  const OutlierChannels in = outlier_channels(weights.channels.input_abs_max);
  if (in.count > 0)
    out << Tr::tr(
               "%n input channel(s) stand out with a largest weight above 4 times the median channel's; "
               "channel "
               "%1 most, %2 times.",
               nullptr, static_cast<int>(in.count))
               .arg(in.largest)
               .arg(number_text(in.ratio, 3));
  const OutlierChannels rows = outlier_channels(weights.channels.output_abs_max);
  if (rows.count > 0)
    out << Tr::tr("%n output channel(s) (rows) stand out in the same way; row %1 most, %2 times.", nullptr,
                  static_cast<int>(rows.count))
               .arg(rows.largest)
               .arg(number_text(rows.ratio, 3));
  if (in.count == 0 && rows.count == 0)
    out << Tr::tr("No channel of its weights stands out (4 times the median).");
}

void say_inputs(QStringList& out, const Document& document, std::size_t tensor) {
  const analyze::ActivationStatistics* inputs = document.analysis().inputs(tensor);
  if (!inputs) {
    if (!document.analysis().calibrated())
      out << Tr::tr("Calibrate (F6) to see whether its inputs have outliers.");
    return;
  }
  const OutlierChannels channels = outlier_channels(inputs->channels.input_abs_max);
  out << Tr::tr(
             "Its inputs over %1: %2 beyond 6σ, %3 of the channels reach 6.0, the largest value is %4 times "
             "the "
             "median.")
             .arg(document.analysis().calibration_text(), share_text(inputs->all.outliers_6sigma),
                  share_text(inputs->outliers_llm_int8), number_text(inputs->all.dynamic_range, 3));
  if (channels.count > 0)
    out << Tr::tr(
               "%n input channel(s) carry values above 4 times the median channel's; channel %1 most, %2 "
               "times. An "
               "error in the weights of such a channel is multiplied.",
               nullptr, static_cast<int>(channels.count))
               .arg(channels.largest)
               .arg(number_text(channels.ratio, 3));
}

/// Which windows of the text the divergence comes from.
void say_windows(QStringList& out, const std::vector<float>& windows) {
  if (windows.size() < 2) return;
  std::vector<std::size_t> order(windows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t w) { return windows[w]; });
  const double all = std::accumulate(windows.begin(), windows.end(), 0.0);
  if (all <= 0) return;
  std::size_t half = 0;
  for (double sum = 0; half < order.size() && sum < all / 2; ++half)
    sum += static_cast<double>(windows[order[half]]);
  out << Tr::tr(
             "Half of the divergence comes from %n of the %1 windows measured; most from window %2 (%3 of "
             "it).",
             nullptr, static_cast<int>(half))
             .arg(windows.size())
             .arg(order.front() + 1)
             .arg(share_text(static_cast<double>(windows[order.front()]) / all, 2));
}

}  // namespace

QStringList why_sentences(const Document& document, std::size_t tensor, kernels::Format format) {
  QStringList out;
  const io::TensorInfo& info = document.session()->file().tensors()[tensor];
  const QString name = shown(kernels::info(format).name);
  const SensitivityPtr& known = document.sensitivity().known();
  const CellTable* cells = known ? &known->cells : nullptr;
  const CellRecord* record = cells ? cells->best(tensor, format) : nullptr;
  if (record)
    say_loss(out, *cells, *record, tensor, name);
  else if (!document.model().role(tensor).is_matrix)
    out << Tr::tr("A norm or other small tensor: it stays as it is, quantizing it saves nothing.");
  else if (info.format == format)
    out << Tr::tr("The file holds this tensor at %1 already: nothing is lost.").arg(name);
  else if (const auto refusal = refusal_of(document.model(), tensor, format))
    out << Tr::tr("It cannot take %1: %2").arg(name, refusal_text(*refusal, info));
  else
    out << Tr::tr("What it costs at %1 is not known: find the sensitivity (F8).").arg(name);
  say_rounding(out, document, cells, tensor, format, name);
  if (const analyze::WeightStatistics* weights = document.analysis().weights(tensor))
    say_weights(out, *weights);
  say_inputs(out, document, tensor);
  if (const LossPlaces* places = document.sensitivity().places(tensor, format)) {
    out << Tr::tr("Token by token on the text: half of the divergence comes from %1 of %2 tokens (%3).")
               .arg(count_text(places->half), count_text(places->tokens),
                    share_text(places->tokens > 0
                                   ? static_cast<double>(places->half) / static_cast<double>(places->tokens)
                                   : 0,
                               2));
    say_windows(out, std::vector<float>(places->windows.begin(), places->windows.end()));
  } else if (record) {
    say_windows(out, record->window_kl);
  }
  return out;
}

}  // namespace bitlens::views
