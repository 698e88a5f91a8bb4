// Speed of forward passes, perplexity, statistics, encoding and opening: ours, the machine's limit for the
// same products, and llama.cpp's tools when their folder is given. Repetitions of the three take turns;
// medians are shown. Figures of a peer come from its binaries, run here and now, or read "not run".
//
//   bench_executor [--peer DIR] [--threads N] [--only forward,perplexity,...] [--repetitions N]
//
// BITLENS_INSTRUCTIONS limits ours as it limits the programs; ONEDNN_MAX_CPU_ISA limits the library, and the
// peer is built without what it must not use.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include "core/study/session.h"
#include "kernels/dense/instruction_set.h"
#include "tests/bench/executor/machine_limit.h"
#include "tests/bench/executor/own_work.h"
#include "tests/bench/executor/peer.h"

namespace {

using namespace bitlens;
using namespace bitlens::bench;
using kernels::Format;
using kernels::Quantizer;

template <typename T>
T need(Result<T> result) {
  if (result) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().describe());
  std::exit(1);
}
void need(const Status& status) {
  if (status) return;
  fmt::print(stderr, "{}\n", status.error().describe());
  std::exit(1);
}

/// Repeated measurements of one thing.
class Samples {
 public:
  void add(std::optional<double> value) {
    if (value) values_.push_back(*value);
  }
  [[nodiscard]] std::optional<double> median() const {
    if (values_.empty()) return std::nullopt;
    std::vector<double> sorted = values_;
    std::ranges::sort(sorted);
    return sorted[sorted.size() / 2];
  }

 private:
  std::vector<double> values_;
};

