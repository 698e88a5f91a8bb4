#include "kernels/dense/attention_backward.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/dense/amx.h"
#include "kernels/dense/attention_tiles.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense/attention_backward.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "hwy/contrib/math/math-inl.h"
#include "kernels/dense/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

/// Scores of one row to shares, in place; columns outside [low, high) become 0.
HWY_INLINE void softmax_row(float* row, std::size_t low, std::size_t high, std::size_t columns, float scale) {
  const GemmTag d;
  constexpr std::size_t kSums = 16;
  for (std::size_t i = 0; i < low; ++i) row[i] = 0.0F;
  for (std::size_t i = high; i < columns; ++i) row[i] = 0.0F;
  float largest = -std::numeric_limits<float>::infinity();
  GemmVector most = hn::Set(d, largest);
  std::size_t i = low;
  for (; i + kLanes <= high; i += kLanes) most = hn::Max(most, hn::LoadU(d, row + i));
  for (; i < high; ++i) largest = row[i] > largest ? row[i] : largest;
  largest = std::max(largest, hn::GetLane(hn::MaxOfLanes(d, most)));
  const GemmVector shift = hn::Set(d, largest), factor = hn::Set(d, scale);
  i = low;
  for (; i + kLanes <= high; i += kLanes)
    hn::StoreU(hn::Exp(d, hn::Mul(hn::Sub(hn::LoadU(d, row + i), shift), factor)), d, row + i);
  for (; i < high; ++i) row[i] = hn::GetLane(hn::Exp(d, hn::Set(d, (row[i] - largest) * scale)));
  float sums[kSums] = {};
  i = low;
  for (; i + kSums <= high; i += kSums)
    for (std::size_t j = 0; j < kSums; ++j) sums[j] += row[i + j];
  for (std::size_t j = 0; i < high; ++i, ++j) sums[j] += row[i];
  double sum = 0.0;
  for (const float part : sums) sum += static_cast<double>(part);
  const auto by = static_cast<float>(1.0 / sum);
  for (i = low; i < high; ++i) row[i] *= by;
}

/// shares * (gradient - mean of the gradient under the shares) * scale, into `gradient`.
HWY_INLINE void softmax_backward_row(const float* shares, float* gradient, std::size_t columns, float scale) {
  constexpr std::size_t kSums = 16;
  float sums[kSums] = {};
  std::size_t i = 0;
  for (; i + kSums <= columns; i += kSums)
    for (std::size_t j = 0; j < kSums; ++j) sums[j] += shares[i + j] * gradient[i + j];
  for (; i < columns; ++i) sums[i % kSums] += shares[i] * gradient[i];
  double mean = 0.0;
  for (const float part : sums) mean += static_cast<double>(part);
  const auto m = static_cast<float>(mean);
  for (i = 0; i < columns; ++i) gradient[i] = shares[i] * (gradient[i] - m) * scale;
}

/// turned [columns x `turned_stride`] = the transpose of values [rows x columns].
HWY_INLINE void turn(const float* values, std::size_t rows, std::size_t columns, std::size_t stride,
                     std::size_t turned_stride, float* HWY_RESTRICT turned) {
  for (std::size_t c = 0; c < columns; c += 16) {
    const std::size_t end = columns - c < 16 ? columns : c + 16;
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t i = c; i < end; ++i) turned[i * turned_stride + r] = values[r * stride + i];
  }
}

/// Rows of `columns` floats as panels [rows x kPanel].
HWY_INLINE void pack_tile(const float* values, std::size_t stride, std::size_t rows, std::size_t columns,
                          float* HWY_RESTRICT packed) {
  for (std::size_t c = 0; c < columns; c += kPanel) {
    const std::size_t width = columns - c < kPanel ? columns - c : kPanel;
    for (std::size_t r = 0; r < rows; ++r, packed += kPanel)
      for (std::size_t j = 0; j < kPanel; ++j) packed[j] = j < width ? values[r * stride + c + j] : 0.0F;
  }
}

/// Some query rows and the keys they see: positions [start, start + keys).
struct QueryTile {
  std::size_t first, rows, start, keys;
};

/// The five products of the backward pass in f32.
struct FloatBackward {
  static constexpr std::size_t kRows = kQueryTile;

  const AttentionShape& shape;
  const AttentionHead& head;
  std::size_t key_stride;
  float *shares_turned, *scores_turned, *packed;

  static std::size_t floats(const AttentionShape& shape, std::size_t) {
    return 2 * kRows * shape.context + kRows * padded_head(shape);
  }
  static std::size_t padded_head(const AttentionShape& shape) {
    return (shape.head_dim + kPanel - 1) / kPanel * kPanel;
  }
  FloatBackward(const AttentionShape& of, const AttentionHead& of_head, std::size_t, std::size_t stride,
                float* room)
      : shape(of),
        head(of_head),
        key_stride(stride),
        shares_turned(room),
        scores_turned(room + kRows * of.context),
        packed(room + 2 * kRows * of.context) {}

