// Pairs of 16-bit integers, two neighbouring weights of a block in each 32-bit lane: what the integer ladders
// compute with. Exact, so every target gives the same numbers. Included once per target.
#if defined(BITLENS_KERNELS_FORMATS_PAIRS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLENS_KERNELS_FORMATS_PAIRS_INL_H_
#undef BITLENS_KERNELS_FORMATS_PAIRS_INL_H_
#else
#define BITLENS_KERNELS_FORMATS_PAIRS_INL_H_
#endif

#include "kernels/formats/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

using Ints = hn::Vec<IntTag>;

#if HWY_TARGET == HWY_SCALAR

struct Pairs {
  std::int16_t low;
  std::int16_t high;
};

HWY_INLINE std::int16_t narrow(int value) {
  return static_cast<std::int16_t>(value);
}
HWY_INLINE Pairs load_pairs(const std::int32_t* from) {
  return {narrow(*from), narrow(*from >> 16)};
}
HWY_INLINE Pairs all_pairs(int value) {
  return {narrow(value), narrow(value)};
}
HWY_INLINE Pairs both(Ints value) {
  return all_pairs(hn::GetLane(value));
}
HWY_INLINE Pairs add(Pairs a, Pairs b) {
  return {narrow(a.low + b.low), narrow(a.high + b.high)};
}
HWY_INLINE Pairs subtract(Pairs a, Pairs b) {
  return {narrow(a.low - b.low), narrow(a.high - b.high)};
}
HWY_INLINE Pairs bits_and(Pairs a, Pairs b) {
  return {narrow(a.low & b.low), narrow(a.high & b.high)};
}
HWY_INLINE Pairs smaller(Pairs a, Pairs b) {
  return {a.low < b.low ? a.low : b.low, a.high < b.high ? a.high : b.high};
}
HWY_INLINE Pairs larger(Pairs a, Pairs b) {
  return {a.low > b.low ? a.low : b.low, a.high > b.high ? a.high : b.high};
}
HWY_INLINE Pairs product(Pairs a, Pairs b) {
  return {narrow(a.low * b.low), narrow(a.high * b.high)};
}
HWY_INLINE Pairs rounded_product(Pairs a, Pairs b) {
  return {narrow((a.low * b.low + 0x4000) >> 15), narrow((a.high * b.high + 0x4000) >> 15)};
}
HWY_INLINE Ints add_dot(Ints sum, Pairs a, Pairs b) {
  return hn::Add(sum, hn::Set(IntTag(), a.low * b.low + a.high * b.high));
}

#else

using PairTag = hn::Repartition<std::int16_t, IntTag>;
using Pairs = hn::Vec<PairTag>;

HWY_INLINE Pairs load_pairs(const std::int32_t* from) {
  return hn::BitCast(PairTag(), hn::Load(IntTag(), from));
}
HWY_INLINE Pairs all_pairs(int value) {
  return hn::Set(PairTag(), static_cast<std::int16_t>(value));
}
/// The low halves of `value` in both halves.
HWY_INLINE Pairs both(Ints value) {
  const auto low = hn::And(value, hn::Set(IntTag(), 0xFFFF));
  return hn::BitCast(PairTag(), hn::Or(low, hn::ShiftLeft<16>(value)));
}
HWY_INLINE Pairs add(Pairs a, Pairs b) {
  return hn::Add(a, b);
}
HWY_INLINE Pairs subtract(Pairs a, Pairs b) {
  return hn::Sub(a, b);
}
HWY_INLINE Pairs bits_and(Pairs a, Pairs b) {
  return hn::And(a, b);
}
HWY_INLINE Pairs smaller(Pairs a, Pairs b) {
  return hn::Min(a, b);
}
HWY_INLINE Pairs larger(Pairs a, Pairs b) {
  return hn::Max(a, b);
}
/// Low 16 bits of the products.
HWY_INLINE Pairs product(Pairs a, Pairs b) {
  return hn::Mul(a, b);
}
/// (a b + 2^14) >> 15
HWY_INLINE Pairs rounded_product(Pairs a, Pairs b) {
  return hn::MulFixedPoint15(a, b);
}
/// sum + a.low b.low + a.high b.high
HWY_INLINE Ints add_dot(Ints sum, Pairs a, Pairs b) {
#if HWY_ARCH_X86
  Ints unused = hn::Zero(IntTag());
  return hn::ReorderWidenMulAccumulate(IntTag(), a, b, sum, unused);
#else
  const auto wide_a = hn::BitCast(IntTag(), a);
  const auto wide_b = hn::BitCast(IntTag(), b);
  const auto low =
      hn::Mul(hn::ShiftRight<16>(hn::ShiftLeft<16>(wide_a)), hn::ShiftRight<16>(hn::ShiftLeft<16>(wide_b)));
  return hn::Add(sum, hn::Add(low, hn::Mul(hn::ShiftRight<16>(wide_a), hn::ShiftRight<16>(wide_b))));
#endif
}

#endif

/// The nearest integers, as the low 16 bits of each lane; |value| < 2^15.
HWY_INLINE Ints low_integers(Floats value) {
  return hn::BitCast(IntTag(), hn::Add(value, constant(0x1.8p23F)));
}
/// Two rows of lanes, rounded, into one row of pairs.
HWY_INLINE void store_pairs(Floats low, Floats high, std::int32_t* to) {
  const Ints a = hn::And(low_integers(low), hn::Set(IntTag(), 0xFFFF));
  hn::Store(hn::Or(a, hn::ShiftLeft<16>(low_integers(high))), IntTag(), to);
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
