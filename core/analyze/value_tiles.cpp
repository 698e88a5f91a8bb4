#include "core/analyze/value_tiles.h"

#include <algorithm>
#include <new>

#include "kernels/formats/codec.h"

namespace bitlens::analyze {

TilePlan::TilePlan(std::uint64_t row_count, std::uint64_t column_count)
    : rows(row_count), columns(column_count) {
  if (rows == 0 || columns == 0) return;
  const auto up = [](std::uint64_t a, std::uint64_t b) { return a / b + (a % b != 0 ? 1 : 0); };
  rows_per_task = std::max(up(kTaskValues, columns), up(rows, kMaxTasks));
  tasks = up(rows, rows_per_task);
}

std::uint64_t TilePlan::last_row(std::size_t task) const {
  return std::min(rows, first_row(task) + rows_per_task);
}

Status for_each_tile(const TilePlan& plan, std::size_t task, const std::function<Status(const Tile&)>& body) {
  const std::uint64_t rows_per_tile = std::max<std::uint64_t>(1, TilePlan::kTileValues / plan.columns);
  const std::uint64_t width = std::min<std::uint64_t>(plan.columns, TilePlan::kTileValues);
  for (std::uint64_t row = plan.first_row(task); row < plan.last_row(task);) {
    const std::uint64_t rows = std::min(rows_per_tile, plan.last_row(task) - row);
    for (std::uint64_t column = 0; column < plan.columns; column += width) {
      const Tile tile{row, column, rows, std::min(width, plan.columns - column), row * plan.columns + column};
      if (auto status = body(tile); !status) return status;
    }
    row += rows;
  }
  return {};
}

Status run_tasks(const WorkContext& work, std::size_t tasks,
                 const std::function<Status(std::size_t task, int worker)>& body) {
  std::vector<Status> results(tasks);
  const auto guarded = [&](std::size_t task, int worker) {
    try {
      results[task] = work.stopped() ? Status(WorkContext::cancelled()) : body(task, worker);
    } catch (const std::bad_alloc&) {
      results[task] = fail(ErrorCode::Memory, "not enough memory");
    }
  };
  if (tasks == 1)
    guarded(0, 0);  // small tensors are many: no other thread is woken for them
  else
    work.pool.run(tasks, guarded);
  if (work.stopped()) return WorkContext::cancelled();
  for (const Status& result : results)
    if (!result) return result;
  return {};
}

ValueSource::ValueSource(const io::ModelFile& file, std::size_t tensor)
    : file_(&file), tensor_(tensor), format_(file.tensors()[tensor].format) {}

std::size_t ValueSource::tile_bytes() const {
  const kernels::FormatInfo& format = kernels::info(format_);
  return TilePlan::kTileValues / format.block_size * format.block_bytes;
}

Status ValueSource::load_stored(const Tile& tile, std::span<std::byte> stored) const {
  const kernels::FormatInfo& format = kernels::info(format_);
  const std::uint64_t begin = tile.first_element / format.block_size * format.block_bytes;
  return file_->read(tensor_, begin, stored.first(tile.size() / format.block_size * format.block_bytes));
}

Result<std::span<const float>> ValueSource::load(const Tile& tile, std::span<float> decoded,
                                                 std::span<std::byte> stored) const {
  if (file_ == nullptr) return values_.subspan(tile.first_element, tile.size());
  if (const auto status = load_stored(tile, stored); !status) return pass(status);
  kernels::decode(format_, stored.data(), decoded.data(), tile.size());
  return std::span<const float>(decoded.first(tile.size()));
}

}  // namespace bitlens::analyze