  [[nodiscard]] const float* values_as_keys() const { return head.packed + packed_keys_size(exact()); }
  [[nodiscard]] const float* keys_as_values() const { return head.packed + 2 * packed_keys_size(exact()); }
  [[nodiscard]] AttentionShape exact() const {
    return {shape.context, shape.head_dim, shape.sliding_window, Compute::Exact};
  }
  [[nodiscard]] const float* queries(const QueryTile& t) const {
    return head.queries + t.first * head.query_stride;
  }

  void scores(const QueryTile& t, float* target) {
    gemm(head.packed + t.start * shape.head_dim, kPanel * shape.head_dim, t.keys, shape.head_dim, queries(t),
         head.query_stride, t.rows, target, t.keys, false);
  }
  void set_shares(const QueryTile& t, const float* shares) {
    turn(shares, t.rows, t.keys, t.keys, kRows, shares_turned);
  }
  /// The gradient of the shares.
  void of_shares(const QueryTile& t, const float* output, float* target) {
    gemm(values_as_keys() + t.start * shape.head_dim, kPanel * shape.head_dim, t.keys, shape.head_dim, output,
         head.query_stride, t.rows, target, t.keys, false);
  }
  /// From the gradient of the scores and that of the output to those of queries, keys and values.
  void of_inputs(const QueryTile& t, const float* scores, const float* output, std::size_t,
                 const AttentionGradient& gradient) {
    const std::size_t dim = shape.head_dim, stride = head.query_stride;
    gemm(keys_as_values() + t.start * kPanel, kPanel * shape.context, dim, t.keys, scores, t.keys, t.rows,
         gradient.queries + t.first * stride, stride, false);
    turn(scores, t.rows, t.keys, t.keys, kRows, scores_turned);
    pack_tile(queries(t), stride, t.rows, dim, packed);
    gemm(packed, kPanel * t.rows, dim, t.rows, scores_turned, kRows, t.keys,
         gradient.keys + t.start * key_stride, key_stride, true);
    pack_tile(output, stride, t.rows, dim, packed);
    gemm(packed, kPanel * t.rows, dim, t.rows, shares_turned, kRows, t.keys,
         gradient.values + t.start * key_stride, key_stride, true);
  }
  void finish(const AttentionGradient*, std::size_t) {}
};

/// The same in bf16 on the tile unit. Gradients of keys and values are summed turned, [head_dim x context]:
/// so a tile's scores are packed once, as columns, and never turned themselves.
struct TileBackward {
  static constexpr std::size_t kRows = 64;
  /// Of queries and keys in the scores, which the exponential makes large differences of.
  static constexpr std::size_t kScoreParts = 2;

  const AttentionShape& shape;
  const AttentionHead& head;
  std::size_t key_stride, width;  // width: the context, in whole panels
  std::uint16_t *row_tiles, *query_tiles, *output_tiles, *shares_packed, *scores_packed;
  float *turned, *sums;

  static std::size_t panels(std::size_t outputs, std::size_t inputs, std::size_t parts) {
    return (outputs + amx::kWidth - 1) / amx::kWidth * amx::panel_size(inputs, parts);
  }
  static std::size_t tiles(std::size_t rows, std::size_t inputs, std::size_t parts) {
    return (rows + 15) / 16 * amx::tile_row_size(inputs, parts);
  }
  static std::size_t padded(const AttentionShape& shape) {
    return (shape.context + amx::kWidth - 1) / amx::kWidth * amx::kWidth;
  }
  static std::size_t row_tiles_size(const AttentionShape& shape) {
    return std::max(tiles(kRows, shape.context, 1), tiles(kRows, shape.head_dim, kScoreParts));
  }
  static std::size_t floats(const AttentionShape& shape, std::size_t count) {
    const std::size_t numbers =
        row_tiles_size(shape) + 2 * tiles(shape.head_dim, kRows, 1) + 2 * panels(shape.context, kRows, 1);
    return numbers / 2 + shape.head_dim * (kRows + 2 * count * padded(shape));
  }
  TileBackward(const AttentionShape& of, const AttentionHead& of_head, std::size_t count, std::size_t stride,
               float* room)
      : shape(of), head(of_head), key_stride(stride), width(padded(of)) {
    auto* numbers = reinterpret_cast<std::uint16_t*>(room);
    const auto take = [&](std::size_t some) { return (numbers += some) - some; };
    row_tiles = take(row_tiles_size(of));
    query_tiles = take(tiles(of.head_dim, kRows, 1));
    output_tiles = take(tiles(of.head_dim, kRows, 1));
    shares_packed = take(panels(of.context, kRows, 1));
    scores_packed = take(panels(of.context, kRows, 1));
    turned = reinterpret_cast<float*>(numbers);
    sums = turned + of.head_dim * kRows;
    std::fill_n(sums, 2 * count * of.head_dim * width, 0.0F);
  }

