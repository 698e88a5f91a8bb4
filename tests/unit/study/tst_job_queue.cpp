// The engine thread's queue: order, states, progress, pause, cancel, and ends of every kind.
#include <QtTest>
#include <atomic>
#include <chrono>
#include <mutex>
#include <new>
#include <stdexcept>
#include <thread>

#include "core/study/job_queue.h"

using namespace bitlens;
using namespace bitlens::study;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

/// Keeps what the listener heard.
class Log {
 public:
  void operator()(const JobStatus& status) {
    const std::lock_guard lock(mutex_);
    heard_.push_back(status);
  }
  [[nodiscard]] std::vector<JobStatus> of(JobId id) const {
    const std::lock_guard lock(mutex_);
    std::vector<JobStatus> out;
    for (const JobStatus& status : heard_)
      if (status.id == id) out.push_back(status);
    return out;
  }
  /// Distinct consecutive states of a job.
  [[nodiscard]] std::vector<JobState> states(JobId id) const {
    std::vector<JobState> out;
    for (const JobStatus& status : of(id))
      if (out.empty() || out.back() != status.state) out.push_back(status.state);
    return out;
  }
  [[nodiscard]] bool heard(JobId id, JobState state) const {
    for (const JobStatus& status : of(id))
      if (status.state == state) return true;
    return false;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<JobStatus> heard_;
};

template <typename Condition>
bool wait_for(Condition condition) {
  for (int i = 0; i < 5000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

/// Works in steps of 1 ms until stopped, as every long operation of the engine does.
Status work_until_stopped(const WorkContext& work, std::atomic<int>& steps) {
  for (;;) {
    if (work.stopped()) return WorkContext::cancelled();
    std::this_thread::sleep_for(1ms);
    work.report("forward", static_cast<std::uint64_t>(++steps), 1'000'000);
  }
}

using States = std::vector<JobState>;

}  // namespace

class TestJobQueue : public QObject {
  Q_OBJECT
 private slots:
  void runs_jobs_in_order_on_one_other_thread() {
    Log log;
    std::vector<int> order;
    std::vector<std::thread::id> threads;
    std::vector<JobId> ids;
    bool on_engine = false;
    JobQueue queue(2, std::ref(log));
    for (int i = 0; i < 5; ++i)
      ids.push_back(queue.submit("measure", "recipe", [&, i](const WorkContext& work) -> Status {
        order.push_back(i);
        threads.push_back(std::this_thread::get_id());
        on_engine = queue.on_engine_thread();
        work.report("forward", 1, 1);
        return {};
      }));
    queue.wait_idle();
    QCOMPARE(order, (std::vector{0, 1, 2, 3, 4}));
    for (const auto& id : threads) {
      QVERIFY(id == threads.front());
      QVERIFY(id != std::this_thread::get_id());
    }
    QVERIFY(on_engine);
    QVERIFY(!queue.on_engine_thread());
    QCOMPARE(queue.threads(), 2);
    for (const JobId id : ids) {
      QCOMPARE(log.states(id), (States{JobState::Waiting, JobState::Running, JobState::Finished}));
      QCOMPARE(log.of(id).back().progress.done, 1ULL);
      QCOMPARE(log.of(id).back().title, std::string("measure"));
    }
    QVERIFY(queue.jobs().empty());
  }

  void bodies_get_the_pool() {
    JobQueue queue(3, {});
    std::atomic<int> sum = 0;
    queue.submit("measure", "", [&](const WorkContext& work) -> Status {
      work.pool.run(100, [&](std::size_t task, int) { sum += static_cast<int>(task); });
      return {};
    });
    queue.wait_idle();
    QCOMPARE(sum.load(), 4950);
  }

  void a_failure_is_told_with_its_words() {
    Log log;
    JobQueue queue(1, std::ref(log));
    const JobId id = queue.submit("export", "", [](const WorkContext&) -> Status {
      return fail(ErrorCode::OutOfSpace, "needs 5 bytes", {"out.gguf", "", {}});
    });
    queue.wait_idle();
    QCOMPARE(log.states(id), (States{JobState::Waiting, JobState::Running, JobState::Failed}));
    QCOMPARE(log.of(id).back().error, std::string("out.gguf: needs 5 bytes"));
  }

  void exceptions_end_the_job_not_the_program() {
    Log log;
    JobQueue queue(1, std::ref(log));
    const JobId memory = queue.submit("a", "", [](const WorkContext&) -> Status { throw std::bad_alloc(); });
    const JobId other =
        queue.submit("b", "", [](const WorkContext&) -> Status { throw std::runtime_error("x"); });
    const JobId odd = queue.submit("c", "", [](const WorkContext&) -> Status { throw 7; });
    const JobId good = queue.submit("d", "", [](const WorkContext&) -> Status { return {}; });
    queue.wait_idle();
    QCOMPARE(log.of(memory).back().error, std::string("not enough memory"));
    QCOMPARE(log.of(other).back().error, std::string("internal error: x"));
    QVERIFY(log.heard(odd, JobState::Failed));
    QVERIFY(log.heard(good, JobState::Finished));
  }

  void cancel_reaches_a_running_job_within_100_ms() {
    Log log;
    JobQueue queue(2, std::ref(log));
    std::atomic<int> steps = 0;
    const JobId id =
        queue.submit("measure", "", [&](const WorkContext& w) { return work_until_stopped(w, steps); });
    QVERIFY(wait_for([&] { return steps > 3; }));
    // Of five tries the best counts: the bound is the queue's, not the machine's other load.
    auto best = Clock::duration::max();
    queue.cancel(id);
    queue.wait_idle();
    QCOMPARE(log.states(id), (States{JobState::Waiting, JobState::Running, JobState::Cancelled}));
    for (int i = 0; i < 5; ++i) {
      steps = 0;
      const JobId again =
          queue.submit("measure", "", [&](const WorkContext& w) { return work_until_stopped(w, steps); });
      QVERIFY(wait_for([&] { return steps > 3; }));
      const auto asked = Clock::now();
      queue.cancel(again);
      queue.wait_idle();
      best = std::min(best, Clock::now() - asked);
    }
    QVERIFY2(best < 100ms, qPrintable(QString::number(std::chrono::duration<double>(best).count())));
  }

  void cancel_of_a_waiting_job_never_starts_it() {
    Log log;
    JobQueue queue(1, std::ref(log));
    std::atomic<int> steps = 0;
    bool ran = false;
    const JobId first =
        queue.submit("a", "", [&](const WorkContext& w) { return work_until_stopped(w, steps); });
    const JobId second = queue.submit("b", "", [&](const WorkContext&) -> Status {
      ran = true;
      return {};
    });
    QVERIFY(wait_for([&] { return steps > 0; }));
    QCOMPARE(queue.jobs().size(), std::size_t{2});
    QCOMPARE(queue.jobs()[0].id, first);
    QCOMPARE(queue.jobs()[0].state, JobState::Running);
    QCOMPARE(queue.jobs()[1].state, JobState::Waiting);
    queue.cancel(second);
    QCOMPARE(log.states(second), (States{JobState::Waiting, JobState::Cancelled}));
    QCOMPARE(queue.jobs().size(), std::size_t{1});
    queue.cancel(first);
    queue.wait_idle();
    QVERIFY(!ran);
  }

  void a_job_that_finishes_despite_a_late_cancel_is_finished() {
    Log log;
    JobQueue queue(1, std::ref(log));
    std::atomic<bool> go = false;
    const JobId id = queue.submit("a", "", [&](const WorkContext&) -> Status {
      while (!go) std::this_thread::sleep_for(1ms);
      return {};
    });
    QVERIFY(wait_for([&] { return log.heard(id, JobState::Running); }));
    queue.cancel(id);
    go = true;
    queue.wait_idle();
    QVERIFY(log.heard(id, JobState::Finished));
    queue.cancel(id);    // ended: nothing happens
    queue.resume(4711);  // never was
    queue.pause(4711);
  }

  void pause_stops_the_work_and_the_clock() {
    Log log;
    JobQueue queue(1, std::ref(log));
    std::atomic<int> steps = 0;
    const JobId id =
        queue.submit("measure", "", [&](const WorkContext& w) { return work_until_stopped(w, steps); });
    QVERIFY(wait_for([&] { return steps > 3; }));
    queue.pause(id);
    QVERIFY(wait_for([&] { return log.heard(id, JobState::Paused); }));
    const int at_pause = steps;
    const double seconds = queue.jobs().front().seconds;
    std::this_thread::sleep_for(120ms);
    QCOMPARE(steps.load(), at_pause);
    QCOMPARE(queue.jobs().front().state, JobState::Paused);
    QCOMPARE(queue.jobs().front().seconds, seconds);
    queue.resume(id);
    QVERIFY(wait_for([&] { return steps > at_pause + 3; }));
    QCOMPARE(queue.jobs().front().state, JobState::Running);
    queue.cancel(id);
    queue.wait_idle();
    QCOMPARE(log.states(id), (States{JobState::Waiting, JobState::Running, JobState::Paused,
                                     JobState::Running, JobState::Cancelled}));
  }

  void a_paused_job_can_be_cancelled() {
    Log log;
    JobQueue queue(1, std::ref(log));
    std::atomic<int> steps = 0;
    const JobId id =
        queue.submit("measure", "", [&](const WorkContext& w) { return work_until_stopped(w, steps); });
    queue.pause(id);
    QVERIFY(wait_for([&] { return log.heard(id, JobState::Paused); }));
    queue.cancel(id);
    queue.wait_idle();
    QCOMPARE(log.states(id).back(), JobState::Cancelled);
  }

  void progress_is_told_at_most_25_times_a_second() {
    Log log;
    JobQueue queue(1, std::ref(log));
    const auto start = Clock::now();
    const JobId id = queue.submit("measure", "", [&](const WorkContext& work) -> Status {
      for (std::uint64_t i = 1; i <= 200'000; ++i) work.report("forward", i, 200'000);
      return {};
    });
    queue.wait_idle();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const auto heard = log.of(id).size() - 3;  // less Waiting, Running, Finished
    QVERIFY(heard >= 1);
    QVERIFY2(static_cast<double>(heard) <= 1 + seconds * 25, qPrintable(QString::number(heard)));
    QCOMPARE(log.of(id).back().progress.done, 200'000ULL);  // the end tells the last figures
    QCOMPARE(log.of(id).back().progress.stage, std::string("forward"));
  }

  void reports_of_pool_workers_are_kept_but_told_by_the_engine_thread() {
    std::atomic<bool> elsewhere = false;
    std::thread::id engine;
    std::uint64_t seen = 0;
    JobQueue queue(3, [&](const JobStatus& status) {
      if (status.state == JobState::Waiting) return;
      if (engine == std::thread::id()) engine = std::this_thread::get_id();
      if (engine != std::this_thread::get_id()) elsewhere = true;
      seen = status.progress.done;
    });
    queue.submit("measure", "", [&](const WorkContext& work) -> Status {
      work.pool.run(64, [&](std::size_t, int) {
        work.report("forward", 42, 64);
        std::this_thread::sleep_for(100us);
      });
      return {};
    });
    queue.wait_idle();
    QVERIFY(!elsewhere);
    QCOMPARE(seen, 42ULL);
  }

  void destruction_cancels_what_runs_and_what_waits() {
    Log log;
    std::atomic<int> steps = 0;
    bool ran = false;
    JobId first = 0, second = 0;
    {
      JobQueue queue(2, std::ref(log));
      first = queue.submit("a", "", [&](const WorkContext& w) { return work_until_stopped(w, steps); });
      second = queue.submit("b", "", [&](const WorkContext&) -> Status {
        ran = true;
        return {};
      });
      QVERIFY(wait_for([&] { return steps > 0; }));
    }
    QCOMPARE(log.states(first).back(), JobState::Cancelled);
    QCOMPARE(log.states(second).back(), JobState::Cancelled);
    QVERIFY(!ran);
    { JobQueue unused(2, {}); }  // a queue that never had a job ends too
    {
      JobQueue queue(1, std::ref(log));
      const JobId id =
          queue.submit("a", "", [&](const WorkContext& w) { return work_until_stopped(w, steps); });
      queue.pause(id);
      QVERIFY(wait_for([&] { return log.heard(id, JobState::Paused); }));
    }  // and one with a paused job
  }

  void the_listener_may_use_the_queue() {
    JobQueue* handle = nullptr;
    std::atomic<int> finished = 0;
    JobQueue queue(1, [&](const JobStatus& status) {
      if (handle == nullptr) return;
      static_cast<void>(handle->jobs());
      if (status.state == JobState::Finished && ++finished == 1)
        handle->submit("next", "", [](const WorkContext&) -> Status { return {}; });
    });
    handle = &queue;
    queue.submit("first", "", [](const WorkContext&) -> Status { return {}; });
    QVERIFY(wait_for([&] { return finished == 2; }));
    queue.wait_idle();
  }

  void a_body_is_released_before_its_end_is_told() {
    auto held = std::make_shared<int>(1);
    long uses_at_end = -1;
    JobQueue queue(1, [&](const JobStatus& status) {
      if (status.state == JobState::Finished) uses_at_end = held.use_count();
    });
    queue.submit("a", "", [held](const WorkContext&) -> Status { return {}; });
    queue.wait_idle();
    QCOMPARE(uses_at_end, 1L);
  }
};

QTEST_APPLESS_MAIN(TestJobQueue)
#include "tst_job_queue.moc"
