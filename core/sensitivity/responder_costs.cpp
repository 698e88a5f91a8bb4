// What the parts of a round take, for progress.
#include <algorithm>

#include "core/sensitivity/responder.h"

namespace bitlens::sensitivity {

/// Predictions once per window, labels for every draw, changes of the output matrix for every chunk.
double Responder::head_cost(const Round& round, const Chunk& chunk) const {
  const auto windows = static_cast<double>(chunk.windows), draws = static_cast<double>(chunk.all_draws());
  double once = 0, per_window = chunk.first_draw == round.first_draw ? costs_->predictions() : 0.0;
  for (const Change& change : changes_of(-1)) {
    if (change.tensor != base_->forward().output_tensor()) continue;
    const io::TensorInfo& tensor = base_->model()->file().tensors()[change.tensor];
    const auto weights = static_cast<double>(tensor.elements());
    once += costs_->encode(weights);
    per_window += costs_->scored() * (costs_->change(weights, options_.changes) +
                                      costs_->response(static_cast<double>(tensor.rows())));
  }
  return once + windows * (per_window + draws * costs_->labels());
}

/// Making a block's changes.
double Responder::changes_cost(int layer) const {
  double sum = 0;
  for (const Change& change : changes_of(layer))
    sum += costs_->encode(static_cast<double>(base_->model()->file().tensors()[change.tensor].elements()));
  return sum;
}

/// The forward pass through a block, of the batch that begins with this chunk.
double Responder::record_cost(const Round& round, const Chunk& chunk) const {
  const std::size_t batch = base_->batch(), windows = windows_.inputs.size();
  if (chunk.first_draw != round.first_draw || chunk.first_window % batch != 0) return 0;
  return costs_->block() * static_cast<double>(std::min(batch, windows - chunk.first_window));
}

double Responder::back_cost(int layer, const Chunk& chunk) const {
  const auto samples = static_cast<double>(chunk.windows * chunk.all_draws());
  double cost = samples * costs_->back();
  // The first gradients of a block are formed in memory that later ones use again.
  if (layer + 1 == base_->layers() && chunk.first_window == 0 && chunk.first_draw == known_draws_)
    cost +=
        costs_->memory(samples * windows_.context * static_cast<double>(backward_->gradient_bytes_per_row()));
  return cost;
}

double Responder::respond_cost(int layer, const Chunk& chunk) const {
  double per_window = 0, per_draw = 0;
  for (const Change& change : changes_of(layer)) {
    const io::TensorInfo& tensor = base_->model()->file().tensors()[change.tensor];
    per_window += costs_->change(static_cast<double>(tensor.elements()), options_.changes);
    per_draw += costs_->response(static_cast<double>(tensor.rows()));
  }
  return static_cast<double>(chunk.windows) *
         (per_window + static_cast<double>(chunk.all_draws()) * per_draw);
}

/// Rows of the embedding are made anew for every token.
double Responder::embedding_cost() const {
  const double tokens = static_cast<double>(windows_.inputs.size()) * windows_.context;
  double sum = 0;
  for (const Change& change : changes_of(-1))
    if (change.tensor == base_->forward().embedding_tensor())
      sum += costs_->encode(tokens * base_->forward().parameters().width);
  return sum;
}

/// What is known, and what of a round that was taken up again lies behind it, took no time here.
void Responder::plan_progress(std::span<const Round> rounds) {
  if (!rounds.empty())
    pace_.plan(kBase, costs_->block() * base_->layers() * static_cast<double>(windows_.inputs.size()));
  const auto add = [&](const Round& round) {
    cut_into_chunks(round);
    const auto count = [&](Work kind, double cost, bool crossed) {
      crossed ? pace_.know(cost) : pace_.plan(kind, cost);
    };
    for (int layer = base_->layers(); layer >= 0; --layer) {
      const bool head = layer == base_->layers();
      if (!head) count(kChanges, changes_cost(layer), layer > round.layer);
      for (std::size_t c = 0; c < chunks_.size(); ++c) {
        const Chunk& chunk = chunks_[c];
        const bool crossed = layer > round.layer || (layer == round.layer && c < round.chunk);
        if (head) {
          count(kHead, head_cost(round, chunk), crossed);
          continue;
        }
        count(kRecord, record_cost(round, chunk), crossed);
        count(kBack, back_cost(layer, chunk), crossed);
        count(kRespond, respond_cost(layer, chunk), crossed);
      }
    }
    count(kEmbedding, embedding_cost(), round.layer < -1);
  };
  constexpr int kBehindAll = -2;
  if (known_draws_ != 0) add({0, known_draws_, options_.text_slope && !text_left_, kBehindAll, 0});
  for (const Round& round : rounds) add(round);
  pace_.start();
}

void Responder::advance(Work kind, double cost, const WorkContext& work) {
  constexpr double kUnits = 1e6;
  pace_.done(kind, cost);
  work.report("response", static_cast<std::uint64_t>(pace_.share() * kUnits),
              static_cast<std::uint64_t>(kUnits));
}

}  // namespace bitlens::sensitivity
