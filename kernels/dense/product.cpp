#include "kernels/dense/product.h"

#include <algorithm>
#include <cmath>

#include "kernels/dense/amx.h"
#include "kernels/dense/instruction_set.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense/product.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/dense/gemm-inl.h"
#include "kernels/dense/integer_gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

std::size_t panel_width_of_target() {
  return kPanel;
}
std::size_t tile_rows_of_target() {
  return kTileRows;
}

/// Inputs of a panel's rows [first, first + count), one at a time, or zeros in their place.
HWY_INLINE void pack_by_one(const float* rows, std::size_t first, std::size_t count, std::size_t inputs,
                            std::size_t from, std::size_t to, float* HWY_RESTRICT panel) {
  for (std::size_t j = first; j < kPanel; ++j)
    for (std::size_t k = from; k < to; ++k) panel[k * kPanel + j] = j < count ? rows[j * inputs + k] : 0.0F;
}

// Square pieces, so that both the rows read and the lines written stay in the first cache.
void pack_weight_panel(const float* rows, std::size_t count, std::size_t inputs, float* HWY_RESTRICT panel) {
  for (std::size_t k = 0; k < inputs; k += kPanel) {
    const std::size_t end = inputs - k < kPanel ? inputs : k + kPanel;
    std::size_t packed_rows = 0, packed_inputs = k;
#if HWY_TARGET != HWY_SCALAR
    packed_inputs += (end - k) / 4 * 4;
    for (; packed_rows + 4 <= count; packed_rows += 4)
      for (std::size_t i = k; i < packed_inputs; i += 4)
        transpose_4x4<kPanel>(rows + packed_rows * inputs + i, inputs, panel + i * kPanel + packed_rows);
#endif
    pack_by_one(rows, packed_rows, count, inputs, k, packed_inputs, panel);
    pack_by_one(rows, 0, count, inputs, packed_inputs, end, panel);
  }
}

/// Codes [kPanel x stride] in pairs, [pairs x kPanel]. In squares, as above.
void pack_pairs(const std::int16_t* HWY_RESTRICT codes, std::size_t stride, std::size_t pairs,
                std::int32_t* HWY_RESTRICT panel) {
  for (std::size_t k = 0; k < pairs; k += kPairs)
    for (std::size_t j = 0; j < kPanel; ++j)
      for (std::size_t i = k; i < k + kPairs; ++i)
        std::memcpy(panel + i * kPanel + j, codes + j * stride + 2 * i, sizeof *panel);
}

void multiply_integers(const std::int32_t* pairs, const float* scales, const float* offsets,
                       std::size_t columns, std::size_t depth, const float* x, std::size_t rows,
                       std::size_t x_stride, float* y, std::size_t y_stride, bool accumulate) {
  const IntegerPanel panels{pairs, scales, offsets};
  if (kDotProducts && uses_dot_products())
    integer_gemm<kDotProducts>(panels, columns, depth, x, x_stride, rows, y, y_stride, accumulate);
  else
    integer_gemm<false>(panels, columns, depth, x, x_stride, rows, y, y_stride, accumulate);
}

