// Q4_0 Q4_1 Q5_0 Q5_1 Q8_0: decoding, and plain rounding with the same bytes as ggml's reference quantizers.
// The loops are plain code that the compiler vectorises for each target.
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/formats/blocks.h"
#include "kernels/formats/families.h"
#include "kernels/formats/half.h"
#include "kernels/formats/packing.h"

#define HWY_TARGET_INCLUDE "kernels/formats/simple_blocks.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

constexpr int kBlock = 32;

template <class Block>
const Block* blocks_at(const std::byte* source) {
  return reinterpret_cast<const Block*>(source);
}
template <class Block>
Block* blocks_at(std::byte* target) {
  return reinterpret_cast<Block*>(target);
}

void decode_q4_0_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = blocks_at<BlockQ4_0>(source);
  for (const float* end = target + count; target != end; target += kBlock, ++block) {
    const float d = load_half(block->d);
    std::uint8_t codes[kBlock];
    unpack_nibbles(block->qs, codes);
    for (int j = 0; j < kBlock; ++j) {
      target[j] = static_cast<float>(codes[j] - 8) * d;
    }
  }
}

void decode_q4_1_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = blocks_at<BlockQ4_1>(source);
  for (const float* end = target + count; target != end; target += kBlock, ++block) {
    const float d = load_half(block->d);
    const float m = load_half(block->m);
    std::uint8_t codes[kBlock];
    unpack_nibbles(block->qs, codes);
    for (int j = 0; j < kBlock; ++j) {
      target[j] = static_cast<float>(codes[j]) * d + m;
    }
  }
}

void decode_q5_0_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = blocks_at<BlockQ5_0>(source);
  for (const float* end = target + count; target != end; target += kBlock, ++block) {
    const float d = load_half(block->d);
    std::uint8_t codes[kBlock];
    unpack_nibbles(block->qs, codes);
    unpack_fifth_bits(block->qh, codes);
    for (int j = 0; j < kBlock; ++j) {
      target[j] = static_cast<float>(codes[j] - 16) * d;
    }
  }
}

void decode_q5_1_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = blocks_at<BlockQ5_1>(source);
  for (const float* end = target + count; target != end; target += kBlock, ++block) {
    const float d = load_half(block->d);
    const float m = load_half(block->m);
    std::uint8_t codes[kBlock];
    unpack_nibbles(block->qs, codes);
    unpack_fifth_bits(block->qh, codes);
    for (int j = 0; j < kBlock; ++j) {
      target[j] = static_cast<float>(codes[j]) * d + m;
    }
  }
}

void decode_q8_0_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = blocks_at<BlockQ8_0>(source);
  for (const float* end = target + count; target != end; target += kBlock, ++block) {
    const float d = load_half(block->d);
    for (int j = 0; j < kBlock; ++j) {
      target[j] = static_cast<float>(block->qs[j]) * d;
    }
  }
}

/// |x| as integer bits order like the values, and a maximum of integers vectorises.
HWY_INLINE float largest_magnitude(const float* x) {
  std::int32_t bits[kBlock];
  std::memcpy(bits, x, sizeof bits);
  std::int32_t largest = 0;
  for (int j = 0; j < kBlock; ++j) {
    const std::int32_t magnitude = bits[j] & 0x7FFFFFFF;
    largest = magnitude > largest ? magnitude : largest;
  }
  float result = 0;
  std::memcpy(&result, &largest, sizeof result);
  return result;
}

/// The weight of largest magnitude with its sign; the first one among equals.
HWY_INLINE float signed_extreme(const float* x) {
  const float largest = largest_magnitude(x);
  int negative = 0;
  int positive = 0;
  for (int j = 0; j < kBlock; ++j) {
    positive |= x[j] == largest ? 1 : 0;
    negative |= x[j] == -largest ? 1 : 0;
  }
  if (positive != 0 && negative != 0) {
    for (int j = 0; j < kBlock; ++j) {
      if (x[j] == largest || x[j] == -largest) {
        return x[j];
      }
    }
  }
  return positive != 0 ? largest : -largest;
}

/// Bits of a float, reordered so that signed integers compare like the floats (-0 below +0).
HWY_INLINE std::int32_t ordered(std::int32_t bits) {
  return bits ^ ((bits >> 31) & 0x7FFFFFFF);
}

/// Smallest and largest weight; of several zeros the first.
HWY_INLINE void extremes(const float* x, float& min, float& max) {
  std::int32_t bits[kBlock];
  std::memcpy(bits, x, sizeof bits);
  std::int32_t low = INT32_MAX;
  std::int32_t high = INT32_MIN;
  for (int j = 0; j < kBlock; ++j) {
    const std::int32_t key = ordered(bits[j]);
    low = key < low ? key : low;
    high = key > high ? key : high;
  }
  low = ordered(low);
  high = ordered(high);
  std::memcpy(&min, &low, sizeof min);
  std::memcpy(&max, &high, sizeof max);
  if (min == 0.0F) {
    for (int j = 0; j < kBlock; ++j) {
      if (x[j] == 0.0F) {
        min = x[j];
        break;
      }
    }
  }
}

/// 1 / scale; 0 where that would not be finite (the stored scale is then 0 as well).
HWY_INLINE float inverse(float scale) {
  const float result = scale != 0.0F ? 1.0F / scale : 0.0F;
  return std::isfinite(result) ? result : 0.0F;
}