  [[nodiscard]] const std::uint16_t* keys() const {
    return reinterpret_cast<const std::uint16_t*>(head.packed);
  }
  [[nodiscard]] const std::uint16_t* values_as_keys() const {
    return keys() + panels(shape.context, shape.head_dim, kScoreParts);
  }
  [[nodiscard]] const std::uint16_t* keys_as_values() const {
    return values_as_keys() + panels(shape.context, shape.head_dim, 1);
  }
  /// Rows of a tile the other way round: [head_dim x rows], as tiles.
  void turn_rows(const QueryTile& t, const float* rows, std::uint16_t* target) {
    turn(rows, t.rows, shape.head_dim, head.query_stride, kRows, turned);
    amx::split_rows(turned, kRows, shape.head_dim, t.rows, 1, target, amx::tile_row_size(t.rows, 1));
  }
  /// Rows of a tile by keys or values from the tile's first key on.
  void by_keys(const QueryTile& t, const float* rows, const std::uint16_t* panels_of, std::size_t parts,
               float* target) {
    const std::size_t dim = shape.head_dim;
    amx::split_rows(rows, head.query_stride, t.rows, dim, parts, row_tiles, amx::tile_row_size(dim, parts));
    amx::multiply_tiles({panels_of + t.start / amx::kWidth * amx::panel_size(dim, parts), dim, parts}, t.keys,
                        0, dim, row_tiles, t.rows, parts, target, t.keys, false);
  }
  void add_turned(const QueryTile& t, const std::uint16_t* packed, const std::uint16_t* rows, float* target) {
    amx::multiply_tiles({packed, t.rows, 1}, t.keys, 0, t.rows, rows, shape.head_dim, 1, target + t.start,
                        width, true);
  }

  void scores(const QueryTile& t, float* target) {
    const float* queries = head.queries + t.first * head.query_stride;
    by_keys(t, queries, keys(), kScoreParts, target);
    turn_rows(t, queries, query_tiles);
  }
  void set_shares(const QueryTile& t, const float* shares) {
    amx::pack_columns(shares, t.keys, t.rows, t.keys, 1, shares_packed);
  }
  void of_shares(const QueryTile& t, const float* output, float* target) {
    by_keys(t, output, values_as_keys(), 1, target);
  }
  void of_inputs(const QueryTile& t, const float* scores, const float* output, std::size_t index,
                 const AttentionGradient& gradient) {
    const std::size_t stride = head.query_stride;
    amx::split_rows(scores, t.keys, t.rows, t.keys, 1, row_tiles, amx::tile_row_size(t.keys, 1));
    amx::multiply_tiles({keys_as_values(), shape.context, 1}, shape.head_dim, t.start, t.keys, row_tiles,
                        t.rows, 1, gradient.queries + t.first * stride, stride, false);
    amx::pack_columns(scores, t.keys, t.rows, t.keys, 1, scores_packed);
    add_turned(t, scores_packed, query_tiles, sums_of(index, 0));
    turn_rows(t, output, output_tiles);
    add_turned(t, shares_packed, output_tiles, sums_of(index, 1));
  }
  [[nodiscard]] float* sums_of(std::size_t index, std::size_t which) const {
    return sums + (2 * index + which) * shape.head_dim * width;
  }
  void finish(const AttentionGradient* gradients, std::size_t count) {
    const auto add = [&](const float* from, float* target) {
      for (std::size_t c = 0; c < shape.head_dim; c += 16) {
        const std::size_t end = std::min(shape.head_dim, c + 16);
        for (std::size_t t = 0; t < shape.context; ++t)
          for (std::size_t i = c; i < end; ++i) target[t * key_stride + i] += from[i * width + t];
      }
    };
    for (std::size_t g = 0; g < count; ++g) {
      add(sums_of(g, 0), gradients[g].keys);
      add(sums_of(g, 1), gradients[g].values);
    }
  }
};

