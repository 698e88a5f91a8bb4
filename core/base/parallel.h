// The one fixed-size thread pool, and the context every long piece of work runs in.
//
// Determinism: work is cut into tasks whose number and extent depend only on the problem, never on
// the thread count; which thread runs a task is free, what a task computes is not. Whoever sums over
// tasks stores one partial per task and adds them in task order. So results are the same bits at any
// thread count.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/result.h"

namespace bitlens {

/// A fixed set of worker threads. run() is not reentrant: no nested pools, one caller at a time.
class ThreadPool {
 public:
  /// `threads` <= 0 means one per hardware thread. The calling thread works too, so size() - 1 are started.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int size() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls body(task, worker) for every task in [0, tasks), worker in [0, size()). Returns when all are
  /// done. `body` must not throw and must not call run().
  void run(std::size_t tasks, const std::function<void(std::size_t task, int worker)>& body);

 private:
  void work(int worker);
  void drain(int worker);

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(std::size_t, int)>* body_ = nullptr;
  std::size_t tasks_ = 0, next_ = 0, running_ = 0;
  std::uint64_t generation_ = 0;
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

/// How far a job is. `stage` is a stable English key ("forward", "encode", ...) that views translate.
struct Progress {
  std::string stage;
  std::uint64_t done = 0;
  std::uint64_t total = 0;
};

/// What a long operation is given: the pool to work with, a way to be stopped, a place to report to.
struct WorkContext {
  ThreadPool& pool;
  std::stop_token stop{};
  std::function<void(const Progress&)> on_progress{};

  [[nodiscard]] bool stopped() const { return stop.stop_requested(); }
  void report(std::string_view stage, std::uint64_t done, std::uint64_t total) const {
    if (on_progress) on_progress({std::string(stage), done, total});
  }
  /// The error to return when stopped() is seen.
  [[nodiscard]] static tl::unexpected<Error> cancelled() { return fail(ErrorCode::Cancelled, "cancelled"); }
};

}  // namespace bitlens
