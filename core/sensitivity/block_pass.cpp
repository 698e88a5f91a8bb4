#include "core/sensitivity/block_pass.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/run/backward.h"
#include "core/run/tasks.h"
#include "kernels/dense/attention.h"
#include "kernels/dense/elementwise.h"
#include "kernels/formats/codec.h"

namespace bitlens::sensitivity {

namespace {

using kernels::FloatBuffer;
using kernels::kRowTile;
using model::Module;
using run::Linear;

/// Products are cut so that a stop is seen within some tens of milliseconds.
constexpr std::size_t kMultiplyAddsPerCall = std::size_t{1} << 29;

/// Rows that one task works on: inside one window, so that windows may be computed in part.
struct Tile {
  std::size_t first = 0, rows = 0;
};

/// Positions from .. context - 1 of every window, cut into tiles.
class Tiles {
 public:
  Tiles(std::size_t windows, std::size_t context, std::size_t from)
      : context_(context), from_(from), per_window_((context - from + kRowTile - 1) / kRowTile) {
    count_ = windows * per_window_;
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] Tile operator[](std::size_t task) const {
    const std::size_t at = from_ + task % per_window_ * kRowTile;
    return {task / per_window_ * context_ + at, std::min(kRowTile, context_ - at)};
  }

 private:
  std::size_t context_, from_, per_window_, count_ = 0;
};

/// Attention computes whole tiles of queries.
std::size_t whole_tiles(std::size_t from) {
  return from / kernels::kQueryTile * kernels::kQueryTile;
}

/// The inputs of one tile for layers that share them, rounded as each layer asks.
class TileInput {
 public:
  TileInput(const float* values, std::size_t rows, std::size_t columns, FloatBuffer& room)
      : values_(values), rows_(rows), columns_(columns), room_(room) {}

  const float* rounded(kernels::ActivationRounding rounding) {
    if (rounding == kernels::ActivationRounding::None) return values_;
    if (rounding == done_) return room_.data();
    std::copy_n(values_, rows_ * columns_, room_.data());
    for (std::size_t r = 0; r < rows_; ++r)
      kernels::round_activations(rounding, room_.data() + r * columns_, columns_);
    done_ = rounding;
    return room_.data();
  }
  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t columns() const { return columns_; }

 private:
  const float* values_;
  std::size_t rows_, columns_;
  FloatBuffer& room_;
  kernels::ActivationRounding done_ = kernels::ActivationRounding::None;
};

/// y [rows x outputs] = x W^T + bias; y unfinished when the work is stopped.
void apply(const Linear& linear, TileInput& input, float* y, const WorkContext& work) {
  const kernels::PackedMatrix& weights = linear.weights;
  const std::size_t outputs = weights.outputs(), rows = input.rows();
  const float* x = input.rounded(linear.rounding);
  const std::size_t step =
      std::max<std::size_t>(1, kMultiplyAddsPerCall / (rows * weights.inputs() * weights.width()));
  for (std::size_t panel = 0; panel < weights.panels() && !work.stopped(); panel += step)
    kernels::multiply(weights, panel, std::min(step, weights.panels() - panel), x, rows, input.columns(),
                      y + panel * weights.width(), outputs, false);
  if (linear.bias.empty()) return;
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < outputs; ++c) y[r * outputs + c] += linear.bias[c];
}

void add(const float* a, const float* b, std::size_t count, float* target) {
  for (std::size_t i = 0; i < count; ++i) target[i] = a[i] + b[i];
}

}  // namespace

BlockView view_of(const run::LayerWeights& w) {
  return {&w.attn_norm, &w.ffn_norm, &w.q, &w.k, &w.v, &w.attn_output, &w.gate, &w.up, &w.down};
}

