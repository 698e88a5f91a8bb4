// Rounds of draws: how many each holds, how it is cut into chunks, what is told when a block is crossed.
#include <algorithm>

#include "core/sensitivity/responder.h"

namespace bitlens::sensitivity {

namespace {

/// Most rows of gradients that go through a block together.
constexpr std::size_t kChunkRows = std::size_t{1} << 15;
/// Samples that make a first map: its errors are at most a quarter.
constexpr std::size_t kFirstSamples = 40;

}  // namespace

Status Responder::start_from(const KnownResponses& known) {
  if (known.draws == 0) return {};
  const std::size_t count = matrix_.cells().size(), windows = matrix_.windows();
  const std::size_t draws = std::min(known.draws, matrix_.draws());
  const auto fits = [&](const std::vector<float>& row) { return row.size() >= draws * windows; };
  if (known.rows.size() != count || known.text.size() != count || !std::ranges::all_of(known.rows, fits))
    return fail(ErrorCode::InvalidArgument, "the known responses are not of these cells and windows");
  // The text's labels go with one round for all cells: known of some only, they come again.
  const auto has_text = [&](const std::vector<float>& row) { return row.size() == windows; };
  const bool text = std::ranges::all_of(known.text, has_text);
  text_left_ = options_.text_slope && !text;
  for (std::size_t cell = 0; cell < count; ++cell) {
    std::copy_n(known.rows[cell].begin(), draws * windows, matrix_.full_row(cell).begin());
    matrix_.set_known(cell, draws * windows);
    if (!text) continue;
    std::ranges::copy(known.text[cell], matrix_.full_text_row(cell).begin());
    matrix_.set_text_known(cell);
  }
  known_draws_ = draws;
  return {};
}

/// Every round multiplies the inputs with all changes again: first a map soon, then few and long rounds. A
/// map needs no labels of the text, so they go with the second round.
std::vector<Round> Responder::plan_rounds() {
  const std::size_t draws = matrix_.draws();
  // What one round holds: the gradients of all its draws at one boundary.
  const std::uint64_t per_draw = windows_.inputs.size() * base_->window_floats() * sizeof(float);
  const std::size_t most = std::max<std::size_t>(1, options_.memory_budget / 4 / per_draw);
  std::vector<Round> rounds;
  std::size_t planned = known_draws_;
  if (const auto restored = restore_round()) {
    rounds.push_back(*restored);
    planned += restored->draws;
  }
  const std::size_t windows = windows_.inputs.size(), soon = (kFirstSamples + windows - 1) / windows;
  while (planned < draws) {
    const std::size_t left = draws - planned, size = planned == 0 ? soon : 4 * planned;
    const std::size_t next = std::min(most, options_.one_round || left < 2 * size ? left : size);
    rounds.push_back({planned, next, false, base_->layers(), 0});
    planned += next;
  }
  const auto without = [](const Round& round) { return !round.text; };
  if (text_left_ && std::ranges::all_of(rounds, without) && !rounds.empty())
    rounds[rounds.size() > 1 && rounds[0].first_draw == 0 ? 1 : 0].text = true;
  return rounds;
}

Status Responder::run(const ResponseCallback& on_update, const WorkContext& work) {
  on_update_ = &on_update;
  const std::vector<Round> rounds = plan_rounds();
  const std::size_t windows = windows_.inputs.size();
  plan_progress(rounds);
  advance(kBase, 0, work);  // what is known is told as done
  if (rounds.empty()) return {};
  const auto advance_blocks = [&](std::size_t some) {
    advance(kBase, costs_->block() * static_cast<double>(some), work);
  };
  state_->start();
  if (auto s = base_->reach(windows, advance_blocks, work); !s) return s;
  for (const Round& round : rounds)
    if (auto s = run_round(round, work); !s) return s;
  return {};
}

/// A chunk's windows lie in one batch of the record.
void Responder::cut_into_chunks(const Round& round) {
  const std::size_t count = windows_.inputs.size(), context = windows_.context;
  round_text_ = round.text;
  chunks_.clear();
  const std::size_t rows = std::clamp<std::size_t>(
      options_.memory_budget / 4 / backward_->gradient_bytes_per_row(), context, kChunkRows);
  const std::size_t some_draws = std::clamp<std::size_t>(rows / context, 1, round.draws);
  const std::size_t some_windows =
      std::min({std::max<std::size_t>(1, rows / ((some_draws + 1) * context)), base_->batch(),
                head_->windows_within(options_.memory_budget / 8)});
  for (std::size_t w = 0; w < count;) {
    const std::size_t batch_end = std::min(count, (w / base_->batch() + 1) * base_->batch());
    const std::size_t windows = std::min(some_windows, batch_end - w);
    for (std::size_t d = 0; d < round.draws; d += some_draws)
      chunks_.push_back(
          {w, windows, round.first_draw + d, std::min(some_draws, round.draws - d), round_text_ && d == 0});
    w += windows;
  }
  gradients_.resize(std::max(gradients_.size(), chunks_.size()));
}

Status Responder::run_round(const Round& round, const WorkContext& work) {
  cut_into_chunks(round);
  round_fisher_ = options_.diagonal_fisher && round.first_draw == 0;
  round_samples_ = (round.first_draw + round.draws) * windows_.inputs.size();
  waiting_.assign(matrix_.cells().size(), 0);
  for (const Change& change : changes_)
    for (const std::size_t cell : change.cells) ++waiting_[cell];
  std::vector<Change> of_output;
  for (const Change& change : changes_of(-1))
    if (change.tensor == base_->forward().output_tensor()) of_output.push_back(change);
  if (round.layer == base_->layers())
    if (auto s = through_head(round, of_output, work); !s) return s;
  const bool tied = base_->forward().output_tensor() == base_->forward().embedding_tensor();
  if (!tied)
    if (auto s = finish(of_output); !s) return s;
  for (int layer = base_->layers() - 1; layer >= 0; --layer) {
    if (layer <= round.layer) {
      if (auto s = through_layer(round, layer, work); !s) return s;
      save_if_due(round.at(layer - 1, 0));
    }
    if (auto s = finish(changes_of(layer)); !s) return s;
  }
  if (auto s = embedding_responses(work); !s) return s;
  advance(kEmbedding, embedding_cost(), work);
  state_->remove();
  return {};
}

/// These changes are done for this round: cells that waited for nothing else are reported.
Status Responder::finish(std::span<const Change> changes) {
  std::vector<std::size_t> ready;
  for (const Change& change : changes)
    for (const std::size_t cell : change.cells)
      if (--waiting_[cell] == 0) {
        matrix_.set_known(cell, round_samples_);
        if (round_text_) matrix_.set_text_known(cell);
        ready.push_back(cell);
      }
  if (ready.empty() || !*on_update_) return {};
  return (*on_update_)(ready, matrix_);
}

}  // namespace bitlens::sensitivity
