// The backward pass of causal attention, one query head of one window at a time, for several gradients at
// its output at once. f32, sums over a row of shares in double; or, where the shape asks for fast products
// and heads are not too small, bf16 products on the tile unit: shares are then computed from two parts a
// number and everything that is multiplied with a gradient is one. The order of sums depends on the position
// alone.
#pragma once

#include <cstddef>

#include "kernels/dense/attention.h"
#include "kernels/dense/buffer.h"

namespace bitlens::kernels {

/// Floats that keys and values of one key/value head take, packed for attend_backward().
[[nodiscard]] std::size_t packed_backward_size(const AttentionShape& shape);
/// Packs keys and values [context x head_dim], rows `stride` floats apart.
void pack_backward(const AttentionShape& shape, const float* keys, const float* values, std::size_t stride,
                   float* packed);

/// One query head of one window: what went into attend(), keys and values by pack_backward().
struct AttentionHead {
  const float* queries = nullptr;  ///< row 0, rows `query_stride` apart
  std::size_t query_stride = 0;
  const float* packed = nullptr;
};
/// One gradient at the head's output, and where its gradients go.
struct AttentionGradient {
  const float* output = nullptr;             ///< row 0, rows query_stride apart
  float* queries = nullptr;                  ///< row 0, rows query_stride apart; overwritten
  float *keys = nullptr, *values = nullptr;  ///< row 0, rows `key_stride` apart; added to
};
/// Memory of one thread; sized on use.
struct AttentionScratch {
  FloatBuffer room;
};
/// Backward pass of one query head for `count` gradients at once; the softmax is computed once for all.
/// Single-threaded. False: no memory.
[[nodiscard]] bool attend_backward(const AttentionShape& shape, const AttentionHead& head,
                                   const AttentionGradient* gradients, std::size_t count,
                                   std::size_t key_stride, AttentionScratch& scratch);

}  // namespace bitlens::kernels
