// The engine thread: runs one job after another, never on the caller's thread. Jobs report progress, can be
// cancelled (within 100 ms), paused and resumed; the listener hears of every change.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"

namespace bitlens::study {

using JobId = std::uint64_t;

enum class JobState { Waiting, Running, Paused, Finished, Failed, Cancelled };

struct JobStatus {
  JobId id = 0;
  std::string title;   ///< stable English key with its argument, e.g. "measure"; views translate it
  std::string detail;  ///< shown after the title: a file or recipe name
  JobState state = JobState::Waiting;
  Progress progress;
  double seconds = 0;        ///< running time so far, pauses excluded
  double seconds_left = -1;  ///< of the current stage; negative while unknown (shown from 2 s and 3 % on)
  std::string error;         ///< Error::describe() when Failed
};

class JobQueue {
 public:
  using Body = std::function<Status(const WorkContext&)>;
  /// `listener` is called on the engine thread (on the submitting one for Waiting, on the cancelling one for
  /// a job that had not started), at most ~25 times a second for progress and once for every change of state.
  /// It must not block; it may call every function of the queue except wait_idle().
  JobQueue(int threads, std::function<void(const JobStatus&)> listener);
  /// Cancels everything and waits.
  ~JobQueue();
  JobQueue(const JobQueue&) = delete;
  JobQueue& operator=(const JobQueue&) = delete;

  /// An exception that escapes `body` ends the job as Failed (Memory for std::bad_alloc), never the program.
  JobId submit(std::string title, std::string detail, Body body);
  /// A job that has ended, or never was, is left alone, by pause() and resume() too.
  void cancel(JobId id);
  void cancel_all();
  void pause(JobId id);  ///< takes effect at the job's next progress report
  void resume(JobId id);
  [[nodiscard]] std::vector<JobStatus> jobs() const;  ///< waiting and running ones, in order
  /// Blocks until no job waits or runs (tests, closing).
  void wait_idle();
  [[nodiscard]] int threads() const;
  /// Is the caller the engine thread? Entry points of heavy work assert this in the studio's tests.
  [[nodiscard]] bool on_engine_thread() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bitlens::study
