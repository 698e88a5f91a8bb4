// The forward pass of the llama family, layer-major: all rows of a batch go through layer i before layer i +
// 1 is touched, so one layer's weights are in memory at a time and the hidden states at every layer boundary
// belong to the caller, who may keep, copy or replace them.
//
// A batch is a number of windows of equal length ("context" tokens), each attending only to itself. Hidden
// states are row-major [windows * context x width] f32. Results are the same bits at any thread count and
// however windows are batched: every sum runs in an order that depends on the row alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/model/model.h"
#include "core/run/tile_input.h"
#include "core/run/weights.h"
#include "kernels/dense/attention.h"
#include "kernels/dense/buffer.h"
#include "kernels/dense/product.h"
#include "kernels/formats/format.h"

namespace bitlens::run {

/// What goes into one linear layer, or into several that share their input (attn_q, attn_k, attn_v; ffn_gate,
/// ffn_up).
struct LinearInput {
  std::span<const std::size_t> tensors;  ///< indices of the weights it is multiplied with, in the model file
  int layer = -1;                        ///< -1: the output matrix
  std::span<const float> values;         ///< row-major [rows x columns], before any rounding
  std::size_t rows = 0, columns = 0;
};
/// Called on the thread that runs the forward pass, outside parallel sections (an observer may use the pool),
/// layer by layer and in row order. `values` is valid during the call only. An error ends the pass and is
/// passed up.
using LinearObserver = std::function<Status(const LinearInput&)>;

/// One linear layer, ready to multiply.
struct Linear {
  kernels::PackedMatrix weights;  ///< [outputs x inputs]
  std::vector<float> bias;        ///< [outputs], or empty
  std::size_t tensor = 0;         ///< index in the model file
  /// How the runtime that q8 mode imitates rounds this layer's input; None in exact mode.
  kernels::ActivationRounding rounding = kernels::ActivationRounding::None;
};

/// Everything one block needs, decoded.
struct LayerWeights {
  int layer = -1;
  std::vector<float> attn_norm, ffn_norm;  ///< [width]
  Linear q, k, v, attn_output, gate, up, down;
};

/// What one block computes on the way, for one batch. Row-major, one row per token; kept until the next call.
struct LayerActivations {
  kernels::FloatBuffer q, k, v;  ///< [rows x heads * head_dim], [rows x kv_heads * head_dim]; rotated
  kernels::FloatBuffer packed_k, packed_v;  ///< the same k and v in the order the attention kernel reads them
  kernels::FloatBuffer attended;            ///< [rows x heads * head_dim], input of attn_output
  // Only for an observer:
  kernels::FloatBuffer attn_input;  ///< [rows x width] after attn_norm
  kernels::FloatBuffer ffn_input;   ///< [rows x width] after ffn_norm
  kernels::FloatBuffer gated;       ///< [rows x ffn_width] silu(gate) * up, input of ffn_down
  /// What a worker needs for the tile of rows it is at.
  struct Room {
    TileRoom input;
    kernels::FloatBuffer normed, gate, up;
    kernels::FloatBuffer projected;  ///< outputs before they are added to the residual stream
    kernels::PackedRows gated;
    kernels::FloatBuffer pieces;  ///< some columns of gate and up
  };
  std::vector<Room> rooms;
};

/// A model seen through a WeightSource, ready to be run on windows of one length. The source must outlive it.
class Forward {
 public:
  /// Fails with the reason if the model cannot be run. `round_activations`: inputs of products with quantized
  /// weights are rounded as llama.cpp's CPU code rounds them. `compute`: how products with weights are
  /// computed.
  [[nodiscard]] static Result<Forward> create(const WeightSource& source, std::uint32_t context,
                                              bool round_activations,
                                              kernels::Compute compute = kernels::Compute::Exact);

