#include "views/bridge/side_worker.h"

#include <algorithm>

namespace bitlens::views {

SideWorker::SideWorker(QObject* parent) : QObject(parent), thread_([this] { loop(); }) {}

SideWorker::~SideWorker() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void SideWorker::run(const std::string& key, std::function<void()> call) {
  {
    const std::scoped_lock lock(mutex_);
    if (!key.empty())
      calls_.erase(std::remove_if(calls_.begin(), calls_.end(), [&](const Call& c) { return c.key == key; }),
                   calls_.end());
    calls_.push_back({key, std::move(call)});
  }
  wake_.notify_one();
}

void SideWorker::loop() {
  for (;;) {
    Call call;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || !calls_.empty(); });
      if (calls_.empty()) return;
      call = std::move(calls_.front());
      calls_.pop_front();
    }
    call.run();
  }
}

}  // namespace bitlens::views
