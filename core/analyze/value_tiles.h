// A tensor as tiles small enough for the cache: whole rows, or a piece of one very long row. Tiles are
// grouped into tasks whose extent depends on the shape alone, so that results do not depend on the thread
// count.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/io/model_file.h"

namespace bitlens::analyze {

/// A contiguous run of elements: `rows` whole rows, or (rows == 1) `columns` columns from `first_column` on.
struct Tile {
  std::uint64_t first_row = 0, first_column = 0;
  std::size_t rows = 0, columns = 0;
  std::uint64_t first_element = 0;
  [[nodiscard]] std::size_t size() const { return rows * columns; }
};

/// How a matrix is cut. At most kMaxTasks tasks; a tile has at most kTileValues values.
struct TilePlan {
  static constexpr std::size_t kTileValues = 32768;
  static constexpr std::uint64_t kTaskValues = 1U << 20U;
  static constexpr std::uint64_t kMaxTasks = 64;

  std::uint64_t rows = 0, columns = 0, rows_per_task = 0;
  std::size_t tasks = 0;

  TilePlan(std::uint64_t row_count, std::uint64_t column_count);
  [[nodiscard]] std::uint64_t first_row(std::size_t task) const { return task * rows_per_task; }
  [[nodiscard]] std::uint64_t last_row(std::size_t task) const;
};

/// Calls body(tile) for the tiles of a task in order; stops at the first error.
[[nodiscard]] Status for_each_tile(const TilePlan& plan, std::size_t task,
                                   const std::function<Status(const Tile&)>& body);

/// Runs body(task, worker) for all tasks on the pool. The error of the first task that failed, in task order;
/// Cancelled if the work was stopped.
[[nodiscard]] Status run_tasks(const WorkContext& work, std::size_t tasks,
                               const std::function<Status(std::size_t task, int worker)>& body);

/// Values of a tensor and, where they come from a file, the bytes they are stored as.
class ValueSource {
 public:
  ValueSource(const io::ModelFile& file, std::size_t tensor);
  explicit ValueSource(std::span<const float> values) : values_(values) {}

  [[nodiscard]] kernels::Format format() const { return format_; }
  /// Room a caller's byte buffer needs for any tile.
  [[nodiscard]] std::size_t tile_bytes() const;
  /// The tile's values; `stored` receives its bytes (of format()). `decoded` and `stored` belong to the
  /// caller.
  [[nodiscard]] Result<std::span<const float>> load(const Tile& tile, std::span<float> decoded,
                                                    std::span<std::byte> stored) const;
  /// Only the bytes, of a source in a file (`is_stored`).
  [[nodiscard]] Status load_stored(const Tile& tile, std::span<std::byte> stored) const;
  [[nodiscard]] bool is_stored() const { return file_ != nullptr; }

 private:
  const io::ModelFile* file_ = nullptr;
  std::size_t tensor_ = 0;
  kernels::Format format_ = kernels::Format::F32;
  std::span<const float> values_;
};

}  // namespace bitlens::analyze
