// Q4_0 Q4_1 Q5_0 Q5_1 Q8_0: decoding, and plain rounding with the same bytes as ggml's reference quantizers.
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

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kBlock = 32;
using BlockTag = hn::CappedTag<float, kBlock>;

template <class Block>
const Block* blocks_at(const std::byte* source) {
  return reinterpret_cast<const Block*>(source);
}
template <class Block>
Block* blocks_at(std::byte* target) {
  return reinterpret_cast<Block*>(target);
}

/// target = (codes - zero) * d, codes of 8 bits.
HWY_INLINE void scale_codes(const std::uint8_t* codes, int zero, float d, float* target) {
  const BlockTag df;
  const hn::Rebind<std::int32_t, BlockTag> di;
  const hn::Rebind<std::uint8_t, BlockTag> du8;
  for (std::size_t j = 0; j < kBlock; j += hn::Lanes(df)) {
    const auto code = hn::Sub(hn::PromoteTo(di, hn::LoadU(du8, codes + j)), hn::Set(di, zero));
    hn::StoreU(hn::Mul(hn::ConvertTo(df, code), hn::Set(df, d)), df, target + j);
  }
}
/// target = codes * d + m.
HWY_INLINE void scale_and_shift_codes(const std::uint8_t* codes, float d, float m, float* target) {
  const BlockTag df;
  const hn::Rebind<std::int32_t, BlockTag> di;
  const hn::Rebind<std::uint8_t, BlockTag> du8;
  for (std::size_t j = 0; j < kBlock; j += hn::Lanes(df)) {
    const auto code = hn::ConvertTo(df, hn::PromoteTo(di, hn::LoadU(du8, codes + j)));
    hn::StoreU(hn::Add(hn::Mul(code, hn::Set(df, d)), hn::Set(df, m)), df, target + j);
  }
}

void decode_q4_0_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = blocks_at<BlockQ4_0>(source);
  for (const float* end = target + count; target != end; target += kBlock, ++block) {
    std::uint8_t codes[kBlock];
    unpack_nibbles(block->qs, codes);
    scale_codes(codes, 8, load_half(block->d), target);
  }
}

void decode_q4_1_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = blocks_at<BlockQ4_1>(source);
  for (const float* end = target + count; target != end; target += kBlock, ++block) {
    std::uint8_t codes[kBlock];
    unpack_nibbles(block->qs, codes);
    scale_and_shift_codes(codes, load_half(block->d), load_half(block->m), target);
  }
}

void decode_q5_0_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = blocks_at<BlockQ5_0>(source);
  for (const float* end = target + count; target != end; target += kBlock, ++block) {
    std::uint8_t codes[kBlock];
    unpack_nibbles(block->qs, codes);
    unpack_fifth_bits(block->qh, codes);
    scale_codes(codes, 16, load_half(block->d), target);
  }
}

void decode_q5_1_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = blocks_at<BlockQ5_1>(source);
  for (const float* end = target + count; target != end; target += kBlock, ++block) {
    std::uint8_t codes[kBlock];
    unpack_nibbles(block->qs, codes);
    unpack_fifth_bits(block->qh, codes);
    scale_and_shift_codes(codes, load_half(block->d), load_half(block->m), target);
  }
}

void decode_q8_0_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = blocks_at<BlockQ8_0>(source);
  for (const float* end = target + count; target != end; target += kBlock, ++block) {
    const float d = load_half(block->d);
    for (std::size_t j = 0; j < kBlock; ++j) {
      target[j] = static_cast<float>(block->qs[j]) * d;
    }
  }
}

/// Smallest and largest of 32 weights.
struct Range {
  float low;
  float high;
};
HWY_INLINE Range range_of(const float* x) {
  const BlockTag df;
  auto low = hn::LoadU(df, x);
  auto high = low;
  for (std::size_t j = hn::Lanes(df); j < kBlock; j += hn::Lanes(df)) {
    const auto values = hn::LoadU(df, x + j);
    low = hn::Min(low, values);
    high = hn::Max(high, values);
  }
  return {hn::GetLane(hn::MinOfLanes(df, low)), hn::GetLane(hn::MaxOfLanes(df, high))};
}

