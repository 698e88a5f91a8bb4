// Progress on a terminal, and Ctrl-C as a request to stop.
#pragma once

#include <signal.h>

#include <chrono>
#include <mutex>
#include <stop_token>
#include <thread>

#include "core/base/parallel.h"
#include "core/study/time_left.h"

namespace bitlens::cli {

/// One line on stderr that is rewritten in place; silent when stderr is no terminal.
class TerminalProgress {
 public:
  TerminalProgress();
  void report(const Progress& progress);
  /// Takes the line away, so that other text starts on a clean one.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  bool terminal_ = false;
  bool shown_ = false;
  std::mutex mutex_;
  Clock::time_point start_ = Clock::now(), last_{};
  study::TimeLeft time_left_;
};

/// Turns SIGINT, SIGTERM and SIGHUP into a stop request; a second one ends the program at once. Must be made
/// before any other thread, which then inherit the blocked signals.
class InterruptWatcher {
 public:
  InterruptWatcher();
  ~InterruptWatcher();
  InterruptWatcher(const InterruptWatcher&) = delete;
  InterruptWatcher& operator=(const InterruptWatcher&) = delete;
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  void watch();
  sigset_t signals_{};
  std::stop_source source_;
  std::thread thread_;
};

}  // namespace bitlens::cli
