// Codes of 4 and 5 bits of 32 weights to and from the byte fields of a block, eight bytes at a time
// (compilers make much slower code of the plain loops).
#pragma once

#include <cstdint>
#include <cstring>

namespace bitlens::kernels {

[[gnu::always_inline]] inline std::uint64_t load_u64(const std::uint8_t* source) {
  std::uint64_t value = 0;
  std::memcpy(&value, source, sizeof value);
  return value;
}
[[gnu::always_inline]] inline void store_u64(std::uint8_t* target, std::uint64_t value) {
  std::memcpy(target, &value, sizeof value);
}

inline constexpr std::uint64_t kLowNibbles = 0x0F0F0F0F0F0F0F0FU;
inline constexpr std::uint64_t kLowBits = 0x0101010101010101U;

/// 32 codes of 4 bits out of 16 bytes: low nibbles are the first 16.
[[gnu::always_inline]] inline void unpack_nibbles(const std::uint8_t* qs, std::uint8_t* codes) {
  for (int half = 0; half < 16; half += 8) {
    const std::uint64_t bytes = load_u64(qs + half);
    store_u64(codes + half, bytes & kLowNibbles);
    store_u64(codes + half + 16, (bytes >> 4) & kLowNibbles);
  }
}
[[gnu::always_inline]] inline void pack_nibbles(const std::uint8_t* codes, std::uint8_t* qs) {
  for (int half = 0; half < 16; half += 8) {
    store_u64(qs + half,
              (load_u64(codes + half) & kLowNibbles) | ((load_u64(codes + half + 16) & kLowNibbles) << 4));
  }
}

/// Adds bit 4 of 32 codes; bit j of the four bytes belongs to code j.
[[gnu::always_inline]] inline void unpack_fifth_bits(const std::uint8_t* qh, std::uint8_t* codes) {
  for (int k = 0; k < 4; ++k) {
    // Byte j keeps bit j of the source; adding 127 carries it into bit 7.
    const std::uint64_t spread = (qh[k] * kLowBits) & 0x8040201008040201U;
    const std::uint64_t top = (spread + 0x7F7F7F7F7F7F7F7FU) & 0x8080808080808080U;
    store_u64(codes + 8 * k, load_u64(codes + 8 * k) | (top >> 3));
  }
}
[[gnu::always_inline]] inline void pack_fifth_bits(const std::uint8_t* codes, std::uint8_t* qh) {
  for (int k = 0; k < 4; ++k) {
    // The product moves bit 0 of byte j to bit 56 + j.
    const std::uint64_t bits = (load_u64(codes + 8 * k) >> 4) & kLowBits;
    qh[k] = static_cast<std::uint8_t>((bits * 0x0102040810204080U) >> 56);
  }
}

}  // namespace bitlens::kernels
