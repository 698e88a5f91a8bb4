#include "views/bridge/engine.h"

#include <QMetaObject>

#include "views/bridge/entry.h"

namespace bitlens::views {

namespace {

/// Counts a job as waiting until its body starts, or until it is dropped without having started.
class WaitingMark {
 public:
  explicit WaitingMark(std::atomic<int>* count) : count_(count) {
    if (count_) ++*count_;
  }
  ~WaitingMark() { clear(); }
  WaitingMark(const WaitingMark&) = delete;
  WaitingMark& operator=(const WaitingMark&) = delete;
  void clear() {
    if (count_) --*count_;
    count_ = nullptr;
  }

 private:
  std::atomic<int>* count_;
};

}  // namespace

Engine::Engine(int threads, QObject* parent) : QObject(parent) {
  queue_ = std::make_unique<study::JobQueue>(threads, [this](const study::JobStatus& status) {
    post([this, status] { emit job_changed(status); });
  });
}

Engine::~Engine() {
  queue_.reset();  // cancels and waits; what it still posts dies with this object's event queue
}

void Engine::post(std::function<void()> call) {
  QMetaObject::invokeMethod(this, std::move(call), Qt::QueuedConnection);
}

study::JobId Engine::submit(const std::string& title, const QString& detail, Urgency urgency,
                            study::JobQueue::Body body) {
  auto mark = std::make_shared<WaitingMark>(urgency == Urgency::Asked        ? &asked_waiting_
                                            : urgency == Urgency::Background ? &background_waiting_
                                                                             : nullptr);
  const study::JobId id =
      queue_->submit(title, detail.toStdString(), [mark, body = std::move(body)](const WorkContext& work) {
        mark->clear();
        const Entry entry("job");
        return body(work);
      });
  if (urgency == Urgency::Idle) idle_.insert(id);
  return id;
}

void Engine::pause(study::JobId id) {
  if (idle_.contains(id))
    emit pause_asked(id);
  else
    queue_->pause(id);
}

}  // namespace bitlens::views
