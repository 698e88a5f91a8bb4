// Codes of 4 and 5 bits of 32 weights to and from the byte fields of a block.
#pragma once

#include <cstdint>

namespace bitlens::kernels {

/// 32 codes of 4 bits out of 16 bytes: low nibbles are the first 16.
[[gnu::always_inline]] inline void unpack_nibbles(const std::uint8_t* qs, std::uint8_t* codes) {
  for (int j = 0; j < 16; ++j) {
    codes[j] = qs[j] & 0x0F;
    codes[j + 16] = static_cast<std::uint8_t>(qs[j] >> 4);
  }
}
[[gnu::always_inline]] inline void pack_nibbles(const std::uint8_t* codes, std::uint8_t* qs) {
  for (int j = 0; j < 16; ++j) {
    qs[j] = static_cast<std::uint8_t>((codes[j] & 0x0F) | (codes[j + 16] << 4));
  }
}

/// Adds bit 4 of 32 codes; bit j of the four bytes belongs to code j.
[[gnu::always_inline]] inline void unpack_fifth_bits(const std::uint8_t* qh, std::uint8_t* codes) {
  for (int k = 0; k < 4; ++k) {
    for (int j = 0; j < 8; ++j) {
      codes[8 * k + j] = static_cast<std::uint8_t>(codes[8 * k + j] | (((qh[k] >> j) & 1) << 4));
    }
  }
}
[[gnu::always_inline]] inline void pack_fifth_bits(const std::uint8_t* codes, std::uint8_t* qh) {
  for (int k = 0; k < 4; ++k) {
    unsigned bits = 0;
    for (int j = 0; j < 8; ++j) {
      bits |= ((codes[8 * k + j] >> 4) & 1U) << j;
    }
    qh[k] = static_cast<std::uint8_t>(bits);
  }
}

}  // namespace bitlens::kernels
