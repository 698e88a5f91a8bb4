#include "tests/bench/executor/peer.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

extern char** environ;

namespace bitlens::bench {

namespace {

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// RssAnon of a running process, bytes; 0 when it is gone.
double anonymous_bytes(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return 1024.0 * std::strtod(line.c_str() + 8, nullptr);
  return 0;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

Child run_child(const std::vector<std::string>& arguments) {
  std::vector<std::string> copies = arguments;
  std::vector<char*> argv;
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const std::string stem =
      std::filesystem::temp_directory_path() / ("bench_executor." + std::to_string(getpid()));
  const std::string out = stem + ".out", err = stem + ".err";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), flags, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), flags, 0600);

  Child child;
  pid_t pid = 0;
  const auto start = std::chrono::steady_clock::now();
  const int failed = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    child.status = 127;
    return child;
  }
  int status = 0;
  rusage usage{};
  while (wait4(pid, &status, WNOHANG, &usage) == 0) {
    child.anonymous_peak = std::max(child.anonymous_peak, anonymous_bytes(pid));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  child.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  child.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  child.resident_peak = 1024.0 * static_cast<double>(usage.ru_maxrss);
  child.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  child.output = content(out);
  child.errors = content(err);
  std::remove(out.c_str());
  std::remove(err.c_str());
  return child;
}

std::optional<double> Peer::forward(const std::string& model) const {
  if (!given()) return std::nullopt;
  const Child child = run_child({tool("llama-bench"), "-m", model, "-t", std::to_string(threads_), "-p",
                                 "512", "-n", "0", "-r", "1", "-o", "json"});
  const auto json = nlohmann::json::parse(child.output, nullptr, false);
  if (child.status != 0 || !json.is_array() || json.empty() || !json[0].contains("avg_ts"))
    return std::nullopt;
  return json[0]["avg_ts"].get<double>();
}

std::optional<Child> Peer::perplexity(const std::string& model, const std::string& text, int windows) const {
  if (!given()) return std::nullopt;
  Child child = run_child({tool("llama-perplexity"), "-m", model, "-f", text, "-c", "512", "--chunks",
                           std::to_string(windows), "-t", std::to_string(threads_)});
  if (child.status != 0) return std::nullopt;
  return child;
}

std::optional<double> Peer::quantize(const std::string& model, const std::string& output,
                                     const std::string& type) const {
  if (!given()) return std::nullopt;
  const Child child =
      run_child({tool("llama-quantize"), "--pure", model, output, type, std::to_string(threads_)});
  std::remove(output.c_str());
  const std::string said = child.output + child.errors, key = "quantize time =";
  const std::size_t at = said.find(key);
  if (child.status != 0 || at == std::string::npos) return std::nullopt;
  return 1e-3 * std::strtod(said.c_str() + at + key.size(), nullptr);
}

}  // namespace bitlens::bench
