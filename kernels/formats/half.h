// 16-bit floats: IEEE binary16 (F16) and bfloat16 (BF16) to and from binary32. Exact, subnormals included;
// narrowing rounds to nearest, ties to even; overflow gives infinity; a NaN stays a (quiet) NaN.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

namespace bitlens::kernels {

/// Largest finite F16 value.
inline constexpr float kMaxHalf = 65504.0F;

[[nodiscard]] inline float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000U) << 16;
  std::uint32_t bits = (half & 0x7FFFU) << 13;
  const std::uint32_t exponent = bits & (0x7C00U << 13);
  bits += (127U - 15U) << 23;
  if (exponent == (0x7C00U << 13)) {  // infinity or NaN
    bits += (128U - 16U) << 23;
    if ((half & 0x3FFU) != 0) {
      bits |= 1U << 22;
    }
  } else if (exponent == 0) {  // zero or subnormal: 2^-14 * (1 + m) - 2^-14
    const float magnitude = std::bit_cast<float>(bits + (1U << 23)) - std::bit_cast<float>(113U << 23);
    bits = std::bit_cast<std::uint32_t>(magnitude);
  }
  return std::bit_cast<float>(bits | sign);
}

[[nodiscard]] inline std::uint16_t float_to_half(float value) {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000U;
  bits &= 0x7FFFFFFFU;
  std::uint32_t half = 0;
  if (bits >= (143U << 23)) {  // 65536 and above, infinity, NaN
    half = bits > 0x7F800000U ? 0x7E00U | ((bits >> 13) & 0x3FFU) : 0x7C00U;
  } else if (bits < (113U << 23)) {  // subnormal: adding 1/2 leaves the rounded mantissa in the low bits
    half = std::bit_cast<std::uint32_t>(std::bit_cast<float>(bits) + 0.5F) - (126U << 23);
  } else {
    const std::uint32_t odd = (bits >> 13) & 1U;
    half = (bits - (112U << 23) + 0xFFFU + odd) >> 13;
  }
  return static_cast<std::uint16_t>(half | sign);
}

/// The nearest F16 value of magnitude at most kMaxHalf: what a block's scale is stored as, so that no finite
/// input ever decodes to infinity or NaN.
[[nodiscard]] inline std::uint16_t float_to_finite_half(float value) {
  const float limited = value > kMaxHalf ? kMaxHalf : (value < -kMaxHalf ? -kMaxHalf : value);
  return float_to_half(limited);
}

[[nodiscard]] inline float bfloat_to_float(std::uint16_t bfloat) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bfloat) << 16);
}

[[nodiscard]] inline std::uint16_t float_to_bfloat(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
    return static_cast<std::uint16_t>((bits >> 16) | 64U);
  }
  return static_cast<std::uint16_t>((bits + (0x7FFFU + ((bits >> 16) & 1U))) >> 16);
}

/// Unaligned little-endian access to the 16-bit fields inside blocks.
[[nodiscard]] inline std::uint16_t load_u16(const void* source) {
  std::uint16_t value = 0;
  std::memcpy(&value, source, sizeof value);
  return value;
}
inline void store_u16(void* target, std::uint16_t value) {
  std::memcpy(target, &value, sizeof value);
}
[[nodiscard]] inline float load_half(const void* source) {
  return half_to_float(load_u16(source));
}

}  // namespace bitlens::kernels
