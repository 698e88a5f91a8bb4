#include "kernels/dense/attention.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/dense/amx.h"
#include "kernels/dense/attention_tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense/attention.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "kernels/dense/attention_lanes-inl.h"
#include "kernels/dense/exp2-inl.h"
#include "kernels/dense/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

constexpr float kMasked = -std::numeric_limits<float>::infinity();

std::size_t keys_size(const AttentionShape& shape) {
  return (shape.context + kPanel - 1) / kPanel * kPanel * shape.head_dim;
}
std::size_t values_size(const AttentionShape& shape) {
  return (shape.head_dim + kPanel - 1) / kPanel * kPanel * shape.context;
}

// Keys become panels [head_dim x kPanel keys], values panels [context x kPanel components].
void pack(const AttentionShape& shape, const float* keys, const float* values, std::size_t stride,
          float* HWY_RESTRICT packed_keys, float* HWY_RESTRICT packed_values) {
  const std::size_t head = shape.head_dim;
  for (std::size_t first = 0; first < shape.context; first += kPanel) {
    float* panel = packed_keys + first * head;
    for (std::size_t j = 0; j < kPanel; ++j)
      for (std::size_t c = 0; c < head; ++c)
        panel[c * kPanel + j] = first + j < shape.context ? keys[(first + j) * stride + c] : 0.0F;
  }
  for (std::size_t c = 0; c < head; c += kPanel) {
    float* panel = packed_values + c * shape.context;
    const std::size_t width = head - c < kPanel ? head - c : kPanel;
    for (std::size_t t = 0; t < shape.context; ++t) {
      const float* row = values + t * stride + c;
      for (std::size_t j = 0; j < kPanel; ++j) panel[t * kPanel + j] = j < width ? row[j] : 0.0F;
    }
  }
}

