// The studio's side of the engine: owns the job queue, runs work on its thread and brings immutable results
// back to the window's thread as queued calls. Nothing of the engine is entered from the window's thread.
#pragma once

#include <QObject>
#include <QPointer>
#include <QString>
#include <atomic>
#include <functional>
#include <memory>
#include <set>

#include "core/study/job_queue.h"

namespace bitlens::views {

/// Background work steps aside while something the user asked for waits; idle work (long runs) while anything
/// else does.
enum class Urgency { Asked, Background, Idle };

class Engine : public QObject {
  Q_OBJECT
 public:
  /// `threads` <= 0: one per hardware thread.
  explicit Engine(int threads = 0, QObject* parent = nullptr);
  ~Engine() override;

  /// Runs `body` on the engine thread; `then` gets its result on the window's thread unless `context` is
  /// gone.
  template <typename T>
  study::JobId start(const std::string& title, const QString& detail, Urgency urgency,
                     std::function<Result<T>(const WorkContext&)> body, QObject* context,
                     std::function<void(Result<T>)> then) {
    auto shared_body = std::make_shared<decltype(body)>(std::move(body));
    auto shared_then = std::make_shared<decltype(then)>(std::move(then));
    return submit(
        title, detail, urgency,
        [this, shared_body, shared_then, guard = QPointer<QObject>(context)](const WorkContext& work) {
          auto result = std::make_shared<Result<T>>((*shared_body)(work));
          const Status status = *result ? Status() : Status(tl::unexpected<Error>(result->error()));
          post([guard, shared_then, result] {
            if (guard) (*shared_then)(std::move(*result));
          });
          return status;
        });
  }

  /// Queues `call` on the window's thread; from any thread. Used by job bodies for partial results.
  void post(std::function<void()> call);
  /// Does work the user asked for wait for the engine? Background bodies look at it between steps.
  [[nodiscard]] bool asked_work_waits() const { return asked_waiting_.load() > 0; }

  /// Does any work but idle work wait?
  [[nodiscard]] bool any_work_waits() const { return asked_work_waits() || background_waiting_.load() > 0; }

  void cancel(study::JobId id) { queue_->cancel(id); }
  void cancel_all() { queue_->cancel_all(); }
  /// A paused job keeps the engine to itself. Idle work is asked to step aside instead (pause_asked).
  void pause(study::JobId id);
  void resume(study::JobId id) { queue_->resume(id); }
  /// Cancels everything and waits: before what the jobs' results go to is taken apart.
  void cancel_all_and_wait() {
    queue_->cancel_all();
    queue_->wait_idle();
  }
  [[nodiscard]] std::vector<study::JobStatus> jobs() const { return queue_->jobs(); }
  [[nodiscard]] int threads() const { return queue_->threads(); }

 signals:
  void job_changed(const bitlens::study::JobStatus& status);
  void pause_asked(bitlens::study::JobId id);

 private:
  study::JobId submit(const std::string& title, const QString& detail, Urgency urgency,
                      study::JobQueue::Body body);

  std::atomic<int> asked_waiting_ = 0, background_waiting_ = 0;
  std::set<study::JobId> idle_;
  std::unique_ptr<study::JobQueue> queue_;
};

}  // namespace bitlens::views
