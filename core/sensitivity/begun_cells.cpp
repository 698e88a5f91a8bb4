#include "core/sensitivity/begun_cells.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/quantize/recipe.h"

namespace bitlens::sensitivity {

using evaluate::TokenResult;

namespace {

constexpr std::size_t kNumbersPerToken = 4;

}  // namespace

std::string state_name(const Cell& cell) {
  return fmt::format("{} {} {}\n", kernels::info(cell.format).name, quantize::quantizer_name(cell.quantizer),
                     cell.name);
}

void save_begun_cells(StateFile& file, std::span<const BegunCell> cells) {
  std::string names;
  std::vector<double> numbers;
  for (const BegunCell& begun : cells) {
    names += state_name(*begun.cell);
    for (const TokenResult& token : begun.tokens)
      numbers.insert(numbers.end(), {token.nll, token.base_nll, token.kl, token.same_top ? 1.0 : 0.0});
  }
  const StateFile::Bytes parts[] = {bytes_of(names), bytes_of(numbers)};
  file.save(parts);
}

BegunCells restore_begun_cells(StateFile& file, std::size_t scored_per_window, std::size_t batch,
                               std::size_t windows) {
  const auto state = file.newest();
  if (!state || state->sizes().size() != 2) return {};
  std::string names(state->sizes()[0], '\0');
  std::vector<double> numbers(state->sizes()[1] / sizeof(double));
  if (!state->read(0, writable_bytes_of(names)) || !state->read(1, writable_bytes_of(numbers))) return {};
  const auto cells = static_cast<std::size_t>(std::ranges::count(names, '\n'));
  const std::size_t tokens = cells == 0 ? 0 : numbers.size() / kNumbersPerToken / cells;
  if (tokens == 0 || numbers.size() != kNumbersPerToken * cells * tokens ||
      tokens % (scored_per_window * batch) != 0 || tokens / scored_per_window >= windows)
    return {};
  BegunCells out;
  const double* number = numbers.data();
  for (std::size_t at = 0, end = 0; (end = names.find('\n', at)) != std::string::npos; at = end + 1) {
    auto& of_cell = out[names.substr(at, end + 1 - at)];
    for (std::size_t t = 0; t < tokens; ++t, number += kNumbersPerToken)
      of_cell.push_back({number[0], number[1], number[2], number[3] != 0.0});
  }
  return out;
}

}  // namespace bitlens::sensitivity
