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
  const float largest = summary.largest;
  const auto scale = static_cast<float>(1.0 / summary.sum);
  for (float& value : row) value = std::exp(value - largest) * scale;
  return true;
}

void draw_labels(std::span<const float> probabilities, std::uint64_t seed, std::uint64_t window,
                 std::uint64_t position, std::uint64_t first_draw, std::span<std::int32_t> labels) {
  double total = 0.0;
  for (const float p : probabilities) total += static_cast<double>(p);
  std::vector<std::pair<double, std::size_t>> wanted(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i)
    wanted[i] = {uniform(seed, window, position, first_draw + i) * total, i};
  std::ranges::sort(wanted);
  // One walk over the distribution serves all draws. The last entry that has any probability catches what
  // rounding leaves over.
  std::size_t next = 0, last = 0;
  double sum = 0.0;
  for (std::size_t v = 0; v < probabilities.size() && next < wanted.size(); ++v) {
    if (probabilities[v] > 0.0F) last = v;
    sum += static_cast<double>(probabilities[v]);
    for (; next < wanted.size() && wanted[next].first < sum; ++next)
      labels[wanted[next].second] = static_cast<std::int32_t>(v);
  }
  for (; next < wanted.size(); ++next) labels[wanted[next].second] = static_cast<std::int32_t>(last);
}

}  // namespace bitlens::sensitivity