template <class Products>
void attend_backward_by(const AttentionShape& shape, const AttentionHead& head,
                        const AttentionGradient* gradients, std::size_t count, std::size_t key_stride,
                        float* room) {
  constexpr std::size_t kRows = Products::kRows;
  const std::size_t window = shape.sliding_window, stride = head.query_stride;
  const float scale = 1.0F / std::sqrt(static_cast<float>(shape.head_dim));
  float *shares = room, *scores = room + kRows * shape.context;
  Products products(shape, head, count, key_stride, room + 2 * kRows * shape.context);
  for (std::size_t first = 0; first < shape.context; first += kRows) {
    const std::size_t end = std::min(first + kRows, shape.context);
    std::size_t start = window != 0 && first + 1 > window ? first + 1 - window : 0;
    start = start / kKeyBlock * kKeyBlock;
    const QueryTile tile{first, end - first, start, end - start};
    products.scores(tile, shares);
    for (std::size_t r = 0; r < tile.rows; ++r) {
      const std::size_t position = first + r;
      const std::size_t low =
          window != 0 && position + 1 > window + start ? position + 1 - window - start : 0;
      softmax_row(shares + r * tile.keys, low, position + 1 - start, tile.keys, scale);
    }
    products.set_shares(tile, shares);
    for (std::size_t g = 0; g < count; ++g) {
      const float* output = gradients[g].output + first * stride;
      products.of_shares(tile, output, scores);
      for (std::size_t r = 0; r < tile.rows; ++r)
        softmax_backward_row(shares + r * tile.keys, scores + r * tile.keys, tile.keys, scale);
      products.of_inputs(tile, scores, output, g, gradients[g]);
    }
  }
  products.finish(gradients, count);
}

std::size_t backward_floats(const AttentionShape& shape, std::size_t count) {
  if (on_tiles(shape)) return 2 * TileBackward::kRows * shape.context + TileBackward::floats(shape, count);
  return 2 * FloatBackward::kRows * shape.context + FloatBackward::floats(shape, count);
}

void attend_backward_all(const AttentionShape& shape, const AttentionHead& head,
                         const AttentionGradient* gradients, std::size_t count, std::size_t key_stride,
                         float* room) {
  const auto run = on_tiles(shape) ? attend_backward_by<TileBackward> : attend_backward_by<FloatBackward>;
  run(shape, head, gradients, count, key_stride, room);
}

std::size_t packed_backward_floats(const AttentionShape& shape) {
  if (on_tiles(shape))
    return (TileBackward::panels(shape.context, shape.head_dim, TileBackward::kScoreParts) +
            TileBackward::panels(shape.context, shape.head_dim, 1) +
            TileBackward::panels(shape.head_dim, shape.context, 1)) /
           2;
  const AttentionShape exact{shape.context, shape.head_dim, shape.sliding_window, Compute::Exact};
  return 2 * packed_keys_size(exact) + packed_values_size(exact);
}

void pack_for_backward(const AttentionShape& shape, const float* keys, const float* values,
                       std::size_t stride, float* packed) {
  if (!on_tiles(shape)) {
    const AttentionShape exact{shape.context, shape.head_dim, shape.sliding_window, Compute::Exact};
    const std::size_t size = packed_keys_size(exact);
    // Values packed as values are not needed: their place is that of the keys, which come after them.
    pack_keys_values(exact, values, values, stride, packed + size, packed + 2 * size);
    pack_keys_values(exact, keys, keys, stride, packed, packed + 2 * size);
    return;
  }
  const std::size_t dim = shape.head_dim;
  auto* target = reinterpret_cast<std::uint16_t*>(packed);
  const auto pack_rows = [&](const float* rows, std::size_t parts) {
    for (std::size_t t = 0; t < shape.context; t += amx::kWidth) {
      amx::pack_panel(rows + t * stride, stride, std::min(amx::kWidth, shape.context - t), dim, parts,
                      target);
      target += amx::panel_size(dim, parts);
    }
  };
  pack_rows(keys, TileBackward::kScoreParts);
  pack_rows(values, 1);
  amx::pack_columns(keys, stride, shape.context, dim, 1, target);
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {

HWY_EXPORT(backward_floats);
HWY_EXPORT(attend_backward_all);
HWY_EXPORT(packed_backward_floats);
HWY_EXPORT(pack_for_backward);

std::size_t packed_backward_size(const AttentionShape& shape) {
  return HWY_DYNAMIC_DISPATCH(packed_backward_floats)(shape);
}

void pack_backward(const AttentionShape& shape, const float* keys, const float* values, std::size_t stride,
                   float* packed) {
  HWY_DYNAMIC_DISPATCH(pack_for_backward)(shape, keys, values, stride, packed);
}

bool attend_backward(const AttentionShape& shape, const AttentionHead& head,
                     const AttentionGradient* gradients, std::size_t count, std::size_t key_stride,
                     AttentionScratch& scratch) {
  if (!scratch.room.resize(HWY_DYNAMIC_DISPATCH(backward_floats)(shape, count))) return false;
  HWY_DYNAMIC_DISPATCH(attend_backward_all)
  (shape, head, gradients, count, key_stride, scratch.room.data());
  return true;
}

}  // namespace bitlens::kernels
#endif  // HWY_ONCE
