// The levels of a format inside one real block, found by encoding and decoding: a block with the extremes of
// the tensor's typical block and evenly spread values between them visits every level. No format's formula is
// repeated here, so new formats are drawn without a change.
#include <algorithm>
#include <cmath>

#include "kernels/formats/codec.h"
#include "views/bridge/analysis_calls.h"
#include "views/bridge/entry.h"

namespace bitlens::views {

namespace {

constexpr std::size_t kSampledRows = 64;
constexpr std::size_t kProbes = 256;      // blocks of spread values
constexpr std::size_t kMostLevels = 300;  // more would paint the plot solid

struct Extremes {
  float low = 0, high = 0;
  [[nodiscard]] float abs_max() const { return std::max(std::abs(low), std::abs(high)); }
};

/// Extremes of the sampled block whose abs-max is the median.
Result<Extremes> typical_block(const io::ModelFile& file, std::size_t tensor, std::size_t block) {
  const io::TensorInfo& info = file.tensors()[tensor];
  const std::uint64_t rows = info.rows(), columns = info.row_length();
  std::vector<float> row(columns);
  std::vector<Extremes> blocks;
  const std::uint64_t step = std::max<std::uint64_t>(1, rows / kSampledRows);
  for (std::uint64_t r = 0; r < rows; r += step) {
    if (const Status read = io::decode_rows(file, tensor, r, 1, row.data()); !read) return pass(read);
    for (std::size_t begin = 0; begin + block <= row.size(); begin += block) {
      const auto [low, high] = std::minmax_element(row.begin() + static_cast<std::ptrdiff_t>(begin),
                                                   row.begin() + static_cast<std::ptrdiff_t>(begin + block));
      if (std::isfinite(*low) && std::isfinite(*high)) blocks.push_back({*low, *high});
    }
  }
  if (blocks.empty()) return Extremes{};
  const auto middle = blocks.begin() + static_cast<std::ptrdiff_t>(blocks.size() / 2);
  std::nth_element(blocks.begin(), middle, blocks.end(),
                   [](const Extremes& a, const Extremes& b) { return a.abs_max() < b.abs_max(); });
  return *middle;
}

}  // namespace

Result<QuantizationGrid> quantization_grid(const study::ModelSession& session, std::size_t tensor,
                                           kernels::Format format) {
  const Entry entry("quantization_grid");
  const kernels::FormatInfo& info = kernels::info(format);
  QuantizationGrid grid;
  if (const Status fits = quantize::check_format(session.file().tensors()[tensor], format); !fits)
    return pass(fits);
  const std::size_t block = std::max<std::size_t>(info.block_size, 32);
  const auto extremes = typical_block(session.file(), tensor, block);
  if (!extremes) return pass(extremes);
  grid.block_abs_max = static_cast<double>(extremes->abs_max());
  if (extremes->low >= extremes->high) return grid;

  const std::size_t inner = block - 2, total = kProbes * inner;
  std::vector<float> values(block);
  std::vector<std::byte> encoded(block / info.block_size * info.block_bytes);
  std::vector<float> levels;
  for (std::size_t probe = 0; probe < kProbes; ++probe) {
    values[0] = extremes->low;
    values[1] = extremes->high;
    for (std::size_t i = 0; i < inner; ++i) {
      const float t = static_cast<float>(probe * inner + i + 1) / static_cast<float>(total + 1);
      values[i + 2] = extremes->low + (extremes->high - extremes->low) * t;
    }
    kernels::encode(format, kernels::Quantizer::Rtn, values.data(), nullptr, encoded.data(), block);
    kernels::decode(format, encoded.data(), values.data(), block);
    levels.insert(levels.end(), values.begin(), values.end());
    std::sort(levels.begin(), levels.end());
    levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  }
  grid.count = levels.size();
  if (levels.size() <= kMostLevels) grid.levels.assign(levels.begin(), levels.end());
  return grid;
}

}  // namespace bitlens::views
