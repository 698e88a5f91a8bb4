// Rates of statistics and histograms, of rounding errors and of exporting. Bytes are those of the tensor or
// file read.
//
//   bench_stats                      on a tensor in memory
//   BITLENS_BENCH_MODEL=f.gguf bench_stats   also on a whole file (warm: read once before)
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <numeric>
#include <random>

#include "core/analyze/statistics.h"
#include "core/export/export.h"
#include "kernels/stats/columns.h"
#include "kernels/stats/counts.h"
#include "kernels/stats/moments.h"

using namespace bitlens;

namespace {

constexpr std::size_t kTile = 32768;

std::vector<float> weights(std::size_t count) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  std::vector<float> values(count);
  for (float& x : values) x = normal(random);
  return values;
}

void set_rate(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}

void second_moments(benchmark::State& state) {
  const auto values = weights(kTile);
  for (auto _ : state)
    for (std::size_t row = 0; row < 16; ++row)
      benchmark::DoNotOptimize(kernels::second_moments(values.data() + row * 2048, 2048));
  set_rate(state, kTile * sizeof(float));
}
BENCHMARK(second_moments);

void fourth_moments(benchmark::State& state) {
  const auto values = weights(kTile);
  for (auto _ : state)
    for (std::size_t row = 0; row < 16; ++row)
      benchmark::DoNotOptimize(kernels::fourth_moments(values.data() + row * 2048, 2048));
  set_rate(state, kTile * sizeof(float));
}
BENCHMARK(fourth_moments);

void columns(benchmark::State& state) {
  const auto values = weights(kTile);
  kernels::ColumnStatistics statistics(2048);
  for (auto _ : state) statistics.add_rows(values.data(), 16, 2048, 0);
  set_rate(state, kTile * sizeof(float));
}
BENCHMARK(columns);

void count_codes(benchmark::State& state) {
  const auto values = weights(1U << 20U);
  std::vector<std::byte> codes(2 * values.size());
  kernels::encode(kernels::Format::F16, kernels::Quantizer::Rtn, values.data(), nullptr, codes.data(),
                  values.size());
  kernels::PatternCounts counts;
  for (auto _ : state) counts.add_codes(codes.data(), values.size());
  set_rate(state, codes.size());
}
BENCHMARK(count_codes);

std::shared_ptr<const io::ModelFile> model_file() {
  const char* path = std::getenv("BITLENS_BENCH_MODEL");
  if (path == nullptr) return nullptr;
  auto file = io::open_gguf(path);
  return file ? *file : nullptr;
}

void file_statistics(benchmark::State& state) {
  const auto file = model_file();
  if (!file) return state.SkipWithError("BITLENS_BENCH_MODEL names no model file");
  ThreadPool pool(static_cast<int>(state.range(0)));
  const WorkContext work{pool};
  if (!file->sha256(work)) return state.SkipWithError("cannot be read");
  std::vector<std::size_t> tensors(file->tensors().size());
  std::iota(tensors.begin(), tensors.end(), std::size_t{0});
  for (auto _ : state) benchmark::DoNotOptimize(analyze::weight_statistics(*file, tensors, work));
  set_rate(state, file->file_bytes());
}
BENCHMARK(file_statistics)
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime();

/// Argument: 2 * format + quantizer, with 2 threads.
void file_export(benchmark::State& state) {
  const auto file = model_file();
  if (!file) return state.SkipWithError("BITLENS_BENCH_MODEL names no model file");
  const auto format = static_cast<kernels::Format>(state.range(0) / 2);
  const auto quantizer = static_cast<kernels::Quantizer>(state.range(0) % 2);
  state.SetLabel(std::string(kernels::info(format).name) + " " + quantize::quantizer_name(quantizer));
  const auto resolved = quantize::resolve({"bench", {}, format}, *file, quantizer);
  if (!resolved) return state.SkipWithError(resolved.error().describe().c_str());
  ThreadPool pool(2);
  const std::string output = std::string(std::getenv("BITLENS_BENCH_MODEL")) + ".bench.gguf";
  for (auto _ : state) {
    const auto result = exporter::export_gguf(*file, *resolved, {output, true, {}}, WorkContext{pool});
    if (!result) return state.SkipWithError(result.error().describe().c_str());
    state.counters["encode_s"] = result->encode_seconds;
  }
  std::remove(output.c_str());
  set_rate(state, file->file_bytes());
}
BENCHMARK(file_export)
    ->Arg(2 * static_cast<int>(kernels::Format::Q8_0))
    ->Arg(2 * static_cast<int>(kernels::Format::Q4_0))
    ->Arg(2 * static_cast<int>(kernels::Format::Q4_0) + 1)
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
