// Gradients of the elementwise pieces of a llama block (RMS norm, SwiGLU), from the gradient of a scalar with
// respect to a piece's output to that with respect to its inputs. f32, sums over a row in double; the order
// of sums depends on the position alone.
#pragma once

#include <cstddef>

namespace bitlens::kernels {

/// target += gradient of rms_norm (elementwise.h) with respect to x, for `rows` rows of `width`.
void rms_norm_backward(const float* x, const float* weight, const float* gradient, std::size_t rows,
                       std::size_t width, float epsilon, float* target);

/// Gradients of swiglu (elementwise.h): d_gate = gradient * up * silu'(gate), d_up = gradient * silu(gate).
void swiglu_backward(const float* gate, const float* up, const float* gradient, std::size_t count,
                     float* d_gate, float* d_up);

}  // namespace bitlens::kernels
