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

static_assert(sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4_1) == 20 && sizeof(BlockQ5_0) == 22);
static_assert(sizeof(BlockQ5_1) == 24 && sizeof(BlockQ8_0) == 34);

}  // namespace bitlens::kernels
