// The bit fields of the K formats: 256 codes, one byte each, to and from the bytes of a super-block.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/formats/blocks.h"

namespace bitlens::kernels {

/// 8 scales and 8 minima of 6 bits in 12 bytes (Q4_K, Q5_K): the first four of each fill the low bits of
/// bytes 0..3 and 4..7, the last four have their low nibbles in bytes 8..11 and their upper bits above the
/// first ones.
inline void unpack_scales_and_minima(const std::uint8_t* bytes, std::uint8_t* scales, std::uint8_t* minima) {
  for (int j = 0; j < 4; ++j) {
    scales[j] = bytes[j] & 63;
    minima[j] = bytes[j + 4] & 63;
    scales[j + 4] = static_cast<std::uint8_t>((bytes[j + 8] & 15) | ((bytes[j] >> 6) << 4));
    minima[j + 4] = static_cast<std::uint8_t>((bytes[j + 8] >> 4) | ((bytes[j + 4] >> 6) << 4));
  }
}
inline void pack_scales_and_minima(const std::uint8_t* scales, const std::uint8_t* minima,
                                   std::uint8_t* bytes) {
  for (int j = 0; j < 4; ++j) {
    bytes[j] = static_cast<std::uint8_t>(scales[j] | ((scales[j + 4] >> 4) << 6));
    bytes[j + 4] = static_cast<std::uint8_t>(minima[j] | ((minima[j + 4] >> 4) << 6));
    bytes[j + 8] = static_cast<std::uint8_t>((scales[j + 4] & 15) | ((minima[j + 4] & 15) << 4));
  }
}

/// 16 scales of 6 bits in 12 bytes (Q3_K): low nibbles of 0..7 and 8..15 share bytes 0..7, the upper two bits
/// of scale j stand in byte 8 + j % 4 at bit 2 * (j / 4).
inline void unpack_six_bit_scales(const std::uint8_t* bytes, std::uint8_t* scales) {
  for (int j = 0; j < 16; ++j) {
    const int low = j < 8 ? bytes[j] & 15 : bytes[j - 8] >> 4;
    scales[j] = static_cast<std::uint8_t>(low | (((bytes[8 + j % 4] >> (2 * (j / 4))) & 3) << 4));
  }
}
inline void pack_six_bit_scales(const std::uint8_t* scales, std::uint8_t* bytes) {
  std::memset(bytes, 0, 12);
  for (int j = 0; j < 16; ++j) {
    const int low = scales[j] & 15;
    bytes[j % 8] = static_cast<std::uint8_t>(bytes[j % 8] | (j < 8 ? low : low << 4));
    bytes[8 + j % 4] = static_cast<std::uint8_t>(bytes[8 + j % 4] | ((scales[j] >> 4) << (2 * (j / 4))));
  }
}

/// 2-bit fields: of each 128 weights, byte l holds weights l, l + 32, l + 64, l + 96 from the low bits up.
[[gnu::always_inline]] inline void unpack_two_bits(const std::uint8_t* qs, std::uint8_t* codes) {
  for (int half = 0; half < 2; ++half) {
    for (int part = 0; part < 4; ++part) {
      for (int l = 0; l < 32; ++l) {
        codes[128 * half + 32 * part + l] = static_cast<std::uint8_t>((qs[32 * half + l] >> (2 * part)) & 3);
      }
    }
  }
}
/// Takes the bits at `shift` of each code.
[[gnu::always_inline]] inline void pack_two_bits(const std::uint8_t* codes, int shift, std::uint8_t* qs) {
  for (int half = 0; half < 2; ++half) {
    const std::uint8_t* c = codes + 128 * half;
    for (int l = 0; l < 32; ++l) {
      qs[32 * half + l] =
          static_cast<std::uint8_t>(((c[l] >> shift) & 3) | (((c[l + 32] >> shift) & 3) << 2) |
                                    (((c[l + 64] >> shift) & 3) << 4) | (((c[l + 96] >> shift) & 3) << 6));
    }
  }
}

/// One more bit per weight (Q3_K, Q5_K): bit k of byte l belongs to weight 32 * k + l. Added at `shift`.
[[gnu::always_inline]] inline void unpack_top_bits(const std::uint8_t* bits, int shift, std::uint8_t* codes) {
  for (int k = 0; k < 8; ++k) {
    for (int l = 0; l < 32; ++l) {
      codes[32 * k + l] = static_cast<std::uint8_t>(codes[32 * k + l] | (((bits[l] >> k) & 1) << shift));
    }
  }
}
[[gnu::always_inline]] inline void pack_top_bits(const std::uint8_t* codes, int shift, std::uint8_t* bits) {
  std::memset(bits, 0, 32);
  for (int k = 0; k < 8; ++k) {
    for (int l = 0; l < 32; ++l) {
      bits[l] = static_cast<std::uint8_t>(bits[l] | (((codes[32 * k + l] >> shift) & 1) << k));
    }
  }
}

/// 4-bit fields (Q4_K, Q5_K): of each 64 weights, byte l holds weights l (low) and l + 32 (high).
[[gnu::always_inline]] inline void unpack_four_bits(const std::uint8_t* qs, std::uint8_t* codes) {
  for (int k = 0; k < 4; ++k) {
    for (int l = 0; l < 32; ++l) {
      codes[64 * k + l] = qs[32 * k + l] & 15;
      codes[64 * k + 32 + l] = static_cast<std::uint8_t>(qs[32 * k + l] >> 4);
    }
  }
}
[[gnu::always_inline]] inline void pack_four_bits(const std::uint8_t* codes, std::uint8_t* qs) {
  for (int k = 0; k < 4; ++k) {
    for (int l = 0; l < 32; ++l) {
      qs[32 * k + l] =
          static_cast<std::uint8_t>((codes[64 * k + l] & 15) | ((codes[64 * k + 32 + l] & 15) << 4));
    }
  }
}

/// 6-bit fields (Q6_K): of each 128 weights, ql byte l (0..63) holds the low nibbles of weights l and l + 64,
/// qh byte l (0..31) the upper two bits of weights l, l + 32, l + 64, l + 96.
[[gnu::always_inline]] inline void unpack_six_bits(const std::uint8_t* ql, const std::uint8_t* qh,
                                                   std::uint8_t* codes) {
  unpack_two_bits(qh, codes);
  for (int half = 0; half < 2; ++half) {
    for (int l = 0; l < 64; ++l) {
      std::uint8_t* c = codes + 128 * half + l;
      c[0] = static_cast<std::uint8_t>((c[0] << 4) | (ql[64 * half + l] & 15));
      c[64] = static_cast<std::uint8_t>((c[64] << 4) | (ql[64 * half + l] >> 4));
    }
  }
}
[[gnu::always_inline]] inline void pack_six_bits(const std::uint8_t* codes, std::uint8_t* ql,
                                                 std::uint8_t* qh) {
  pack_two_bits(codes, 4, qh);
  for (int half = 0; half < 2; ++half) {
    for (int l = 0; l < 64; ++l) {
      const std::uint8_t* c = codes + 128 * half + l;
      ql[64 * half + l] = static_cast<std::uint8_t>((c[0] & 15) | ((c[64] & 15) << 4));
    }
  }
}

}  // namespace bitlens::kernels
