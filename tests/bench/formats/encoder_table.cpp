// Speed and error of every encoder in one table, from one run: F16 rows in, blocks out, all threads; beside
// it, when its library is given, the same rows through ggml's own encoder (ggml_quantize_chunk).
//
//   encoder_table [--peer libggml-base.so] [--threads 2] [--seconds 0.5] [--rows 1024] [FORMAT ...]
//
// Rows are 2048 wide, from N(0, 0.02) like random model files of the 1.1B shape, rounded to F16. MB/s count
// the F16 input; converting it to f32 is part of both. Errors are taken from both sides' blocks by the same
// decoder outside the timing: rmse, or with importance the rmse weighted by it.
#include <dlfcn.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "kernels/formats/codec.h"

using namespace bitlens::kernels;

namespace {

constexpr std::size_t kWidth = 2048;
constexpr std::size_t kPieceRows = 16;

/// ggml's functions, looked up by name at run time.
struct PeerLibrary {
  using ToFloat = void (*)(const std::uint16_t*, float*, std::int64_t);
  using Quantize = std::size_t (*)(int, const float*, void*, std::int64_t, std::int64_t, std::int64_t,
                                   const float*);
  using Init = void (*)(int);
  ToFloat to_float = nullptr;
  Quantize quantize = nullptr;
  Init init = nullptr;

  static std::optional<PeerLibrary> open(const std::string& path) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return std::nullopt;
    PeerLibrary peer{reinterpret_cast<ToFloat>(dlsym(library, "ggml_fp16_to_fp32_row")),
                     reinterpret_cast<Quantize>(dlsym(library, "ggml_quantize_chunk")),
                     reinterpret_cast<Init>(dlsym(library, "ggml_quantize_init"))};
    if (peer.to_float == nullptr || peer.quantize == nullptr || peer.init == nullptr) return std::nullopt;
    return peer;
  }
};

struct Data {
  std::size_t rows;
  std::vector<std::uint16_t> halves;
  std::vector<float> weights;     ///< the same as f32
  std::vector<float> importance;  ///< of a row's columns: chi-square, squared inputs of one token
};

Data make_data(std::size_t rows) {
  Data data{rows, std::vector<std::uint16_t>(rows * kWidth), std::vector<float>(rows * kWidth),
            std::vector<float>(kWidth)};
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  for (float& value : data.weights) value = normal(random);
  for (float& value : data.importance) {
    const float input = normal(random);
    value = input * input;
  }
  auto* bytes = reinterpret_cast<std::byte*>(data.halves.data());
  encode(Format::F16, Quantizer::Rtn, data.weights.data(), nullptr, bytes, data.weights.size());
  decode(Format::F16, bytes, data.weights.data(), data.weights.size());
  return data;
}

/// Converts rows [first, first + count) into blocks, with floats to work in.
using Convert = std::function<void(std::size_t first, std::size_t count, float* values)>;

/// MB/s of F16 input over whole passes that last `seconds`, after one to warm up.
double rate(const Data& data, int threads, double seconds, const Convert& convert) {
  const auto pass = [&] {
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      std::vector<float> values(kPieceRows * kWidth);
      for (std::size_t row = next.fetch_add(kPieceRows); row < data.rows; row = next.fetch_add(kPieceRows))
        convert(row, std::min(kPieceRows, data.rows - row), values.data());
    };
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back(work);
    work();
    for (std::thread& thread : others) thread.join();
  };
  using Clock = std::chrono::steady_clock;
  const auto warm = Clock::now();
  pass();
  if (std::chrono::duration<double>(Clock::now() - warm).count() > 4 * seconds) seconds = 0;
  double best = 1e300;  // of single passes: others on the machine only ever add time
  const auto start = Clock::now();
  do {
    const auto begin = Clock::now();
    pass();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  } while (std::chrono::duration<double>(Clock::now() - start).count() < seconds);
  return 1e-6 * static_cast<double>(data.halves.size() * sizeof data.halves[0]) / best;
}

