// Arithmetic on sizes and offsets that come from files: the result, or nothing if it does not fit 64 bits.
#pragma once

#include <cstdint>
#include <optional>

namespace bitlens {

[[nodiscard]] inline std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

[[nodiscard]] inline std::optional<std::uint64_t> checked_mul(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

/// The smallest multiple of `alignment` (a power of two) that is >= `value`.
[[nodiscard]] inline std::optional<std::uint64_t> checked_align_up(std::uint64_t value,
                                                                   std::uint64_t alignment) {
  const auto raised = checked_add(value, alignment - 1);
  if (!raised) return std::nullopt;
  return *raised & ~(alignment - 1);
}

}  // namespace bitlens
