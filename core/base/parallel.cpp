#include "core/base/parallel.h"

namespace bitlens {

ThreadPool::ThreadPool(int threads) {
  const unsigned hardware = std::thread::hardware_concurrency();
  const int size = threads > 0 ? threads : static_cast<int>(hardware == 0 ? 1 : hardware);
  workers_.reserve(static_cast<std::size_t>(size - 1));
  for (int i = 1; i < size; ++i) workers_.emplace_back([this, i] { work(i); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(std::size_t tasks, const std::function<void(std::size_t, int)>& body) {
  if (tasks == 0) return;
  {
    const std::lock_guard lock(mutex_);
    body_ = &body;
    tasks_ = tasks;
    next_ = 0;
    ++generation_;
  }
  wake_.notify_all();
  drain(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return running_ == 0; });
  body_ = nullptr;
}

void ThreadPool::drain(int worker) {
  std::unique_lock lock(mutex_);
  while (body_ != nullptr && next_ < tasks_) {
    const std::size_t task = next_++;
    const auto* body = body_;
    ++running_;
    lock.unlock();
    (*body)(task, worker);
    lock.lock();
    --running_;
  }
  if (running_ == 0) done_.notify_all();
}

void ThreadPool::work(int worker) {
  std::uint64_t seen = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stop_ || generation_ != seen; });
      if (stop_) return;
      seen = generation_;
    }
    drain(worker);
  }
}

}  // namespace bitlens
