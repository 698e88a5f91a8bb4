#include "core/sensitivity/response.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/run/tasks.h"
#include "core/sensitivity/responder.h"
#include "kernels/dense/dots.h"

namespace bitlens::sensitivity {

namespace {

using kernels::FloatBuffer;
using model::Module;

/// Tokens whose products with the changes are made at once, and bytes of those products that are in cache
/// together; at most so many changes of a tensor at once.
constexpr std::size_t kTileTokens = 96;
constexpr std::size_t kProductsInCache = std::size_t{1} << 19;
constexpr std::size_t kChangesTogether = 12;

}  // namespace

std::optional<Sides> sides_of(Module module) {
  switch (module) {
    case Module::AttnQ:
      return Sides{&BlockRecord::attn_input, &run::BlockGradients::q};
    case Module::AttnK:
      return Sides{&BlockRecord::attn_input, &run::BlockGradients::k};
    case Module::AttnV:
      return Sides{&BlockRecord::attn_input, &run::BlockGradients::v};
    case Module::AttnOutput:
      return Sides{&BlockRecord::attended, &run::BlockGradients::attn_output};
    case Module::FfnGate:
      return Sides{&BlockRecord::ffn_input, &run::BlockGradients::gate};
    case Module::FfnUp:
      return Sides{&BlockRecord::ffn_input, &run::BlockGradients::up};
    case Module::FfnDown:
      return Sides{&BlockRecord::gated, &run::BlockGradients::down};
    default:
      return std::nullopt;
  }
}

Result<std::unique_ptr<Responder>> Responder::make(const std::shared_ptr<const model::Model>& model,
                                                   std::vector<Cell> cells, const evaluate::Windows& windows,
                                                   const ResponseOptions& options) {
  std::unique_ptr<Responder> out(new Responder);
  out->options_ = options;
  out->text_left_ = options.text_slope;
  out->windows_ = windows;
  const std::size_t samples = std::max<std::size_t>(1, options.samples);
  const std::size_t used = response_windows(samples, windows.inputs.size());
  out->windows_.inputs.resize(used);
  out->windows_.targets.resize(used);
  for (const Cell& cell : cells) {
    if (cell.tensors.empty())
      return fail(ErrorCode::InvalidArgument, "a cell without tensors has no response", {{}, cell.name, {}});
    for (const std::size_t tensor : cell.tensors) {
      const model::TensorRole& role = model->role(tensor);
      const bool outside = role.module == Module::TokenEmbedding || role.module == Module::Output;
      if (!sides_of(role.module) && !outside)
        return fail(ErrorCode::Unsupported, "responses are known for matrices of the model only",
                    {model->file().path(), model->file().tensors()[tensor].name, {}});
    }
  }
  out->changes_ = distinct_changes(cells);
  const auto layer_of = [&](const Change& change) { return model->role(change.tensor).layer; };
  std::ranges::stable_sort(out->changes_, {}, layer_of);
  BaseRun::Options base_options;
  base_options.compute = options.compute;
  base_options.memory_budget = options.memory_budget;
  base_options.spill_folder = options.spill_folder;
  auto base = BaseRun::create(model, out->windows_, base_options);
  if (!base) return pass(base);
  out->base_ = std::move(*base);
  for (int layer = -1; layer < out->base_->layers(); ++layer) {
    const auto range = std::ranges::equal_range(out->changes_, layer, {}, layer_of);
    out->of_layer_.emplace_back(range.begin() - out->changes_.begin(), range.end() - out->changes_.begin());
  }
  out->costs_.emplace(out->base_->forward().parameters(), out->windows_, options.compute, options.backward);
  out->backward_.emplace(out->base_->forward(), options.backward);
  out->state_.emplace(options.keep);
  out->head_.emplace(*out->base_, options.seed, options.changes, options.memory_budget / 4);
  out->matrix_ = ResponseMatrix(std::move(cells), used, (samples + used - 1) / used,
                                out->windows_.scored_per_window(), options.seed);
  return out;
}

std::span<const Change> Responder::changes_of(int layer) const {
  const auto [begin, end] = of_layer_[static_cast<std::size_t>(layer + 1)];
  return std::span(changes_).subspan(begin, end - begin);
}

Status Responder::through_head(const Round& round, std::span<const Change> of_output,
                               const WorkContext& work) {
  std::vector<ChunkResponses> responses;
  for (std::size_t c = round.chunk; c < chunks_.size(); ++c) {
    const Chunk& chunk = chunks_[c];
    if (!gradients_[c].resize(chunk.all_draws() * chunk.windows * base_->window_floats()))
      return fail(ErrorCode::Memory, "not enough memory for gradients");
    if (auto s = head_->run(chunk, gradients_[c].data(), of_output, responses, work); !s) return s;
    for (std::size_t i = 0; i < of_output.size(); ++i) keep(of_output[i], chunk, responses[i]);
    if (round_fisher_ && !of_output.empty())
      if (auto s = square_output(chunk, work); !s) return s;
    if (!round_fisher_) save_if_due(round.at(base_->layers(), c + 1));
    advance(kHead, head_cost(round, chunk), work);
  }
  return round_fisher_ ? weigh_squares(of_output, work) : Status{};
}

Status Responder::through_layer(const Round& round, int layer, const WorkContext& work) {
  if (auto s = backward_->load_layer(layer, weights_, work); !s) return s;
  const std::span changes = changes_of(layer);
  std::vector<ChangeReader> readers;
  std::uint64_t bytes = 0;
  for (const Change& change : changes) {
    auto reader = ChangeReader::create(base_->model(), change);
    if (!reader) return pass(reader);
    readers.push_back(std::move(*reader));
    bytes += base_->model()->file().tensors()[change.tensor].elements() * sizeof(float);
  }
  // All changes of the block are kept packed if there is room for them, else made again for every chunk.
  const bool keep_packed = bytes <= options_.memory_budget / 4;
  std::vector<kernels::PackedMatrix> packed(keep_packed ? changes.size() : 1);
  const auto pack = [&](std::size_t i, kernels::PackedMatrix& target) {
    const std::uint64_t rows = base_->model()->file().tensors()[changes[i].tensor].rows();
    return readers[i].pack(0, rows, options_.changes, target, work);
  };
  if (keep_packed)
    for (std::size_t i = 0; i < changes.size(); ++i)
      if (auto s = pack(i, packed[i]); !s) return s;
  pace_.done(kChanges, changes_cost(layer));
  for (std::size_t c = layer == round.layer ? round.chunk : 0; c < chunks_.size(); ++c) {
    const Chunk& chunk = chunks_[c];
    const std::size_t batch_start = chunk.first_window / base_->batch() * base_->batch();
    auto record = base_->record(layer, batch_start, work);
    if (!record) return pass(record);
    pace_.done(kRecord, record_cost(round, chunk));
    auto input = base_->states(layer, chunk.first_window, chunk.windows, room_);
    if (!input) return pass(input);
    const model::LlamaParameters& p = base_->forward().parameters();
    const std::size_t offset = (chunk.first_window - batch_start) * windows_.context;
    const std::size_t queries = std::size_t{p.heads} * p.head_dim,
                      keys = std::size_t{p.kv_heads} * p.head_dim;
    const BlockRecord& r = **record;
    const run::BlockActivations activations{*input,
                                            r.middle.data() + offset * p.width,
                                            r.q.data() + offset * queries,
                                            r.k.data() + offset * keys,
                                            r.v.data() + offset * keys,
                                            r.gate.data() + offset * p.ffn_width,
                                            r.up.data() + offset * p.ffn_width};
    if (auto s = backward_->run_layer(weights_, activations, chunk.windows, chunk.all_draws(),
                                      gradients_[c].data(), block_gradients_, work);
        !s)
      return s;
    pace_.done(kBack, back_cost(layer, chunk));
    for (std::size_t i = 0, count = 0; i < changes.size(); i += count) {
      if (!keep_packed)
        if (auto s = pack(i, packed[0]); !s) return s;
      const auto same_tensor = [&](std::size_t j) {
        return j < changes.size() && changes[j].tensor == changes[i].tensor;
      };
      for (count = 1; keep_packed && count < kChangesTogether && same_tensor(i + count);) ++count;
      if (auto s = respond(chunk, changes.subspan(i, count),
                           std::span(packed).subspan(keep_packed ? i : 0, count), offset, r, work);
          !s)
        return s;
    }
    if (round_fisher_)
      if (auto s = square_block(chunk, offset, r, work); !s) return s;
    // Sums of squares over chunks are not saved: the diagonal Fisher score is saved between blocks only.
    if (!round_fisher_ && c + 1 < chunks_.size()) save_if_due(round.at(layer, c + 1));
    // Pausing and stopping happen between chunks.
    advance(kRespond, respond_cost(layer, chunk), work);
    if (work.stopped()) return WorkContext::cancelled();
  }
  return round_fisher_ ? weigh_squares(changes, work) : Status{};
}

/// sum over tokens of g . (dW x), for some changes of one tensor and every draw of a chunk. The products of a
/// tile are made once; then a few rows of them at a time stay in cache while every draw's gradient is read.
Status Responder::respond(const Chunk& chunk, std::span<const Change> changes,
                          std::span<const kernels::PackedMatrix> packed, std::size_t offset,
                          const BlockRecord& record, const WorkContext& work) {
  const Sides sides = *sides_of(base_->model()->role(changes.front().tensor).module);
  const std::size_t context = windows_.context, inputs = packed[0].inputs(), outputs = packed[0].outputs();
  const float* x = (record.*sides.input).data() + offset * inputs;
  const float* g = (block_gradients_.*sides.gradient).data();
  const std::size_t count = changes.size(), draws = chunk.all_draws();
  const std::size_t per_window = (context + kTileTokens - 1) / kTileTokens;
  const std::size_t step =
      std::clamp<std::size_t>(kProductsInCache / (sizeof(float) * count * outputs), 1, kTileTokens);
  std::vector<double> partial(chunk.windows * per_window * draws * count, 0.0);
  std::vector<FloatBuffer> rooms(static_cast<std::size_t>(work.pool.size()));
  const auto status =
      run::for_each_task(work, chunk.windows * per_window, [&](std::size_t task, int worker) -> Status {
        FloatBuffer& room = rooms[static_cast<std::size_t>(worker)];
        if (!room.resize(count * kTileTokens * outputs)) return fail(ErrorCode::Memory, "not enough memory");
        const std::size_t window = task / per_window, at = task % per_window * kTileTokens;
        const std::size_t tokens = std::min(kTileTokens, context - at), row = window * context + at;
        for (std::size_t i = 0; i < count; ++i)
          kernels::multiply(packed[i], 0, packed[i].panels(), x + row * inputs, tokens, inputs,
                            room.data() + i * kTileTokens * outputs, outputs, false);
        std::vector<const float*> products(count);
        for (std::size_t first = 0; first < tokens; first += step) {
          for (std::size_t i = 0; i < count; ++i)
            products[i] = room.data() + (i * kTileTokens + first) * outputs;
          for (std::size_t d = 0; d < draws; ++d)
            kernels::add_dots(g + (d * chunk.windows * context + row + first) * outputs, products.data(),
                              count, std::min(step, tokens - first) * outputs,
                              partial.data() + (task * draws + d) * count);
        }
        return {};
      });
  if (!status) return status;
  for (std::size_t i = 0; i < count; ++i) {
    ChunkResponses responses(draws * chunk.windows, 0.0);
    for (std::size_t task = 0; task < chunk.windows * per_window; ++task)
      for (std::size_t d = 0; d < draws; ++d)
        responses[d * chunk.windows + task / per_window] += partial[(task * draws + d) * count + i];
    keep(changes[i], chunk, responses);
  }
  return {};
}

/// The embedding: the gradient at the first block's input against the changed rows that were looked up.
Status Responder::embedding_responses(const WorkContext& work) {
  const std::size_t width = base_->forward().parameters().width, context = windows_.context;
  std::vector<Change> of_embedding;
  for (const Change& change : changes_of(-1))
    if (change.tensor == base_->forward().embedding_tensor()) of_embedding.push_back(change);
  for (const Change& change : of_embedding) {
    auto reader = ChangeReader::create(base_->model(), change);
    if (!reader) return pass(reader);
    for (std::size_t c = 0; c < chunks_.size(); ++c) {
      const Chunk& chunk = chunks_[c];
      const std::size_t draws = chunk.all_draws();
      ChunkResponses responses(draws * chunk.windows, 0.0);
      const auto status = run::for_each_task(work, chunk.windows, [&](std::size_t window, int) -> Status {
        std::vector<float> change_row(width);
        for (std::size_t t = 0; t < context; ++t) {
          const auto token = static_cast<std::uint64_t>(windows_.inputs[chunk.first_window + window][t]);
          if (auto s = reader->rows(token, 1, change_row.data()); !s) return s;
          for (std::size_t d = 0; d < draws; ++d) {
            const std::size_t row = (d * chunk.windows + window) * context + t;
            responses[d * chunk.windows + window] +=
                dot(change_row.data(), gradients_[c].data() + row * width, width);
          }
        }
        return {};
      });
      if (!status) return status;
      keep(change, chunk, responses);
    }
    if (round_fisher_)
      if (auto s = square_embedding(change, *reader, work); !s) return s;
  }
  return finish(of_embedding);
}

void Responder::keep(const Change& change, const Chunk& chunk, const ChunkResponses& responses) {
  const std::size_t count = matrix_.windows();
  for (const std::size_t cell : change.cells)
    for (std::size_t d = 0; d < chunk.all_draws(); ++d)
      for (std::size_t w = 0; w < chunk.windows; ++w) {
        const auto value = static_cast<float>(responses[d * chunk.windows + w]);
        if (d < chunk.draws)
          matrix_.full_row(cell)[(chunk.first_draw + d) * count + chunk.first_window + w] += value;
        else
          matrix_.full_text_row(cell)[chunk.first_window + w] += value;
      }
}

std::size_t response_windows(std::size_t samples, std::size_t windows) {
  return std::min(std::max<std::size_t>(1, samples), windows);
}

Result<ResponseMatrix> response_vectors(const std::shared_ptr<const model::Model>& model,
                                        std::vector<Cell> cells, const evaluate::Windows& windows,
                                        const ResponseOptions& options, const ResponseCallback& on_update,
                                        const WorkContext& work, const KnownResponses& known) {
  if (!model->llama()) return pass(model->llama());
  if (windows.inputs.empty()) return fail(ErrorCode::InvalidArgument, "no windows to run");
  auto responder = Responder::make(model, std::move(cells), windows, options);
  if (!responder) return pass(responder);
  if (auto s = (*responder)->start_from(known); !s) return pass(s);
  if (auto s = (*responder)->run(on_update, work); !s) return pass(s);
  return (*responder)->take();
}

}  // namespace bitlens::sensitivity
