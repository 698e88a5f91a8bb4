#include "core/run/backward.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/run/tasks.h"
#include "kernels/dense/backward.h"
#include "kernels/dense/elementwise.h"
#include "kernels/formats/codec.h"

namespace bitlens::run {

using kernels::FloatBuffer;
using kernels::kRowTile;
using kernels::PackedMatrix;
using model::Module;

Status pack_transposed(const WeightSource& source, std::size_t tensor, std::uint64_t first,
                       std::uint64_t rows, kernels::Compute compute, PackedMatrix& packed,
                       const WorkContext& work) {
  const io::TensorInfo& info = source.model().file().tensors()[tensor];
  const std::size_t columns = info.row_length(), outputs = rows;
  const auto no_memory = [&] {
    return fail(ErrorCode::Memory, fmt::format("not enough memory for {}", info.name));
  };
  FloatBuffer plain;
  if (!packed.reset(columns, outputs, kernels::Format::F32, compute) || !plain.resize(outputs * columns))
    return no_memory();
  const std::size_t step = std::max<std::size_t>(1, (std::size_t{1} << 16) / columns);
  const auto read = for_each_task(work, (outputs + step - 1) / step, [&](std::size_t task, int) -> Status {
    const std::size_t begin = task * step;
    return source.load_rows(tensor, first + begin, std::min(step, outputs - begin),
                            plain.data() + begin * columns);
  });
  if (!read) return read;
  std::vector<FloatBuffer> rooms(static_cast<std::size_t>(work.pool.size()));
  return for_each_task(work, packed.panels(), [&](std::size_t panel, int worker) -> Status {
    FloatBuffer& turned = rooms[static_cast<std::size_t>(worker)];
    const std::size_t count = packed.rows_of(panel), begin = panel * packed.width();
    if (!turned.resize(count * outputs)) return no_memory();
    // Square pieces stay in the first cache.
    constexpr std::size_t piece = 32;
    for (std::size_t o = 0; o < outputs; o += piece)
      for (std::size_t j = 0; j < count; ++j)
        for (std::size_t i = o; i < std::min(outputs, o + piece); ++i)
          turned.data()[j * outputs + i] = plain.data()[i * columns + begin + j];
    packed.pack_panel(panel, turned.data());
    return {};
  });
}

/// One call: what comes in, what goes out.
struct Backward::Call {
  const BackwardWeights& weights;
  const BlockActivations& activations;
  std::size_t windows = 0, draws = 0, context = 0;
  float* gradient = nullptr;
  BlockGradients& out;