  [[nodiscard]] const model::LlamaParameters& parameters() const { return parameters_; }
  [[nodiscard]] std::uint32_t context() const { return context_; }
  [[nodiscard]] const WeightSource& source() const { return *source_; }
  [[nodiscard]] bool rounds_activations() const { return round_activations_; }
  /// Angles of the rotary embedding: [context x rope.dimensions], cos and sin alternating.
  [[nodiscard]] const float* rotation() const { return rotation_.data(); }
  [[nodiscard]] kernels::Compute compute() const { return compute_; }
  /// Windows to hand to run_layer() at once: enough rows for fast products, few enough to bound
  /// LayerActivations, which take less where nobody observes them.
  [[nodiscard]] std::size_t windows_per_batch(bool observed = true) const;
  /// Indices of all tensors block `layer` reads.
  [[nodiscard]] std::vector<std::size_t> layer_tensors(int layer) const;
  /// The embedding look-up's tensor, the output matrix (the same one when tied), and the norm before it.
  [[nodiscard]] std::size_t embedding_tensor() const { return embedding_; }
  [[nodiscard]] std::size_t output_tensor() const { return output_; }
  [[nodiscard]] std::size_t output_norm_tensor() const { return output_norm_; }

  /// hidden[w * context + p] = embedding row of windows[w][p]. InvalidArgument if a token is outside the
  /// vocabulary or a window has another length.
  [[nodiscard]] Status embed(std::span<const std::vector<std::int32_t>> windows, float* hidden,
                             const WorkContext& work) const;
  /// Decodes and packs one block's weights. With `only`, `weights` already holds this layer as another view
  /// of the same file sees it, and just the tensors named are read again (roundings are always set to this
  /// view's).
  [[nodiscard]] Status load_layer(int layer, LayerWeights& weights, const WorkContext& work,
                                  const std::vector<std::size_t>* only = nullptr) const;
  /// hidden := block(hidden) for whole windows. Numeric, naming the layer, at the first NaN or infinity.
  [[nodiscard]] Status run_layer(const LayerWeights& weights, float* hidden, std::size_t windows,
                                 LayerActivations& activations, const WorkContext& work,
                                 const LinearObserver& observer = {}) const;

  /// The norm before the output matrix: normed[r] = output_norm(hidden[r]) for `rows` rows; rows may be
  /// picked, they are independent.
  [[nodiscard]] Status normalize_output(const float* hidden, std::size_t rows, float* normed,
                                        const WorkContext& work) const;
  /// Decodes and packs rows [first, first + rows) of the output matrix: the logits of that slab of the
  /// vocabulary.
  [[nodiscard]] Status load_output(std::uint64_t first, std::uint64_t rows, Linear& output,
                                   const WorkContext& work) const;

 private:
  Forward() = default;
  [[nodiscard]] Status fill_rotation();
  [[nodiscard]] Status load_linear(std::size_t tensor, std::uint64_t first, std::uint64_t rows,
                                   Linear& linear, const WorkContext& work) const;
  [[nodiscard]] Status load_vector(std::size_t tensor, std::vector<float>& values) const;
  [[nodiscard]] Status resize(LayerActivations& activations, std::size_t windows, int workers,
                              bool keep) const;
  [[nodiscard]] Status attention_inputs(const LayerWeights& weights, const float* hidden, std::size_t rows,
                                        LayerActivations& activations, bool keep,
                                        const WorkContext& work) const;
  [[nodiscard]] Status attention(std::size_t windows, LayerActivations& activations,
                                 const WorkContext& work) const;
  [[nodiscard]] Status output_and_ffn(const LayerWeights& weights, float* hidden, std::size_t rows,
                                      LayerActivations& activations, bool keep,
                                      const WorkContext& work) const;
  [[nodiscard]] Status observe_layer(const LayerWeights& weights, std::size_t rows,
                                     const LayerActivations& activations,
                                     const LinearObserver& observer) const;

  const WeightSource* source_ = nullptr;
  model::LlamaParameters parameters_;
  std::uint32_t context_ = 0;
  bool round_activations_ = false;
  kernels::Compute compute_ = kernels::Compute::Exact;
  std::size_t embedding_ = 0, output_ = 0, output_norm_ = 0;
  kernels::FloatBuffer rotation_;
};

/// Runs windows through the whole model for their linear inputs' sake: the observer sees the input of every
/// linear layer, the output matrix included, at every position. Windows run in groups whose hidden states fit
/// `memory_budget` bytes. Progress "forward" in windows x layers.
[[nodiscard]] Status observe_inputs(const WeightSource& source,
                                    std::span<const std::vector<std::int32_t>> windows,
                                    std::uint64_t memory_budget, const LinearObserver& observer,
                                    const WorkContext& work);

}  // namespace bitlens::run
