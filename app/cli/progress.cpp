#include "app/cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "app/cli/exit_code.h"

namespace bitlens::cli {

TerminalProgress::TerminalProgress() : terminal_(isatty(STDERR_FILENO) != 0) {}

void TerminalProgress::report(const Progress& progress) {
  if (!terminal_) return;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - start_).count();
  time_left_.report(progress, seconds);
  if (now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  std::string line = progress.stage;
  if (progress.total > 0)
    line += fmt::format("  {} %", 100 * std::min(progress.done, progress.total) / progress.total);
  if (const double left = time_left_.seconds_left(seconds); left >= 0) {
    const auto whole = std::lround(left);
    line += fmt::format("  {:02}:{:02} left", whole / 60, whole % 60);
  }
  fmt::print(stderr, "\r\033[K{}", line);
  std::fflush(stderr);
  shown_ = true;
}

void TerminalProgress::clear() {
  const std::lock_guard lock(mutex_);
  if (!shown_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

InterruptWatcher::InterruptWatcher() {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGUSR1);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction current {};
    // What the caller had us ignore (nohup, a background job) stays ignored.
    if (sigaction(number, nullptr, &current) == 0 && current.sa_handler != SIG_IGN)
      sigaddset(&signals_, number);
  }
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::thread([this] { watch(); });
}

InterruptWatcher::~InterruptWatcher() {
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
}

void InterruptWatcher::watch() {
  for (;;) {
    int received = 0;
    if (sigwait(&signals_, &received) != 0 || received == SIGUSR1) return;
    if (source_.stop_requested()) _exit(exit_code(ErrorCode::Cancelled));
    source_.request_stop();
  }
}

}  // namespace bitlens::cli