void multiply_panels(const float* panels, std::size_t columns, std::size_t depth, const float* x,
                     std::size_t rows, std::size_t x_stride, float* y, std::size_t y_stride,
                     bool accumulate) {
  gemm(panels, depth * kPanel, columns, depth, x, x_stride, rows, y, y_stride, accumulate);
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {

namespace {

/// The largest code of a rounded weight: 32 products with codes of inputs (integer_gemm-inl.h) fit 32 bits.
constexpr float kLargestWeightCode = 2047.0F;

/// 32 weights as codes times the scale returned.
float round_weights(const float* weights, std::int16_t* codes) {
  float largest = 0.0F;
  for (std::size_t i = 0; i < kIntegerBlock; ++i) largest = std::max(largest, std::fabs(weights[i]));
  // Below this the factor might overflow; such weights are nothing.
  const float factor = largest >= 1e-30F ? kLargestWeightCode / largest : 0.0F;
  for (std::size_t i = 0; i < kIntegerBlock; ++i)
    codes[i] = static_cast<std::int16_t>(std::nearbyint(weights[i] * factor));
  return largest / kLargestWeightCode;
}

}  // namespace

HWY_EXPORT(panel_width_of_target);
HWY_EXPORT(tile_rows_of_target);
HWY_EXPORT(pack_weight_panel);
HWY_EXPORT(pack_pairs);
HWY_EXPORT(multiply_panels);
HWY_EXPORT(multiply_integers);

std::size_t rows_at_once() {
  return uses_tiles() ? amx::kTileRows : HWY_DYNAMIC_DISPATCH(tile_rows_of_target)();
}

std::size_t PackedMatrix::blocks() const {
  return inputs_ / kIntegerBlock;
}

bool PackedMatrix::resize(std::size_t outputs, std::size_t inputs) {
  outputs_ = inputs_ = 0;
  width_ = takes_packed_rows() ? amx::kWidth : HWY_DYNAMIC_DISPATCH(panel_width_of_target)();
  const std::size_t padded = (outputs + width_ - 1) / width_ * width_;
  if (inputs != 0 && padded > static_cast<std::size_t>(-1) / inputs) return false;
  bool enough = false;
  if (takes_packed_rows()) {
    const std::size_t numbers = amx::panel_size(inputs, parts_), panels = padded / width_;
    enough = numbers <= static_cast<std::size_t>(-1) / (panels + 1) && tiles_.resize(panels * numbers) &&
             scales_.resize(layout_ == Layout::ScaledTiles ? padded * (inputs / kIntegerBlock) : 0);
  } else if (in_integers()) {
    const std::size_t per_block = padded * (inputs / kIntegerBlock);
    enough = pairs_.resize(per_block * (kIntegerBlock / 2)) && scales_.resize(per_block) &&
             offsets_.resize(layout_ == Layout::Integers && has_offsets(format_) ? per_block : 0);
  } else {
    enough = data_.resize(padded * inputs);
  }
  if (!enough) return false;
  outputs_ = outputs;
  inputs_ = inputs;
  return true;
}

bool PackedMatrix::reset(std::size_t outputs, std::size_t inputs) {
  return reset(outputs, inputs, Format::F32);
}

bool PackedMatrix::reset(std::size_t outputs, std::size_t inputs, Format format, Compute compute) {
  format_ = format;
  compute_ = compute;
  const bool integers = has_integer_blocks(format) && inputs != 0 && inputs % info(format).block_size == 0;
  const bool fast = compute == Compute::Fast;
  if (uses_tiles())
    layout_ = integers && !has_offsets(format) && !fast ? Layout::ScaledTiles : Layout::Tiles;
  else if (integers)
    layout_ = Layout::Integers;
  else
    layout_ =
        fast && uses_dot_products() && inputs % kIntegerBlock == 0 ? Layout::RoundedIntegers : Layout::Floats;
  const bool one_part = fast || format == Format::BF16 || layout_ == Layout::ScaledTiles;
  parts_ = one_part ? 1 : 2;
  return resize(outputs, inputs);
}

void PackedMatrix::pack_panel(std::size_t panel, const float* rows) {
  if (layout_ == Layout::Tiles) {
    amx::pack_panel(rows, inputs_, rows_of(panel), inputs_, parts_,
                    tiles_.data() + panel * amx::panel_size(inputs_, parts_));
    return;
  }
  if (layout_ == Layout::RoundedIntegers) return pack_rounded(panel, rows);
  HWY_DYNAMIC_DISPATCH(pack_weight_panel)
  (rows, rows_of(panel), inputs_, data_.data() + panel * inputs_ * width_);
}

void PackedMatrix::pack_rounded(std::size_t panel, const float* rows) {
  // A few blocks of all rows at a time, so that they stay in the first cache. Rows past the end are zeros.
  constexpr std::size_t kPiece = 256, kMostRows = 32;
  alignas(64) std::int16_t codes[kMostRows * kPiece] = {};
  for (std::size_t k = 0; k < inputs_; k += kPiece) {
    const std::size_t piece = std::min(kPiece, inputs_ - k), first = panel * blocks() + k / kIntegerBlock;
    for (std::size_t j = 0; j < width_; ++j)
      for (std::size_t i = 0; i < piece; i += kIntegerBlock)
        scales_.data()[(first + i / kIntegerBlock) * width_ + j] =
            j < rows_of(panel) ? round_weights(rows + j * inputs_ + k + i, codes + j * kPiece + i) : 0.0F;
    HWY_DYNAMIC_DISPATCH(pack_pairs)
    (codes, kPiece, piece / 2, pairs_.data() + first * (kIntegerBlock / 2) * width_);
  }
}

amx::Panels PackedMatrix::tile_panels(std::size_t first) const {
  const float* scales = layout_ == Layout::ScaledTiles ? scales_.data() + first * width_ * blocks() : nullptr;
  return {tiles_.data() + first * amx::panel_size(inputs_, parts_), inputs_, parts_, scales};
}

bool PackedMatrix::pack_blocks(std::size_t panel, const std::byte* rows) {
  // A few blocks of all rows at a time, so that they stay in the first cache. Rows past the end are zeros.
  constexpr std::size_t kPiece = 256, kMostRows = 32, kPieceBlocks = kPiece / kIntegerBlock;
  static_assert(kMostRows == amx::kWidth);
  alignas(64) std::int16_t codes[kMostRows * kPiece] = {};
  const FormatInfo& format = info(format_);
  const std::size_t row_bytes = inputs_ / format.block_size * format.block_bytes, count = rows_of(panel);
  const bool offsets = has_offsets(format_);
  bool finite = true;
  for (std::size_t k = 0; k < inputs_; k += kPiece) {
    const std::size_t piece = std::min(kPiece, inputs_ - k), piece_blocks = piece / kIntegerBlock;
    const std::size_t first = panel * blocks() + k / kIntegerBlock;
    for (std::size_t j = 0; j < width_; ++j) {
      float scale[kPieceBlocks] = {}, offset[kPieceBlocks] = {};
      if (j < count)
        finite = take_apart(format_, rows + j * row_bytes + k / format.block_size * format.block_bytes, piece,
                            codes + j * kPiece, scale, offset) &&
                 finite;
      for (std::size_t block = 0; block < piece_blocks; ++block) {
        scales_.data()[(first + block) * width_ + j] = scale[block];
        if (offsets) offsets_.data()[(first + block) * width_ + j] = offset[block];
      }
    }
    if (layout_ == Layout::ScaledTiles) {
      amx::pack_codes(codes, kPiece, piece,
                      tiles_.data() + panel * amx::panel_size(inputs_, 1) + amx::panel_size(k, 1));
      continue;
    }
    HWY_DYNAMIC_DISPATCH(pack_pairs)
    (codes, kPiece, piece / 2, pairs_.data() + first * (kIntegerBlock / 2) * width_);
  }
  return finite;
}

bool PackedRows::reset(std::size_t rows, std::size_t inputs, Compute compute) {
  rows_ = inputs_ = 0;
  parts_ = compute == Compute::Fast ? 1 : 2;
  const std::size_t row_tiles = (rows + 15) / 16, each = amx::tile_row_size(inputs, parts_);
  if (each != 0 && row_tiles > static_cast<std::size_t>(-1) / each) return false;
  if (!tiles_.resize(row_tiles * each)) return false;
  rows_ = rows;
  inputs_ = inputs;
  return true;
}

void PackedRows::fill(std::size_t first, std::size_t count, const float* x, std::size_t x_stride) {
  amx::split_rows(x, x_stride, rows_, count, parts_, tiles_.data() + amx::tile_row_size(first, parts_),
                  amx::tile_row_size(inputs_, parts_));
}

void multiply(const PackedMatrix& weights, std::size_t first, std::size_t count, const PackedRows& x,
              float* y, std::size_t y_stride) {
  const std::size_t columns = std::min(count * weights.width_, weights.outputs_ - first * weights.width_);
  amx::multiply_tiles(weights.tile_panels(first), columns, 0, weights.inputs_, x.tiles_.data(), x.rows_,
                      x.parts_, y, y_stride, false);
}

void multiply(const PackedMatrix& weights, std::size_t first, std::size_t count, const float* x,
              std::size_t rows, std::size_t x_stride, float* y, std::size_t y_stride, bool accumulate) {
  const std::size_t width = weights.width(), depth = weights.inputs(), begin = first * width;
  std::size_t columns = count * width;
  if (columns > weights.outputs() - begin) columns = weights.outputs() - begin;
  if (weights.takes_packed_rows()) {
    amx::multiply(weights.tile_panels(first), columns, x, rows, x_stride,
                  weights.compute_ == Compute::Fast ? 1 : 2, y, y_stride, accumulate);
    return;
  }
  if (!weights.in_integers()) {
    HWY_DYNAMIC_DISPATCH(multiply_panels)
    (weights.data_.data() + begin * depth, columns, depth, x, rows, x_stride, y, y_stride, accumulate);
    return;
  }
  const std::size_t blocks = begin * weights.blocks();
  HWY_DYNAMIC_DISPATCH(multiply_integers)
  (weights.pairs_.data() + blocks * (kIntegerBlock / 2), weights.scales_.data() + blocks,
   weights.offsets_.size() == 0 ? nullptr : weights.offsets_.data() + blocks, columns, depth, x, rows,
   x_stride, y, y_stride, accumulate);
}

}  // namespace bitlens::kernels
#endif  // HWY_ONCE