  /// Rows of one task: inside one window of one draw.
  struct Tile {
    std::size_t row;      ///< among all draws
    std::size_t forward;  ///< the same token's row in the forward pass
    std::size_t count;
  };
  [[nodiscard]] std::size_t per_window() const { return (context + kRowTile - 1) / kRowTile; }
  [[nodiscard]] std::size_t tiles() const { return draws * windows * per_window(); }
  [[nodiscard]] Tile tile(std::size_t task) const {
    const std::size_t at = task % per_window() * kRowTile, window = task / per_window();
    return {window * context + at, window % windows * context + at, std::min(kRowTile, context - at)};
  }
};

namespace {

/// y = x W (or y += with `accumulate`) for `rows` rows, W transposed and packed.
void through(const PackedMatrix& transposed, const float* x, std::size_t rows, float* y, bool accumulate) {
  kernels::multiply(transposed, 0, transposed.panels(), x, rows, transposed.inputs(), y, transposed.outputs(),
                    accumulate);
}

}  // namespace

Status Backward::load_layer(int layer, BackwardWeights& weights, const WorkContext& work) const {
  const WeightSource& source = forward_->source();
  const model::Model& model = source.model();
  const auto vector = [&](Module module, std::vector<float>& values) -> Status {
    const std::size_t tensor = model.block_tensor(layer, module).value_or(0);
    const io::TensorInfo& info = model.file().tensors()[tensor];
    values.resize(info.elements());
    return source.load_rows(tensor, 0, info.rows(), values.data());
  };
  const auto matrix = [&](Module module, PackedMatrix& packed) -> Status {
    const std::size_t tensor = model.block_tensor(layer, module).value_or(0);
    return pack_transposed(source, tensor, 0, model.file().tensors()[tensor].rows(), compute_, packed, work);
  };
  weights.layer = layer;
  if (auto s = vector(Module::AttnNorm, weights.attn_norm); !s) return s;
  if (auto s = vector(Module::FfnNorm, weights.ffn_norm); !s) return s;
  if (auto s = matrix(Module::AttnQ, weights.q); !s) return s;
  if (auto s = matrix(Module::AttnK, weights.k); !s) return s;
  if (auto s = matrix(Module::AttnV, weights.v); !s) return s;
  if (auto s = matrix(Module::AttnOutput, weights.attn_output); !s) return s;
  if (auto s = matrix(Module::FfnGate, weights.gate); !s) return s;
  if (auto s = matrix(Module::FfnUp, weights.up); !s) return s;
  return matrix(Module::FfnDown, weights.down);
}

std::size_t Backward::gradient_bytes_per_row() const {
  const model::LlamaParameters& p = forward_->parameters();
  const std::size_t queries = std::size_t{p.heads} * p.head_dim, keys = std::size_t{p.kv_heads} * p.head_dim;
  return sizeof(float) * (queries + 2 * keys + 2 * std::size_t{p.width} + 2 * std::size_t{p.ffn_width});
}

Status Backward::resize(BlockGradients& g, std::size_t windows, std::size_t draws, int workers) {
  const model::LlamaParameters& p = forward_->parameters();
  const std::size_t rows = draws * windows * forward_->context();
  const std::size_t queries = std::size_t{p.heads} * p.head_dim, keys = std::size_t{p.kv_heads} * p.head_dim;
  const kernels::AttentionShape shape{forward_->context(), p.head_dim, p.sliding_window, compute_};
  bool enough = g.q.resize(rows * queries) && g.k.resize(rows * keys) && g.v.resize(rows * keys) &&
                g.attn_output.resize(rows * p.width) && g.gate.resize(rows * p.ffn_width) &&
                g.up.resize(rows * p.ffn_width) && g.down.resize(rows * p.width) &&
                attended_.resize(rows * queries);
  workers_.resize(static_cast<std::size_t>(workers));
  for (Worker& w : workers_)
    enough = enough && w.wide.resize(kRowTile * p.ffn_width) && w.narrow.resize(kRowTile * p.width) &&
             w.packed.resize(kernels::packed_backward_size(shape));
  if (enough) return {};
  return fail(ErrorCode::Memory, fmt::format("not enough memory for the gradients of {} tokens", rows));
}

Status Backward::run_layer(const BackwardWeights& weights, const BlockActivations& activations,
                           std::size_t windows, std::size_t draws, float* gradient, BlockGradients& gradients,
                           const WorkContext& work) {
  if (auto s = resize(gradients, windows, draws, work.pool.size()); !s) return s;
  const Call call{weights, activations, windows, draws, forward_->context(), gradient, gradients};
  if (auto s = through_ffn(call, work); !s) return s;
  if (auto s = through_attention(call, work); !s) return s;
  return through_inputs(call, work);
}

/// From the block's output to the stream after attention and to what attention gives.
Status Backward::through_ffn(const Call& call, const WorkContext& work) {
  const model::LlamaParameters& p = forward_->parameters();
  const std::size_t width = p.width, ffn = p.ffn_width, queries = std::size_t{p.heads} * p.head_dim;
  const BackwardWeights& weights = call.weights;
  return for_each_task(work, call.tiles(), [&](std::size_t task, int worker) -> Status {
    const auto [row, forward, count] = call.tile(task);
    Worker& room = workers_[static_cast<std::size_t>(worker)];
    const float* gradient = call.gradient + row * width;
    float* down = call.out.down.data() + row * width;
    float* gate = call.out.gate.data() + row * ffn;
    float* up = call.out.up.data() + row * ffn;
    float* middle = call.out.attn_output.data() + row * width;
    std::copy_n(gradient, count * width, down);
    through(weights.down, gradient, count, room.wide.data(), false);
    kernels::swiglu_backward(call.activations.gate + forward * ffn, call.activations.up + forward * ffn,
                             room.wide.data(), count * ffn, gate, up);
    through(weights.gate, gate, count, room.narrow.data(), false);
    through(weights.up, up, count, room.narrow.data(), true);
    std::copy_n(gradient, count * width, middle);
    kernels::rms_norm_backward(call.activations.middle + forward * width, weights.ffn_norm.data(),
                               room.narrow.data(), count, width, p.rms_epsilon, middle);
    through(weights.attn_output, middle, count, attended_.data() + row * queries, false);
    return {};
  });
}

/// Draws that share one computation of a head's shares: enough to make it cheap, few enough for many tasks.
constexpr std::size_t kDrawsTogether = 8;

/// One task per window, key/value head and some draws: its query heads, one after the other.
Status Backward::through_attention(const Call& call, const WorkContext& work) {
  const model::LlamaParameters& p = forward_->parameters();
  const std::size_t queries = std::size_t{p.heads} * p.head_dim, keys = std::size_t{p.kv_heads} * p.head_dim;
  const std::size_t context = call.context, share = p.heads / p.kv_heads;
  const kernels::AttentionShape shape{context, p.head_dim, p.sliding_window, compute_};
  const std::size_t groups = (call.draws + kDrawsTogether - 1) / kDrawsTogether;
  return for_each_task(work, call.windows * p.kv_heads * groups, [&](std::size_t task, int worker) -> Status {
    const std::size_t window = task / groups / p.kv_heads, kv_head = task / groups % p.kv_heads;
    const std::size_t first_draw = task % groups * kDrawsTogether,
                      draws = std::min(kDrawsTogether, call.draws - first_draw);
    Worker& room = workers_[static_cast<std::size_t>(worker)];
    const std::size_t key_at = window * context * keys + kv_head * p.head_dim;
    kernels::pack_backward(shape, call.activations.k + key_at, call.activations.v + key_at, keys,
                           room.packed.data());
    std::vector<kernels::AttentionGradient> gradients(draws);
    for (std::size_t d = 0; d < draws; ++d) {
      const std::size_t row = ((first_draw + d) * call.windows + window) * context;
      gradients[d].keys = call.out.k.data() + row * keys + kv_head * p.head_dim;
      gradients[d].values = call.out.v.data() + row * keys + kv_head * p.head_dim;
      for (std::size_t t = 0; t < context; ++t) {
        std::fill_n(gradients[d].keys + t * keys, p.head_dim, 0.0F);
        std::fill_n(gradients[d].values + t * keys, p.head_dim, 0.0F);
      }
    }
    for (std::size_t h = kv_head * share; h < (kv_head + 1) * share; ++h) {
      if (work.stopped()) return {};
      const kernels::AttentionHead head{call.activations.q + window * context * queries + h * p.head_dim,
                                        queries, room.packed.data()};
      for (std::size_t d = 0; d < draws; ++d) {
        const std::size_t at =
            ((first_draw + d) * call.windows + window) * context * queries + h * p.head_dim;
        gradients[d].output = attended_.data() + at;
        gradients[d].queries = call.out.q.data() + at;
      }
      if (!kernels::attend_backward(shape, head, gradients.data(), draws, keys, room.attention))
        return fail(ErrorCode::Memory, "not enough memory for attention");
    }
    return {};
  });
}

/// From queries, keys and values to the block's input.
Status Backward::through_inputs(const Call& call, const WorkContext& work) {
  const model::LlamaParameters& p = forward_->parameters();
  const std::size_t width = p.width, queries = std::size_t{p.heads} * p.head_dim,
                    keys = std::size_t{p.kv_heads} * p.head_dim;
  return for_each_task(work, call.tiles(), [&](std::size_t task, int worker) -> Status {
    const auto [row, forward, count] = call.tile(task);
    Worker& room = workers_[static_cast<std::size_t>(worker)];
    float* q = call.out.q.data() + row * queries;
    float* k = call.out.k.data() + row * keys;
    std::vector<float> turned_back(p.rope.dimensions);
    for (std::size_t r = 0; r < count; ++r) {
      // The transpose of a rotation is the rotation back.
      const float* angles = forward_->rotation() + (row + r) % call.context * p.rope.dimensions;
      for (std::size_t i = 0; i < p.rope.dimensions; ++i)
        turned_back[i] = i % 2 == 0 ? angles[i] : -angles[i];
      kernels::rotate(q + r * queries, p.heads, p.head_dim, p.rope.dimensions, turned_back.data());
      kernels::rotate(k + r * keys, p.kv_heads, p.head_dim, p.rope.dimensions, turned_back.data());
    }
    float* normed = room.narrow.data();
    through(call.weights.q, q, count, normed, false);
    through(call.weights.k, k, count, normed, true);
    through(call.weights.v, call.out.v.data() + row * keys, count, normed, true);
    float* target = call.gradient + row * width;
    std::copy_n(call.out.attn_output.data() + row * width, count * width, target);
    kernels::rms_norm_backward(call.activations.input + forward * width, call.weights.attn_norm.data(),
                               normed, count, width, p.rms_epsilon, target);
    if (work.stopped() || kernels::find_non_finite(target, count * width) == count * width) return {};
    return fail(ErrorCode::Numeric,
                fmt::format("the gradient at layer {} is NaN or infinite", call.weights.layer),
                {forward_->source().model().file().path(), {}, {}});
  });
}

}  // namespace bitlens::run
