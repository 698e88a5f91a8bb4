// The diagonal Fisher score, from the gradients that pass by.
#include <algorithm>
#include <cmath>

#include "core/run/tasks.h"
#include "core/sensitivity/responder.h"

namespace bitlens::sensitivity {

using kernels::FloatBuffer;

/// Squared gradients of one chunk of draws, for every matrix of the block that has a change.
Status Responder::square_block(const Chunk& chunk, std::size_t offset, const BlockRecord& record,
                               const WorkContext& work) {
  const std::size_t context = windows_.context;
  for (const Change& change : changes_of(weights_.layer)) {
    // Once per matrix, whatever the formats.
    if (&change != &*std::ranges::find(changes_of(weights_.layer), change.tensor, &Change::tensor)) continue;
    const io::TensorInfo& info = base_->model()->file().tensors()[change.tensor];
    const std::size_t inputs = info.row_length(), outputs = info.rows();
    const Sides sides = *sides_of(base_->model()->role(change.tensor).module);
    const auto [place, created] = squares_.try_emplace(change.tensor);
    SquaredGradients& squares = place->second;
    if (created)
      if (auto s = squares.reset(outputs, inputs); !s) return s;
    for (std::size_t w = 0; w < chunk.windows; ++w) {
      const float* x = (record.*sides.input).data() + (offset + w * context) * inputs;
      if (auto s = squares.set_inputs(x, context, work); !s) return s;
      for (std::size_t d = 0; d < chunk.draws; ++d) {
        const std::size_t row = (d * chunk.windows + w) * context;
        if (auto s = squares.add((block_gradients_.*sides.gradient).data() + row * outputs, work); !s)
          return s;
      }
    }
  }
  return {};
}

Status Responder::square_output(const Chunk& chunk, const WorkContext& work) {
  const model::LlamaParameters& p = base_->forward().parameters();
  // The matrix may be the largest of all: where its squares do not fit, there is no score for it.
  if (std::uint64_t{p.vocabulary} * p.width * sizeof(float) > options_.memory_budget / 4) return {};
  const std::size_t scored = windows_.scored_per_window();
  const auto [place, created] = squares_.try_emplace(base_->forward().output_tensor());
  SquaredGradients& squares = place->second;
  if (created)
    if (auto s = squares.reset(p.vocabulary, p.width); !s) return s;
  FloatBuffer gradient;
  if (!gradient.resize(scored * p.vocabulary)) return fail(ErrorCode::Memory, "not enough memory");
  for (std::size_t w = 0; w < chunk.windows; ++w) {
    if (auto s = squares.set_inputs(head_->inputs() + w * scored * p.width, scored, work); !s) return s;
    for (std::size_t d = 0; d < chunk.draws; ++d) {
      head_->output_gradient(chunk, d, w, gradient.data());
      if (auto s = squares.add(gradient.data(), work); !s) return s;
    }
  }
  return {};
}

/// Only rows that were looked up have a gradient: the sum of those at the token's places.
Status Responder::square_embedding(const Change& change, const ChangeReader& reader,
                                   const WorkContext& work) {
  const std::size_t width = base_->forward().parameters().width, context = windows_.context;
  double total = 0.0;
  std::size_t samples = 0;
  for (std::size_t c = 0; c < chunks_.size(); ++c) {
    const Chunk& chunk = chunks_[c];
    std::vector<double> partial(chunk.windows, 0.0);
    const auto status = run::for_each_task(work, chunk.windows, [&](std::size_t window, int) -> Status {
      std::map<std::int32_t, std::vector<std::size_t>> places;
      for (std::size_t t = 0; t < context; ++t)
        places[windows_.inputs[chunk.first_window + window][t]].push_back(t);
      std::vector<float> change_row(width), sum(width);
      for (const auto& [token, positions] : places) {
        if (auto s = reader.rows(static_cast<std::uint64_t>(token), 1, change_row.data()); !s) return s;
        for (std::size_t d = 0; d < chunk.draws; ++d) {
          std::ranges::fill(sum, 0.0F);
          for (const std::size_t t : positions) {
            const float* g = gradients_[c].data() + ((d * chunk.windows + window) * context + t) * width;
            for (std::size_t i = 0; i < width; ++i) sum[i] += g[i];
          }
          for (std::size_t i = 0; i < width; ++i) {
            const double product = static_cast<double>(sum[i]) * static_cast<double>(change_row[i]);
            partial[window] += product * product;
          }
        }
      }
      return {};
    });
    if (!status) return status;
    for (const double part : partial) total += part;
    samples += chunk.draws * chunk.windows;
  }
  keep_fisher(change, total, samples);
  return {};
}

Status Responder::weigh_squares(std::span<const Change> changes, const WorkContext& work) {
  for (const Change& change : changes) {
    const auto found = squares_.find(change.tensor);
    if (found == squares_.end()) continue;
    auto reader = ChangeReader::create(base_->model(), change);
    if (!reader) return pass(reader);
    auto sum = found->second.weigh(*reader, work);
    if (!sum) return pass(sum);
    keep_fisher(change, *sum, found->second.samples());
  }
  squares_.clear();
  return {};
}

void Responder::keep_fisher(const Change& change, double sum, std::size_t samples) {
  const double kl = sum / (2.0 * static_cast<double>(samples) * static_cast<double>(matrix_.positions()));
  for (const std::size_t cell : change.cells) {
    const double before = matrix_.diagonal_fisher(cell);
    matrix_.set_diagonal_fisher(cell, std::isnan(before) ? kl : before + kl);
  }
}

}  // namespace bitlens::sensitivity
