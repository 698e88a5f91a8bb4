#include "core/evaluate/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/run/tasks.h"
#include "kernels/dense/logits.h"
#include "kernels/formats/codec.h"

namespace bitlens::evaluate {

namespace {

using kernels::FloatBuffer;
using kernels::kRowTile;

/// Logits of a tile of rows that are in cache together.
constexpr std::size_t kChunkColumns = 1024;
/// Weights of the output matrix decoded at once.
constexpr std::uint64_t kSlabWeights = std::uint64_t{1} << 24;

struct Room {
  FloatBuffer base, subject;
};

struct Summaries {
  std::vector<kernels::LogitSummary> base, subject;
  std::vector<kernels::DivergenceSummary> divergence;
};

/// Does the same product give both sides' logits?
bool same_output(const run::Forward& a, const run::Forward& b) {
  return a.compute() == b.compute() && run::same_weights(a.source(), b.source(), a.output_tensor());
}

/// One tile of rows against one slab of the vocabulary.
void score_tile(const run::Linear& subject_output, const run::Linear* base_output, const float* subject,
                const float* base, std::span<const std::int32_t> targets, std::uint64_t first_entry,
                std::size_t row, Room& room, Summaries& summaries) {
  const kernels::PackedMatrix& weights = subject_output.weights;
  const std::size_t width = weights.inputs(), rows = targets.size();
  const std::size_t step = std::max<std::size_t>(1, kChunkColumns / weights.width());
  for (std::size_t panel = 0; panel < weights.panels(); panel += step) {
    const std::size_t panels = std::min(step, weights.panels() - panel), begin = panel * weights.width();
    const std::size_t columns = std::min(panels * weights.width(), weights.outputs() - begin);
    kernels::multiply(weights, panel, panels, subject, rows, width, room.subject.data(), columns, false);
    if (base_output != nullptr)
      kernels::multiply(base_output->weights, panel, panels, base, rows, width, room.base.data(), columns,
                        false);
    for (std::size_t r = 0; r < rows; ++r) {
      const float* logits = room.subject.data() + r * columns;
      const auto target = static_cast<std::uint64_t>(targets[r]);
      kernels::summarize_logits(logits, columns, first_entry + begin, target, summaries.subject[row + r]);
      if (base_output == nullptr) continue;
      const float* base_logits = room.base.data() + r * columns;
      kernels::summarize_logits(base_logits, columns, first_entry + begin, target, summaries.base[row + r]);
      kernels::summarize_divergence(base_logits, logits, columns, summaries.divergence[row + r]);
    }
  }
}

}  // namespace

Status head_inputs(const run::Forward& forward, float* states, std::size_t rows, const WorkContext& work) {
  if (auto s = forward.normalize_output(states, rows, states, work); !s) return s;
  if (!forward.rounds_activations()) return {};
  const std::size_t width = forward.parameters().width;
  const auto rounding = kernels::info(forward.source().format(forward.output_tensor())).activation;
  if (rounding != kernels::ActivationRounding::None)
    for (std::size_t r = 0; r < rows; ++r) kernels::round_activations(rounding, states + r * width, width);
  return {};
}

Result<std::vector<TokenResult>> score(const ScoreInput& subject, const ScoreInput* base,
                                       std::span<const std::int32_t> targets, const WorkContext& work,
                                       const std::function<void(double)>& advance) {
  const run::Forward& forward = *subject.forward;
  const std::size_t rows = targets.size(), width = forward.parameters().width;
  const std::uint64_t vocabulary = forward.parameters().vocabulary;
  const bool shared_matrix = base != nullptr && same_output(forward, *base->forward);
  // Same inputs, same matrix: the same numbers; they are computed once.
  const bool identical = shared_matrix && base->inputs == subject.inputs;
  const bool paired = base != nullptr && !identical;

  Summaries summaries;
  summaries.subject.resize(rows);
  if (paired) {
    summaries.base.resize(rows);
    summaries.divergence.resize(rows);
  }
  std::vector<Room> rooms(static_cast<std::size_t>(work.pool.size()));
  run::Linear subject_output, own_base_output;
  // Whole chunks, so that where partial sums are cut does not depend on the vector width.
  const std::uint64_t slab =
      std::max<std::uint64_t>(kChunkColumns, kSlabWeights / width / kChunkColumns * kChunkColumns);
  const std::size_t tiles = (rows + kRowTile - 1) / kRowTile;
  for (std::uint64_t first = 0; first < vocabulary; first += slab) {
    const std::uint64_t entries = std::min(slab, vocabulary - first);
    if (auto status = forward.load_output(first, entries, subject_output, work); !status) return pass(status);
    const run::Linear* base_output = nullptr;
    if (paired && shared_matrix) base_output = &subject_output;
    if (paired && !shared_matrix) {
      if (auto s = base->forward->load_output(first, entries, own_base_output, work); !s) return pass(s);
      base_output = &own_base_output;
    }
    const auto status = run::for_each_task(work, tiles, [&](std::size_t task, int worker) -> Status {
      Room& room = rooms[static_cast<std::size_t>(worker)];
      if (!room.subject.resize(kRowTile * kChunkColumns) ||
          (paired && !room.base.resize(kRowTile * kChunkColumns)))
        return fail(ErrorCode::Memory, "not enough memory for logits");
      const std::size_t row = task * kRowTile, count = std::min(kRowTile, rows - row);
      score_tile(subject_output, base_output, subject.inputs + row * width,
                 paired ? base->inputs + row * width : nullptr, targets.subspan(row, count), first, row, room,
                 summaries);
      return {};
    });
    if (!status) return pass(status);
    advance(static_cast<double>(first + entries) / static_cast<double>(vocabulary));
  }

  std::vector<TokenResult> results(rows);
  for (std::size_t r = 0; r < rows; ++r) {
    TokenResult& result = results[r];
    result.nll = summaries.subject[r].negative_log_likelihood();
    result.base_nll = result.nll;
    if (paired) {
      result.base_nll = summaries.base[r].negative_log_likelihood();
      result.kl = summaries.divergence[r].divergence();
      result.same_top = summaries.base[r].best == summaries.subject[r].best;
    }
    if (!std::isfinite(result.nll) || !std::isfinite(result.base_nll) || !std::isfinite(result.kl)) {
      const io::ModelFile& file = forward.source().model().file();
      return fail(ErrorCode::Numeric, "the logits are NaN or infinite",
                  {file.path(), file.tensors()[forward.output_tensor()].name, {}});
    }
  }
  return results;
}

}  // namespace bitlens::evaluate