BlockView with_changes(const BlockView& base, const run::LayerWeights& other,
                       const std::vector<std::size_t>& changed, const model::Model& model) {
  BlockView view = base;
  for (const std::size_t tensor : changed) {
    switch (model.role(tensor).module) {
      case Module::AttnNorm:
        view.attn_norm = &other.attn_norm;
        break;
      case Module::FfnNorm:
        view.ffn_norm = &other.ffn_norm;
        break;
      case Module::AttnQ:
        view.q = &other.q;
        break;
      case Module::AttnK:
        view.k = &other.k;
        break;
      case Module::AttnV:
        view.v = &other.v;
        break;
      case Module::AttnOutput:
        view.attn_output = &other.attn_output;
        break;
      case Module::FfnGate:
        view.gate = &other.gate;
        break;
      case Module::FfnUp:
        view.up = &other.up;
        break;
      case Module::FfnDown:
        view.down = &other.down;
        break;
      default:
        break;
    }
  }
  return view;
}

/// One call: the view, what of the base may be reused, where things go.
struct BlockPass::Call {
  const BlockView& view;
  const BlockView* base = nullptr;     ///< set with `known`
  const BlockRecord* known = nullptr;  ///< the base's record; the input is the base's too
  BlockRecord* keep = nullptr;         ///< filled with what is computed
  int layer = 0;
  const float* input = nullptr;
  float* output = nullptr;
  std::size_t windows = 0, from = 0;

  template <typename Member>
  [[nodiscard]] bool same(Member member) const {
    return base != nullptr && view.*member == base->*member;
  }
  /// Are the queries, keys and values, and so what attention makes of them, the base's own?
  [[nodiscard]] bool same_attention() const {
    return same(&BlockView::attn_norm) && same(&BlockView::q) && same(&BlockView::k) && same(&BlockView::v);
  }
  [[nodiscard]] bool same_middle() const { return same_attention() && same(&BlockView::attn_output); }
  [[nodiscard]] bool same_ffn_input() const { return same_middle() && same(&BlockView::ffn_norm); }
};

Result<BlockPass> BlockPass::create(const run::Forward& forward) {
  BlockPass block;
  block.forward_ = &forward;
  auto angles = run::rotary_angles(forward);
  if (!angles) return pass(angles);
  block.angles_ = std::move(*angles);
  return block;
}

std::uint64_t BlockPass::record_bytes_per_window() const {
  const model::LlamaParameters& p = forward_->parameters();
  const std::uint64_t queries = std::uint64_t{p.heads} * p.head_dim,
                      keys = std::uint64_t{p.kv_heads} * p.head_dim;
  const kernels::AttentionShape shape{forward_->context(), p.head_dim, p.sliding_window};
  const std::uint64_t packed = kernels::packed_keys_size(shape) + kernels::packed_values_size(shape);
  const std::uint64_t row =
      3 * std::uint64_t{p.width} + 2 * queries + 2 * keys + 3 * std::uint64_t{p.ffn_width};
  return sizeof(float) * (row * forward_->context() + p.kv_heads * packed);
}

Status BlockPass::resize_record(BlockRecord& r, std::size_t windows) const {
  const model::LlamaParameters& p = forward_->parameters();
  const std::size_t rows = windows * forward_->context(), queries = std::size_t{p.heads} * p.head_dim;
  const std::size_t keys = std::size_t{p.kv_heads} * p.head_dim, heads = windows * p.kv_heads;
  const kernels::AttentionShape shape{forward_->context(), p.head_dim, p.sliding_window};
  if (r.attn_input.resize(rows * p.width) && r.q.resize(rows * queries) && r.k.resize(rows * keys) &&
      r.v.resize(rows * keys) && r.packed_k.resize(heads * kernels::packed_keys_size(shape)) &&
      r.packed_v.resize(heads * kernels::packed_values_size(shape)) && r.attended.resize(rows * queries) &&
      r.middle.resize(rows * p.width) && r.ffn_input.resize(rows * p.width) &&
      r.gate.resize(rows * p.ffn_width) && r.up.resize(rows * p.ffn_width) &&
      r.gated.resize(rows * p.ffn_width))
    return {};
  return fail(ErrorCode::Memory, fmt::format("not enough memory for the activations of {} tokens", rows));
}

