// Memory layout of the blocks, as ggml and GGUF define them. All fields are bytes, so a block may stand at
// any address; 16-bit fields are little-endian F16 unless said otherwise.
#pragma once

#include <cstdint>

namespace bitlens::kernels {

/// 32 weights: d * (q - 8), low nibbles first half, high nibbles second half.
struct BlockQ4_0 {
  static constexpr int kSize = 32;
  std::uint8_t d[2];
  std::uint8_t qs[16];
};
/// 32 weights: d * q + m.
struct BlockQ4_1 {
  static constexpr int kSize = 32;
  std::uint8_t d[2];
  std::uint8_t m[2];
  std::uint8_t qs[16];
};
/// 32 weights: d * (q - 16); bit j of qh is bit 4 of weight j.
struct BlockQ5_0 {
  static constexpr int kSize = 32;
  std::uint8_t d[2];
  std::uint8_t qh[4];
  std::uint8_t qs[16];
};
/// 32 weights: d * q + m.
struct BlockQ5_1 {
  static constexpr int kSize = 32;
  std::uint8_t d[2];
  std::uint8_t m[2];
  std::uint8_t qh[4];
  std::uint8_t qs[16];
};
/// 32 weights: d * q.
struct BlockQ8_0 {
  static constexpr int kSize = 32;
  std::uint8_t d[2];
  std::int8_t qs[32];
};

// Super-blocks of 256 weights: sub-blocks with small integer scales (and minima) on top of one or two F16
// factors.

/// 16 sub-blocks of 16: d * (scale & 15) * q - dmin * (scale >> 4), q of 2 bits.
struct BlockQ2_K {
  std::uint8_t scales[16];
  std::uint8_t qs[64];
  std::uint8_t d[2];
  std::uint8_t dmin[2];
};
/// 16 sub-blocks of 16: d * (scale - 32) * (q - 4), q of 3 bits (the upper one in hmask), scales of 6 bits.
struct BlockQ3_K {
  std::uint8_t hmask[32];
  std::uint8_t qs[64];
  std::uint8_t scales[12];
  std::uint8_t d[2];
};
/// 8 sub-blocks of 32: d * scale * q - dmin * min, scales and minima of 6 bits, q of 4 bits.
struct BlockQ4_K {
  std::uint8_t d[2];
  std::uint8_t dmin[2];
  std::uint8_t scales[12];
  std::uint8_t qs[128];
};
/// As Q4_K with a fifth bit in qh.
struct BlockQ5_K {
  std::uint8_t d[2];
  std::uint8_t dmin[2];
  std::uint8_t scales[12];
  std::uint8_t qh[32];
  std::uint8_t qs[128];
};
/// 16 sub-blocks of 16: d * scale * (q - 32), q of 6 bits.
struct BlockQ6_K {
  std::uint8_t ql[128];
  std::uint8_t qh[64];
  std::int8_t scales[16];
  std::uint8_t d[2];
};

/// 32 weights: d * level[q], 16 uneven levels (iq4_levels.h).
struct BlockIQ4_NL {
  static constexpr int kSize = 32;
  std::uint8_t d[2];
  std::uint8_t qs[16];
};
/// 8 sub-blocks of 32: d * (scale - 32) * level[q], scales of 6 bits: low nibbles in scales_l, upper pairs of
/// bits in the 16-bit field scales_h.
struct BlockIQ4_XS {
  std::uint8_t d[2];
  std::uint8_t scales_h[2];
  std::uint8_t scales_l[4];
  std::uint8_t qs[128];
};

/// 256 weights: d * (q - 1), q in 0..2. Five weights per byte of qs, four per byte of qh, as base-3
/// fractions.
struct BlockTQ1_0 {
  static constexpr int kSize = 256;
  std::uint8_t qs[48];
  std::uint8_t qh[4];
  std::uint8_t d[2];
};
/// The same values with two bits each.
struct BlockTQ2_0 {
  static constexpr int kSize = 256;
  std::uint8_t qs[64];
  std::uint8_t d[2];
};

/// 32 weights: 2^(e - 128) * v, v one of the doubled E2M1 values 0 1 2 3 4 6 8 12 and their negatives.
struct BlockMXFP4 {
  std::uint8_t e;
  std::uint8_t qs[16];
};
/// 4 sub-blocks of 16: UE4M3(d) / 2 * v, v as in MXFP4.
struct BlockNVFP4 {
  std::uint8_t d[4];
  std::uint8_t qs[32];
};

// Codebook formats, 256 weights in 8 sub-blocks of 32. Words are little-endian.

/// Per sub-block 8 bytes: 4 entries, then a word of 4 x 7 sign bits and a 4-bit scale.
struct BlockIQ2_XXS {
  std::uint8_t d[2];
  std::uint8_t qs[64];
};
/// Per vector of 8 a 16-bit word: entry (9 bits) and signs (7 bits); one scale nibble per 16 weights.
struct BlockIQ2_XS {
  std::uint8_t d[2];
  std::uint8_t qs[64];
  std::uint8_t scales[8];
};
/// Per vector of 8 the low entry byte, a sign byte, and two upper entry bits in qh; scales as IQ2_XS.
struct BlockIQ2_S {
  std::uint8_t d[2];
  std::uint8_t qs[32];
  std::uint8_t signs[32];
  std::uint8_t qh[8];
  std::uint8_t scales[8];
};
/// Per vector of 4 an entry byte; per sub-block a word of 4 x 7 sign bits and a 4-bit scale.
struct BlockIQ3_XXS {
  std::uint8_t d[2];
  std::uint8_t qs[64];
  std::uint8_t signs_and_scales[32];
};
/// Per vector of 4 the low entry byte, its ninth bit in qh; a sign bit per weight; a scale nibble per
/// sub-block.
struct BlockIQ3_S {
  std::uint8_t d[2];
  std::uint8_t qs[64];
  std::uint8_t qh[8];
  std::uint8_t signs[32];
  std::uint8_t scales[4];
};
/// Per vector of 8 the low entry byte; per sub-block a word: 4 x 3 upper entry bits, 3 scale bits, sign of
/// the shift.
struct BlockIQ1_S {
  std::uint8_t d[2];
  std::uint8_t qs[32];
  std::uint8_t qh[16];
};
/// Per vector of 8 the low entry byte and a nibble: 3 upper entry bits, sign of the shift. Four words of
/// scales hold four 3-bit scales (one per 16 weights) and a quarter of the F16 factor each.
struct BlockIQ1_M {
  std::uint8_t qs[32];
  std::uint8_t qh[16];
  std::uint8_t scales[8];
};

static_assert(sizeof(BlockIQ2_XXS) == 66 && sizeof(BlockIQ2_XS) == 74 && sizeof(BlockIQ2_S) == 82);
static_assert(sizeof(BlockIQ3_XXS) == 98 && sizeof(BlockIQ3_S) == 110);
static_assert(sizeof(BlockIQ1_S) == 50 && sizeof(BlockIQ1_M) == 56);
/// 128 weights: d or -d, one bit each (set: d).
struct BlockQ1_0 {
  static constexpr int kSize = 128;
  std::uint8_t d[2];
  std::uint8_t qs[16];
};
/// 64 weights: d * (q - 1), q of 2 bits, four consecutive weights per byte.
struct BlockQ2_0 {
  static constexpr int kSize = 64;
  std::uint8_t d[2];
  std::uint8_t qs[16];
};
static_assert(sizeof(BlockQ1_0) == 18 && sizeof(BlockQ2_0) == 18);

static_assert(sizeof(BlockIQ4_NL) == 18 && sizeof(BlockIQ4_XS) == 136 && sizeof(BlockTQ1_0) == 54);
static_assert(sizeof(BlockTQ2_0) == 66 && sizeof(BlockMXFP4) == 17 && sizeof(BlockNVFP4) == 36);
static_assert(sizeof(BlockQ2_K) == 84 && sizeof(BlockQ3_K) == 110 && sizeof(BlockQ4_K) == 144);
static_assert(sizeof(BlockQ5_K) == 176 && sizeof(BlockQ6_K) == 210);

static_assert(sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4_1) == 20 && sizeof(BlockQ5_0) == 22);
static_assert(sizeof(BlockQ5_1) == 24 && sizeof(BlockQ8_0) == 34);

}  // namespace bitlens::kernels
