// Programs run as children: llama.cpp's tools, and our own command line beside them.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace bitlens::bench {

struct Child {
  int status = -1;
  double seconds = 0;         ///< wall clock
  double cpu_seconds = 0;     ///< user + system
  double resident_peak = 0;   ///< bytes, mapped files included
  double anonymous_peak = 0;  ///< bytes, sampled every few milliseconds
  std::string output, errors;
};
/// Runs a program to its end. A program that cannot be started gives status 127.
[[nodiscard]] Child run_child(const std::vector<std::string>& arguments);

/// llama.cpp's binaries; every figure is nullopt when the folder is empty or the run failed.
class Peer {
 public:
  Peer(std::string folder, int threads) : folder_(std::move(folder)), threads_(threads) {}
  [[nodiscard]] bool given() const { return !folder_.empty(); }

  /// Tokens per second of one batch of 512 tokens (llama-bench, prompt processing; logits of the last token
  /// only).
  [[nodiscard]] std::optional<double> forward(const std::string& model) const;
  /// Whole process of llama-perplexity.
  [[nodiscard]] std::optional<Child> perplexity(const std::string& model, const std::string& text,
                                                int windows) const;
  /// Seconds llama-quantize says it took.
  [[nodiscard]] std::optional<double> quantize(const std::string& model, const std::string& output,
                                               const std::string& type) const;

 private:
  [[nodiscard]] std::string tool(const char* name) const { return folder_ + "/" + name; }
  std::string folder_;
  int threads_;
};

}  // namespace bitlens::bench
