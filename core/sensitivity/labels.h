// Random numbers that depend on a counter alone, and labels drawn with them from a model's own predictions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bitlens::sensitivity {

/// Uniform in [0, 1) with 53 bits, a function of its arguments alone: the output step of SplitMix64 (Steele,
/// Lea and Flood, "Fast splittable pseudorandom number generators", 2014) applied to each counter in turn.
[[nodiscard]] double uniform(std::uint64_t seed, std::uint64_t window, std::uint64_t position,
                             std::uint64_t draw);

/// Turns a row of logits into probabilities, in place. False if one is NaN or infinite.
[[nodiscard]] bool softmax(std::span<float> row);

/// Draws labels.size() entries from `probabilities`; draw number i uses uniform(seed, window, position,
/// first_draw + i).
void draw_labels(std::span<const float> probabilities, std::uint64_t seed, std::uint64_t window,
                 std::uint64_t position, std::uint64_t first_draw, std::span<std::int32_t> labels);

}  // namespace bitlens::sensitivity
