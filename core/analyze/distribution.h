// From counted values to the numbers and histograms that describe how they are distributed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/analyze/statistics.h"
#include "kernels/formats/format.h"
#include "kernels/stats/bins.h"
#include "kernels/stats/moments.h"

namespace bitlens::analyze {

/// A value that occurs `count` times.
struct ValueCount {
  float value = 0;
  std::uint64_t count = 0;
};

/// The finite values behind counted codes of a 16-bit format, ascending by code (so by magnitude within a
/// sign).
[[nodiscard]] std::vector<ValueCount> values_of_codes(kernels::Format format,
                                                      const std::vector<std::uint64_t>& counts);

/// count, min, max, mean, sigma, rms, abs_max, kurtosis and what follows from them.
void set_moments(Statistics& statistics, const kernels::Moments& moments);
/// The same of counted values.
[[nodiscard]] kernels::Moments moments_of(std::span<const ValueCount> values);

/// zero_share and dynamic_range, once count, zeros, abs_max and median_abs are known.
void set_ratios(Statistics& statistics);

/// Counts of everything a value is compared with: bins, the 6 sigma limit.
class Distribution {
 public:
  /// Bins as statistics.h defines them, for values whose range, mean and sigma are known.
  explicit Distribution(const Statistics& known);

  void add(float value, std::uint64_t count);
  void merge(const Distribution& other);
  /// Do all values between a and b (of one sign, |a| <= |b|) count the same?
  [[nodiscard]] bool same(float a, float b) const;
  void store(Statistics& statistics, Histogram& linear, Histogram& logarithmic) const;

 private:
  [[nodiscard]] bool is_outlier(double x) const;
  struct Counter {
    kernels::Bins bins;
    std::vector<std::uint64_t> slots;
    std::size_t last = 0;  // slot of the last value: the next one is near it
    void add(double x, std::uint64_t count);
    void store(double low, double high, Histogram& histogram) const;
  };
  double mean_, limit_, range_;
  Counter linear_, log_;
  std::uint64_t outliers_ = 0, count_ = 0;
};

}  // namespace bitlens::analyze
