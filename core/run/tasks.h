// Parallel tasks that can fail or be cancelled. Which error is returned does not depend on the thread count:
// it is that of the failed task with the lowest number.
#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <new>
#include <optional>

#include "core/base/parallel.h"
#include "core/base/result.h"

namespace bitlens::run {

/// Calls body(task, worker) -> Status for every task; tasks above a failed one may be left out. Cancelled
/// when work.stopped(), checked before every task.
template <typename Body>
[[nodiscard]] Status for_each_task(const WorkContext& work, std::size_t tasks, const Body& body) {
  std::atomic<std::size_t> lowest_failure{tasks};
  std::mutex mutex;
  std::optional<Error> error;
  const auto keep = [&](std::size_t task, Error found) {
    const std::lock_guard lock(mutex);
    if (task >= lowest_failure.load(std::memory_order_relaxed)) return;
    lowest_failure.store(task, std::memory_order_relaxed);
    error = std::move(found);
  };
  work.pool.run(tasks, [&](std::size_t task, int worker) {
    if (work.stopped() || task > lowest_failure.load(std::memory_order_relaxed)) return;
    try {
      if (Status status = body(task, worker); !status) keep(task, std::move(status.error()));
    } catch (const std::bad_alloc&) {
      keep(task, Error{ErrorCode::Memory, "not enough memory", {}, nullptr});
    }
  });
  if (work.stopped()) return WorkContext::cancelled();
  if (error) return tl::unexpected<Error>(std::move(*error));
  return {};
}

}  // namespace bitlens::run
