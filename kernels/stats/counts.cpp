#include "kernels/stats/counts.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace bitlens::kernels {

namespace {
constexpr std::size_t kGroup = 8;  // patterns fetched before their counters are touched
}

void PatternCounts::make_room(std::size_t count) {
  if (pending_ + count > std::numeric_limits<std::uint32_t>::max()) flush();
  pending_ += count;
}

void PatternCounts::flush() {
  if (pending_ == 0) return;
  flushed_ = true;
  for (std::size_t i = 0; i < kPatterns; ++i) {
    total_[i] += recent_[i];
    recent_[i] = 0;
  }
  pending_ = 0;
}

void PatternCounts::add_codes(const std::byte* codes, std::size_t count) {
  make_room(count);
  std::uint32_t* counters = recent_.data();
  std::size_t i = 0;
  std::uint64_t four[2];
  for (; i + kGroup <= count; i += kGroup) {
    std::memcpy(four, codes + 2 * i, sizeof four);
    for (std::uint64_t bits : four) {
      ++counters[bits & 0xFFFFU];
      ++counters[(bits >> 16U) & 0xFFFFU];
      ++counters[(bits >> 32U) & 0xFFFFU];
      ++counters[bits >> 48U];
    }
  }
  for (; i < count; ++i) {
    std::uint16_t code = 0;
    std::memcpy(&code, codes + 2 * i, sizeof code);
    ++counters[code];
  }
}

void PatternCounts::add_upper_halves(const float* values, std::size_t count) {
  make_room(count);
  std::uint32_t* counters = recent_.data();
  std::size_t i = 0;
  std::uint64_t two[kGroup / 2];
  for (; i + kGroup <= count; i += kGroup) {
    std::memcpy(two, values + i, sizeof two);
    for (std::uint64_t bits : two) {
      ++counters[(bits >> 16U) & 0xFFFFU];
      ++counters[bits >> 48U];
    }
  }
  for (; i < count; ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, values + i, sizeof bits);
    ++counters[bits >> 16U];
  }
}

void PatternCounts::absorb(PatternCounts& other) {
  if (other.flushed_)
    for (std::size_t i = 0; i < kPatterns; ++i) {
      total_[i] += other.total_[i];
      other.total_[i] = 0;
    }
  for (std::size_t i = 0; i < kPatterns; ++i) {
    total_[i] += other.recent_[i];
    other.recent_[i] = 0;
  }
  flushed_ = true;
  other.flushed_ = false;
  other.pending_ = 0;
}

const std::vector<std::uint64_t>& PatternCounts::totals() {
  flush();
  return total_;
}

void count_in_steps(const float* values, std::size_t count, int shift, std::uint64_t* bins,
                    std::size_t size) {
  const double scale = std::ldexp(1.0, shift);  // exact, also where 2^shift is no f32
  const auto half = static_cast<std::int64_t>(size / 2);
  for (std::size_t i = 0; i < count; ++i) {
    const double steps = static_cast<double>(values[i]) * scale;
    auto whole = static_cast<std::int64_t>(steps);
    whole -= static_cast<double>(whole) > steps ? 1 : 0;  // towards minus infinity
    ++bins[std::min(static_cast<std::size_t>(whole + half), size - 1)];
  }
}

}  // namespace bitlens::kernels
