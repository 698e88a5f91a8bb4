// What the parts of a round take, for progress.
#include <algorithm>

#include "core/sensitivity/responder.h"

namespace bitlens::sensitivity {

/// In front of the blocks (-1): rows of the embedding are made anew for every token. In a block: its changes.
/// In the head they are made for every chunk.
double Responder::cost_before_chunks(int layer) const {
  const auto& tensors = base_->model()->file().tensors();
  const double tokens = static_cast<double>(windows_.inputs.size()) * windows_.context;
  double sum = 0;
  for (const Change& change : changes_of(layer < base_->layers() ? layer : -1)) {
    const bool looked_up = change.tensor == base_->forward().embedding_tensor();
    if (layer < 0 && looked_up) sum += costs_->encode(tokens * base_->forward().parameters().width);
    if (layer >= 0 && layer < base_->layers())
      sum += costs_->encode(static_cast<double>(tensors[change.tensor].elements()));
  }
  return sum;
}

double Responder::cost_of_chunk(int layer, const Round& round, const Chunk& chunk) const {
  const bool head = layer == base_->layers();
  double once = 0, per_window = 0, per_draw = head ? costs_->labels() : costs_->back();
  if (chunk.first_draw == round.first_draw) per_window += head ? costs_->predictions() : costs_->block();
  for (const Change& change : changes_of(head ? -1 : layer)) {
    if (head && change.tensor != base_->forward().output_tensor()) continue;
    const io::TensorInfo& tensor = base_->model()->file().tensors()[change.tensor];
    const auto weights = static_cast<double>(tensor.elements()), outputs = static_cast<double>(tensor.rows());
    if (head) {
      once += costs_->encode(weights);
      per_window +=
          costs_->scored() * (costs_->change(weights, options_.changes) + costs_->response(outputs));
    } else {
      per_window += costs_->change(weights, options_.changes);
      per_draw += costs_->response(outputs);
    }
  }
  const auto windows = static_cast<double>(chunk.windows), draws = static_cast<double>(chunk.all_draws());
  // The first gradients of a block are formed in memory that later ones use again.
  if (layer + 1 == base_->layers() && chunk.first_window == 0 && chunk.first_draw == known_draws_)
    once += costs_->memory(windows * draws * windows_.context *
                           static_cast<double>(backward_->gradient_bytes_per_row()));
  return once + windows * (per_window + draws * per_draw);
}

/// Also cuts it into chunks.
double Responder::cost_of(const Round& round) {
  cut_into_chunks(round);
  double sum = cost_before_chunks(-1);
  for (int layer = 0; layer <= base_->layers(); ++layer) {
    sum += cost_before_chunks(layer);
    for (const Chunk& chunk : chunks_) sum += cost_of_chunk(layer, round, chunk);
  }
  return sum;
}

void Responder::advance(double cost, const WorkContext& work) {
  constexpr double kUnits = 1e6;
  done_ += cost;
  work.report("response", static_cast<std::uint64_t>(std::min(1.0, done_ / total_) * kUnits),
              static_cast<std::uint64_t>(kUnits));
}

}  // namespace bitlens::sensitivity
