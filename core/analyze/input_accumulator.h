// Statistics of one linear layer's input, fed with rows as the text passes by.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/analyze/statistics.h"
#include "kernels/stats/columns.h"
#include "kernels/stats/counts.h"
#include "kernels/stats/moments.h"

namespace bitlens::analyze {

/// Buffers that one pass after another uses; sized on first use.
struct InputScratch {
  struct Task {
    kernels::Moments moments;
    kernels::ColumnStatistics columns;
  };
  std::vector<Task> tasks;
  std::vector<kernels::PatternCounts> counts;     // one per thread
  std::vector<std::vector<std::uint64_t>> steps;  // one per thread
};

class InputAccumulator {
 public:
  explicit InputAccumulator(std::size_t columns = 0) : columns_(columns), steps_(kHistogramBins) {}

  /// Adds rows of finite values, row-major.
  [[nodiscard]] Status add(const float* values, std::size_t rows, InputScratch& scratch,
                           const WorkContext& work);
  [[nodiscard]] ActivationStatistics finish();

 private:
  void widen(float abs_max);

  kernels::Moments moments_;
  kernels::ColumnStatistics columns_;
  kernels::PatternCounts counts_;
  int exponent_ = kSmallestExponent;  ///< the linear histogram spans [-2^exponent, 2^exponent]
  std::vector<std::uint64_t> steps_;
  static constexpr int kSmallestExponent = -148;  ///< just above the smallest f32
};

}  // namespace bitlens::analyze
