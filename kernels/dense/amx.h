// Products on the tile unit of recent Intel processors (AMX, which multiplies bf16 and sums in f32).
//
// A number of f32 is written as the sum of one or two bf16 numbers: the nearest one, and the nearest to what
// is left, together within 2^-17 of it (exactly it for F16 and BF16 weights). With two parts on both sides,
//   x w = x1 w1 + x2 w1 + x1 w2,
// summed in one f32 accumulator; x2 w2, at most 2^-18 of the product, is left out. Every output is one chain
// over its inputs in order, 32 at a time, whatever the split into calls: product.h's promise about bits.
//
// Integers up to 256 are bf16 numbers. Weights that are such integers times a scale per 32 of them (Q8_0, ..)
// therefore have one part, and two products are enough; 32 of them are summed at a time, scaled and added to
// the output in f32.
//
// Numbers below 1.2e-38 count as zero; inputs above 2.6e36 may overflow beside integers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bitlens::kernels::amx {

/// Has this processor the unit, and may this process use it? Asks the operating system once.
[[nodiscard]] bool available();

/// Outputs per panel: two tiles.
inline constexpr std::size_t kWidth = 32;
/// Rows of inputs in a tile.
inline constexpr std::size_t kTileRows = 16;
/// Rows that one pass over the weights serves.
inline constexpr std::size_t kRows = 192;

/// Panels of weights, all in `parts` bf16 parts. With scales, of which a panel has kWidth for each 32 inputs,
/// they are integers of one part.
struct Panels {
  const std::uint16_t* data = nullptr;
  std::size_t inputs = 0;
  std::size_t parts = 2;
  const float* scales = nullptr;
};
/// Numbers in one panel.
[[nodiscard]] std::size_t panel_size(std::size_t inputs, std::size_t parts);
/// Fills a panel from `count` <= kWidth rows of `inputs` f32 each, `stride` apart; missing rows count as
/// zeros.
void pack_panel(const float* rows, std::size_t stride, std::size_t count, std::size_t inputs,
                std::size_t parts, std::uint16_t* panel);
/// The same, in one part, from kWidth rows of integers of magnitude at most 256; `inputs` is a multiple
/// of 32.
void pack_codes(const std::int16_t* codes, std::size_t stride, std::size_t inputs, std::uint16_t* panel);
/// Fills all panels of a matrix given the other way round: `inputs` rows of `outputs` f32 each.
void pack_columns(const float* rows, std::size_t stride, std::size_t inputs, std::size_t outputs,
                  std::size_t parts, std::uint16_t* panels);

/// Numbers that 16 rows of `inputs` take in tiles.
[[nodiscard]] std::size_t tile_row_size(std::size_t inputs, std::size_t parts);
/// Rows in parts, as multiply_tiles() reads them, 16 of them every `stride` numbers: worth doing once for all
/// matrices they are multiplied with. Rows past the end, up to whole 16, are zeros.
void split_rows(const float* x, std::size_t x_stride, std::size_t rows, std::size_t inputs, std::size_t parts,
                std::uint16_t* tiles, std::size_t stride);

/// y[rows x columns] = (or +=) the products over panel inputs [first, first + inputs), `first` a multiple of
/// 32, with rows that have just these, tile_row_size() apart. Requires available(). Panels with scales take
/// rows in two parts.
void multiply_tiles(const Panels& panels, std::size_t columns, std::size_t first, std::size_t inputs,
                    const std::uint16_t* tiles, std::size_t rows, std::size_t x_parts, float* y,
                    std::size_t y_stride, bool accumulate);

/// y[rows x columns] = (or +=) x * W^T for the first `columns` outputs of `panels`; x in `x_parts` parts, at
/// least as many as the weights. Requires available().
void multiply(const Panels& panels, std::size_t columns, const float* x, std::size_t rows,
              std::size_t x_stride, std::size_t x_parts, float* y, std::size_t y_stride, bool accumulate);

}  // namespace bitlens::kernels::amx
