// Row and column statistics of F16 values straight from their codes: what second_moments() and
// ColumnStatistics give of the decoded values, in a third of the time.
//
// Sums run in f32 over at most 32 values, then in double; squares are of the distance from the mean, found
// first, so that nothing cancels. F16 has neither the range to overflow such an f32 square nor to vanish in
// it. Relative error of m2 below 1e-6; range and counts are exact. The order of the sums is fixed, whatever
// the instruction set.
#pragma once

#include <cstddef>

#include "kernels/stats/columns.h"
#include "kernels/stats/moments.h"

namespace bitlens::kernels {

/// Adds a block of `rows` x `width` little-endian codes to the columns [first, first + width) and writes the
/// moments (powers up to the second) of each row to row_moments[0, rows). False, with nothing done, when a
/// code stands for no finite number.
[[nodiscard]] bool add_f16_rows(const std::byte* codes, std::size_t rows, std::size_t width,
                                ColumnStatistics& columns, std::size_t first, Moments* row_moments);

}  // namespace bitlens::kernels
