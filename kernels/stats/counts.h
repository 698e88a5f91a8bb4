// Counting values by sixteen bits of their pattern: exact for the 16-bit formats (every code is a value), a
// first cut for f32 (sign, exponent and the upper 7 bits of the mantissa: what bfloat16 keeps when
// truncated).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitlens::kernels {

inline constexpr std::size_t kPatterns = 65536;
/// Magnitude of a pattern: all but the sign. Ascending patterns are ascending magnitudes, for F16, BF16 and
/// f32.
inline constexpr std::size_t kMagnitudes = kPatterns / 2;

/// One counter per pattern. Whole numbers: adding is exact in any order.
class PatternCounts {
 public:
  PatternCounts() : recent_(kPatterns), total_(kPatterns) {}
  /// Counts `count` little-endian 16-bit codes.
  void add_codes(const std::byte* codes, std::size_t count);
  /// Counts the upper halves of `count` f32 patterns.
  void add_upper_halves(const float* values, std::size_t count);
  /// Adds and empties `other`.
  void absorb(PatternCounts& other);
  /// All that was counted, kPatterns numbers.
  [[nodiscard]] const std::vector<std::uint64_t>& totals();

 private:
  void make_room(std::size_t count);
  void flush();
  std::vector<std::uint32_t> recent_;  // half the size of the totals: more of it stays in the cache
  std::vector<std::uint64_t> total_;
  std::uint64_t pending_ = 0;  // counted in recent_
  bool flushed_ = false;       // total_ holds something
};

/// Histogram of values * 2^shift in unit steps: bin floor(x * 2^shift) + bins / 2; a value on the upper edge
/// of the last bin belongs to it. All |x| * 2^shift <= bins / 2.
void count_in_steps(const float* values, std::size_t count, int shift, std::uint64_t* bins, std::size_t size);

}  // namespace bitlens::kernels
