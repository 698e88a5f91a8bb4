#include "core/sensitivity/base_run.h"

#include <fmt/format.h>

#include <algorithm>

namespace bitlens::sensitivity {

namespace {

/// Bytes of a block's weights in f32.
std::uint64_t layer_bytes(const run::Forward& forward) {
  const model::LlamaParameters& p = forward.parameters();
  const std::uint64_t queries = std::uint64_t{p.heads} * p.head_dim,
                      keys = std::uint64_t{p.kv_heads} * p.head_dim;
  return sizeof(float) * p.width * (2 * queries + 2 * keys + 3 * std::uint64_t{p.ffn_width});
}

}  // namespace

Result<std::unique_ptr<BaseRun>> BaseRun::create(std::shared_ptr<const model::Model> model,
                                                 const evaluate::Windows& windows, const Options& options) {
  std::unique_ptr<BaseRun> base(new BaseRun);
  base->model_ = std::move(model);
  base->windows_ = &windows;
  base->source_ = run::file_weights(base->model_);
  auto forward =
      run::Forward::create(*base->source_, windows.context, options.round_activations, options.compute);
  if (!forward) return pass(forward);
  base->forward_ = std::move(*forward);
  base->block_.emplace(*base->forward_);
  base->batch_ = std::min({base->forward_->windows_per_batch(), windows.inputs.size(), options.most_windows});
  const auto boundaries = static_cast<std::size_t>(base->layers()) + 1;
  auto states = BoundaryStore::create(boundaries, windows.inputs.size() * base->window_floats(),
                                      options.memory_budget / 2, options.spill_folder);
  if (!states) return pass(states);
  base->states_ = std::move(*states);
  base->plan_memory(options.memory_budget);
  return base;
}

void BaseRun::plan_memory(std::uint64_t budget) {
  free_bytes_ = budget - std::min(budget, states_->memory_bytes());
  const std::size_t count = windows_->inputs.size();
  const std::uint64_t state = window_floats() * sizeof(float);
  // Hidden states of the cells in flight; a base state read from the file is one more.
  const std::uint64_t for_states = budget / 4 / (states_->spilled() ? 2 : 1);
  group_ =
      count * state <= for_states ? count : std::max<std::size_t>(1, for_states / (state * batch_)) * batch_;
  group_ = std::min(group_, count);
  take(group_ * state * (states_->spilled() ? 2 : 1));
  const std::uint64_t records = count * block_->record_bytes_per_window();
  keep_records_ = records <= free_bytes_ / 3;
  take(keep_records_ ? records : batch_ * block_->record_bytes_per_window());
  kept_layers_ =
      std::min<std::size_t>(static_cast<std::size_t>(layers()),
                            free_bytes_ * 3 / 4 / std::max<std::uint64_t>(1, layer_bytes(*forward_)));
  take(kept_layers_ * layer_bytes(*forward_));
  weights_.resize(static_cast<std::size_t>(layers()));
  const std::size_t batches = (count + batch_ - 1) / batch_;
  records_.resize(keep_records_ ? batches : 1);
}

Status BaseRun::reach(std::size_t windows, const std::function<void(std::size_t)>& advance,
                      const WorkContext& work) {
  const std::size_t count = std::min(windows, windows_->inputs.size()), floats = window_floats();
  if (count <= reached_) return {};
  kernels::FloatBuffer hidden;
  if (!hidden.resize(batch_ * floats)) return fail(ErrorCode::Memory, "not enough memory for hidden states");
  for (std::size_t w = reached_; w < count; w += batch_) {
    const std::size_t some = std::min(batch_, count - w);
    const std::span inputs = std::span(windows_->inputs).subspan(w, some);
    if (auto s = forward_->embed(inputs, hidden.data(), work); !s) return s;
    if (auto s = states_->put(0, w * floats, some * floats, hidden.data()); !s) return s;
  }
  for (int layer = 0; layer < layers(); ++layer) {
    auto layer_weights = weights(layer, work);
    if (!layer_weights) return pass(layer_weights);
    const auto at = static_cast<std::size_t>(layer);
    for (std::size_t w = reached_; w < count; w += batch_) {
      const std::size_t some = std::min(batch_, count - w);
      auto input = states(layer, w, some, room_);
      if (!input) return pass(input);
      if (auto s = block_->run(view_of(**layer_weights), layer, *input, hidden.data(), some, 0, work); !s)
        return s;
      if (auto s = states_->put(at + 1, w * floats, some * floats, hidden.data()); !s) return s;
      advance(some);
    }
  }
  reached_ = count;
  return {};
}

Result<const float*> BaseRun::states(int layer, std::size_t first, std::size_t count,
                                     kernels::FloatBuffer& room) const {
  return states_->get(static_cast<std::size_t>(layer), first * window_floats(), count * window_floats(),
                      room);
}

Result<const run::LayerWeights*> BaseRun::weights(int layer, const WorkContext& work) {
  const auto at = static_cast<std::size_t>(layer);
  if (at < kept_layers_) {
    if (weights_[at] == nullptr) {
      auto loaded = std::make_unique<run::LayerWeights>();
      if (auto s = forward_->load_layer(layer, *loaded, work); !s) return pass(s);
      weights_[at] = std::move(loaded);
    }
    return weights_[at].get();
  }
  if (passing_layer_ != layer) {
    passing_layer_ = -1;
    if (auto s = forward_->load_layer(layer, passing_, work); !s) return pass(s);
    passing_layer_ = layer;
  }
  return &passing_;
}

Result<const BlockRecord*> BaseRun::record(int layer, std::size_t first, const WorkContext& work) {
  const std::size_t count = windows_->inputs.size(), batches = (count + batch_ - 1) / batch_;
  const std::size_t batch = first / batch_, slot = keep_records_ ? batch : 0;
  if (record_layer_ != layer) {
    record_layer_ = layer;
    recorded_.assign(batches, false);
  }
  if (!recorded_[batch]) {
    if (!keep_records_) recorded_.assign(batches, false);
    const std::size_t some = std::min(batch_, count - first);
    auto layer_weights = weights(layer, work);
    if (!layer_weights) return pass(layer_weights);
    auto input = states(layer, first, some, room_);
    if (!input) return pass(input);
    if (auto s = block_->record(view_of(**layer_weights), layer, *input, nullptr, some, records_[slot], work);
        !s)
      return pass(s);
    recorded_[batch] = true;
  }
  return &records_[slot];
}

}  // namespace bitlens::sensitivity
