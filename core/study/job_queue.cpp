#include "core/study/job_queue.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "core/study/time_left.h"

namespace bitlens::study {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kListenerInterval = std::chrono::milliseconds(40);  // 25 progress calls a second

/// Running time of a job, pauses excluded.
class Stopwatch {
 public:
  void start() { running_since_ = Clock::now(); }
  void stop() {
    total_ = elapsed();
    running_since_.reset();
  }
  [[nodiscard]] Clock::duration elapsed() const {
    return running_since_ ? total_ + (Clock::now() - *running_since_) : total_;
  }
  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(elapsed()).count(); }

 private:
  Clock::duration total_{};
  std::optional<Clock::time_point> running_since_;
};

struct Job {
  JobStatus status;
  JobQueue::Body body;
  std::stop_source stop;
  bool pause_asked = false;
  Stopwatch watch;
  TimeLeft time_left;
  std::optional<Clock::time_point> told;  // when the listener last heard of progress

  [[nodiscard]] JobStatus snapshot() const {
    JobStatus now = status;
    now.seconds = watch.seconds();
    now.seconds_left = time_left.seconds_left(now.seconds);
    return now;
  }
};

bool is_live(JobState state) {
  return state == JobState::Waiting || state == JobState::Running || state == JobState::Paused;
}

Status run_body(const JobQueue::Body& body, const WorkContext& work) {
  try {
    return body(work);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory");
  } catch (const std::exception& error) {
    return fail(ErrorCode::InvalidArgument, std::string("internal error: ") + error.what());
  } catch (...) {
    return fail(ErrorCode::InvalidArgument, "internal error");
  }
}

}  // namespace

struct JobQueue::Impl {
  Impl(int threads, std::function<void(const JobStatus&)> heard) : listener(std::move(heard)), pool(threads) {
    engine = std::thread([this] { loop(); });
    engine_id = engine.get_id();
  }

  void tell(const JobStatus& status) const {
    if (listener) listener(status);
  }

  void loop();
  void run(const std::shared_ptr<Job>& job);
  void on_progress(const std::shared_ptr<Job>& job, const Progress& progress);
  void cancel_where(const std::function<bool(const Job&)>& wanted);
  [[nodiscard]] std::shared_ptr<Job> find(JobId id) const;

  std::function<void(const JobStatus&)> listener;
  ThreadPool pool;
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<Job>> waiting;
  std::shared_ptr<Job> current;
  JobId last_id = 0;
  int starting = 0;  // submitted, the listener is being told, not in `waiting` yet
  bool quit = false;
  std::thread engine;
  std::thread::id engine_id;
};

void JobQueue::Impl::loop() {
  for (;;) {
    std::shared_ptr<Job> job;
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return quit || !waiting.empty(); });
      if (waiting.empty()) return;
      job = waiting.front();
      waiting.pop_front();
      current = job;
      job->status.state = JobState::Running;
      job->watch.start();
    }
    run(job);
    {
      const std::lock_guard lock(mutex);
      current.reset();
    }
    changed.notify_all();
  }
}

void JobQueue::Impl::run(const std::shared_ptr<Job>& job) {
  JobStatus status;
  {
    const std::lock_guard lock(mutex);
    status = job->snapshot();
  }
  tell(status);

  const WorkContext work{pool, job->stop.get_token(),
                         [this, &job](const Progress& progress) { on_progress(job, progress); }};
  const Status result = work.stopped() ? Status(WorkContext::cancelled()) : run_body(job->body, work);
  {
    const std::lock_guard lock(mutex);
    job->watch.stop();
    if (result) {
      job->status.state = JobState::Finished;
    } else if (result.error().code == ErrorCode::Cancelled) {
      job->status.state = JobState::Cancelled;
    } else {
      job->status.state = JobState::Failed;
      job->status.error = result.error().describe();
    }
    status = job->snapshot();
  }
  job->body = nullptr;  // what the body holds is released before the listener hears of the end
  tell(status);
}

