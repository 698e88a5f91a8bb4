#include "kernels/formats/codebook_cells.h"

#include <algorithm>
#include <array>

#include "kernels/formats/codebook_tables.h"

namespace bitlens::kernels {
namespace {

CodebookCells make_cells(std::span<const std::uint16_t> points, std::span<const int> levels, float first,
                         float step) {
  CodebookCells book;
  book.size = levels.size() == 8 ? 4 : 8;
  book.levels = levels.size();
  book.first = first;
  book.step = step;
  const unsigned bits = book.size == 8 ? 2 : 3;
  std::vector<std::array<int, 8>> values(points.size());
  for (std::size_t p = 0; p < points.size(); ++p) {
    for (std::size_t j = 0; j < book.size; ++j) {
      values[p][j] = levels[(points[p] >> (bits * j)) & ((1U << bits) - 1U)];
    }
  }
  std::size_t cells = 1;
  for (std::size_t j = 0; j < book.size; ++j) {
    cells *= levels.size();
  }
  book.entries.resize(cells * CodebookCells::kCandidates);
  book.values.resize(book.entries.size() * book.size);
  std::vector<std::uint32_t> order(points.size());  // squared distance and number, so that ties are decided
  for (std::size_t cell = 0; cell < cells; ++cell) {
    std::array<int, 8> center{};
    for (std::size_t j = 0, rest = cell; j < book.size; ++j, rest /= levels.size()) {
      center[j] = levels[rest % levels.size()];
    }
    for (std::size_t p = 0; p < points.size(); ++p) {
      int distance = 0;
      for (std::size_t j = 0; j < 8; ++j) {
        distance += (center[j] - values[p][j]) * (center[j] - values[p][j]);
      }
      order[p] = (static_cast<std::uint32_t>(distance) << 11) | static_cast<std::uint32_t>(p);
    }
    std::nth_element(order.begin(), order.begin() + CodebookCells::kCandidates, order.end());
    std::sort(order.begin(), order.begin() + CodebookCells::kCandidates);
    for (std::size_t k = 0; k < CodebookCells::kCandidates; ++k) {
      const std::size_t p = order[k] & 2047U;
      book.entries[cell * CodebookCells::kCandidates + k] = static_cast<std::uint16_t>(p);
      for (std::size_t j = 0; j < book.size; ++j) {
        book.values[(cell * book.size + j) * CodebookCells::kCandidates + k] =
            static_cast<std::int8_t>(values[p][j]);
      }
    }
  }
  return book;
}

template <std::size_t kCount>
constexpr std::array<int, kCount> whole(const std::array<float, 8>& levels) {
  std::array<int, kCount> result{};
  for (std::size_t i = 0; i < kCount; ++i) {
    result[i] = static_cast<int>(levels[i]);
  }
  return result;
}

constexpr std::array<int, 3> kTwoBitLevels = {static_cast<int>(kLevels2[0]), static_cast<int>(kLevels2[1]),
                                              static_cast<int>(kLevels2[2])};
constexpr std::array<int, 3> kOneBitLevels = {-8, 0, 8};

}  // namespace

const CodebookCells& cells_iq2_xxs() {
  static const CodebookCells cells = make_cells(kPoints2Xxs, kTwoBitLevels, 8.0F, 17.5F);
  return cells;
}
const CodebookCells& cells_iq2_xs() {
  static const CodebookCells cells = make_cells(kPoints2Xs, kTwoBitLevels, 8.0F, 17.5F);
  return cells;
}
const CodebookCells& cells_iq2_s() {
  static const CodebookCells cells = make_cells(kPoints2S, kTwoBitLevels, 8.0F, 17.5F);
  return cells;
}
const CodebookCells& cells_iq3_xxs() {
  static const CodebookCells cells = make_cells(kPoints3Xxs, whole<8>(kLevels3Xxs), 4.0F, 8.0F);
  return cells;
}
const CodebookCells& cells_iq3_s() {
  static const CodebookCells cells = make_cells(kPoints3S, whole<8>(kLevels3S), 1.0F, 2.0F);
  return cells;
}
const CodebookCells& cells_iq1() {
  static const CodebookCells cells = make_cells(kPoints1, kOneBitLevels, -8.0F, 8.0F);
  return cells;
}

}  // namespace bitlens::kernels
