// 2^t in f32, compiled once per instruction set: what the softmax of attention is made of.
#include "hwy/highway.h"

// Highway's per-target include guard.
#if defined(BITLENS_KERNELS_DENSE_EXP2_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLENS_KERNELS_DENSE_EXP2_INL_H
#undef BITLENS_KERNELS_DENSE_EXP2_INL_H
#else
#define BITLENS_KERNELS_DENSE_EXP2_INL_H
#endif

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// 2^t for t <= 127 to about 1e-7 of its value, 1 for 0; 0 below 2^-125; NaN stays NaN.
template <typename Tag, typename Vector = hn::Vec<Tag>>
HWY_INLINE Vector power_of_two(Tag d, Vector t) {
  const hn::RebindToSigned<Tag> integers;
  // Adding 1.5 * 2^23 leaves the nearest integer in the low bits.
  const Vector rounder = hn::Set(d, 12582912.0F);
  const Vector shifted = hn::Add(t, rounder);
  const Vector f = hn::Sub(t, hn::Sub(shifted, rounder));  // -1/2 .. 1/2
  // The polynomial of degree 6 with the smallest relative error there (Remez), 2.6e-9, among those that are 1
  // at 0; what is left is the rounding of f32.
  Vector sum = hn::Set(d, 1.559467758e-4F);
  sum = hn::MulAdd(sum, f, hn::Set(d, 1.340664391e-3F));
  sum = hn::MulAdd(sum, f, hn::Set(d, 9.617692975e-3F));
  sum = hn::MulAdd(sum, f, hn::Set(d, 5.550310551e-2F));
  sum = hn::MulAdd(sum, f, hn::Set(d, 2.402265278e-1F));
  sum = hn::MulAdd(sum, f, hn::Set(d, 6.931472150e-1F));
  sum = hn::MulAdd(sum, f, hn::Set(d, 1.0F));
  // The integer goes into the exponent: all other bits of `shifted` leave on the left.
  const auto bits = hn::Add(hn::BitCast(integers, sum), hn::ShiftLeft<23>(hn::BitCast(integers, shifted)));
  return hn::IfThenZeroElse(hn::Lt(t, hn::Set(d, -125.0F)), hn::BitCast(d, bits));
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
