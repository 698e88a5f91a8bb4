// Measuring a list of cells to the end, for tests that compare what comes out.
#pragma once

#include <memory>
#include <vector>

#include "core/sensitivity/measured.h"

namespace bitlens::test {

/// In the order of the cells. `spilled`: did the base's hidden states go to a file?
inline Result<std::vector<sensitivity::MeasuredCell>> measure_cells(
    const std::shared_ptr<const model::Model>& model, const evaluate::Windows& windows,
    const std::vector<sensitivity::Cell>& cells, const sensitivity::MeasureOptions& options,
    const WorkContext& work, bool* spilled = nullptr) {
  auto measurer = sensitivity::CellMeasurer::create(model, windows, options);
  if (!measurer) return pass(measurer);
  if (spilled != nullptr) *spilled = (*measurer)->spilled();
  std::vector<sensitivity::MeasuredCell> out(cells.size());
  const auto status = (*measurer)->measure(
      cells,
      [&](std::size_t index, const sensitivity::MeasuredCell& cell) -> Status {
        out[index] = cell;
        return {};
      },
      work);
  if (!status) return pass(status);
  return out;
}

}  // namespace bitlens::test
