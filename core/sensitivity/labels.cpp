#include "core/sensitivity/labels.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "kernels/dense/logits.h"

namespace bitlens::sensitivity {

namespace {

std::uint64_t mix(std::uint64_t state) {
  state += 0x9E3779B97F4A7C15U;
  state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9U;
  state = (state ^ (state >> 27)) * 0x94D049BB133111EBU;
  return state ^ (state >> 31);
}

}  // namespace

double uniform(std::uint64_t seed, std::uint64_t window, std::uint64_t position, std::uint64_t draw) {
  std::uint64_t state = mix(seed);
  for (const std::uint64_t counter : {window, position, draw}) state = mix(state ^ mix(counter));
  return static_cast<double>(state >> 11) * 0x1p-53;
}

bool softmax(std::span<float> row) {
  kernels::LogitSummary summary;
  kernels::summarize_logits(row.data(), row.size(), 0, row.size(), summary);
  if (!std::isfinite(summary.sum) || !std::isfinite(summary.largest)) return false;
  kernels::to_probabilities(row.data(), row.size(), summary.largest, summary.sum);
  return true;
}

void draw_labels(std::span<const float> probabilities, std::uint64_t seed, std::uint64_t window,
                 std::uint64_t position, std::uint64_t first_draw, std::span<std::int32_t> labels) {
  // The distribution in blocks: one walk over their sums serves all draws, and only blocks that a draw falls
  // into are looked at entry by entry.
  constexpr std::size_t kBlock = 256, kSums = 8;
  std::vector<double> blocks((probabilities.size() + kBlock - 1) / kBlock);
  double total = 0.0;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const auto block = probabilities.subspan(b * kBlock, std::min(kBlock, probabilities.size() - b * kBlock));
    double sums[kSums] = {};
    for (std::size_t v = 0; v < block.size(); ++v) sums[v % kSums] += static_cast<double>(block[v]);
    for (const double sum : sums) blocks[b] += sum;
    total += blocks[b];
  }
  std::vector<std::pair<double, std::size_t>> wanted(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i)
    wanted[i] = {uniform(seed, window, position, first_draw + i) * total, i};
  std::ranges::sort(wanted);
  std::size_t next = 0;
  double before = 0.0;
  for (std::size_t b = 0; b < blocks.size() && next < wanted.size(); ++b) {
    const double after = before + blocks[b];
    if (wanted[next].first < after) {
      double sum = before;
      std::size_t last = b * kBlock;
      for (std::size_t v = last; v < std::min(probabilities.size(), (b + 1) * kBlock); ++v) {
        if (probabilities[v] > 0.0F) last = v;
        sum += static_cast<double>(probabilities[v]);
        for (; next < wanted.size() && wanted[next].first < sum; ++next)
          labels[wanted[next].second] = static_cast<std::int32_t>(v);
      }
      // What rounding leaves over goes to the last entry that has any probability.
      for (; next < wanted.size() && wanted[next].first < after; ++next)
        labels[wanted[next].second] = static_cast<std::int32_t>(last);
    }
    before = after;
  }
  std::size_t last = probabilities.size() - 1;
  while (last > 0 && !(probabilities[last] > 0.0F)) --last;
  for (; next < wanted.size(); ++next) labels[wanted[next].second] = static_cast<std::int32_t>(last);
}

}  // namespace bitlens::sensitivity
