// The backward pass of the llama family through one block: from the gradient of a scalar with respect to the
// block's output to the gradient with respect to its input, and to what every weight matrix of the block sees
// on the way: the gradient at its output. With x the matrix's input and g that gradient, the gradient with
// respect to the matrix is sum over tokens of g_t x_t^T; it is never formed here.
//
// Several gradients ("draws") of the same windows go through together and share what depends on the forward
// pass alone. Rows are ordered draw by draw, window by window, token by token:
// [draws * windows * context x columns], row-major f32. The same bits at any thread count.
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/run/forward.h"
#include "kernels/dense/attention_backward.h"
#include "kernels/dense/buffer.h"
#include "kernels/dense/product.h"

namespace bitlens::run {

/// Rows [first, first + rows) of a matrix, transposed and packed: multiply() then gives x * W instead of
/// x * W^T.
[[nodiscard]] Status pack_transposed(const WeightSource& source, std::size_t tensor, std::uint64_t first,
                                     std::uint64_t rows, kernels::Compute compute,
                                     kernels::PackedMatrix& packed, const WorkContext& work);

/// One block's weights as the backward pass multiplies with them: matrices transposed.
struct BackwardWeights {
  int layer = -1;
  std::vector<float> attn_norm, ffn_norm;
  kernels::PackedMatrix q, k, v, attn_output, gate, up, down;
};

/// What the forward pass computed inside a block for these windows: [windows * context x columns] each.
struct BlockActivations {
  const float* input = nullptr;                          ///< hidden states that went in
  const float* middle = nullptr;                         ///< the stream after attention
  const float *q = nullptr, *k = nullptr, *v = nullptr;  ///< queries and keys rotated
  const float *gate = nullptr, *up = nullptr;            ///< before the gating
};

/// The gradients at the outputs of a block's matrices, [draws * windows * context x outputs] each; at those
/// of attn_q and attn_k before the rotation.
struct BlockGradients {
  kernels::FloatBuffer q, k, v, attn_output, gate, up, down;
};

class Backward {
 public:
  /// `forward` must outlive this; `compute`: of the products, those of attention included. Gradients are
  /// those of exact arithmetic: rounding of activations is not differentiated.
  Backward(const Forward& forward, kernels::Compute compute) : forward_(&forward), compute_(compute) {}

  /// Bytes that one row takes in BlockGradients.
  [[nodiscard]] std::size_t gradient_bytes_per_row() const;
  [[nodiscard]] Status load_layer(int layer, BackwardWeights& weights, const WorkContext& work) const;
  /// gradient [draws * windows * context x width]: at the block's output on entry, at its input on return.
  /// Numeric, naming the layer, at the first NaN or infinity.
  [[nodiscard]] Status run_layer(const BackwardWeights& weights, const BlockActivations& activations,
                                 std::size_t windows, std::size_t draws, float* gradient,
                                 BlockGradients& gradients, const WorkContext& work);

 private:
  struct Call;
  [[nodiscard]] Status resize(BlockGradients& gradients, std::size_t windows, std::size_t draws, int workers);
  [[nodiscard]] Status through_ffn(const Call& call, const WorkContext& work);
  [[nodiscard]] Status through_attention(const Call& call, const WorkContext& work);
  [[nodiscard]] Status through_inputs(const Call& call, const WorkContext& work);

  const Forward* forward_ = nullptr;
  kernels::Compute compute_ = kernels::Compute::Exact;
  kernels::FloatBuffer attended_;  // gradient at what attention gives, [rows x heads * head_dim]
  struct Worker {
    kernels::FloatBuffer wide, narrow, packed;
    kernels::AttentionScratch attention;
  };
  std::vector<Worker> workers_;
};

}  // namespace bitlens::run
