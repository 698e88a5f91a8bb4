#include "core/sensitivity/block_pass.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/run/tasks.h"
#include "kernels/dense/attention.h"
#include "kernels/dense/elementwise.h"
#include "kernels/formats/codec.h"

namespace bitlens::sensitivity {

namespace {

using kernels::FloatBuffer;
using kernels::kRowTile;
using run::Linear;

/// Products are cut so that a stop is seen within some tens of milliseconds.
constexpr std::size_t kMultiplyAddsPerCall = std::size_t{1} << 29;
/// What one window's attention may take of a thread's cache, bytes.
constexpr std::size_t kWindowCache = std::size_t{1} << 20;

/// Rows of a window that are worked on together.
struct Tile {
  std::size_t first = 0, rows = 0;
};

/// Positions from .. context - 1 of a window, cut into tiles.
class Tiles {
 public:
  Tiles(std::size_t context, std::size_t from) : context_(context), from_(from) {}
  [[nodiscard]] std::size_t count() const { return (context_ - from_ + kRowTile - 1) / kRowTile; }
  [[nodiscard]] Tile operator[](std::size_t task) const {
    const std::size_t at = from_ + task * kRowTile;
    return {at, std::min(kRowTile, context_ - at)};
  }

 private:
  std::size_t context_, from_;
};

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
  [[nodiscard]] bool same_input() const { return same(&BlockView::attn_norm); }
  [[nodiscard]] bool same_q() const { return same_input() && same(&BlockView::q); }
  [[nodiscard]] bool same_k() const { return same_input() && same(&BlockView::k); }
  [[nodiscard]] bool same_v() const { return same_input() && same(&BlockView::v); }
  /// Are the queries, keys and values, and so what attention makes of them, the base's own?
  [[nodiscard]] bool same_attention() const { return same_q() && same_k() && same_v(); }
  [[nodiscard]] bool same_middle() const { return same_attention() && same(&BlockView::attn_output); }
  [[nodiscard]] bool same_ffn_input() const { return same_middle() && same(&BlockView::ffn_norm); }
};

/// Sizes, in floats, of what a window holds.
struct BlockPass::Sizes {
  std::size_t context, width, queries, keys, ffn, packed_keys, packed_values;
  kernels::AttentionShape attention;