/// codes = min(floor((x - offset) * inverse_scale + shift), top), for values that are not negative.
HWY_INLINE void round_codes(const float* x, float offset, float inverse_scale, float shift, float top,
                            std::uint8_t* codes) {
  std::int32_t wide[kBlock];
  for (int j = 0; j < kBlock; ++j) {
    float value = (x[j] - offset) * inverse_scale + shift;
    value = value < top ? value : top;
    value = value > 0.0F ? value : 0.0F;
    wide[j] = static_cast<std::int32_t>(value);
  }
  for (int j = 0; j < kBlock; ++j) {
    codes[j] = static_cast<std::uint8_t>(wide[j]);
  }
}

void rtn_q4_0_blocks(const float* source, std::byte* target, std::size_t count) {
  auto* block = blocks_at<BlockQ4_0>(target);
  for (const float* end = source + count; source != end; source += kBlock, ++block) {
    const float d = signed_extreme(source) / -8.0F;
    std::uint8_t codes[kBlock];
    round_codes(source, 0.0F, inverse(d), 8.5F, 15.0F, codes);
    store_u16(block->d, float_to_finite_half(d));
    pack_nibbles(codes, block->qs);
  }
}

void rtn_q5_0_blocks(const float* source, std::byte* target, std::size_t count) {
  auto* block = blocks_at<BlockQ5_0>(target);
  for (const float* end = source + count; source != end; source += kBlock, ++block) {
    const float d = signed_extreme(source) / -16.0F;
    std::uint8_t codes[kBlock];
    round_codes(source, 0.0F, inverse(d), 16.5F, 31.0F, codes);
    store_u16(block->d, float_to_finite_half(d));
    pack_nibbles(codes, block->qs);
    pack_fifth_bits(codes, block->qh);
  }
}

void rtn_q4_1_blocks(const float* source, std::byte* target, std::size_t count) {
  auto* block = blocks_at<BlockQ4_1>(target);
  for (const float* end = source + count; source != end; source += kBlock, ++block) {
    float min = 0;
    float max = 0;
    extremes(source, min, max);
    const float d = (max - min) / 15.0F;
    std::uint8_t codes[kBlock];
    round_codes(source, min, inverse(d), 0.5F, 15.0F, codes);
    store_u16(block->d, float_to_finite_half(d));
    store_u16(block->m, float_to_finite_half(min));
    pack_nibbles(codes, block->qs);
  }
}

void rtn_q5_1_blocks(const float* source, std::byte* target, std::size_t count) {
  auto* block = blocks_at<BlockQ5_1>(target);
  for (const float* end = source + count; source != end; source += kBlock, ++block) {
    float min = 0;
    float max = 0;
    extremes(source, min, max);
    const float d = (max - min) / 31.0F;
    std::uint8_t codes[kBlock];
    round_codes(source, min, inverse(d), 0.5F, 31.0F, codes);
    store_u16(block->d, float_to_finite_half(d));
    store_u16(block->m, float_to_finite_half(min));
    pack_nibbles(codes, block->qs);
    pack_fifth_bits(codes, block->qh);
  }
}

void rtn_q8_0_blocks(const float* source, std::byte* target, std::size_t count) {
  auto* block = blocks_at<BlockQ8_0>(target);
  for (const float* end = source + count; source != end; source += kBlock, ++block) {
    const float d = largest_magnitude(source) / 127.0F;
    const float inverse_scale = inverse(d);
    std::int32_t wide[kBlock];
    for (int j = 0; j < kBlock; ++j) {  // half away from zero; value - whole is exact
      const float value = source[j] * inverse_scale;
      const auto whole = static_cast<std::int32_t>(value);
      const float rest = value - static_cast<float>(whole);
      wide[j] = whole + (rest >= 0.5F ? 1 : 0) - (rest <= -0.5F ? 1 : 0);
    }
    store_u16(block->d, float_to_finite_half(d));
    for (int j = 0; j < kBlock; ++j) {
      block->qs[j] = static_cast<std::int8_t>(wide[j]);
    }
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {
HWY_EXPORT(decode_q4_0_blocks);
HWY_EXPORT(decode_q4_1_blocks);
HWY_EXPORT(decode_q5_0_blocks);
HWY_EXPORT(decode_q5_1_blocks);
HWY_EXPORT(decode_q8_0_blocks);
HWY_EXPORT(rtn_q4_0_blocks);
HWY_EXPORT(rtn_q4_1_blocks);
HWY_EXPORT(rtn_q5_0_blocks);
HWY_EXPORT(rtn_q5_1_blocks);
HWY_EXPORT(rtn_q8_0_blocks);

void decode_q4_0(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_q4_0_blocks)(source, target, count);
}
void decode_q4_1(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_q4_1_blocks)(source, target, count);
}
void decode_q5_0(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_q5_0_blocks)(source, target, count);
}
void decode_q5_1(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_q5_1_blocks)(source, target, count);
}
void decode_q8_0(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_q8_0_blocks)(source, target, count);
}
void encode_rtn_q4_0(const float* source, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(rtn_q4_0_blocks)(source, target, count);
}
void encode_rtn_q4_1(const float* source, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(rtn_q4_1_blocks)(source, target, count);
}
void encode_rtn_q5_0(const float* source, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(rtn_q5_0_blocks)(source, target, count);
}
void encode_rtn_q5_1(const float* source, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(rtn_q5_1_blocks)(source, target, count);
}
void encode_rtn_q8_0(const float* source, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(rtn_q8_0_blocks)(source, target, count);
}
}  // namespace bitlens::kernels
#endif  // HWY_ONCE