/// What the machine calls its processor.
std::string processor() {
  std::ifstream information("/proc/cpuinfo");
  for (std::string line; std::getline(information, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

struct Options {
  std::string peer, folder = "bench-files";
  int threads = 0, repetitions = 3, windows = 8;
  std::vector<std::string> only, shapes{"135M", "1.1B"}, types{"F16", "Q8_0", "Q4_0"}, models;
  std::string text;
};

/// One kind of model to run: a shape, and the files that have it, by type.
struct Case {
  Shape shape;
  std::vector<std::pair<std::string, std::string>> files;
};

class Bench {
 public:
  explicit Bench(const Options& options)
      : options_(options), pool_(options.threads), peer_(options.peer, pool_.size()) {
    std::filesystem::create_directories(options_.folder);
  }

  void run() {
    fmt::print("{}; {}, {} threads; medians of {}; peer: {}\n\n", processor(), kernels::instruction_set(),
               pool_.size(), options_.repetitions, peer_.given() ? options_.peer : "not run");
    fmt::print("{:<52} {:>10} {:>10} {:>10} {:>10} {:>10}\n", "work", "ours", "limit", "peer", "ours/limit",
               "ours/peer");
    prepare();
    if (wanted("forward"))
      for (const Case& one : cases_) forward(one);
    if (wanted("perplexity"))
      for (const Case& one : cases_) perplexity(one);
    if (wanted("statistics")) statistics();
    if (wanted("encode")) encode();
    if (wanted("open")) open();
  }

 private:
  [[nodiscard]] bool wanted(const char* section) const {
    return options_.only.empty() || std::ranges::find(options_.only, section) != options_.only.end();
  }
  [[nodiscard]] std::string path(const std::string& name) const { return options_.folder + "/" + name; }

  /// A file that stays for the next time.
  template <typename Make>
  std::string file(const std::string& name, const Make& make) {
    std::string full = path(name);
    if (!std::filesystem::exists(full)) need(make(full));
    return full;
  }
  std::string random_file(const Shape& shape) {
    return file("random-" + shape.name + "-F16.gguf",
                [&](const std::string& full) { return write_random_model(shape, full); });
  }

  void prepare() {
    for (const std::string& model : options_.models) {
      const OwnForward own = need(OwnForward::open(model));
      Case one{own.shape(), {{own.type(), model}}};
      one.shape.name = std::filesystem::path(model).filename();
      cases_.push_back(std::move(one));
    }
    if (!options_.models.empty() || !(wanted("forward") || wanted("perplexity"))) return;
    for (const Shape& shape : {k135M, k1100M}) {
      if (std::ranges::find(options_.shapes, shape.name) == options_.shapes.end()) continue;
      Case one{shape, {}};
      const std::string source = random_file(shape);
      for (const std::string& type : options_.types) {
        const kernels::FormatInfo* format = kernels::find_format(type);
        if (format == nullptr) continue;
        one.files.emplace_back(
            type,
            format->format == Format::F16
                ? source
                : file(fmt::format("random-{}-{}.gguf", shape.name, type), [&](const std::string& full) {
                    auto made = convert(source, format->format, Quantizer::Rtn, full, work_);
                    return made ? Status{} : Status(pass(made));
                  }));
      }
      cases_.push_back(std::move(one));
    }
  }

  static std::string shown(std::optional<double> value, const char* otherwise) {
    if (!value) return otherwise;
    return *value < 10 ? fmt::format("{:.3f}", *value) : fmt::format("{:.1f}", *value);
  }
  void row(const std::string& work, std::optional<double> ours, std::optional<double> limit,
           std::optional<double> peer) const {
    const auto ratio = [&](std::optional<double> other) {
      return ours && other ? fmt::format("{:.2f}", *ours / *other) : "-";
    };
    fmt::print("{:<52} {:>10} {:>10} {:>10} {:>10} {:>10}\n", work, shown(ours, "-"), shown(limit, "-"),
               shown(peer, "not run"), ratio(limit), ratio(peer));
    std::cout.flush();
  }

  void forward(const Case& one) {
    for (const Arithmetic arithmetic : {Arithmetic::Bf16, Arithmetic::Int8}) {
      MachineLimit library(one.shape, arithmetic, pool_.size());
      Samples samples;
      for (int i = 0; i < options_.repetitions; ++i) samples.add(library.tokens_per_second());
      if (const auto limit = samples.median())
        row(fmt::format("{} products alone, {} ({}), tokens/s", one.shape.name, arithmetic_name(arithmetic),
                        library.implementation()),
            std::nullopt, limit, std::nullopt);
    }
    MachineLimit library(one.shape, Arithmetic::F32, pool_.size());
    std::optional<double> best;  // of the peer, over the types
    std::vector<std::pair<std::string, std::optional<double>>> fast_rates;
    for (const auto& [type, model] : one.files) {
      OwnForward exact = need(OwnForward::open(model)),
                 fast = need(OwnForward::open(model, kernels::Compute::Fast));
      Samples single, many, quick, limit, other;
      for (int i = 0; i < options_.repetitions; ++i) {
        many.add(need(exact.run(static_cast<std::size_t>(options_.windows), work_)));
        other.add(peer_.forward(model));
        quick.add(need(fast.run(static_cast<std::size_t>(options_.windows), work_)));
        limit.add(library.tokens_per_second());
        single.add(need(exact.run(1, work_)));
      }
      const std::string name = fmt::format("{} {} forward", one.shape.name, type);
      row(fmt::format("{}, {} windows, tokens/s (f32 limit)", name, options_.windows), many.median(),
          limit.median(), other.median());
      row(name + ", 1 window, tokens/s", single.median(), limit.median(), other.median());
      best = std::max(best, other.median());
      fast_rates.emplace_back(name, quick.median());
    }
    for (const auto& [name, rate] : fast_rates)
      row(fmt::format("{}, fast, {} windows (peer's best type)", name, options_.windows), rate, std::nullopt,
          best);
  }

  void perplexity(const Case& one) {
    const std::string text =
        !options_.text.empty() ? options_.text : file("random.txt", [](const std::string& full) -> Status {
          std::ofstream(full) << random_text(std::size_t{1} << 20);
          return {};
        });
    std::optional<double> best;  // of the peer, over the types
    std::vector<std::pair<std::string, std::optional<double>>> times;
    for (const auto& [type, model] : one.files) {
      Samples ours, other, our_memory, other_memory, resident;
      for (int i = 0; i < options_.repetitions; ++i) {
        const Child child =
            run_child({BITLENS_CLI, "perplexity", model, "--text", text, "--context", "512", "--windows",
                       std::to_string(options_.windows), "--threads", std::to_string(pool_.size())});
        if (child.status != 0) need(Status(fail(ErrorCode::Io, child.errors, {model, {}, {}})));
        ours.add(child.seconds);
        our_memory.add(1e-9 * child.anonymous_peak);
        const auto peer = peer_.perplexity(model, text, options_.windows);
        if (!peer) continue;
        other.add(peer->seconds);
        other_memory.add(1e-9 * peer->anonymous_peak);
        resident.add(1e-9 * peer->resident_peak);
      }
      const std::string name =
          fmt::format("{} {} perplexity {} x 512", one.shape.name, type, options_.windows);
      row(name + ", s", ours.median(), std::nullopt, other.median());
      if (const auto now = other.median()) best = best ? std::min(*best, *now) : *now;
      times.emplace_back(name, ours.median());
      row(name + ", anonymous GB", our_memory.median(), std::nullopt, other_memory.median());
      row(name + ", GB (peer: mapped file too)", our_memory.median(), std::nullopt, resident.median());
    }
    for (const auto& [name, time] : times) row(name + ", s (peer's best type)", time, std::nullopt, best);
  }

  void statistics() {
    const std::string model = random_file(k1100M);
    Samples samples;
    need(statistics_rate(model, work_));  // warm
    for (int i = 0; i < options_.repetitions; ++i) samples.add(1e-9 * need(statistics_rate(model, work_)));
    row("1.1B F16 statistics and histograms, GB/s", samples.median(), std::nullopt, std::nullopt);
  }

  /// Four blocks of the 1.1B shape are enough to encode.
  void encode() {
    Shape shape = k1100M;
    shape.layers = 4;
    shape.name = "1.1B-4-blocks";
    const std::string model = random_file(shape), output = path("encoded.gguf");
    const double megabytes = 1e-6 * static_cast<double>(std::filesystem::file_size(model));
    struct Kind {
      Format format;
      Quantizer quantizer;
      const char* peer;  ///< its name for the same, null: measured beside another row
    };
    for (const Kind& kind :
         {Kind{Format::Q4_0, Quantizer::Rtn, "Q4_0"}, Kind{Format::Q4_0, Quantizer::Search, "Q4_0"},
          Kind{Format::Q8_0, Quantizer::Rtn, "Q8_0"}, Kind{Format::Q8_0, Quantizer::Search, "Q8_0"},
          Kind{Format::Q4_K, Quantizer::Search, "Q4_K"}, Kind{Format::Q6_K, Quantizer::Search, "Q6_K"},
          Kind{Format::Q2_K, Quantizer::Search, "Q2_K"}}) {
      Samples encoding, whole, other;
      for (int i = 0; i < options_.repetitions; ++i) {
        const auto result = need(convert(model, kind.format, kind.quantizer, output, work_));
        encoding.add(megabytes / result.encode_seconds);
        whole.add(megabytes / result.seconds);
        if (const auto seconds = peer_.quantize(model, output, kind.peer)) other.add(megabytes / *seconds);
      }
      const std::string name = fmt::format("1.1B F16 -> {} {}", kernels::info(kind.format).name,
                                           quantize::quantizer_name(kind.quantizer));
      row(name + ", encoding alone, MB/s", encoding.median(), std::nullopt, other.median());
      row(name + ", verified export, MB/s", whole.median(), std::nullopt, other.median());
    }
    std::filesystem::remove(output);
  }

  void open() {
    const std::string sparse = file("sparse-7B.gguf", write_sparse_model);
    for (const auto& [name, model] :
         {std::pair{"1.1B", random_file(k1100M)}, std::pair{"7B, sparse", sparse}}) {
      Samples samples;
      for (int i = 0; i < options_.repetitions; ++i) samples.add(1e3 * need(open_seconds(model)));
      row(fmt::format("{}: opened, headers only, ms", name), samples.median(), std::nullopt, std::nullopt);
    }
  }

  Options options_;
  ThreadPool pool_;
  WorkContext work_{pool_};
  Peer peer_;
  std::vector<Case> cases_;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Speed of the executor and the encoders"};
  app.add_option("--peer", options.peer, "folder of llama.cpp's binaries");
  app.add_option("--threads", options.threads, "threads on both sides (0: one per processor)");
  app.add_option("--repetitions", options.repetitions)->check(CLI::PositiveNumber);
  app.add_option("--windows", options.windows, "windows of 512 tokens")->check(CLI::PositiveNumber);
  app.add_option("--only", options.only, "forward, perplexity, statistics, encode, open")->delimiter(',');
  app.add_option("--shapes", options.shapes, "135M, 1.1B")->delimiter(',');
  app.add_option("--types", options.types, "file types to run")->delimiter(',');
  app.add_option("--model", options.models, "files to run instead of random ones")->delimiter(',');
  app.add_option("--text", options.text, "text for perplexity instead of a random one");
  app.add_option("--dir", options.folder, "where random models are kept");
  CLI11_PARSE(app, argc, argv);
  need(study::limit_instruction_set(std::getenv(study::kInstructionsVariable)));
  Bench(options).run();
}
