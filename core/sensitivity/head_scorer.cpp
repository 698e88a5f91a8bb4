#include "core/sensitivity/head_scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/run/tasks.h"
#include "kernels/formats/codec.h"

namespace bitlens::sensitivity {

namespace {

using evaluate::TokenResult;
using kernels::FloatBuffer;
using kernels::kRowTile;

/// Logits of a tile of rows that are in cache together. Where sums are cut is the same as in evaluate.
constexpr std::size_t kChunkColumns = 1024;
/// Weights of the output matrix decoded at once.
constexpr std::uint64_t kSlabWeights = std::uint64_t{1} << 24;

struct Cut {
  std::uint64_t slab = 0;
  std::size_t slabs = 0;
};
Cut cut_vocabulary(const run::Forward& forward) {
  const std::uint64_t width = forward.parameters().width, vocabulary = forward.parameters().vocabulary;
  const std::uint64_t slab =
      std::max<std::uint64_t>(kChunkColumns, kSlabWeights / width / kChunkColumns * kChunkColumns);
  return {slab, (vocabulary + slab - 1) / slab};
}

/// One cell's running sums and, where its output matrix is its own, that.
struct Side {
  const HeadInput* cell = nullptr;
  bool own_matrix = false;
  run::Linear room;
  const run::Linear* output = nullptr;  ///< of the slab at hand
  std::vector<kernels::LogitSummary> logits;
  std::vector<kernels::DivergenceSummary> divergence;
};

/// A slab of a cell's own output matrix, from memory if it is kept.
Status load_own(Side& side, std::size_t slab, const Cut& cut, const WorkContext& work) {
  const run::Forward& forward = *side.cell->forward;
  OwnOutput* kept = side.cell->own;
  side.output = kept != nullptr && slab < kept->size() ? &(*kept)[slab] : &side.room;
  if (side.output != &side.room) return {};
  const std::uint64_t first = slab * cut.slab,
                      entries = std::min<std::uint64_t>(cut.slab, forward.parameters().vocabulary - first);
  if (auto s = forward.load_output(first, entries, side.room, work); !s) return s;
  if (kept != nullptr) {
    kept->reserve(cut.slabs);
    side.output = &kept->emplace_back(std::move(side.room));
  }
  return {};
}

Status not_finite(const run::Forward& forward) {
  const io::ModelFile& file = forward.source().model().file();
  return fail(ErrorCode::Numeric, "the logits are NaN or infinite",
              {file.path(), file.tensors()[forward.output_tensor()].name, {}});
}

}  // namespace

Status head_inputs(const run::Forward& forward, const float* hidden, std::size_t windows,
                   std::size_t first_scored, std::size_t scored, FloatBuffer& inputs,
                   const WorkContext& work) {
  const std::size_t width = forward.parameters().width, context = forward.context();
  const std::size_t rows = windows * scored;
  if (!inputs.resize(rows * width))
    return fail(ErrorCode::Memory, "not enough memory for the scored positions");
  for (std::size_t w = 0; w < windows; ++w)
    std::copy_n(hidden + (w * context + first_scored) * width, scored * width,
                inputs.data() + w * scored * width);
  if (auto s = forward.normalize_output(inputs.data(), rows, inputs.data(), work); !s) return s;
  const auto rounding = forward.rounds_activations()
                            ? kernels::info(forward.source().format(forward.output_tensor())).activation
                            : kernels::ActivationRounding::None;
  if (rounding != kernels::ActivationRounding::None)
    for (std::size_t r = 0; r < rows; ++r)
      kernels::round_activations(rounding, inputs.data() + r * width, width);
  return {};
}

Result<const run::Linear*> HeadScorer::base_slab(std::size_t index, const WorkContext& work) {
  const Cut cut = cut_vocabulary(*base_);
  const std::size_t at = keep_matrix_ ? index : 0;
  if (slabs_.empty()) {
    slabs_.resize(keep_matrix_ ? cut.slabs : 1);
    loaded_.assign(cut.slabs, false);
  }
  if (!loaded_[index]) {
    const std::uint64_t first = index * cut.slab;
    const std::uint64_t entries = std::min(cut.slab, base_->parameters().vocabulary - first);
    if (auto s = base_->load_output(first, entries, slabs_[at], work); !s) return pass(s);
    if (!keep_matrix_) loaded_.assign(cut.slabs, false);
    loaded_[index] = true;
  }
  return &slabs_[at];
}

Status HeadScorer::prepare(std::uint64_t memory_budget) {
  const std::uint64_t vocabulary = base_->parameters().vocabulary, width = base_->parameters().width;
  const std::uint64_t matrix = vocabulary * width * sizeof(float);
  keep_matrix_ = matrix <= memory_budget;
  if (keep_matrix_) memory_budget -= matrix;
  const bool keep_logits = rows() * vocabulary * sizeof(float) <= memory_budget;
  if (!inputs_.resize(rows() * width) || (keep_logits && !logits_.resize(rows() * vocabulary)))
    return fail(ErrorCode::Memory, "not enough memory");
  return {};
}

Status HeadScorer::add_base(const float* inputs, std::size_t rows, const WorkContext& work) {
  const std::size_t vocabulary = base_->parameters().vocabulary, width = base_->parameters().width;
  const std::size_t begin_row = base_rows();
  const bool keep_logits = logits_.size() != 0;
  std::copy_n(inputs, rows * width, inputs_.data() + begin_row * width);
  std::vector<kernels::LogitSummary> summaries(rows);
  std::vector<FloatBuffer> rooms(static_cast<std::size_t>(work.pool.size()));
  const std::size_t tiles = (rows + kRowTile - 1) / kRowTile;
  const Cut cut = cut_vocabulary(*base_);
  for (std::size_t slab = 0; slab < cut.slabs; ++slab) {
    auto output = base_slab(slab, work);
    if (!output) return pass(output);
    const kernels::PackedMatrix& weights = (*output)->weights;
    const std::size_t step = std::max<std::size_t>(1, kChunkColumns / weights.width());
    const auto status = run::for_each_task(work, tiles, [&](std::size_t task, int worker) -> Status {
      FloatBuffer& room = rooms[static_cast<std::size_t>(worker)];
      if (!keep_logits && !room.resize(kRowTile * kChunkColumns))
        return fail(ErrorCode::Memory, "not enough memory for logits");
      const std::size_t row = task * kRowTile, count = std::min(kRowTile, rows - row);
      for (std::size_t panel = 0; panel < weights.panels(); panel += step) {
        const std::size_t panels = std::min(step, weights.panels() - panel), begin = panel * weights.width();
        const std::size_t columns = std::min(panels * weights.width(), weights.outputs() - begin);
        const std::uint64_t entry = slab * cut.slab + begin;
        float* logits = keep_logits ? logits_.data() + (begin_row + row) * vocabulary + entry : room.data();
        const std::size_t stride = keep_logits ? vocabulary : columns;
        kernels::multiply(weights, panel, panels, inputs + row * width, count, width, logits, stride, false);
        for (std::size_t r = 0; r < count; ++r)
          kernels::summarize_logits(logits + r * stride, columns, entry,
                                    static_cast<std::uint64_t>(targets_[begin_row + row + r]),
                                    summaries[row + r]);
      }
      return {};
    });
    if (!status) return status;
  }
  for (const kernels::LogitSummary& summary : summaries)
    if (!std::isfinite(summary.negative_log_likelihood())) return not_finite(*base_);
  for (const kernels::LogitSummary& summary : summaries) {
    base_nll_.push_back(summary.negative_log_likelihood());
    base_best_.push_back(summary.best);
  }
  return {};
}

Result<std::vector<std::vector<TokenResult>>> HeadScorer::score(std::span<const HeadInput> cells,
                                                                std::size_t first_row, std::size_t rows,
                                                                const WorkContext& work,
                                                                const std::function<void(double)>& advance) {
  const std::size_t width = base_->parameters().width, vocabulary = base_->parameters().vocabulary;
  const bool kept_logits = logits_.size() != 0;
  std::vector<Side> sides(cells.size());
  bool shared_matrix = !kept_logits;  // is the base's matrix needed at all?
  for (std::size_t c = 0; c < cells.size(); ++c) {
    sides[c].cell = &cells[c];
    sides[c].own_matrix =
        !run::same_weights(cells[c].forward->source(), base_->source(), base_->output_tensor());
    shared_matrix = shared_matrix || !sides[c].own_matrix;
    sides[c].logits.resize(rows);
    sides[c].divergence.resize(rows);
  }
  struct Room {
    FloatBuffer base, subject;
  };
  std::vector<Room> rooms(static_cast<std::size_t>(work.pool.size()));
  const std::size_t tiles = (rows + kRowTile - 1) / kRowTile;
  const Cut cut = cut_vocabulary(*base_);
  for (std::size_t slab = 0; slab < cut.slabs; ++slab) {
    const std::uint64_t first = slab * cut.slab;
    const run::Linear* base_output = nullptr;
    if (shared_matrix) {
      auto loaded = base_slab(slab, work);
      if (!loaded) return pass(loaded);
      base_output = *loaded;
    }
    const run::Linear* shape = base_output;
    for (Side& side : sides)
      if (side.own_matrix) {
        if (auto s = load_own(side, slab, cut, work); !s) return pass(s);
        shape = side.output;
      }
    const kernels::PackedMatrix& any = shape->weights;
    const std::size_t step = std::max<std::size_t>(1, kChunkColumns / any.width());
    const auto status = run::for_each_task(work, tiles, [&](std::size_t task, int worker) -> Status {
      Room& room = rooms[static_cast<std::size_t>(worker)];
      if (!room.subject.resize(kRowTile * kChunkColumns) ||
          (!kept_logits && !room.base.resize(kRowTile * kChunkColumns)))
        return fail(ErrorCode::Memory, "not enough memory for logits");
      const std::size_t row = task * kRowTile, count = std::min(kRowTile, rows - row);
      for (std::size_t panel = 0; panel < any.panels(); panel += step) {
        const std::size_t panels = std::min(step, any.panels() - panel), begin = panel * any.width();
        const std::size_t columns = std::min(panels * any.width(), any.outputs() - begin);
        const float* base_logits = room.base.data();
        std::size_t stride = columns;
        if (kept_logits) {
          base_logits = logits_.data() + (first_row + row) * vocabulary + first + begin;
          stride = vocabulary;
        } else {
          kernels::multiply(base_output->weights, panel, panels, inputs_.data() + (first_row + row) * width,
                            count, width, room.base.data(), columns, false);
        }
        for (Side& side : sides) {
          const kernels::PackedMatrix& weights =
              side.own_matrix ? side.output->weights : base_output->weights;
          kernels::multiply(weights, panel, panels, side.cell->inputs.data() + row * width, count, width,
                            room.subject.data(), columns, false);
          for (std::size_t r = 0; r < count; ++r) {
            const float* logits = room.subject.data() + r * columns;
            const auto target = static_cast<std::uint64_t>(targets_[first_row + row + r]);
            kernels::summarize_logits(logits, columns, first + begin, target, side.logits[row + r]);
            kernels::summarize_divergence(base_logits + r * stride, logits, columns,
                                          side.divergence[row + r]);
          }
        }
      }
      return {};
    });
    if (!status) return pass(status);
    advance(static_cast<double>(slab + 1) / static_cast<double>(cut.slabs));
  }
  std::vector<std::vector<TokenResult>> results(cells.size());
  for (std::size_t c = 0; c < cells.size(); ++c) {
    results[c].resize(rows);
    for (std::size_t r = 0; r < rows; ++r) {
      TokenResult& token = results[c][r];
      token.nll = sides[c].logits[r].negative_log_likelihood();
      token.base_nll = base_nll_[first_row + r];
      token.kl = sides[c].divergence[r].divergence();
      token.same_top = sides[c].logits[r].best == base_best_[first_row + r];
      if (!std::isfinite(token.nll) || !std::isfinite(token.kl)) return pass(not_finite(*cells[c].forward));
    }
  }
  return results;
}

}  // namespace bitlens::sensitivity
