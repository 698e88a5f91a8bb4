// Vectors of F16 to and from vectors of f32; the bits are those of half.h on every target (the processor's
// own conversion where it has one, integer arithmetic elsewhere). Included once per target.
#if defined(BITLENS_KERNELS_FORMATS_HALF_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLENS_KERNELS_FORMATS_HALF_INL_H_
#undef BITLENS_KERNELS_FORMATS_HALF_INL_H_
#else
#define BITLENS_KERNELS_FORMATS_HALF_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

#undef BITLENS_NATIVE_HALF
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2 && !defined(HWY_DISABLE_F16C)
#define BITLENS_NATIVE_HALF 1
#else
#define BITLENS_NATIVE_HALF 0
#endif

/// Lanes of F16 bits to f32.
template <class DF, class VU16>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<DF> promote_half(DF df, VU16 bits16) {
  namespace hn = hwy::HWY_NAMESPACE;
#if BITLENS_NATIVE_HALF
  const hn::Rebind<hwy::float16_t, DF> df16;
  return hn::PromoteTo(df, hn::BitCast(df16, bits16));
#else
  const hn::RebindToUnsigned<DF> du;
  const auto half = hn::PromoteTo(du, bits16);
  const auto sign = hn::ShiftLeft<16>(hn::And(half, hn::Set(du, 0x8000U)));
  const auto shifted = hn::ShiftLeft<13>(hn::And(half, hn::Set(du, 0x7FFFU)));
  const auto exponent = hn::And(shifted, hn::Set(du, 0x7C00U << 13));
  const auto normal = hn::Add(shifted, hn::Set(du, 112U << 23));
  const auto subnormal = hn::BitCast(du, hn::Sub(hn::BitCast(df, hn::Add(normal, hn::Set(du, 1U << 23))),
                                                 hn::BitCast(df, hn::Set(du, 113U << 23))));
  const auto is_nan =
      hn::Gt(hn::BitCast(hn::RebindToSigned<DF>(), shifted), hn::Set(hn::RebindToSigned<DF>(), 0x7C00 << 13));
  const auto quiet = hn::IfThenElseZero(hn::RebindMask(du, is_nan), hn::Set(du, 1U << 22));
  const auto special = hn::Or(hn::Add(normal, hn::Set(du, 112U << 23)), quiet);
  auto bits = hn::IfThenElse(hn::Eq(exponent, hn::Zero(du)), subnormal, normal);
  bits = hn::IfThenElse(hn::Eq(exponent, hn::Set(du, 0x7C00U << 13)), special, bits);
  return hn::BitCast(df, hn::Or(bits, sign));
#endif
}

/// Lanes of f32 (no NaN) to F16 bits, nearest even.
template <class DU16, class VF>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<DU16> demote_half(DU16 du16, VF value) {
  namespace hn = hwy::HWY_NAMESPACE;
#if BITLENS_NATIVE_HALF
  const hn::Rebind<hwy::float16_t, DU16> df16;
  return hn::BitCast(du16, hn::DemoteTo(df16, value));
#else
  const hn::Rebind<float, DU16> df;
  const hn::Rebind<std::int32_t, DU16> di;  // magnitudes below 2^31: signed comparisons are enough
  const auto bits = hn::BitCast(di, value);
  const auto sign = hn::And(hn::ShiftRight<16>(bits), hn::Set(di, 0x8000));
  const auto magnitude = hn::And(bits, hn::Set(di, 0x7FFFFFFF));
  const auto odd = hn::And(hn::ShiftRight<13>(magnitude), hn::Set(di, 1));
  const auto normal = hn::ShiftRight<13>(
      hn::Add(hn::Add(hn::Sub(magnitude, hn::Set(di, 112 << 23)), hn::Set(di, 0xFFF)), odd));
  const auto subnormal = hn::Sub(hn::BitCast(di, hn::Add(hn::BitCast(df, magnitude), hn::Set(df, 0.5F))),
                                 hn::Set(di, 126 << 23));
  auto half = hn::IfThenElse(hn::Lt(magnitude, hn::Set(di, 113 << 23)), subnormal, normal);
  half = hn::IfThenElse(hn::Gt(magnitude, hn::Set(di, (143 << 23) - 1)), hn::Set(di, 0x7C00), half);
  // DemoteTo saturates negative values to zero, so the sign bit has to stay clear of bit 31.
  return hn::DemoteTo(du16, hn::Or(half, sign));
#endif
}

/// The f32 value that a scale has once it is stored as a finite F16.
template <class DF>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<DF> round_to_finite_half(DF df, hwy::HWY_NAMESPACE::Vec<DF> value) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::Rebind<std::uint16_t, DF> du16;
  const auto limited = hn::Max(hn::Min(value, hn::Set(df, 65504.0F)), hn::Set(df, -65504.0F));
  return promote_half(df, demote_half(du16, limited));
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