void JobQueue::Impl::on_progress(const std::shared_ptr<Job>& job, const Progress& progress) {
  std::unique_lock lock(mutex);
  job->status.progress = progress;
  job->time_left.report(progress, job->watch.seconds());
  // A pool worker only leaves the figures: the listener hears them with the engine thread's next report.
  if (std::this_thread::get_id() != engine_id) return;

  const auto now = Clock::now();
  if (!job->told || now - *job->told >= kListenerInterval) {
    job->told = now;
    const JobStatus status = job->snapshot();
    lock.unlock();
    tell(status);
    lock.lock();
  }
  if (!job->pause_asked || job->stop.stop_requested()) return;

  job->watch.stop();
  job->status.state = JobState::Paused;
  const JobStatus paused = job->snapshot();
  lock.unlock();
  tell(paused);
  lock.lock();
  changed.wait(lock, [&] { return !job->pause_asked || job->stop.stop_requested(); });
  job->watch.start();
  job->status.state = JobState::Running;
  const JobStatus resumed = job->snapshot();
  lock.unlock();
  tell(resumed);
}

void JobQueue::Impl::cancel_where(const std::function<bool(const Job&)>& wanted) {
  std::vector<JobStatus> never_started;
  {
    const std::lock_guard lock(mutex);
    if (current && wanted(*current)) current->stop.request_stop();
    std::erase_if(waiting, [&](const std::shared_ptr<Job>& job) {
      if (!wanted(*job)) return false;
      job->status.state = JobState::Cancelled;
      never_started.push_back(job->snapshot());
      return true;
    });
  }
  changed.notify_all();
  for (const JobStatus& status : never_started) tell(status);
}

std::shared_ptr<Job> JobQueue::Impl::find(JobId id) const {
  if (current && current->status.id == id) return current;
  for (const auto& job : waiting)
    if (job->status.id == id) return job;
  return nullptr;
}

JobQueue::JobQueue(int threads, std::function<void(const JobStatus&)> listener)
    : impl_(std::make_unique<Impl>(threads, std::move(listener))) {}

JobQueue::~JobQueue() {
  cancel_all();
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->quit = true;
  }
  impl_->changed.notify_all();
  impl_->engine.join();
}

JobId JobQueue::submit(std::string title, std::string detail, Body body) {
  auto job = std::make_shared<Job>();
  job->status.title = std::move(title);
  job->status.detail = std::move(detail);
  job->body = std::move(body);
  {
    const std::lock_guard lock(impl_->mutex);
    job->status.id = ++impl_->last_id;
    ++impl_->starting;
  }
  const JobId id = job->status.id;
  impl_->tell(job->status);  // before the engine can take it: Waiting is always heard before Running
  {
    const std::lock_guard lock(impl_->mutex);
    --impl_->starting;
    impl_->waiting.push_back(std::move(job));
  }
  impl_->changed.notify_all();
  return id;
}

void JobQueue::cancel(JobId id) {
  impl_->cancel_where([id](const Job& job) { return job.status.id == id; });
}

void JobQueue::cancel_all() {
  impl_->cancel_where([](const Job&) { return true; });
}

void JobQueue::pause(JobId id) {
  const std::lock_guard lock(impl_->mutex);
  if (const auto job = impl_->find(id)) job->pause_asked = true;
}

void JobQueue::resume(JobId id) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (const auto job = impl_->find(id)) job->pause_asked = false;
  }
  impl_->changed.notify_all();
}

std::vector<JobStatus> JobQueue::jobs() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<JobStatus> statuses;
  if (impl_->current && is_live(impl_->current->status.state)) statuses.push_back(impl_->current->snapshot());
  for (const auto& job : impl_->waiting) statuses.push_back(job->snapshot());
  return statuses;
}

void JobQueue::wait_idle() {
  std::unique_lock lock(impl_->mutex);
  impl_->changed.wait(
      lock, [this] { return impl_->waiting.empty() && impl_->current == nullptr && impl_->starting == 0; });
}

int JobQueue::threads() const {
  return impl_->pool.size();
}

bool JobQueue::on_engine_thread() const {
  return std::this_thread::get_id() == impl_->engine_id;
}

}  // namespace bitlens::study
