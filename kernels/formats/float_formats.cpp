// F32, F16 and BF16 rows: the conversions of half.h, vectorised. Every target gives the same bits.
#include <cstdint>
#include <cstring>

#include "kernels/formats/families.h"
#include "kernels/formats/half.h"

#define HWY_TARGET_INCLUDE "kernels/formats/float_formats.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/formats/half-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

void decode_f16_row(const std::byte* source, float* target, std::size_t count) {
  const hn::ScalableTag<float> df;
  const hn::Rebind<std::uint16_t, decltype(df)> du16;
  const auto* halves = reinterpret_cast<const std::uint8_t*>(source);
  const std::size_t lanes = hn::Lanes(df);
  HWY_ALIGN std::uint16_t piece[hn::MaxLanes(df)];
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    std::memcpy(piece, halves + 2 * i, 2 * lanes);
    hn::StoreU(promote_half(df, hn::Load(du16, piece)), df, target + i);
  }
  for (; i < count; ++i) {
    target[i] = load_half(halves + 2 * i);
  }
}

void encode_f16_row(const float* source, std::byte* target, std::size_t count) {
  const hn::ScalableTag<float> df;
  const hn::Rebind<std::uint16_t, decltype(df)> du16;
  const std::size_t lanes = hn::Lanes(df);
  HWY_ALIGN std::uint16_t piece[hn::MaxLanes(df)];
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::Store(demote_half(du16, hn::LoadU(df, source + i)), du16, piece);
    std::memcpy(target + 2 * i, piece, 2 * lanes);
  }
  for (; i < count; ++i) {
    store_u16(target + 2 * i, float_to_half(source[i]));
  }
}

/// Copies; memcpy is several times slower on processors that run it as microcode.
void copy_f32_row(const std::byte* source, std::byte* target, std::size_t count) {
  const hn::ScalableTag<std::uint8_t> du8;
  const auto* from = reinterpret_cast<const std::uint8_t*>(source);
  auto* to = reinterpret_cast<std::uint8_t*>(target);
  const std::size_t lanes = hn::Lanes(du8);
  const std::size_t bytes = count * sizeof(float);
  std::size_t i = 0;
  for (; i + lanes <= bytes; i += lanes) {
    hn::StoreU(hn::LoadU(du8, from + i), du8, to + i);
  }
  std::memcpy(to + i, from + i, bytes - i);
}

void decode_bf16_row(const std::byte* source, float* target, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    target[i] = bfloat_to_float(load_u16(source + 2 * i));
  }
}

void encode_bf16_row(const float* source, std::byte* target, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    store_u16(target + 2 * i, float_to_bfloat(source[i]));
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {
HWY_EXPORT(copy_f32_row);
HWY_EXPORT(decode_f16_row);
HWY_EXPORT(encode_f16_row);
HWY_EXPORT(decode_bf16_row);
HWY_EXPORT(encode_bf16_row);

void decode_f32(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(copy_f32_row)(source, reinterpret_cast<std::byte*>(target), count);
}
void encode_f32(const float* source, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(copy_f32_row)(reinterpret_cast<const std::byte*>(source), target, count);
}
void decode_f16(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_f16_row)(source, target, count);
}
void encode_f16(const float* source, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(encode_f16_row)(source, target, count);
}
void decode_bf16(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_bf16_row)(source, target, count);
}
void encode_bf16(const float* source, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(encode_bf16_row)(source, target, count);
}
}  // namespace bitlens::kernels
#endif  // HWY_ONCE