/// Largest of `count` scores. `count` is padded to whole vectors with kMasked.
HWY_INLINE float row_maximum(const float* scores, std::size_t count) {
  const GemmTag d;
  GemmVector largest = hn::Set(d, kMasked);
  for (std::size_t i = 0; i < count; i += kLanes) largest = hn::Max(largest, hn::Load(d, scores + i));
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

/// scores := 2^((scores - shift) * scale); returns their sum, NaN if a score is. The partial sums are always
/// 16, whatever the vector width.
HWY_INLINE float exponentiate(float* scores, std::size_t count, float shift, float scale) {
  const GemmTag d;
  constexpr std::size_t kParts = 16 / kLanes;
  GemmVector sums[kParts];
  for (GemmVector& sum : sums) sum = hn::Zero(d);
  const GemmVector offset = hn::Set(d, shift), factor = hn::Set(d, scale);
  for (std::size_t i = 0; i < count; i += 16) {
    for (std::size_t part = 0; part < kParts; ++part) {
      float* at = scores + i + part * kLanes;
      const GemmVector value = power_of_two(d, hn::Mul(hn::Sub(hn::Load(d, at), offset), factor));
      hn::Store(value, d, at);
      sums[part] = hn::Add(sums[part], value);
    }
  }
  HWY_ALIGN float lanes[16];
  for (std::size_t part = 0; part < kParts; ++part) hn::Store(sums[part], d, lanes + part * kLanes);
  for (std::size_t half = 8; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  return lanes[0];
}

/// The two products of attention in f32. Queries are packed once for all blocks of keys; weights, which meet
/// few columns, are multiplied as they stand.
struct FloatProducts {
  const AttentionShape& shape;
  const float *queries, *packed_keys, *packed_values;
  std::size_t query_stride, rows;
  HWY_ALIGN float packed_queries[kQueryTile * kDepth];
  static_assert(kKeyBlock <= kDepth && kQueryTile % kTileRows == 0);

  FloatProducts(const AttentionShape& of, const float* from, std::size_t stride, std::size_t count,
                const float* keys, const float* values)
      : shape(of),
        queries(from),
        packed_keys(keys),
        packed_values(values),
        query_stride(stride),
        rows(count) {
    if (in_one_chain()) pack_rows(queries, query_stride, rows, shape.head_dim, packed_queries);
  }
  void scores(std::size_t key, std::size_t keys, float* target) {
    const std::size_t head = shape.head_dim;
    if (in_one_chain())
      multiply_rows<PackedLayout>(packed_keys + key * head, kPanel * head, keys, head, packed_queries,
                                  kTileRows * head, rows, target, kKeyBlock, false);
    else
      gemm(packed_keys + key * head, kPanel * head, keys, head, queries, query_stride, rows, target,
           kKeyBlock, false);
  }
  void add_values(std::size_t key, std::size_t keys, const float* weights, float* target,
                  std::size_t target_stride) {
    multiply_rows<RowLayout<kKeyBlock, 1>>(packed_values + key * kPanel, kPanel * shape.context,
                                           shape.head_dim, keys, weights, kTileRows * kKeyBlock, rows, target,
                                           target_stride, true);
  }

 private:
  [[nodiscard]] bool in_one_chain() const { return shape.head_dim <= kDepth; }
};

/// The same in bf16 on the tile unit.
struct TileProducts {
  const AttentionShape& shape;
  const std::uint16_t *packed_keys, *packed_values;
  std::size_t rows;
  alignas(64) std::uint16_t query_tiles[kQueryTile * kLargestTileHead], weight_tiles[kQueryTile * kKeyBlock];

  TileProducts(const AttentionShape& of, const float* queries, std::size_t query_stride, std::size_t count,
               const float* keys, const float* values)
      : shape(of),
        packed_keys(reinterpret_cast<const std::uint16_t*>(keys)),
        packed_values(reinterpret_cast<const std::uint16_t*>(values)),
        rows(count) {
    amx::split_rows(queries, query_stride, rows, shape.head_dim, 1, query_tiles,
                    amx::tile_row_size(shape.head_dim, 1));
  }
  void scores(std::size_t key, std::size_t keys, float* target) {
    const std::uint16_t* panels = packed_keys + key / amx::kWidth * amx::panel_size(shape.head_dim, 1);
    amx::multiply_tiles({panels, shape.head_dim, 1}, keys, 0, shape.head_dim, query_tiles, rows, 1, target,
                        kKeyBlock, false);
  }
  void add_values(std::size_t key, std::size_t keys, const float* weights, float* target,
                  std::size_t target_stride) {
    amx::split_rows(weights, kKeyBlock, rows, keys, 1, weight_tiles, amx::tile_row_size(keys, 1));
    amx::multiply_tiles({packed_values, shape.context, 1}, shape.head_dim, key, keys, weight_tiles, rows, 1,
                        target, target_stride, true);
  }
};

HWY_INLINE void scale_row(float* row, std::size_t count, float factor) {
  for (std::size_t c = 0; c < count; ++c) row[c] *= factor;
}

template <class Products>
void attend_blocks(const AttentionShape& shape, Products& products, std::size_t first, std::size_t rows,
                   float* target, std::size_t target_stride) {
  const std::size_t head = shape.head_dim, window = shape.sliding_window;
  HWY_ALIGN float scores[kQueryTile * kKeyBlock];
  float largest[kQueryTile], total[kQueryTile];
  // Of the exponent in powers of two: log2(e) / sqrt(head_dim).
  const float scale = 1.44269504F / std::sqrt(static_cast<float>(head));
  for (std::size_t r = 0; r < rows; ++r) {
    largest[r] = kMasked;
    total[r] = 0.0F;
    for (std::size_t c = 0; c < head; ++c) target[r * target_stride + c] = 0.0F;
  }
  const std::size_t end = first + rows;  // keys 0 .. end - 1 are seen by the last row
  std::size_t start = window != 0 && first + 1 > window ? first + 1 - window : 0;
  start = start / kKeyBlock * kKeyBlock;
  for (std::size_t key = start; key < end; key += kKeyBlock) {
    const std::size_t keys = end - key < kKeyBlock ? end - key : kKeyBlock;
    const std::size_t padded = (keys + 15) / 16 * 16;
    products.scores(key, keys, scores);
    for (std::size_t r = 0; r < rows; ++r) {
      float* row = scores + r * kKeyBlock;
      const std::size_t position = first + r;
      // Keys this row sees in the block: [low, high).
      std::size_t high = position < key ? 0 : position - key + 1;
      if (high > keys) high = keys;
      std::size_t low = window != 0 && position + 1 > window + key ? position + 1 - window - key : 0;
      if (low > high) low = high;
      if (low == high) {
        for (std::size_t i = 0; i < padded; ++i) row[i] = 0.0F;
        continue;
      }
      for (std::size_t i = 0; i < low; ++i) row[i] = kMasked;
      for (std::size_t i = high; i < padded; ++i) row[i] = kMasked;
      const float shift = std::fmax(largest[r], row_maximum(row, padded));
      const float kept = std::exp2((largest[r] - shift) * scale);  // 0 in the first block
      total[r] = total[r] * kept + exponentiate(row, padded, shift, scale);
      if (kept != 1.0F) scale_row(target + r * target_stride, head, kept);
      largest[r] = shift;
    }
    products.add_values(key, keys, scores, target, target_stride);
  }
  for (std::size_t r = 0; r < rows; ++r) scale_row(target + r * target_stride, head, 1.0F / total[r]);
}

void attend_tile(const AttentionShape& shape, const float* queries, std::size_t query_stride,
                 std::size_t first, std::size_t rows, const float* packed_keys, const float* packed_values,
                 float* target, std::size_t target_stride) {
  if (on_tiles(shape)) {
    TileProducts products(shape, queries, query_stride, rows, packed_keys, packed_values);
    return attend_blocks(shape, products, first, rows, target, target_stride);
  }
  const auto in_lanes = shape.head_dim == 8    ? attend_lanes<8>
                        : shape.head_dim == 16 ? attend_lanes<16>
                                               : nullptr;
  if (in_lanes != nullptr)
    return in_lanes(shape, queries, query_stride, first, rows, packed_keys, packed_values, target,
                    target_stride);
  FloatProducts products(shape, queries, query_stride, rows, packed_keys, packed_values);
  attend_blocks(shape, products, first, rows, target, target_stride);
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {

HWY_EXPORT(keys_size);
HWY_EXPORT(values_size);
HWY_EXPORT(pack);
HWY_EXPORT(attend_tile);

namespace {

/// bf16 numbers in the place of floats.
constexpr std::size_t kPerFloat = sizeof(float) / sizeof(std::uint16_t);

std::size_t panels_size(std::size_t outputs, std::size_t inputs) {
  return (outputs + amx::kWidth - 1) / amx::kWidth * amx::panel_size(inputs, 1) / kPerFloat;
}

void pack_tiles(const AttentionShape& shape, const float* keys, const float* values, std::size_t stride,
                std::uint16_t* packed_keys, std::uint16_t* packed_values) {
  for (std::size_t key = 0; key < shape.context; key += amx::kWidth) {
    const std::size_t count = std::min(amx::kWidth, shape.context - key);
    amx::pack_panel(keys + key * stride, stride, count, shape.head_dim, 1,
                    packed_keys + key / amx::kWidth * amx::panel_size(shape.head_dim, 1));
  }
  amx::pack_columns(values, stride, shape.context, shape.head_dim, 1, packed_values);
}

}  // namespace

std::size_t packed_keys_size(const AttentionShape& shape) {
  if (on_tiles(shape)) return panels_size(shape.context, shape.head_dim);
  return HWY_DYNAMIC_DISPATCH(keys_size)(shape);
}
std::size_t packed_values_size(const AttentionShape& shape) {
  if (on_tiles(shape)) return panels_size(shape.head_dim, shape.context);
  return HWY_DYNAMIC_DISPATCH(values_size)(shape);
}

void pack_keys_values(const AttentionShape& shape, const float* keys, const float* values, std::size_t stride,
                      float* packed_keys, float* packed_values) {
  if (on_tiles(shape))
    return pack_tiles(shape, keys, values, stride, reinterpret_cast<std::uint16_t*>(packed_keys),
                      reinterpret_cast<std::uint16_t*>(packed_values));
  HWY_DYNAMIC_DISPATCH(pack)(shape, keys, values, stride, packed_keys, packed_values);
}

void attend(const AttentionShape& shape, const float* queries, std::size_t query_stride, std::size_t first,
            std::size_t rows, const float* packed_keys, const float* packed_values, float* target,
            std::size_t target_stride) {
  for (std::size_t r = 0; r < rows; r += kQueryTile) HWY_DYNAMIC_DISPATCH(attend_tile)
  (shape, queries + r * query_stride, query_stride, first + r, rows - r < kQueryTile ? rows - r : kQueryTile,
   packed_keys, packed_values, target + r * target_stride, target_stride);
}

}  // namespace bitlens::kernels
#endif  // HWY_ONCE
