// Q1_0 (128 weights as -d or d) and Q2_0 (64 weights as -d, 0, d or 2 d). Both quantizers give the best
// scale: for Q1_0 it is the mean magnitude, for Q2_0 it is searched.
#include <cmath>
#include <cstdint>

#include "kernels/formats/blocks.h"
#include "kernels/formats/families.h"
#include "kernels/formats/half.h"

#define HWY_TARGET_INCLUDE "kernels/formats/low_bits.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/formats/scaled-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

void decode_q1_0_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = reinterpret_cast<const BlockQ1_0*>(source);
  for (const float* end = target + count; target != end; target += BlockQ1_0::kSize, ++block) {
    const float d = load_half(block->d);
    for (int j = 0; j < BlockQ1_0::kSize; ++j) {
      target[j] = ((block->qs[j / 8] >> (j % 8)) & 1) != 0 ? d : -d;
    }
  }
}

void decode_q2_0_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = reinterpret_cast<const BlockQ2_0*>(source);
  for (const float* end = target + count; target != end; target += BlockQ2_0::kSize, ++block) {
    const float d = load_half(block->d);
    for (int j = 0; j < BlockQ2_0::kSize; ++j) {
      target[j] = static_cast<float>(((block->qs[j / 4] >> (2 * (j % 4))) & 3) - 1) * d;
    }
  }
}

void encode_q1_0_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  auto* block = reinterpret_cast<BlockQ1_0*>(target);
  for (std::size_t first = 0; first < count; first += BlockQ1_0::kSize, ++block) {
    const float* x = source + first;
    double weighted = 0;
    double weights = 0;
    double plain = 0;
    for (std::size_t j = 0; j < BlockQ1_0::kSize; ++j) {
      const double magnitude = std::fabs(static_cast<double>(x[j]));
      const double w = importance != nullptr ? static_cast<double>(importance[first + j]) : 1.0;
      weighted += w * magnitude;
      weights += w;
      plain += magnitude;
    }
    const double d = weights > 0 ? weighted / weights : plain / BlockQ1_0::kSize;
    store_u16(block->d, float_to_finite_half(static_cast<float>(d)));
    for (std::size_t k = 0; k < sizeof block->qs; ++k) {
      unsigned bits = 0;
      for (std::size_t j = 0; j < 8; ++j) {
        bits |= (x[8 * k + j] >= 0.0F ? 1U : 0U) << j;
      }
      block->qs[k] = static_cast<std::uint8_t>(bits);
    }
  }
}

constexpr Grid kTwoBits{-1.0F, 2.0F};
constexpr Ladder kTwoBitLadder = make_ladder(0.7F, 2.4F, 16, 1.2F, 4.2F, 16);

void encode_q2_0_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  const auto pack = [](const std::uint8_t* codes, BlockQ2_0& block) {
    for (int k = 0; k < 16; ++k) {
      const std::uint8_t* c = codes + 4 * k;
      block.qs[k] = static_cast<std::uint8_t>(c[0] | (c[1] << 2) | (c[2] << 4) | (c[3] << 6));
    }
  };
  if (importance != nullptr) {
    encode_scaled<BlockQ2_0, true>(source, importance, target, count, kTwoBits, kTwoBitLadder, pack);
  } else {
    encode_scaled<BlockQ2_0, false>(source, importance, target, count, kTwoBits, kTwoBitLadder, pack);
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {
HWY_EXPORT(decode_q1_0_blocks);
HWY_EXPORT(decode_q2_0_blocks);
HWY_EXPORT(encode_q1_0_blocks);
HWY_EXPORT(encode_q2_0_blocks);

void decode_q1_0(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_q1_0_blocks)(source, target, count);
}
void decode_q2_0(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_q2_0_blocks)(source, target, count);
}
void encode_q1_0(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(encode_q1_0_blocks)(source, importance, target, count);
}
void encode_q2_0(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(encode_q2_0_blocks)(source, importance, target, count);
}
}  // namespace bitlens::kernels
#endif  // HWY_ONCE