  explicit Sizes(const run::Forward& forward) {
    const model::LlamaParameters& p = forward.parameters();
    context = forward.context();
    width = p.width;
    queries = std::size_t{p.heads} * p.head_dim;
    keys = std::size_t{p.kv_heads} * p.head_dim;
    ffn = p.ffn_width;
    attention = {context, p.head_dim, p.sliding_window, forward.compute()};
    packed_keys = p.kv_heads * kernels::packed_keys_size(attention);
    packed_values = p.kv_heads * kernels::packed_values_size(attention);
  }
  /// Of attention alone.
  [[nodiscard]] std::size_t attention_floats() const {
    return context * 2 * (queries + keys) + packed_keys + packed_values;
  }
};

/// One window on its way: what is read and where new values go, each from the window's first row on.
struct BlockPass::Window {
  std::size_t row = 0;  ///< of its first token in the batch
  float *new_q, *new_k, *new_v, *new_packed_k, *new_packed_v, *new_attended;
  const float *q, *k, *v, *packed_k, *packed_v, *attended;  ///< new, or the base's
};

BlockPass::Window BlockPass::window(const Call& call, std::size_t index, bool own_room, int worker) {
  const Sizes n(*forward_);
  Window w;
  w.row = index * n.context;
  Attention& room = own_room ? workers_[static_cast<std::size_t>(worker)].attention : shared_;
  const std::size_t at = own_room ? 0 : index;
  const auto place = [&](FloatBuffer BlockRecord::*member, FloatBuffer& scratch, std::size_t floats) {
    return call.keep != nullptr ? (call.keep->*member).data() + index * floats : scratch.data() + at * floats;
  };
  w.new_q = place(&BlockRecord::q, room.q, n.context * n.queries);
  w.new_k = place(&BlockRecord::k, room.k, n.context * n.keys);
  w.new_v = place(&BlockRecord::v, room.v, n.context * n.keys);
  w.new_packed_k = place(&BlockRecord::packed_k, room.packed_k, n.packed_keys);
  w.new_packed_v = place(&BlockRecord::packed_v, room.packed_v, n.packed_values);
  w.new_attended = place(&BlockRecord::attended, room.attended, n.context * n.queries);
  const auto choose = [&](bool same, FloatBuffer BlockRecord::*member, const float* fresh,
                          std::size_t floats) -> const float* {
    return same ? (call.known->*member).data() + index * floats : fresh;
  };
  const bool same_packed = call.same_k() && call.same_v();
  w.q = choose(call.same_q(), &BlockRecord::q, w.new_q, n.context * n.queries);
  w.k = choose(call.same_k(), &BlockRecord::k, w.new_k, n.context * n.keys);
  w.v = choose(call.same_v(), &BlockRecord::v, w.new_v, n.context * n.keys);
  w.packed_k = choose(same_packed, &BlockRecord::packed_k, w.new_packed_k, n.packed_keys);
  w.packed_v = choose(same_packed, &BlockRecord::packed_v, w.new_packed_v, n.packed_values);
  w.attended = choose(call.same_attention(), &BlockRecord::attended, w.new_attended, n.context * n.queries);
  return w;
}

BlockPass::BlockPass(const run::Forward& forward) : forward_(&forward) {}

std::uint64_t BlockPass::record_bytes_per_window() const {
  const Sizes n(*forward_);
  return sizeof(float) * (n.attention_floats() + std::uint64_t{n.context} * (3 * n.width + 3 * n.ffn));
}

bool BlockPass::Attention::resize(const Sizes& n, std::size_t windows) {
  const std::size_t rows = windows * n.context;
  return q.resize(rows * n.queries) && k.resize(rows * n.keys) && v.resize(rows * n.keys) &&
         packed_k.resize(windows * n.packed_keys) && packed_v.resize(windows * n.packed_values) &&
         attended.resize(rows * n.queries);
}

Status BlockPass::resize_record(BlockRecord& r, std::size_t windows) const {
  const Sizes n(*forward_);
  const std::size_t rows = windows * n.context;
  if (r.attn_input.resize(rows * n.width) && r.q.resize(rows * n.queries) && r.k.resize(rows * n.keys) &&
      r.v.resize(rows * n.keys) && r.packed_k.resize(windows * n.packed_keys) &&
      r.packed_v.resize(windows * n.packed_values) && r.attended.resize(rows * n.queries) &&
      r.middle.resize(rows * n.width) && r.ffn_input.resize(rows * n.width) && r.gate.resize(rows * n.ffn) &&
      r.up.resize(rows * n.ffn) && r.gated.resize(rows * n.ffn))
    return {};
  return fail(ErrorCode::Memory, fmt::format("not enough memory for the activations of {} tokens", rows));
}

Status BlockPass::resize_scratch(bool own_rooms, std::size_t windows, int workers) {
  const Sizes n(*forward_);
  const std::size_t widest = std::max({n.width, n.queries, n.ffn});
  bool enough = own_rooms || shared_.resize(n, windows);
  workers_.resize(static_cast<std::size_t>(workers));
  for (Worker& w : workers_)
    enough = enough && (!own_rooms || w.attention.resize(n, 1)) && w.rounded.resize(kRowTile * widest) &&
             w.normed.resize(kRowTile * n.width) && w.projected.resize(kRowTile * n.width) &&
             w.middle.resize(kRowTile * n.width) && w.gate.resize(kRowTile * n.ffn) &&
             w.up.resize(kRowTile * n.ffn) && w.gated.resize(kRowTile * n.ffn);
  if (enough) return {};
  return fail(ErrorCode::Memory,
              fmt::format("not enough memory for the activations of {} tokens", windows * n.context));
}

Status BlockPass::run(const BlockView& view, int layer, const float* input, float* output,
                      std::size_t windows, std::size_t from, const WorkContext& work) {
  return run({view, nullptr, nullptr, nullptr, layer, input, output, windows, from}, work);
}

Status BlockPass::record(const BlockView& view, int layer, const float* input, float* output,
                         std::size_t windows, BlockRecord& record, const WorkContext& work) {
  if (auto s = resize_record(record, windows); !s) return s;
  return run({view, nullptr, nullptr, &record, layer, input, output, windows, 0}, work);
}

Status BlockPass::rerun(const BlockView& view, const BlockView& base, const BlockRecord& record, int layer,
                        const float* input, float* output, std::size_t windows, std::size_t from,
                        const WorkContext& work) {
  return run({view, &base, &record, nullptr, layer, input, output, windows, from}, work);
}

/// Small windows, when there are enough of them for all threads, stay in a thread's cache from end to end.
/// Otherwise all threads go through the steps together. The bits are the same.
Status BlockPass::run(const Call& call, const WorkContext& work) {
  const Sizes n(*forward_);
  const std::size_t heads = forward_->parameters().heads, kv_heads = forward_->parameters().kv_heads;
  const auto workers = static_cast<std::size_t>(work.pool.size());
  const bool in_cache = n.attention_floats() * sizeof(float) <= kWindowCache && call.windows >= 4 * workers;
  if (auto s = resize_scratch(in_cache, call.windows, work.pool.size()); !s) return s;
  const bool new_attention = !call.same_attention(), new_keys = !(call.same_k() && call.same_v());
  const Tiles inputs(n.context, new_keys ? 0 : call.from), rows(n.context, call.from);
  const std::size_t task_rows = kernels::attention_task_rows(n.attention);
  const std::size_t head_tasks = (n.context - call.from + task_rows - 1) / task_rows;
  // The longest rows of a window first, for balance.
  const auto attend_task = [&](const Window& w, std::size_t task) {
    const std::size_t first = call.from + (head_tasks - 1 - task % head_tasks) * task_rows;
    attend(w, task / head_tasks, first, std::min(task_rows, n.context - first));
  };
  if (in_cache)
    return run::for_each_task(work, call.windows, [&](std::size_t index, int worker) -> Status {
      const Window w = window(call, index, true, worker);
      if (new_attention) {
        for (std::size_t t = 0; t < inputs.count(); ++t)
          attention_inputs(call, w, inputs[t].first, inputs[t].rows, worker, work);
        for (std::size_t head = 0; new_keys && head < kv_heads; ++head) pack(w, head);
        for (std::size_t task = 0; task < heads * head_tasks; ++task) attend_task(w, task);
      }
      for (std::size_t t = 0; t < rows.count(); ++t)
        if (auto s = output_and_ffn(call, w, rows[t].first, rows[t].rows, worker, work); !s) return s;
      return {};
    });
  // Body gets a window, the number of a task in it, and a worker.
  const auto for_all = [&](std::size_t per_window, const auto& body) {
    return run::for_each_task(work, call.windows * per_window, [&](std::size_t task, int worker) -> Status {
      return body(window(call, task / per_window, false, worker), task % per_window, worker);
    });
  };
  if (new_attention) {
    auto done = for_all(inputs.count(), [&](const Window& w, std::size_t task, int worker) -> Status {
      attention_inputs(call, w, inputs[task].first, inputs[task].rows, worker, work);
      return {};
    });
    if (!done) return done;
    if (new_keys)
      done = for_all(kv_heads, [&](const Window& w, std::size_t head, int) -> Status {
        pack(w, head);
        return {};
      });
    if (!done) return done;
    done = for_all(heads * head_tasks, [&](const Window& w, std::size_t task, int) -> Status {
      attend_task(w, task);
      return {};
    });
    if (!done) return done;
  }
  return for_all(rows.count(), [&](const Window& w, std::size_t task, int worker) {
    return output_and_ffn(call, w, rows[task].first, rows[task].rows, worker, work);
  });
}

void BlockPass::attention_inputs(const Call& call, const Window& w, std::size_t first, std::size_t count,
                                 int worker, const WorkContext& work) {
  const model::LlamaParameters& p = forward_->parameters();
  const Sizes n(*forward_);
  Worker& room = workers_[static_cast<std::size_t>(worker)];
  const std::size_t at = (w.row + first) * n.width;
  const float* normed = nullptr;
  if (call.same_input()) {
    normed = call.known->attn_input.data() + at;
  } else {
    float* target = call.keep != nullptr ? call.keep->attn_input.data() + at : room.normed.data();
    kernels::rms_norm(call.input + at, call.view.attn_norm->data(), count, n.width, p.rms_epsilon, target);
    normed = target;
  }
  const float* angles = forward_->rotation() + first * p.rope.dimensions;
  // Queries of rows that nobody reads are left out.
  const std::size_t unread = first < call.from ? std::min(count, call.from - first) : 0;
  if (!call.same_q() && unread < count) {
    TileInput input(normed + unread * n.width, count - unread, n.width, room.rounded);
    apply(*call.view.q, input, w.new_q + (first + unread) * n.queries, work);
    for (std::size_t r = unread; r < count; ++r)
      kernels::rotate(w.new_q + (first + r) * n.queries, p.heads, p.head_dim, p.rope.dimensions,
                      angles + r * p.rope.dimensions);
  }
  TileInput input(normed, count, n.width, room.rounded);
  float* k = w.new_k + first * n.keys;
  if (!call.same_k()) {
    apply(*call.view.k, input, k, work);
    for (std::size_t r = 0; r < count; ++r)
      kernels::rotate(k + r * n.keys, p.kv_heads, p.head_dim, p.rope.dimensions,
                      angles + r * p.rope.dimensions);
  }
  if (!call.same_v()) apply(*call.view.v, input, w.new_v + first * n.keys, work);
}

void BlockPass::pack(const Window& w, std::size_t head) const {
  const Sizes n(*forward_);
  kernels::pack_keys_values(n.attention, w.k + head * n.attention.head_dim, w.v + head * n.attention.head_dim,
                            n.keys, w.new_packed_k + head * kernels::packed_keys_size(n.attention),
                            w.new_packed_v + head * kernels::packed_values_size(n.attention));
}

void BlockPass::attend(const Window& w, std::size_t head, std::size_t first, std::size_t rows) const {
  const Sizes n(*forward_);
  const std::size_t source = head / (n.queries / n.keys);
  const std::size_t at = first * n.queries + head * n.attention.head_dim;
  kernels::attend(n.attention, w.q + at, n.queries, first, rows,
                  w.packed_k + source * kernels::packed_keys_size(n.attention),
                  w.packed_v + source * kernels::packed_values_size(n.attention), w.new_attended + at,
                  n.queries);
}

Status BlockPass::check(int layer, const float* values, std::size_t count, const Linear& last,
                        const WorkContext& work) const {
  if (work.stopped() || kernels::find_non_finite(values, count) == count) return {};
  const io::ModelFile& file = forward_->source().model().file();
  return fail(ErrorCode::Numeric, fmt::format("the output of layer {} is NaN or infinite here", layer),
              {file.path(), file.tensors()[last.tensor].name, {}});
}

Status BlockPass::output_and_ffn(const Call& call, const Window& w, std::size_t first, std::size_t count,
                                 int worker, const WorkContext& work) {
  const Sizes n(*forward_);
  const float epsilon = forward_->parameters().rms_epsilon;
  const BlockView& view = call.view;
  const std::size_t row = w.row + first;
  Worker& room = workers_[static_cast<std::size_t>(worker)];
  // Where a value comes from or goes to: the base's record, the record being made, or this worker's room.
  const auto place = [&](FloatBuffer BlockRecord::*member, FloatBuffer& scratch, std::size_t columns) {
    return call.keep != nullptr ? (call.keep->*member).data() + row * columns : scratch.data();
  };
  const auto known = [&](FloatBuffer BlockRecord::*member, std::size_t columns) {
    return (call.known->*member).data() + row * columns;
  };
  float* projected = room.projected.data();

  const float* middle = nullptr;
  if (call.same_middle()) {
    middle = known(&BlockRecord::middle, n.width);
  } else {
    float* target = place(&BlockRecord::middle, room.middle, n.width);
    TileInput attended(w.attended + first * n.queries, count, n.queries, room.rounded);
    apply(*view.attn_output, attended, projected, work);
    add(call.input + row * n.width, projected, count * n.width, target);
    if (Status status = check(call.layer, target, count * n.width, *view.attn_output, work); !status)
      return status;
    middle = target;
  }

  const bool same_input = call.same_ffn_input();
  const bool same_gate = same_input && call.same(&BlockView::gate);
  const bool same_up = same_input && call.same(&BlockView::up);
  const float* gated = nullptr;
  if (same_gate && same_up) {
    gated = known(&BlockRecord::gated, n.ffn);
  } else {
    const float* normed = nullptr;
    if (same_input) {
      normed = known(&BlockRecord::ffn_input, n.width);
    } else {
      float* target = place(&BlockRecord::ffn_input, room.normed, n.width);
      kernels::rms_norm(middle, view.ffn_norm->data(), count, n.width, epsilon, target);
      normed = target;
    }
    TileInput input(normed, count, n.width, room.rounded);
    const auto product = [&](bool same, FloatBuffer BlockRecord::*member, FloatBuffer& scratch,
                             const Linear& linear) -> const float* {
      if (same) return known(member, n.ffn);
      float* target = place(member, scratch, n.ffn);
      apply(linear, input, target, work);
      return target;
    };
    const float* gate = product(same_gate, &BlockRecord::gate, room.gate, *view.gate);
    const float* up = product(same_up, &BlockRecord::up, room.up, *view.up);
    float* target = place(&BlockRecord::gated, room.gated, n.ffn);
    kernels::swiglu(gate, up, count * n.ffn, target);
    gated = target;
  }
  if (call.output == nullptr) return {};
  TileInput down(gated, count, n.ffn, room.rounded);
  apply(*view.down, down, projected, work);
  float* target = call.output + row * n.width;
  add(middle, projected, count * n.width, target);
  return check(call.layer, target, count * n.width, *view.down, work);
}

}  // namespace bitlens::sensitivity
