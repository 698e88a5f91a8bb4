// Names of autosave files: `recovery-<pid>-<start>.bitlens`, where <start> is the process's start time in
// clock ticks since boot. The pair tells a program that still runs from another one that was given the same
// pid later.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>

#include "core/base/atomic_file.h"
#include "core/study/study.h"

namespace bitlens::study {

namespace {

namespace fs = std::filesystem;
constexpr std::string_view kPrefix = "recovery-", kSuffix = ".bitlens";

/// Start time of a process (field 22 of /proc/<pid>/stat, proc(5)); nothing if it does not run. One that is
/// over and only waits to be collected by its parent (state Z or X) does not run either.
std::optional<std::uint64_t> start_time(long pid) {
  const auto stat = read_file(fmt::format("/proc/{}/stat", pid), 4096);
  if (!stat) return std::nullopt;
  // The second field is the program's name in parentheses and may hold anything; counting starts after it.
  std::size_t at = stat->rfind(')');
  if (at != std::string::npos && at + 2 < stat->size() && ((*stat)[at + 2] == 'Z' || (*stat)[at + 2] == 'X'))
    return std::nullopt;
  for (int field = 2; field < 22 && at != std::string::npos; ++field) at = stat->find(' ', at + 1);
  if (at == std::string::npos) return std::nullopt;
  std::uint64_t ticks = 0;
  const auto [end, error] = std::from_chars(stat->data() + at + 1, stat->data() + stat->size(), ticks);
  return error == std::errc() ? std::optional(ticks) : std::nullopt;
}

bool is_of_running_program(std::string_view name) {
  long pid = 0;
  std::uint64_t started = 0;
  const char* const end = name.data() + name.size();
  const auto first = std::from_chars(name.data() + kPrefix.size(), end, pid);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') return false;
  if (std::from_chars(first.ptr + 1, end, started).ec != std::errc()) return false;
  return start_time(pid) == started;
}

}  // namespace

std::string recovery_path(const std::string& folder) {
  const long pid = getpid();
  return (fs::path(folder) / fmt::format("{}{}-{}{}", kPrefix, pid, start_time(pid).value_or(0), kSuffix))
      .string();
}

std::optional<std::string> find_recovery(const std::string& folder) {
  std::error_code error;
  std::optional<std::string> newest;
  fs::file_time_type newest_time{};
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) || is_of_running_program(name)) continue;
    std::error_code ignored;
    if (!it->is_regular_file(ignored)) continue;
    const auto time = it->last_write_time(ignored);
    if (ignored || (newest && time < newest_time)) continue;
    newest = it->path().string();
    newest_time = time;
  }
  return newest;
}

}  // namespace bitlens::study
