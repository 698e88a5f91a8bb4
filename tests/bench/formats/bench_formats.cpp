// Speed of every codec on one thread: bytes per second of F16 input for encoding (the F16 decoding included,
// as when a model is converted), of f32 output for decoding.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/formats/codec.h"

using namespace bitlens::kernels;

namespace {

constexpr std::size_t kRow = 4096;
constexpr std::size_t kRows = 32;

/// Bell-shaped weights with a few outliers, always the same.
std::vector<float> bell_weights(std::size_t count) {
  std::vector<float> values(count);
  std::uint64_t state = 88172645463325252U;
  const auto uniform = [&state] {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return static_cast<float>(state >> 40) * 0x1p-24F;
  };
  for (float& value : values) {
    value = 0.02F * (uniform() + uniform() + uniform() + uniform() - 2.0F) * std::sqrt(3.0F);
    if (uniform() < 0.002F) {
      value *= 8.0F;
    }
  }
  return values;
}

void encode_rows(benchmark::State& state, Format format, Quantizer quantizer, bool weighted) {
  const std::vector<float> weights = bell_weights(kRow * kRows);
  std::vector<std::byte> halves(weights.size() * 2);
  encode(Format::F16, Quantizer::Rtn, weights.data(), nullptr, halves.data(), weights.size());
  std::vector<float> importance(kRow);
  for (std::size_t j = 0; j < kRow; ++j) {
    importance[j] = 0.1F + 50.0F * std::abs(weights[j]);
  }
  std::vector<float> row(kRow);
  const std::size_t row_bytes = kRow / info(format).block_size * info(format).block_bytes;
  std::vector<std::byte> encoded(row_bytes);
  for (auto _ : state) {
    for (std::size_t r = 0; r < kRows; ++r) {
      decode(Format::F16, halves.data() + r * kRow * 2, row.data(), kRow);
      encode(format, quantizer, row.data(), weighted ? importance.data() : nullptr, encoded.data(), kRow);
      benchmark::DoNotOptimize(encoded.data());
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(halves.size()));
}

void decode_rows(benchmark::State& state, Format format) {
  const std::vector<float> weights = bell_weights(kRow);
  const std::size_t row_bytes = kRow / info(format).block_size * info(format).block_bytes;
  std::vector<std::byte> encoded(row_bytes);
  if (info(format).encodes) {
    encode(format, Quantizer::Rtn, weights.data(), nullptr, encoded.data(), kRow);
  }
  std::vector<float> row(kRow);
  for (auto _ : state) {
    decode(format, encoded.data(), row.data(), kRow);
    benchmark::DoNotOptimize(row.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kRow) * 4);
}

}  // namespace

int main(int argc, char** argv) {
  for (const FormatInfo& format : all_formats()) {
    const std::string name(format.name);
    if (format.decodes) {
      benchmark::RegisterBenchmark(("decode/" + name).c_str(), decode_rows, format.format);
    }
    if (format.encodes) {
      benchmark::RegisterBenchmark(("encode/rtn/" + name).c_str(), encode_rows, format.format, Quantizer::Rtn,
                                   false);
      benchmark::RegisterBenchmark(("encode/search/" + name).c_str(), encode_rows, format.format,
                                   Quantizer::Search, false);
      benchmark::RegisterBenchmark(("encode/weighted/" + name).c_str(), encode_rows, format.format,
                                   Quantizer::Search, true);
    }
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