Status BlockPass::resize_scratch(std::size_t windows, int workers) {
  const model::LlamaParameters& p = forward_->parameters();
  const std::size_t rows = windows * forward_->context(), queries = std::size_t{p.heads} * p.head_dim;
  const std::size_t keys = std::size_t{p.kv_heads} * p.head_dim, heads = windows * p.kv_heads;
  const kernels::AttentionShape shape{forward_->context(), p.head_dim, p.sliding_window};
  bool enough = q_.resize(rows * queries) && k_.resize(rows * keys) && v_.resize(rows * keys) &&
                packed_k_.resize(heads * kernels::packed_keys_size(shape)) &&
                packed_v_.resize(heads * kernels::packed_values_size(shape)) &&
                attended_.resize(rows * queries);
  workers_.resize(static_cast<std::size_t>(workers));
  const std::size_t widest = std::max({std::size_t{p.width}, queries, std::size_t{p.ffn_width}});
  for (Worker& w : workers_)
    enough = enough && w.rounded.resize(kRowTile * widest) && w.normed.resize(kRowTile * p.width) &&
             w.projected.resize(kRowTile * p.width) && w.middle.resize(kRowTile * p.width) &&
             w.gate.resize(kRowTile * p.ffn_width) && w.up.resize(kRowTile * p.ffn_width) &&
             w.gated.resize(kRowTile * p.ffn_width);
  if (enough) return {};
  return fail(ErrorCode::Memory, fmt::format("not enough memory for the activations of {} tokens", rows));
}

Status BlockPass::run(const BlockView& view, int layer, const float* input, float* output,
                      std::size_t windows, std::size_t from, const WorkContext& work) {
  if (auto s = resize_scratch(windows, work.pool.size()); !s) return s;
  const Call call{view, nullptr, nullptr, nullptr, layer, input, output, windows, whole_tiles(from)};
  if (auto s = attention_inputs(call, work); !s) return s;
  if (auto s = attention(call, work); !s) return s;
  return output_and_ffn(call, work);
}

Status BlockPass::record(const BlockView& view, int layer, const float* input, float* output,
                         std::size_t windows, BlockRecord& record, const WorkContext& work) {
  if (auto s = resize_scratch(windows, work.pool.size()); !s) return s;
  if (auto s = resize_record(record, windows); !s) return s;
  const Call call{view, nullptr, nullptr, &record, layer, input, output, windows, 0};
  if (auto s = attention_inputs(call, work); !s) return s;
  if (auto s = attention(call, work); !s) return s;
  return output_and_ffn(call, work);
}

Status BlockPass::rerun(const BlockView& view, const BlockView& base, const BlockRecord& record, int layer,
                        const float* input, float* output, std::size_t windows, std::size_t from,
                        const WorkContext& work) {
  if (auto s = resize_scratch(windows, work.pool.size()); !s) return s;
  const Call call{view, &base, &record, nullptr, layer, input, output, windows, whole_tiles(from)};
  if (!call.same_attention()) {
    if (auto s = attention_inputs(call, work); !s) return s;
    if (auto s = attention(call, work); !s) return s;
  }
  return output_and_ffn(call, work);
}

Status BlockPass::attention_inputs(const Call& call, const WorkContext& work) {
  const model::LlamaParameters& p = forward_->parameters();
  const std::size_t queries = std::size_t{p.heads} * p.head_dim, keys = std::size_t{p.kv_heads} * p.head_dim;
  const std::size_t context = forward_->context(), width = p.width;
  const bool same_input = call.same(&BlockView::attn_norm);
  const bool new_q = !(same_input && call.same(&BlockView::q));
  const bool new_k = !(same_input && call.same(&BlockView::k));
  const bool new_v = !(same_input && call.same(&BlockView::v));
  float* const all_q = call.keep != nullptr ? call.keep->q.data() : q_.data();
  float* const all_k = call.keep != nullptr ? call.keep->k.data() : k_.data();
  float* const all_v = call.keep != nullptr ? call.keep->v.data() : v_.data();
  const Tiles tiles(call.windows, context, new_k || new_v ? 0 : call.from);
  return run::for_each_task(work, tiles.count(), [&](std::size_t task, int worker) -> Status {
    const auto [first, count] = tiles[task];
    Worker& room = workers_[static_cast<std::size_t>(worker)];
    const float* normed = nullptr;
    if (same_input) {
      normed = call.known->attn_input.data() + first * width;
    } else {
      float* target =
          call.keep != nullptr ? call.keep->attn_input.data() + first * width : room.normed.data();
      kernels::rms_norm(call.input + first * width, call.view.attn_norm->data(), count, width, p.rms_epsilon,
                        target);
      normed = target;
    }
    TileInput input(normed, count, width, room.rounded);
    float* q = all_q + first * queries;
    float* k = all_k + first * keys;
    // Queries of rows that nobody reads are left out.
    const bool wanted = new_q && first % context + count > call.from;
    if (wanted) apply(*call.view.q, input, q, work);
    if (new_k) apply(*call.view.k, input, k, work);
    if (new_v) apply(*call.view.v, input, all_v + first * keys, work);
    for (std::size_t r = 0; r < count; ++r) {
      const float* angles = angles_.data() + (first + r) % context * p.rope.dimensions;
      if (wanted) kernels::rotate(q + r * queries, p.heads, p.head_dim, p.rope.dimensions, angles);
      if (new_k) kernels::rotate(k + r * keys, p.kv_heads, p.head_dim, p.rope.dimensions, angles);
    }
    return {};
  });
}

