// Running statistics of every column of a matrix, fed with blocks of rows. Each column's sums run over its
// rows in order, so the bits do not depend on the instruction set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitlens::kernels {

struct ColumnStatistics {
  std::vector<double> count, mean, m2;  ///< m2 = sum of (x - mean)^2
  std::vector<float> abs_max;

  explicit ColumnStatistics(std::size_t columns = 0)
      : count(columns), mean(columns), m2(columns), abs_max(columns) {}
  [[nodiscard]] std::size_t columns() const { return mean.size(); }

  /// Adds `rows` rows of finite values to the columns [first, first + width); row r starts at values + r *
  /// width.
  void add_rows(const float* values, std::size_t rows, std::size_t width, std::size_t first);
  /// The same, leaving values that are not finite out.
  void add_rows_with_non_finite(const float* values, std::size_t rows, std::size_t width, std::size_t first);
  /// Adds the rows that `other` (as many columns) stands for. Merge in a fixed order.
  void merge(const ColumnStatistics& other);
};

}  // namespace bitlens::kernels
