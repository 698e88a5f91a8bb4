// The row-wise pieces of a llama block: RMS norm, rotary embedding, SwiGLU. One call works on whole rows.
#pragma once

#include <cstddef>

namespace bitlens::kernels {

/// target = x / sqrt(mean(x^2) + epsilon) * weight, for `rows` rows of `width`; the mean in double
/// (Zhang and Sennrich, "Root mean square layer normalization", 2019).
void rms_norm(const float* x, const float* weight, std::size_t rows, std::size_t width, float epsilon,
              float* target);

/// Rotates neighbouring pairs (x[2i], x[2i + 1]) of the first `dimensions` components of each of `heads`
/// heads of one row by the angles of its position (Su et al., "RoFormer", 2021; the pair order GGUF stores
/// llama weights in). `angles`: cos and sin alternating, `dimensions` floats.
void rotate(float* row, std::size_t heads, std::size_t head_dim, std::size_t dimensions, const float* angles);

/// target = silu(gate) * up, silu(z) = z / (1 + exp(-z)) (Shazeer, "GLU variants improve transformer", 2020).
void swiglu(const float* gate, const float* up, std::size_t count, float* target);

}  // namespace bitlens::kernels
