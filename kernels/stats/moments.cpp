#include "kernels/stats/moments.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/stats/moments.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Sixteen lanes whatever the vector length: as many registers as that takes.
constexpr std::size_t kLanes = 16;
using Doubles = hn::CappedTag<double, kLanes>;
using Floats = hn::Rebind<float, Doubles>;
constexpr std::size_t kStep = hn::MaxLanes(Doubles());
constexpr std::size_t kRegisters = kLanes / kStep;
// Values per piece: small enough for the second look at them to find them in the first cache.
constexpr std::size_t kPiece = 4096;

/// The lanes in order, then the values behind the last full group of sixteen.
HWY_INLINE double sum_of_lanes(const hn::Vec<Doubles>* lanes) {
  HWY_ALIGN double parts[kLanes];
  for (std::size_t v = 0; v < kRegisters; ++v) hn::Store(lanes[v], Doubles(), parts + v * kStep);
  double sum = 0;
  for (const double part : parts) sum += part;
  return sum;
}

template <bool kFourth>
HWY_INLINE Moments piece_moments(const float* HWY_RESTRICT values, std::size_t count) {
  const Doubles d;
  const Floats f;
  const std::size_t whole = count / kLanes * kLanes;
  // The first value as origin: it lies among the data, so that the squares lose at most log2(count) bits.
  const auto origin = static_cast<double>(values[0]);
  const auto shift = hn::Set(d, origin);
  hn::Vec<Doubles> s1[kRegisters], s2[kRegisters];
  for (std::size_t v = 0; v < kRegisters; ++v) s1[v] = s2[v] = hn::Zero(d);
  auto low = hn::Set(f, values[0]);
  auto high = low;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t v = 0; v < kRegisters; ++v) {
      const auto x = hn::LoadU(f, values + i + v * kStep);
      low = hn::Min(low, x);
      high = hn::Max(high, x);
      const auto distance = hn::Sub(hn::PromoteTo(d, x), shift);
      s1[v] = hn::Add(s1[v], distance);
      if constexpr (!kFourth) s2[v] = hn::Add(s2[v], hn::Mul(distance, distance));
    }
  double sum = sum_of_lanes(s1);
  double squares = kFourth ? 0.0 : sum_of_lanes(s2);
  Moments out;
  HWY_ALIGN float lows[hn::MaxLanes(f)];
  HWY_ALIGN float highs[hn::MaxLanes(f)];
  hn::Store(low, f, lows);
  hn::Store(high, f, highs);
  out.min = *std::min_element(lows, lows + kStep);
  out.max = *std::max_element(highs, highs + kStep);
  for (std::size_t i = whole; i < count; ++i) {
    const double distance = static_cast<double>(values[i]) - origin;
    sum += distance;
    squares += distance * distance;
    out.min = std::min(out.min, values[i]);
    out.max = std::max(out.max, values[i]);
  }
  out.count = static_cast<double>(count);
  out.mean = origin + sum / out.count;
  if constexpr (!kFourth) {
    out.m2 = std::max(0.0, squares - sum * (sum / out.count));
    return out;
  }
  // Higher powers: a second look, centred on the mean.
  const auto centre = hn::Set(d, out.mean);
  hn::Vec<Doubles> p2[kRegisters], p3[kRegisters], p4[kRegisters];
  for (std::size_t v = 0; v < kRegisters; ++v) p2[v] = p3[v] = p4[v] = hn::Zero(d);
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t v = 0; v < kRegisters; ++v) {
      const auto distance = hn::Sub(hn::PromoteTo(d, hn::LoadU(f, values + i + v * kStep)), centre);
      const auto square = hn::Mul(distance, distance);
      p2[v] = hn::Add(p2[v], square);
      p3[v] = hn::Add(p3[v], hn::Mul(square, distance));
      p4[v] = hn::Add(p4[v], hn::Mul(square, square));
    }
  out.m2 = sum_of_lanes(p2);
  out.m3 = sum_of_lanes(p3);
  out.m4 = sum_of_lanes(p4);
  for (std::size_t i = whole; i < count; ++i) {
    const double distance = static_cast<double>(values[i]) - out.mean;
    const double square = distance * distance;
    out.m2 += square;
    out.m3 += square * distance;
    out.m4 += square * square;
  }
  return out;
}

template <bool kFourth>
Moments all_moments(const float* values, std::size_t count) {
  Moments out;
  for (std::size_t i = 0; i < count; i += kPiece)
    out.merge(piece_moments<kFourth>(values + i, std::min(kPiece, count - i)));
  return out;
}

Moments second(const float* values, std::size_t count) {
  return all_moments<false>(values, count);
}
Moments fourth(const float* values, std::size_t count) {
  return all_moments<true>(values, count);
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {

HWY_EXPORT(second);
HWY_EXPORT(fourth);

Moments second_moments(const float* values, std::size_t count) {
  return HWY_DYNAMIC_DISPATCH(second)(values, count);
}
Moments fourth_moments(const float* values, std::size_t count) {
  return HWY_DYNAMIC_DISPATCH(fourth)(values, count);
}

void Moments::merge(const Moments& other) {
  if (other.count == 0) return;
  if (count == 0) {
    *this = other;
    return;
  }
  const double total = count + other.count;
  const double delta = other.mean - mean;
  const double share = other.count / total;
  const double step = delta * share;
  const double cross = delta * step * count;  // delta^2 * count * other.count / total
  m4 += other.m4 +
        cross * delta * delta * (count * count - count * other.count + other.count * other.count) /
            (total * total) +
        6.0 * delta * delta * (count * count * other.m2 + other.count * other.count * m2) / (total * total) +
        4.0 * delta * (count * other.m3 - other.count * m3) / total;
  m3 += other.m3 + cross * delta * (count - other.count) / total +
        3.0 * delta * (count * other.m2 - other.count * m2) / total;
  m2 += other.m2 + cross;
  mean += step;
  count = total;
  min = std::min(min, other.min);
  max = std::max(max, other.max);
}

}  // namespace bitlens::kernels
#endif  // HWY_ONCE