Status BlockPass::attention(const Call& call, const WorkContext& work) {
  const model::LlamaParameters& p = forward_->parameters();
  const std::size_t queries = std::size_t{p.heads} * p.head_dim, keys = std::size_t{p.kv_heads} * p.head_dim;
  const std::size_t context = forward_->context();
  const kernels::AttentionShape shape{context, p.head_dim, p.sliding_window};
  const std::size_t packed_keys = kernels::packed_keys_size(shape),
                    packed_values = kernels::packed_values_size(shape);
  const bool same_input = call.same(&BlockView::attn_norm);
  const bool same_k = same_input && call.same(&BlockView::k), same_v = same_input && call.same(&BlockView::v);
  const auto choose = [&](bool same, const FloatBuffer BlockRecord::*member,
                          const FloatBuffer& scratch) -> const float* {
    if (call.keep != nullptr) return (call.keep->*member).data();
    return same ? (call.known->*member).data() : scratch.data();
  };
  const float* q = choose(same_input && call.same(&BlockView::q), &BlockRecord::q, q_);
  const float* k = choose(same_k, &BlockRecord::k, k_);
  const float* v = choose(same_v, &BlockRecord::v, v_);
  const bool same_packed = same_k && same_v;
  const float* packed_k = choose(same_packed, &BlockRecord::packed_k, packed_k_);
  const float* packed_v = choose(same_packed, &BlockRecord::packed_v, packed_v_);
  if (!same_packed) {
    float* target_k = call.keep != nullptr ? call.keep->packed_k.data() : packed_k_.data();
    float* target_v = call.keep != nullptr ? call.keep->packed_v.data() : packed_v_.data();
    const auto packed =
        run::for_each_task(work, call.windows * p.kv_heads, [&](std::size_t task, int) -> Status {
          const std::size_t at = task / p.kv_heads * context * keys + task % p.kv_heads * p.head_dim;
          kernels::pack_keys_values(shape, k + at, v + at, keys, target_k + task * packed_keys,
                                    target_v + task * packed_values);
          return {};
        });
    if (!packed) return packed;
  }
  float* attended = call.keep != nullptr ? call.keep->attended.data() : attended_.data();
  // One task per query head and tile of rows; the longest rows of a window first, for balance.
  const std::size_t all_tiles = (context + kernels::kQueryTile - 1) / kernels::kQueryTile;
  const std::size_t query_tiles = all_tiles - call.from / kernels::kQueryTile;
  return run::for_each_task(work, call.windows * p.heads * query_tiles, [&](std::size_t task, int) -> Status {
    const std::size_t window = task / (p.heads * query_tiles), head = task / query_tiles % p.heads;
    std::size_t first = (all_tiles - 1 - task % query_tiles) * kernels::kQueryTile;
    const std::size_t rows = std::min<std::size_t>(kernels::kQueryTile, context - first);
    const std::size_t source = window * p.kv_heads + head / (p.heads / p.kv_heads);
    const std::size_t at = (window * context + first) * queries + head * p.head_dim;
    kernels::attend(shape, q + at, queries, first, rows, packed_k + source * packed_keys,
                    packed_v + source * packed_values, attended + at, queries);
    return {};
  });
}

