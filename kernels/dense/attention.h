// Causal grouped-query attention in f32 (or with bf16 products), in blocks: scores of a few query rows
// against a few hundred keys at a time, with a running softmax (Milakov and Gimelshein, "Online normalizer
// calculation for softmax", 2018), so that no row of scores as long as the context is ever held. The split
// into blocks depends on the position alone.
#pragma once

#include <cstddef>

#include "kernels/dense/product.h"

namespace bitlens::kernels {

/// Query rows that are worked on together.
inline constexpr std::size_t kQueryTile = 48;
/// Keys per block of scores.
inline constexpr std::size_t kKeyBlock = 256;

/// One window of one key/value head.
struct AttentionShape {
  std::size_t context = 0;  ///< tokens in the window
  std::size_t head_dim = 0;
  std::size_t sliding_window = 0;  ///< a token sees this many tokens, itself included; 0: all before it
  /// Fast: products of bf16 numbers on the tile unit, where there is one and heads are not too small for it;
  /// the softmax stays in f32.
  Compute compute = Compute::Exact;
};

/// Floats that the packed keys, respectively values, of one shape take.
[[nodiscard]] std::size_t packed_keys_size(const AttentionShape& shape);
[[nodiscard]] std::size_t packed_values_size(const AttentionShape& shape);

/// Packs keys and values [context x head_dim], rows `stride` floats apart, for attend().
void pack_keys_values(const AttentionShape& shape, const float* keys, const float* values, std::size_t stride,
                      float* packed_keys, float* packed_values);

/// Query rows that are worth a task of their own: whole tiles, more of them the smaller head and context.
[[nodiscard]] constexpr std::size_t attention_task_rows(const AttentionShape& shape) {
  constexpr std::size_t kMultiplyAdds = std::size_t{1} << 20;
  const std::size_t tile = kQueryTile * shape.context * shape.head_dim;
  return kQueryTile * (tile < kMultiplyAdds && tile != 0 ? kMultiplyAdds / tile : 1);
}

/// Attention of query rows first .. first + rows - 1 of one head: target[r] = softmax(q[r] . k[0 .. first +
/// r] / sqrt(head_dim)) . v. `queries` and `target` point to row `first`. A row's bits do not depend on which
/// rows are asked for with it.
void attend(const AttentionShape& shape, const float* queries, std::size_t query_stride, std::size_t first,
            std::size_t rows, const float* packed_keys, const float* packed_values, float* target,
            std::size_t target_stride);

}  // namespace bitlens::kernels
