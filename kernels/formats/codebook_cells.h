// For the searching encoders of the codebook formats: which points of a codebook are worth trying. Magnitudes
// are rounded to the grid of levels first; for each cell of that grid (3^8 or 8^4) the nearest points are
// listed once, so a search looks at 16 points instead of up to 2048.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace bitlens::kernels {

struct CodebookCells {
  static constexpr std::size_t kCandidates = 16;

  std::size_t size = 0;    ///< numbers per vector, 8 or 4
  std::size_t levels = 0;  ///< 3 or 8
  float first = 0;         ///< of the evenly spaced levels that decide about the cell
  float step = 0;
  std::vector<std::uint16_t> entries;  ///< [cell][candidate], the nearest first
  std::vector<std::int8_t> values;     ///< [cell][number of the vector][candidate]
};

/// Made at the first call, by whichever thread comes first.
[[nodiscard]] const CodebookCells& cells_iq2_xxs();
[[nodiscard]] const CodebookCells& cells_iq2_xs();
[[nodiscard]] const CodebookCells& cells_iq2_s();
[[nodiscard]] const CodebookCells& cells_iq3_xxs();
[[nodiscard]] const CodebookCells& cells_iq3_s();
/// IQ1_S and IQ1_M, in eighths and without the shift.
[[nodiscard]] const CodebookCells& cells_iq1();

}  // namespace bitlens::kernels