Status BlockPass::check(int layer, const float* values, std::size_t count, const Linear& last,
                        const WorkContext& work) const {
  if (work.stopped() || kernels::find_non_finite(values, count) == count) return {};
  const io::ModelFile& file = forward_->source().model().file();
  return fail(ErrorCode::Numeric, fmt::format("the output of layer {} is NaN or infinite here", layer),
              {file.path(), file.tensors()[last.tensor].name, {}});
}

Status BlockPass::output_and_ffn(const Call& call, const WorkContext& work) {
  const model::LlamaParameters& p = forward_->parameters();
  const std::size_t queries = std::size_t{p.heads} * p.head_dim, ffn = p.ffn_width, width = p.width;
  const BlockView& view = call.view;
  const Tiles tiles(call.windows, forward_->context(), call.from);
  const float* all_attended = call.keep != nullptr    ? call.keep->attended.data()
                              : call.same_attention() ? call.known->attended.data()
                                                      : attended_.data();
  return run::for_each_task(work, tiles.count(), [&](std::size_t task, int worker) -> Status {
    const auto [first, count] = tiles[task];
    Worker& room = workers_[static_cast<std::size_t>(worker)];
    // Where a value comes from or goes to: the base's record, the record being made, or this worker's room.
    const auto place = [&](FloatBuffer BlockRecord::*member, FloatBuffer& scratch, std::size_t columns) {
      return call.keep != nullptr ? (call.keep->*member).data() + first * columns : scratch.data();
    };
    const auto known = [&](FloatBuffer BlockRecord::*member, std::size_t columns) {
      return (call.known->*member).data() + first * columns;
    };
    float* projected = room.projected.data();

    const float* middle = nullptr;
    if (call.same_middle()) {
      middle = known(&BlockRecord::middle, width);
    } else {
      float* target = place(&BlockRecord::middle, room.middle, width);
      TileInput attended(all_attended + first * queries, count, queries, room.rounded);
      apply(*view.attn_output, attended, projected, work);
      add(call.input + first * width, projected, count * width, target);
      if (Status status = check(call.layer, target, count * width, *view.attn_output, work); !status)
        return status;
      middle = target;
    }

    const bool same_input = call.same_ffn_input();
    const bool same_gate = same_input && call.same(&BlockView::gate);
    const bool same_up = same_input && call.same(&BlockView::up);
    const float* gated = nullptr;
    if (same_gate && same_up) {
      gated = known(&BlockRecord::gated, ffn);
    } else {
      const float* normed = nullptr;
      if (same_input) {
        normed = known(&BlockRecord::ffn_input, width);
      } else {
        float* target = place(&BlockRecord::ffn_input, room.normed, width);
        kernels::rms_norm(middle, view.ffn_norm->data(), count, width, p.rms_epsilon, target);
        normed = target;
      }
      TileInput input(normed, count, width, room.rounded);
      const float* gate = nullptr;
      const float* up = nullptr;
      if (same_gate) {
        gate = known(&BlockRecord::gate, ffn);
      } else {
        float* target = place(&BlockRecord::gate, room.gate, ffn);
        apply(*view.gate, input, target, work);
        gate = target;
      }
      if (same_up) {
        up = known(&BlockRecord::up, ffn);
      } else {
        float* target = place(&BlockRecord::up, room.up, ffn);
        apply(*view.up, input, target, work);
        up = target;
      }
      float* target = place(&BlockRecord::gated, room.gated, ffn);
      kernels::swiglu(gate, up, count * ffn, target);
      gated = target;
    }
    if (call.output == nullptr) return {};
    TileInput down(gated, count, ffn, room.rounded);
    apply(*view.down, down, projected, work);
    float* target = call.output + first * width;
    add(middle, projected, count * width, target);
    return check(call.layer, target, count * width, *view.down, work);
  });
}

}  // namespace bitlens::sensitivity