double error(const Data& data, Format format, const std::vector<std::byte>& blocks, bool weighted) {
  std::vector<float> decoded(data.weights.size());
  decode(format, blocks.data(), decoded.data(), decoded.size());
  double sum = 0;
  double total = 0;
  for (std::size_t i = 0; i < decoded.size(); ++i) {
    const double w = weighted ? static_cast<double>(data.importance[i % kWidth]) : 1.0;
    const double difference = static_cast<double>(decoded[i]) - static_cast<double>(data.weights[i]);
    sum += w * difference * difference;
    total += w;
  }
  return std::sqrt(sum / total);
}

struct Options {
  std::string peer;
  std::vector<std::string> formats;
  int threads = 2;
  double seconds = 0.5;
  std::size_t rows = 1024;
};

void print_row(const Data& data, const FormatInfo& format, Quantizer quantizer, bool weighted,
               const Options& options, const std::optional<PeerLibrary>& peer) {
  const std::size_t row_bytes = kWidth / format.block_size * format.block_bytes;
  std::vector<std::byte> blocks(data.rows * row_bytes);
  const float* importance = weighted ? data.importance.data() : nullptr;
  const double ours =
      rate(data, options.threads, options.seconds, [&](std::size_t first, std::size_t count, float* values) {
        const auto* halves = reinterpret_cast<const std::byte*>(data.halves.data() + first * kWidth);
        decode(Format::F16, halves, values, count * kWidth);
        for (std::size_t row = 0; row < count; ++row)
          encode(format.format, quantizer, values + row * kWidth, importance,
                 blocks.data() + (first + row) * row_bytes, kWidth);
      });
  const double our_error = error(data, format.format, blocks, weighted);
  std::printf("%-8s %-9s %8.0f  %.5e", std::string(format.name).c_str(),
              weighted                      ? "imatrix"
              : quantizer == Quantizer::Rtn ? "rtn"
                                            : "search",
              ours, our_error);
  if (!peer || (format.wants_importance && !weighted)) {
    std::printf("   not run\n");
    return;
  }
  const int type = static_cast<int>(format.format);
  peer->init(type);
  const double theirs =
      rate(data, options.threads, options.seconds, [&](std::size_t first, std::size_t count, float* values) {
        peer->to_float(data.halves.data() + first * kWidth, values,
                       static_cast<std::int64_t>(count * kWidth));
        peer->quantize(type, values, blocks.data() + first * row_bytes, 0, static_cast<std::int64_t>(count),
                       kWidth, importance);
      });
  const double their_error = error(data, format.format, blocks, weighted);
  std::printf("  %8.0f  %.5e   %7.2fx  %.4f\n", theirs, their_error, ours / theirs, our_error / their_error);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Speed and error of every encoder"};
  Options options;
  app.add_option("--peer", options.peer, "ggml's base library (libggml-base.so)");
  app.add_option("--threads", options.threads)->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds, "spent on each row and side");
  app.add_option("--rows", options.rows)->check(CLI::PositiveNumber);
  app.add_option("formats", options.formats, "names of formats; all without");
  CLI11_PARSE(app, argc, argv);

  const auto peer = options.peer.empty() ? std::nullopt : PeerLibrary::open(options.peer);
  if (!options.peer.empty() && !peer) {
    std::fprintf(stderr, "%s: no such library\n", options.peer.c_str());
    return 1;
  }
  const Data data = make_data(options.rows);
  std::printf("%d threads, F16 input\n", options.threads);
  std::printf("format   quantizer     MB/s         rmse      peer    peer rmse     speed  rmse/peer\n");
  for (const FormatInfo& format : all_formats()) {
    if (!format.encodes || format.block_size == 1) continue;
    bool wanted = options.formats.empty();
    for (const std::string& name : options.formats) wanted = wanted || find_format(name) == &format;
    if (!wanted) continue;
    if (!searches(format.format, Quantizer::Rtn))
      print_row(data, format, Quantizer::Rtn, false, options, std::nullopt);
    print_row(data, format, Quantizer::Search, false, options, peer);
    print_row(data, format, Quantizer::Search, true, options, peer);
    std::fflush(stdout);
  }
  return 0;
}
