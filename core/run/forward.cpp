// One block of the llama family, and runs of all of them.
#include "core/run/forward.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/run/tasks.h"
#include "core/run/tile_input.h"
#include "kernels/dense/elementwise.h"
#include "kernels/formats/codec.h"

namespace bitlens::run {

namespace {

using kernels::FloatBuffer;
using kernels::kRowTile;

/// Outputs of ffn_gate and ffn_up that are made, gated and packed before the next ones, in cache.
constexpr std::size_t kGatedPiece = 128;

/// Rows cut into tasks: nearly equal parts, a multiple of four of them, so that threads end together, each of
/// whole tiles as products take them but for the last.
class Tasks {
 public:
  explicit Tasks(std::size_t rows) : rows_(rows), unit_(kernels::rows_at_once()) {
    units_ = (rows + unit_ - 1) / unit_;
    // Parts of `most` tiles at most: an uneven cut must not pass it.
    const std::size_t most = kRowTile / unit_;
    count_ = std::min(units_, ((units_ + most - 1) / most + 3) / 4 * 4);
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  struct Part {
    std::size_t first, rows;
  };
  [[nodiscard]] Part operator[](std::size_t task) const {
    const std::size_t first = task * units_ / count_ * unit_, end = (task + 1) * units_ / count_ * unit_;
    return {first, std::min(end, rows_) - first};
  }

 private:
  std::size_t rows_, unit_, units_ = 0, count_ = 0;
};

void add(float* target, const float* values, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) target[i] += values[i];
}

/// gated := silu(gate) * up of one tile, packed as the input of ffn_down, without gate and up ever leaving
/// the cache. False: these layers cannot do so.
bool gate_in_pieces(const LayerWeights& weights, TileInput& input, LayerActivations::Room& room,
                    std::size_t rows, const WorkContext& work) {
  const kernels::PackedMatrix &gate = weights.gate.weights, &up = weights.up.weights;
  const bool simple = weights.gate.rounding == weights.up.rounding && weights.gate.bias.empty() &&
                      weights.up.bias.empty() && weights.down.rounding == kernels::ActivationRounding::None &&
                      up.takes_packed_rows() && weights.down.weights.takes_packed_rows();
  const kernels::PackedRows* x = simple ? input.packed(weights.gate) : nullptr;
  if (x == nullptr || !room.gated.reset(rows, gate.outputs(), weights.down.weights.compute())) return false;
  float *gates = room.pieces.data(), *ups = gates + rows * kGatedPiece;
  const std::size_t step = kGatedPiece / gate.width();
  for (std::size_t panel = 0; panel < gate.panels() && !work.stopped(); panel += step) {
    const std::size_t count = std::min(step, gate.panels() - panel), first = panel * gate.width();
    const std::size_t columns = std::min(kGatedPiece, gate.outputs() - first);
    kernels::multiply(gate, panel, count, *x, gates, columns);
    kernels::multiply(up, panel, count, *x, ups, columns);
    kernels::swiglu(gates, ups, rows * columns, gates);
    room.gated.fill(first, columns, gates, columns);
  }
  return true;
}

}  // namespace

std::size_t Forward::windows_per_batch(bool observed) const {
  const model::LlamaParameters& p = parameters_;
  const std::uint64_t queries = std::uint64_t{p.heads} * p.head_dim,
                      keys = std::uint64_t{p.kv_heads} * p.head_dim;
  std::uint64_t floats = 2 * queries + 4 * keys;
  if (observed) floats += 2 * std::uint64_t{p.width} + 3 * std::uint64_t{p.ffn_width};
  constexpr std::uint64_t bytes = 128U << 20, most_rows = 8192;
  const std::uint64_t rows = std::min(bytes / (floats * sizeof(float)), most_rows);
  return std::max<std::size_t>(1, rows / context_);
}

Status Forward::resize(LayerActivations& a, std::size_t windows, int workers, bool keep) const {
  const model::LlamaParameters& p = parameters_;
  const std::size_t rows = windows * context_, queries = std::size_t{p.heads} * p.head_dim;
  const std::size_t keys = std::size_t{p.kv_heads} * p.head_dim;
  const kernels::AttentionShape shape{context_, p.head_dim, p.sliding_window, compute_};
  const std::size_t heads = windows * p.kv_heads;
  bool enough = a.q.resize(rows * queries) && a.k.resize(rows * keys) && a.v.resize(rows * keys) &&
                a.packed_k.resize(heads * kernels::packed_keys_size(shape)) &&
                a.packed_v.resize(heads * kernels::packed_values_size(shape)) &&
                a.attended.resize(rows * queries);
  if (keep)
    enough = enough && a.attn_input.resize(rows * p.width) && a.ffn_input.resize(rows * p.width) &&
             a.gated.resize(rows * p.ffn_width);
  const std::size_t widest = std::max({std::size_t{p.width}, queries, std::size_t{p.ffn_width}});
  a.rooms.resize(static_cast<std::size_t>(workers));
  for (LayerActivations::Room& room : a.rooms)
    enough = enough && room.input.resize(kRowTile, widest, compute_) &&
             room.normed.resize(kRowTile * p.width) && room.projected.resize(kRowTile * p.width) &&
             room.gate.resize(kRowTile * p.ffn_width) && room.up.resize(kRowTile * p.ffn_width) &&
             room.gated.reset(kRowTile, p.ffn_width, compute_) &&
             room.pieces.resize(2 * kRowTile * kGatedPiece);
  if (!enough)
    return fail(ErrorCode::Memory, fmt::format("not enough memory for the activations of {} tokens", rows));
  return {};
}

Status Forward::attention_inputs(const LayerWeights& weights, const float* hidden, std::size_t rows,
                                 LayerActivations& a, bool keep, const WorkContext& work) const {
  const model::LlamaParameters& p = parameters_;
  const std::size_t queries = std::size_t{p.heads} * p.head_dim, keys = std::size_t{p.kv_heads} * p.head_dim;
  const Tasks tasks(rows);
  return for_each_task(work, tasks.count(), [&](std::size_t task, int worker) -> Status {
    const auto [first, count] = tasks[task];
    LayerActivations::Room& room = a.rooms[static_cast<std::size_t>(worker)];
    float* normed = keep ? a.attn_input.data() + first * p.width : room.normed.data();
    float* q = a.q.data() + first * queries;
    float* k = a.k.data() + first * keys;
    kernels::rms_norm(hidden + first * p.width, weights.attn_norm.data(), count, p.width, p.rms_epsilon,
                      normed);
    TileInput input(normed, count, p.width, room.input);
    input.apply(weights.q, q, work);
    input.apply(weights.k, k, work);
    input.apply(weights.v, a.v.data() + first * keys, work);
    for (std::size_t r = 0; r < count; ++r) {
      const float* angles = rotation_.data() + (first + r) % context_ * p.rope.dimensions;
      kernels::rotate(q + r * queries, p.heads, p.head_dim, p.rope.dimensions, angles);
      kernels::rotate(k + r * keys, p.kv_heads, p.head_dim, p.rope.dimensions, angles);
    }
    return {};
  });
}

Status Forward::attention(std::size_t windows, LayerActivations& a, const WorkContext& work) const {
  const model::LlamaParameters& p = parameters_;
  const std::size_t queries = std::size_t{p.heads} * p.head_dim, keys = std::size_t{p.kv_heads} * p.head_dim;
  const kernels::AttentionShape shape{context_, p.head_dim, p.sliding_window, compute_};
  const std::size_t packed_keys = kernels::packed_keys_size(shape),
                    packed_values = kernels::packed_values_size(shape);
  auto packed = for_each_task(work, windows * p.kv_heads, [&](std::size_t task, int) -> Status {
    const std::size_t at = task / p.kv_heads * context_ * keys + task % p.kv_heads * p.head_dim;
    kernels::pack_keys_values(shape, a.k.data() + at, a.v.data() + at, keys,
                              a.packed_k.data() + task * packed_keys,
                              a.packed_v.data() + task * packed_values);
    return {};
  });
  if (!packed) return packed;

  // One task per query head and tile of rows; the longest rows of a window first, for balance.
  const std::size_t task_rows = kernels::attention_task_rows(shape);
  const std::size_t query_tiles = (context_ + task_rows - 1) / task_rows;
  return for_each_task(work, windows * p.heads * query_tiles, [&](std::size_t task, int) -> Status {
    const std::size_t window = task / (p.heads * query_tiles), head = task / query_tiles % p.heads;
    const std::size_t first = (query_tiles - 1 - task % query_tiles) * task_rows;
    const std::size_t rows = std::min<std::size_t>(task_rows, context_ - first);
    const std::size_t source = window * p.kv_heads + head / (p.heads / p.kv_heads);
    const std::size_t at = (window * context_ + first) * queries + head * p.head_dim;
    kernels::attend(shape, a.q.data() + at, queries, first, rows, a.packed_k.data() + source * packed_keys,
                    a.packed_v.data() + source * packed_values, a.attended.data() + at, queries);
    return {};
  });
}

Status Forward::output_and_ffn(const LayerWeights& weights, float* hidden, std::size_t rows,
                               LayerActivations& a, bool keep, const WorkContext& work) const {
  const model::LlamaParameters& p = parameters_;
  const std::size_t queries = std::size_t{p.heads} * p.head_dim, ffn = p.ffn_width, width = p.width;
  const io::ModelFile& file = source_->model().file();
  const auto check = [&](const float* values, std::size_t count, const Linear& last) -> Status {
    if (work.stopped() || kernels::find_non_finite(values, count) == count) return {};
    return fail(ErrorCode::Numeric,
                fmt::format("the output of layer {} is NaN or infinite here", weights.layer),
                {file.path(), file.tensors()[last.tensor].name, {}});
  };
  const Tasks tasks(rows);
  return for_each_task(work, tasks.count(), [&](std::size_t task, int worker) -> Status {
    const auto [first, count] = tasks[task];
    LayerActivations::Room& room = a.rooms[static_cast<std::size_t>(worker)];
    float* projected = room.projected.data();
    float* stream = hidden + first * width;
    TileInput(a.attended.data() + first * queries, count, queries, room.input)
        .apply(weights.attn_output, projected, work);
    add(stream, projected, count * width);
    if (Status status = check(stream, count * width, weights.attn_output); !status) return status;

    float* normed = keep ? a.ffn_input.data() + first * width : room.normed.data();
    kernels::rms_norm(stream, weights.ffn_norm.data(), count, width, p.rms_epsilon, normed);
    TileInput input(normed, count, width, room.input);
    if (!keep && gate_in_pieces(weights, input, room, count, work)) {
      apply_packed(weights.down, room.gated, projected, work);
    } else {
      float* gate = room.gate.data();
      input.apply(weights.gate, gate, work);
      input.apply(weights.up, room.up.data(), work);
      float* gated = keep ? a.gated.data() + first * ffn : gate;
      kernels::swiglu(gate, room.up.data(), count * ffn, gated);
      TileInput(gated, count, ffn, room.input).apply(weights.down, projected, work);
    }
    add(stream, projected, count * width);
    return check(stream, count * width, weights.down);
  });
}

Status Forward::observe_layer(const LayerWeights& weights, std::size_t rows, const LayerActivations& a,
                              const LinearObserver& observer) const {
  const auto observe = [&](std::initializer_list<const Linear*> linears, const FloatBuffer& values) {
    std::vector<std::size_t> tensors;
    for (const Linear* linear : linears) tensors.push_back(linear->tensor);
    const std::size_t columns = (*linears.begin())->weights.inputs();
    return observer({tensors, weights.layer, {values.data(), rows * columns}, rows, columns});
  };
  if (auto s = observe({&weights.q, &weights.k, &weights.v}, a.attn_input); !s) return s;
  if (auto s = observe({&weights.attn_output}, a.attended); !s) return s;
  if (auto s = observe({&weights.gate, &weights.up}, a.ffn_input); !s) return s;
  return observe({&weights.down}, a.gated);
}

Status Forward::run_layer(const LayerWeights& weights, float* hidden, std::size_t windows,
                          LayerActivations& activations, const WorkContext& work,
                          const LinearObserver& observer) const {
  const std::size_t rows = windows * context_;
  const bool keep = observer != nullptr;
  if (auto s = resize(activations, windows, work.pool.size(), keep); !s) return s;
  if (auto s = attention_inputs(weights, hidden, rows, activations, keep, work); !s) return s;
  if (auto s = attention(windows, activations, work); !s) return s;
  if (auto s = output_and_ffn(weights, hidden, rows, activations, keep, work); !s) return s;
  if (observer) return observe_layer(weights, rows, activations, observer);
  return {};
}

Status Forward::normalize_output(const float* hidden, std::size_t rows, float* normed,
                                 const WorkContext& work) const {
  std::vector<float> weight;
  if (auto status = load_vector(output_norm_, weight); !status) return status;
  const std::size_t width = parameters_.width;
  const Tasks tasks(rows);
  return for_each_task(work, tasks.count(), [&](std::size_t task, int) -> Status {
    const auto [first, count] = tasks[task];
    kernels::rms_norm(hidden + first * width, weight.data(), count, width, parameters_.rms_epsilon,
                      normed + first * width);
    return {};
  });
}

Status observe_inputs(const WeightSource& source, std::span<const std::vector<std::int32_t>> windows,
                      std::uint64_t memory_budget, const LinearObserver& observer, const WorkContext& work) {
  if (windows.empty()) return fail(ErrorCode::InvalidArgument, "no windows to run");
  auto forward = Forward::create(source, static_cast<std::uint32_t>(windows[0].size()), false);
  if (!forward) return pass(forward);
  const model::LlamaParameters& p = forward->parameters();
  const std::size_t context = forward->context(), window_floats = context * p.width;
  const std::size_t batch = forward->windows_per_batch();
  const std::size_t group =
      std::clamp<std::size_t>(memory_budget / (window_floats * sizeof(float)), 1, windows.size());
  FloatBuffer hidden, normed;
  if (!hidden.resize(group * window_floats) || !normed.resize(std::min(batch, group) * window_floats))
    return fail(ErrorCode::Memory,
                fmt::format("not enough memory for {} windows of {} tokens", group, context));
  LayerWeights weights;
  LayerActivations activations;
  const std::uint64_t total = std::uint64_t{windows.size()} * p.layers;
  std::uint64_t done = 0;
  for (std::size_t start = 0; start < windows.size(); start += group) {
    const std::size_t count = std::min(group, windows.size() - start);
    if (auto s = forward->embed(windows.subspan(start, count), hidden.data(), work); !s) return s;
    for (std::uint32_t layer = 0; layer < p.layers; ++layer) {
      if (auto s = forward->load_layer(static_cast<int>(layer), weights, work); !s) return s;
      for (std::size_t w = 0; w < count; w += batch) {
        const std::size_t some = std::min(batch, count - w);
        if (auto s = forward->run_layer(weights, hidden.data() + w * window_floats, some, activations, work,
                                        observer);
            !s)
          return s;
        work.report("forward", done += some, total);
      }
    }
    const std::size_t output = forward->output_tensor();
    for (std::size_t w = 0; w < count; w += batch) {
      const std::size_t rows = std::min(batch, count - w) * context;
      if (auto s = forward->normalize_output(hidden.data() + w * window_floats, rows, normed.data(), work);
          !s)
        return s;
      if (auto s = observer({{&output, 1}, -1, {normed.data(), rows * p.width}, rows, p.width}); !s) return s;
    }
  }
  return {};
}

}  // namespace bitlens::run
