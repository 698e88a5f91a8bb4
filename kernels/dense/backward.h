// Gradients of the pieces of a llama block (attention, RMS norm, SwiGLU), from the gradient of a scalar with
// respect to a piece's output to that with respect to its inputs. f32, sums over a row in double; the order
// of sums depends on the position alone.
#pragma once

#include <cstddef>

#include "kernels/dense/attention.h"
#include "kernels/dense/buffer.h"

namespace bitlens::kernels {

/// target += gradient of rms_norm (elementwise.h) with respect to x, for `rows` rows of `width`.
void rms_norm_backward(const float* x, const float* weight, const float* gradient, std::size_t rows,
                       std::size_t width, float epsilon, float* target);

/// Gradients of swiglu (elementwise.h): d_gate = gradient * up * silu'(gate), d_up = gradient * silu(gate).
void swiglu_backward(const float* gate, const float* up, const float* gradient, std::size_t count,
                     float* d_gate, float* d_up);

/// One query head of one window: what went into attend() and what attend_backward() works with.
struct AttentionHead {
  const float* queries = nullptr;  ///< row 0, rows `query_stride` apart
  std::size_t query_stride = 0;
  const float* packed_keys = nullptr;     ///< the keys, packed as keys
  const float* values_as_keys = nullptr;  ///< the values, packed as keys
  const float* keys_as_values = nullptr;  ///< the keys, packed as values
};
/// One gradient at the head's output, and where its gradients go.
struct AttentionGradient {
  const float* output = nullptr;             ///< row 0, rows query_stride apart
  float* queries = nullptr;                  ///< row 0, rows query_stride apart; overwritten
  float *keys = nullptr, *values = nullptr;  ///< row 0, rows `key_stride` apart; added to
};
/// Buffers of one thread; sized on first use.
struct AttentionScratch {
  FloatBuffer shares, shares_turned, scores, scores_turned, tile;
};
/// Backward pass of one query head for `count` gradients at once; the softmax is computed once for all.
/// Single-threaded. False: no memory.
[[nodiscard]] bool attend_backward(const AttentionShape& shape, const AttentionHead& head,
                                   const AttentionGradient* gradients, std::size_t count,
                                   std::size_t key_stride, AttentionScratch& scratch);

}  // namespace bitlens::kernels
