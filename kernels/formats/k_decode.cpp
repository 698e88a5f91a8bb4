// Decoders of the K formats (super-blocks of 256 weights).
#include <cstdint>

#include "kernels/formats/blocks.h"
#include "kernels/formats/families.h"
#include "kernels/formats/half.h"
#include "kernels/formats/k_packing.h"

#define HWY_TARGET_INCLUDE "kernels/formats/k_decode.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

constexpr int kSuper = 256;

void decode_q2_k_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = reinterpret_cast<const BlockQ2_K*>(source);
  for (const float* end = target + count; target != end; target += kSuper, ++block) {
    const float d = load_half(block->d);
    const float dmin = load_half(block->dmin);
    std::uint8_t codes[kSuper];
    unpack_two_bits(block->qs, codes);
    for (int i = 0; i < 16; ++i) {
      const float scale = d * static_cast<float>(block->scales[i] & 15);
      const float min = dmin * static_cast<float>(block->scales[i] >> 4);
      for (int j = 16 * i; j < 16 * i + 16; ++j) {
        target[j] = scale * static_cast<float>(codes[j]) - min;
      }
    }
  }
}

void decode_q3_k_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = reinterpret_cast<const BlockQ3_K*>(source);
  for (const float* end = target + count; target != end; target += kSuper, ++block) {
    const float d = load_half(block->d);
    std::uint8_t scales[16];
    unpack_six_bit_scales(block->scales, scales);
    std::uint8_t codes[kSuper];
    unpack_two_bits(block->qs, codes);
    unpack_top_bits(block->hmask, 2, codes);
    for (int i = 0; i < 16; ++i) {
      const float scale = d * static_cast<float>(scales[i] - 32);
      for (int j = 16 * i; j < 16 * i + 16; ++j) {
        target[j] = scale * static_cast<float>(codes[j] - 4);
      }
    }
  }
}

HWY_INLINE void decode_lines(float d, float dmin, const std::uint8_t* packed, const std::uint8_t* codes,
                             float* target) {
  std::uint8_t scales[8];
  std::uint8_t minima[8];
  unpack_scales_and_minima(packed, scales, minima);
  for (int i = 0; i < 8; ++i) {
    const float scale = d * static_cast<float>(scales[i]);
    const float min = dmin * static_cast<float>(minima[i]);
    for (int j = 32 * i; j < 32 * i + 32; ++j) {
      target[j] = scale * static_cast<float>(codes[j]) - min;
    }
  }
}

void decode_q4_k_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = reinterpret_cast<const BlockQ4_K*>(source);
  for (const float* end = target + count; target != end; target += kSuper, ++block) {
    std::uint8_t codes[kSuper];
    unpack_four_bits(block->qs, codes);
    decode_lines(load_half(block->d), load_half(block->dmin), block->scales, codes, target);
  }
}

void decode_q5_k_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = reinterpret_cast<const BlockQ5_K*>(source);
  for (const float* end = target + count; target != end; target += kSuper, ++block) {
    std::uint8_t codes[kSuper];
    unpack_four_bits(block->qs, codes);
    unpack_top_bits(block->qh, 4, codes);
    decode_lines(load_half(block->d), load_half(block->dmin), block->scales, codes, target);
  }
}

void decode_q6_k_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = reinterpret_cast<const BlockQ6_K*>(source);
  for (const float* end = target + count; target != end; target += kSuper, ++block) {
    const float d = load_half(block->d);
    std::uint8_t codes[kSuper];
    unpack_six_bits(block->ql, block->qh, codes);
    for (int i = 0; i < 16; ++i) {
      const float scale = d * static_cast<float>(block->scales[i]);
      for (int j = 16 * i; j < 16 * i + 16; ++j) {
        target[j] = scale * static_cast<float>(codes[j] - 32);
      }
    }
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {
HWY_EXPORT(decode_q2_k_blocks);
HWY_EXPORT(decode_q3_k_blocks);
HWY_EXPORT(decode_q4_k_blocks);
HWY_EXPORT(decode_q5_k_blocks);
HWY_EXPORT(decode_q6_k_blocks);

void decode_q2_k(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_q2_k_blocks)(source, target, count);
}
void decode_q3_k(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_q3_k_blocks)(source, target, count);
}
void decode_q4_k(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_q4_k_blocks)(source, target, count);
}
void decode_q5_k(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_q5_k_blocks)(source, target, count);
}
void decode_q6_k(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_q6_k_blocks)(source, target, count);
}
}  // namespace bitlens::kernels
#endif  // HWY_ONCE