/// The weight of largest magnitude with its sign; the first one among equals.
HWY_INLINE float signed_extreme(const float* x) {
  const Range range = range_of(x);
  const float below = -range.low;
  if (range.high == below) {
    for (std::size_t j = 0; j < kBlock; ++j) {
      if (x[j] != 0.0F && (x[j] == range.high || x[j] == range.low)) {
        return x[j];
      }
    }
    return 0.0F;
  }
  return range.high > below ? range.high : range.low;
}

/// The first zero of a block that has one: of +0 and -0 the first is what the reference stores as minimum.
HWY_INLINE float first_zero(const float* x) {
  std::size_t j = 0;
  while (x[j] != 0.0F) {
    ++j;
  }
  return x[j];
}

/// 1 / scale; 0 where that would not be finite (the stored scale is then 0 as well).
HWY_INLINE float inverse(float scale) {
  const float result = scale != 0.0F ? 1.0F / scale : 0.0F;
  return std::isfinite(result) ? result : 0.0F;
}

/// codes = min(floor((x - offset) * inverse_scale + shift), top), for values that are not negative.
HWY_INLINE void round_codes(const float* x, float offset, float inverse_scale, float shift, float top,
                            std::uint8_t* codes) {
  const BlockTag df;
  const hn::Rebind<std::int32_t, BlockTag> di;
  const hn::Rebind<std::uint8_t, BlockTag> du8;
  for (std::size_t j = 0; j < kBlock; j += hn::Lanes(df)) {
    const auto above = hn::Sub(hn::LoadU(df, x + j), hn::Set(df, offset));
    auto value = hn::Add(hn::Mul(above, hn::Set(df, inverse_scale)), hn::Set(df, shift));
    value = hn::Max(hn::Min(value, hn::Set(df, top)), hn::Zero(df));
    hn::StoreU(hn::DemoteTo(du8, hn::ConvertTo(di, value)), du8, codes + j);
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
    const Range range = range_of(source);
    const float min = range.low != 0.0F ? range.low : first_zero(source);
    const float d = range.high > min ? (range.high - min) / 15.0F : 0.0F;
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
    const Range range = range_of(source);
    const float min = range.low != 0.0F ? range.low : first_zero(source);
    const float d = range.high > min ? (range.high - min) / 31.0F : 0.0F;
    std::uint8_t codes[kBlock];
    round_codes(source, min, inverse(d), 0.5F, 31.0F, codes);
    store_u16(block->d, float_to_finite_half(d));
    store_u16(block->m, float_to_finite_half(min));
    pack_nibbles(codes, block->qs);
    pack_fifth_bits(codes, block->qh);
  }
}

void rtn_q8_0_blocks(const float* source, std::byte* target, std::size_t count) {
  const BlockTag df;
  const hn::Rebind<std::int32_t, BlockTag> di;
  const hn::Rebind<std::int8_t, BlockTag> di8;
  auto* block = blocks_at<BlockQ8_0>(target);
  for (const float* end = source + count; source != end; source += kBlock, ++block) {
    const Range range = range_of(source);
    const float largest = std::fabs(range.high > -range.low ? range.high : range.low);
    const float d = largest / 127.0F;
    const auto inverse_scale = hn::Set(df, inverse(d));
    for (std::size_t j = 0; j < kBlock; j += hn::Lanes(df)) {
      // Half away from zero; what is left of the whole part is exact.
      const auto value = hn::Mul(hn::LoadU(df, source + j), inverse_scale);
      const auto whole = hn::Trunc(value);
      const auto away = hn::Ge(hn::Abs(hn::Sub(value, whole)), hn::Set(df, 0.5F));
      const auto step = hn::IfThenElseZero(away, hn::CopySign(hn::Set(df, 1.0F), value));
      const auto code = hn::ConvertTo(di, hn::Add(whole, step));
      hn::StoreU(hn::DemoteTo(di8, code), di8, block->qs + j);
    }
    store_u16(block->d, float_to_finite_half(d));
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
