#include "core/analyze/distribution.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/formats/codec.h"
#include "kernels/stats/counts.h"

namespace bitlens::analyze {

namespace {
constexpr double kLogLow = -12.0;
constexpr double kLogHigh = 6.0;
constexpr double kOutlierSigmas = 6.0;
}  // namespace

std::vector<ValueCount> values_of_codes(kernels::Format format, const std::vector<std::uint64_t>& counts) {
  std::vector<std::uint16_t> codes;
  for (std::size_t code = 0; code < counts.size(); ++code)
    if (counts[code] > 0) codes.push_back(static_cast<std::uint16_t>(code));
  std::vector<float> values(codes.size());
  kernels::decode(format, reinterpret_cast<const std::byte*>(codes.data()), values.data(), values.size());
  std::vector<ValueCount> out;
  out.reserve(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i)
    if (std::isfinite(values[i])) out.push_back({values[i], counts[codes[i]]});
  return out;
}

kernels::Moments moments_of(std::span<const ValueCount> values) {
  kernels::Moments out;
  double sum = 0;
  for (const auto& [value, count] : values) {
    out.count += static_cast<double>(count);
    sum += static_cast<double>(value) * static_cast<double>(count);
    out.min = std::min(out.min, value);
    out.max = std::max(out.max, value);
  }
  if (out.count == 0) return out;
  out.mean = sum / out.count;
  for (const auto& [value, count] : values) {
    const double distance = static_cast<double>(value) - out.mean;
    const double weighted = static_cast<double>(count) * distance * distance;
    out.m2 += weighted;
    out.m3 += weighted * distance;
    out.m4 += weighted * distance * distance;
  }
  return out;
}

void set_moments(Statistics& statistics, const kernels::Moments& moments) {
  statistics.count = static_cast<std::uint64_t>(moments.count);
  if (statistics.count == 0) return;
  statistics.min = static_cast<double>(moments.min);
  statistics.max = static_cast<double>(moments.max);
  statistics.abs_max = static_cast<double>(moments.abs_max());
  // All values equal: say so exactly, without the rounding of the sums.
  const bool constant = moments.min == moments.max;
  statistics.mean = constant ? statistics.min : moments.mean;
  const double variance = constant ? 0.0 : moments.m2 / moments.count;
  statistics.sigma = std::sqrt(variance);
  statistics.rms = constant ? std::fabs(statistics.mean) : std::sqrt(moments.mean * moments.mean + variance);
  statistics.excess_kurtosis = variance > 0 ? moments.m4 / moments.count / variance / variance - 3.0 : 0.0;
}

void set_ratios(Statistics& statistics) {
  statistics.dynamic_range = statistics.median_abs > 0 ? statistics.abs_max / statistics.median_abs : 0.0;
  statistics.zero_share = statistics.count > 0
                              ? static_cast<double>(statistics.zeros) / static_cast<double>(statistics.count)
                              : 0.0;
}

Distribution::Distribution(const Statistics& known)
    : mean_(known.mean),
      limit_(kOutlierSigmas * known.sigma),
      range_(known.abs_max > 0 ? known.abs_max : 1.0),  // all zero: any range will do
      linear_{kernels::Bins::linear(-range_, range_, kHistogramBins), {}, 0},
      log_{kernels::Bins::logarithmic(kLogLow, kLogHigh, kHistogramBins), {}, 0} {
  linear_.slots.resize(kHistogramBins + 2);
  log_.slots.resize(kHistogramBins + 2);
}

bool Distribution::is_outlier(double x) const {
  return std::fabs(x - mean_) > limit_;
}

void Distribution::Counter::add(double x, std::uint64_t count) {
  last = bins.slot_near(x, last);
  slots[last] += count;
}

void Distribution::add(float value, std::uint64_t count) {
  const auto x = static_cast<double>(value);
  linear_.add(x, count);
  if (value != 0.0F) log_.add(std::fabs(x), count);
  if (is_outlier(x)) outliers_ += count;
  count_ += count;
}

void Distribution::merge(const Distribution& other) {
  for (std::size_t i = 0; i < linear_.slots.size(); ++i) linear_.slots[i] += other.linear_.slots[i];
  for (std::size_t i = 0; i < log_.slots.size(); ++i) log_.slots[i] += other.log_.slots[i];
  outliers_ += other.outliers_;
  count_ += other.count_;
}

bool Distribution::same(float a, float b) const {
  const auto x = static_cast<double>(a);
  const auto y = static_cast<double>(b);
  const auto [low, high] = std::minmax(x, y);
  const bool crosses_limit =
      (low <= mean_ - limit_ && high >= mean_ - limit_) || (low <= mean_ + limit_ && high >= mean_ + limit_);
  if (crosses_limit || a == 0.0F) return false;
  return linear_.bins.slot(x) == linear_.bins.slot(y) &&
         log_.bins.slot(std::fabs(x)) == log_.bins.slot(std::fabs(y));
}

void Distribution::Counter::store(double low, double high, Histogram& histogram) const {
  histogram.low = low;
  histogram.high = high;
  histogram.below = slots.front();
  histogram.above = slots.back();
  histogram.counts.assign(slots.begin() + 1, slots.end() - 1);
}

void Distribution::store(Statistics& statistics, Histogram& linear, Histogram& logarithmic) const {
  linear_.store(-range_, range_, linear);
  log_.store(kLogLow, kLogHigh, logarithmic);
  statistics.outliers_6sigma =
      count_ > 0 ? static_cast<double>(outliers_) / static_cast<double>(count_) : 0.0;
}

}  // namespace bitlens::analyze
