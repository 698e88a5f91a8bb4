// The base's forward pass, kept: hidden states at every block boundary, packed weights and inner activations
// as memory allows. What measured cells and the backward pass both start from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/evaluate/perplexity.h"
#include "core/run/forward.h"
#include "core/sensitivity/block_pass.h"
#include "core/sensitivity/boundary_store.h"

namespace bitlens::sensitivity {

class BaseRun {
 public:
  struct Options {
    bool round_activations = false;
    kernels::Compute compute = kernels::Compute::Exact;
    std::uint64_t memory_budget = 0;
    std::string spill_folder;
    std::size_t most_windows = std::numeric_limits<std::size_t>::max();  ///< that go through a block together
  };
  /// Nothing is run yet.
  [[nodiscard]] static Result<std::unique_ptr<BaseRun>> create(std::shared_ptr<const model::Model> model,
                                                               const evaluate::Windows& windows,
                                                               const Options& options);
  /// Runs windows through all blocks until the first `windows` have been, those of earlier calls not again:
  /// whole batches, or all. `advance` is told how many have gone through a block.
  [[nodiscard]] Status reach(std::size_t windows, const std::function<void(std::size_t)>& advance,
                             const WorkContext& work);
  [[nodiscard]] std::size_t reached() const { return reached_; }

  [[nodiscard]] const std::shared_ptr<const model::Model>& model() const { return model_; }
  [[nodiscard]] const run::Forward& forward() const { return *forward_; }
  [[nodiscard]] const evaluate::Windows& windows() const { return *windows_; }
  [[nodiscard]] BlockPass& block() { return *block_; }
  [[nodiscard]] int layers() const { return static_cast<int>(forward_->parameters().layers); }
  /// Floats of one window's hidden states.
  [[nodiscard]] std::size_t window_floats() const {
    return std::size_t{forward_->context()} * forward_->parameters().width;
  }
  /// Windows that go through a block together.
  [[nodiscard]] std::size_t batch() const { return batch_; }
  /// Windows to hold states of at once; whole batches, or all.
  [[nodiscard]] std::size_t group() const { return group_; }
  [[nodiscard]] bool spilled() const { return states_->spilled(); }
  /// What of the budget is left for others.
  [[nodiscard]] std::uint64_t free_bytes() const { return free_bytes_; }
  void take(std::uint64_t bytes) { free_bytes_ -= std::min(bytes, free_bytes_); }

  /// Input of block `layer` (layers(): output of the last block) for windows [first, first + count). Valid
  /// until `room` changes.
  [[nodiscard]] Result<const float*> states(int layer, std::size_t first, std::size_t count,
                                            kernels::FloatBuffer& room) const;
  /// A block's weights, packed; kept if there is room, else valid until the next call.
  [[nodiscard]] Result<const run::LayerWeights*> weights(int layer, const WorkContext& work);
  /// What the base computes inside a block for the batch of windows that starts at `first`; kept for the
  /// block asked for last if there is room, else valid until the next call.
  [[nodiscard]] Result<const BlockRecord*> record(int layer, std::size_t first, const WorkContext& work);
  /// Divides what is left of the budget after the boundary states.
  void plan_memory(std::uint64_t budget);

 private:
  BaseRun() = default;
  std::shared_ptr<const model::Model> model_;
  const evaluate::Windows* windows_ = nullptr;
  std::unique_ptr<run::WeightSource> source_;
  std::optional<run::Forward> forward_;
  std::optional<BlockPass> block_;
  std::optional<BoundaryStore> states_;
  std::size_t batch_ = 1, group_ = 1, reached_ = 0;
  std::uint64_t free_bytes_ = 0;

  std::size_t kept_layers_ = 0;
  std::vector<std::unique_ptr<run::LayerWeights>> weights_;  // by layer, null when not loaded
  run::LayerWeights passing_;                                // of a layer that is not kept
  int passing_layer_ = -1;
  bool keep_records_ = false;
  std::vector<BlockRecord> records_;  // by batch
  std::vector<bool> recorded_;
  int record_layer_ = -1;
  kernels::FloatBuffer room_;
};

}  // namespace bitlens::sensitivity
