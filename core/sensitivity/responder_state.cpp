// A round under way, saved and taken up again: the gradients of every chunk at the boundary it has come to,
// and what the cells have of the round's samples.
#include <algorithm>
#include <iterator>
#include <map>
#include <string>

#include "core/sensitivity/begun_cells.h"
#include "core/sensitivity/responder.h"

namespace bitlens::sensitivity {

namespace {

/// Parts in front of the chunks' gradients.
enum Part : std::size_t { kNumbers, kNames, kValues, kText, kFisher, kFirstGradient };

/// Whole lines of `text`, with their ends.
std::map<std::string, std::size_t> positions_of_lines(const std::string& text) {
  std::map<std::string, std::size_t> out;
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    out.emplace(text.substr(at, end + 1 - at), out.size());
  return out;
}

/// What must be the same for gradients to fit; then the round, `layer` + 1 first.
std::vector<std::uint64_t> numbers_of(const Round& round, std::span<const Chunk> chunks, std::size_t cells,
                                      std::size_t window_floats) {
  std::vector<std::uint64_t> out = {
      static_cast<std::uint64_t>(round.layer + 1), round.chunk, round.first_draw, round.draws,
      std::uint64_t{round.text ? 1U : 0U},         cells,       window_floats};
  for (const Chunk& chunk : chunks)
    out.insert(out.end(), {chunk.first_window, chunk.windows, chunk.first_draw, chunk.draws,
                           std::uint64_t{chunk.text ? 1U : 0U}});
  return out;
}

}  // namespace

void Responder::save_if_due(const Round& round) {
  if (!state_->due()) return;
  const std::size_t windows = matrix_.windows(), count = matrix_.cells().size();
  const std::vector<std::uint64_t> numbers = numbers_of(round, chunks_, count, base_->window_floats());
  std::string names;
  std::vector<float> values, text;
  std::vector<double> fisher;
  for (std::size_t cell = 0; cell < count; ++cell) {
    names += state_name(matrix_.cells()[cell]);
    const auto row = matrix_.full_row(cell).subspan(round.first_draw * windows, round.draws * windows);
    values.insert(values.end(), row.begin(), row.end());
    const auto of_text = matrix_.full_text_row(cell);
    text.insert(text.end(), of_text.begin(), of_text.end());
    fisher.push_back(matrix_.diagonal_fisher(cell));
  }
  std::vector<StateFile::Bytes> parts = {bytes_of(numbers), bytes_of(names), bytes_of(values), bytes_of(text),
                                         bytes_of(fisher)};
  // In the head, chunks that it has not come to have no gradients yet.
  const std::size_t formed = round.layer == base_->layers() ? round.chunk : chunks_.size();
  for (std::size_t c = 0; c < formed; ++c) parts.push_back(bytes_of(gradients_[c]));
  state_->save(parts);
}

std::optional<Round> Responder::restore_round() {
  const auto state = state_->newest();
  if (!state || state->sizes().size() < kFirstGradient) return {};
  const std::vector<std::uint64_t>& sizes = state->sizes();
  const std::size_t windows = matrix_.windows(), count = matrix_.cells().size();
  std::vector<std::uint64_t> numbers(sizes[kNumbers] / sizeof(std::uint64_t));
  if (numbers.size() < 7 || !state->read(kNumbers, writable_bytes_of(numbers))) return {};
  const Round round{numbers[2], numbers[3], numbers[4] == 1, static_cast<int>(numbers[0]) - 1, numbers[1]};
  const std::size_t saved = numbers[5];
  if (round.first_draw != known_draws_ || round.draws == 0 || round.layer > base_->layers() ||
      round.draws > matrix_.draws() - round.first_draw)
    return {};
  // With the text's labels if they are wanted and no later round could bring them, never twice.
  const bool last = round.first_draw + round.draws == matrix_.draws();
  if (round.text ? !text_left_ : text_left_ && last) return {};
  cut_into_chunks(round);
  if (round.chunk > chunks_.size() || numbers != numbers_of(round, chunks_, saved, base_->window_floats()))
    return {};

  // The cells asked for now, among those of then: others may have been finished, and are not asked for.
  std::string names(sizes[kNames], '\0');
  if (!state->read(kNames, writable_bytes_of(names))) return {};
  const auto lines = positions_of_lines(names);
  const std::size_t samples = round.draws * windows;
  std::vector<float> values(sizes[kValues] / sizeof(float)), text(sizes[kText] / sizeof(float));
  std::vector<double> fisher(sizes[kFisher] / sizeof(double));
  if (lines.size() != saved || values.size() != saved * samples || text.size() != saved * windows ||
      fisher.size() != saved || !state->read(kValues, writable_bytes_of(values)) ||
      !state->read(kText, writable_bytes_of(text)) || !state->read(kFisher, writable_bytes_of(fisher)))
    return {};
  std::vector<std::size_t> at;
  for (const Cell& cell : matrix_.cells()) {
    const auto line = lines.find(state_name(cell));
    if (line == lines.end()) return {};
    at.push_back(line->second);
  }
  const std::size_t formed = round.layer == base_->layers() ? round.chunk : chunks_.size();
  if (sizes.size() != kFirstGradient + formed) return {};
  for (std::size_t c = 0; c < formed; ++c) {
    kernels::FloatBuffer& gradient = gradients_[c];
    if (!gradient.resize(chunks_[c].all_draws() * chunks_[c].windows * base_->window_floats()) ||
        !state->read(kFirstGradient + c, writable_bytes_of(gradient)))
      return {};
  }
  for (std::size_t cell = 0; cell < count; ++cell) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(at[cell] * samples), samples,
                matrix_.full_row(cell).begin() + static_cast<std::ptrdiff_t>(round.first_draw * windows));
    if (round_text_)
      std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(at[cell] * windows), windows,
                  matrix_.full_text_row(cell).begin());
    matrix_.set_diagonal_fisher(cell, fisher[at[cell]]);
  }
  return round;
}

}  // namespace bitlens::sensitivity
