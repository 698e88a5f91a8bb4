#include "core/sensitivity/changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "core/run/tasks.h"

namespace bitlens::sensitivity {

std::vector<Change> distinct_changes(std::span<const Cell> cells) {
  std::vector<Change> changes;
  for (std::size_t c = 0; c < cells.size(); ++c)
    for (const std::size_t tensor : cells[c].tensors)
      changes.push_back({tensor, cells[c].format, cells[c].quantizer, {c}, cells[c].importance});
  const auto key = [](const Change& change) {
    return std::tuple(change.tensor, change.format, change.quantizer, change.importance.get());
  };
  std::ranges::stable_sort(changes, {}, key);
  std::vector<Change> distinct;
  for (Change& change : changes) {
    if (!distinct.empty() && key(distinct.back()) == key(change))
      distinct.back().cells.push_back(change.cells.front());
    else
      distinct.push_back(std::move(change));
  }
  return distinct;
}

Result<ChangeReader> ChangeReader::create(const std::shared_ptr<const model::Model>& model,
                                          const Change& change) {
  ChangeReader reader;
  reader.tensor_ = change.tensor;
  reader.base_ = run::file_weights(model);
  auto changed =
      cell_weights(model, {{}, change.format, change.quantizer, {change.tensor}, change.importance});
  if (!changed) return pass(changed);
  reader.changed_ = std::move(*changed);
  return reader;
}

Status ChangeReader::rows(std::uint64_t first, std::uint64_t rows, float* target) const {
  const std::size_t length = base_->model().file().tensors()[tensor_].row_length();
  if (auto s = changed_->load_rows(tensor_, first, rows, target); !s) return s;
  std::vector<float> plain(length);
  for (std::uint64_t r = 0; r < rows; ++r) {
    if (auto s = base_->load_rows(tensor_, first + r, 1, plain.data()); !s) return s;
    for (std::size_t i = 0; i < length; ++i) target[r * length + i] -= plain[i];
  }
  return {};
}

Status ChangeReader::pack(std::uint64_t first, std::uint64_t rows, kernels::Compute compute,
                          kernels::PackedMatrix& packed, const WorkContext& work) const {
  const io::TensorInfo& info = base_->model().file().tensors()[tensor_];
  const std::size_t inputs = info.row_length();
  const auto no_memory = [&] {
    return fail(ErrorCode::Memory, fmt::format("not enough memory for {}", info.name));
  };
  if (!packed.reset(rows, inputs, kernels::Format::F32, compute)) return no_memory();
  std::vector<kernels::FloatBuffer> rooms(static_cast<std::size_t>(work.pool.size()));
  return run::for_each_task(work, packed.panels(), [&](std::size_t panel, int worker) -> Status {
    kernels::FloatBuffer& room = rooms[static_cast<std::size_t>(worker)];
    if (!room.resize(packed.width() * inputs)) return no_memory();
    if (auto s = this->rows(first + panel * packed.width(), packed.rows_of(panel), room.data()); !s) return s;
    packed.pack_panel(panel, room.data());
    return {};
  });
}

}  // namespace bitlens::sensitivity
