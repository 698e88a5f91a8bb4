// Measured cells that are not finished, in a state file.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/evaluate/paired.h"
#include "core/sensitivity/cell.h"
#include "core/sensitivity/state_file.h"

namespace bitlens::sensitivity {

/// A cell's name in a state file: a line, with its end.
[[nodiscard]] std::string state_name(const Cell& cell);

struct BegunCell {
  const Cell* cell = nullptr;
  std::span<const evaluate::TokenResult> tokens;  ///< of the first windows; as many for all cells
};
void save_begun_cells(StateFile& file, std::span<const BegunCell> cells);
/// Tokens by state_name().
using BegunCells = std::map<std::string, std::vector<evaluate::TokenResult>>;
/// Of whole batches of windows, fewer than all; empty if there are none that fit.
[[nodiscard]] BegunCells restore_begun_cells(StateFile& file, std::size_t scored_per_window,
                                             std::size_t batch, std::size_t windows);

}  // namespace bitlens::sensitivity
