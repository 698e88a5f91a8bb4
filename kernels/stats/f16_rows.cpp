#include "kernels/stats/f16_rows.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/stats/f16_rows.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "hwy/highway.h"
#include "kernels/formats/half-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Sixteen lanes whatever the vector length, in as many registers as that takes.
constexpr std::size_t kLanes = 16;
using Floats = hn::CappedTag<float, kLanes>;
constexpr std::size_t kStep = hn::MaxLanes(Floats());
constexpr std::size_t kRegisters = kLanes / kStep;
constexpr std::size_t kRun = 32;  // f32 additions before the sums move on to double

HWY_INLINE hn::Vec<Floats> load_half(const std::byte* codes) {
  const hn::Rebind<std::uint16_t, Floats> u16;
  return promote_half(Floats(), hn::LoadU(u16, reinterpret_cast<const std::uint16_t*>(codes)));
}

HWY_INLINE float one_half(const std::byte* codes) {
  const hn::CappedTag<float, 1> d;
  const hn::Rebind<std::uint16_t, decltype(d)> u16;
  std::uint16_t code = 0;
  std::memcpy(&code, codes, sizeof code);
  return hn::GetLane(promote_half(d, hn::Set(u16, code)));
}

HWY_INLINE bool all_finite(const std::byte* codes, std::size_t count) {
  const hn::ScalableTag<std::uint16_t> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto* bits = reinterpret_cast<const std::uint16_t*>(codes);
  const auto magnitude = hn::Set(d, 0x7FFFU);
  auto peak = hn::Zero(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes) peak = hn::Max(peak, hn::And(hn::LoadU(d, bits + i), magnitude));
  bool finite = hn::AllFalse(d, hn::Gt(peak, hn::Set(d, 0x7BFFU)));
  for (; i < count; ++i) {
    std::uint16_t code = 0;
    std::memcpy(&code, codes + 2 * i, sizeof code);
    finite = finite && (code & 0x7FFFU) < 0x7C00U;
  }
  return finite;
}

/// Sum over the whole groups of sixteen in [0, count) of f(value), lane by lane in f32, emptied into double
/// every kRun additions.
template <class F>
HWY_INLINE double sum_of(const std::byte* codes, std::size_t count, const F& f) {
  const Floats d;
  double sum = 0;
  HWY_ALIGN float parts[kLanes];
  for (std::size_t i = 0; i < count;) {
    const std::size_t end = std::min(count, i + kRun * kLanes);
    hn::Vec<Floats> sums[kRegisters];
    for (auto& lanes : sums) lanes = hn::Zero(d);
    for (; i < end; i += kLanes)
      for (std::size_t v = 0; v < kRegisters; ++v)
        sums[v] = hn::Add(sums[v], f(load_half(codes + 2 * (i + v * kStep))));
    for (std::size_t v = 0; v < kRegisters; ++v) hn::Store(sums[v], d, parts + v * kStep);
    for (const float part : parts) sum += static_cast<double>(part);
  }
  return sum;
}

HWY_INLINE Moments row_moments(const std::byte* codes, std::size_t count) {
  const Floats d;
  const std::size_t whole = count / kLanes * kLanes;
  const float start = one_half(codes);
  auto low = hn::Set(d, start);
  auto high = low;
  double sum = sum_of(codes, whole, [&](auto x) HWY_ATTR {
    low = hn::Min(low, x);
    high = hn::Max(high, x);
    return x;
  });
  Moments out;
  HWY_ALIGN float lows[kStep];
  HWY_ALIGN float highs[kStep];
  hn::Store(low, d, lows);
  hn::Store(high, d, highs);
  out.min = *std::min_element(lows, lows + kStep);
  out.max = *std::max_element(highs, highs + kStep);
  for (std::size_t i = whole; i < count; ++i) {
    const float x = one_half(codes + 2 * i);
    sum += static_cast<double>(x);
    out.min = std::min(out.min, x);
    out.max = std::max(out.max, x);
  }
  out.count = static_cast<double>(count);
  out.mean = sum / out.count;
  const auto centre = static_cast<float>(out.mean);
  const auto shift = hn::Set(d, centre);
  out.m2 = sum_of(codes, whole, [&](auto x) HWY_ATTR {
    const auto distance = hn::Sub(x, shift);
    return hn::Mul(distance, distance);
  });
  for (std::size_t i = whole; i < count; ++i) {
    const double distance = static_cast<double>(one_half(codes + 2 * i)) - static_cast<double>(centre);
    out.m2 += distance * distance;
  }
  // The centre is the mean rounded to f32: sum (x - mean)^2 = sum (x - centre)^2 - count (mean - centre)^2.
  const double rounding = out.mean - static_cast<double>(centre);
  out.m2 = std::max(0.0, out.m2 - out.count * rounding * rounding);
  return out;
}

/// One column's values one by one: what does not fill a vector.
HWY_INLINE void add_column(const std::byte* codes, std::size_t rows, std::size_t width, float& sum, float& m2,
                           float& peak, float& centre) {
  sum = 0;
  for (std::size_t r = 0; r < rows; ++r) {
    const float x = one_half(codes + 2 * r * width);
    sum += x;
    peak = std::max(peak, x < 0 ? -x : x);
  }
  centre = sum / static_cast<float>(rows);
  m2 = 0;
  for (std::size_t r = 0; r < rows; ++r) {
    const float distance = one_half(codes + 2 * r * width) - centre;
    m2 += distance * distance;
  }
}

/// Sums of at most kRun rows per column: of the values, of the squared distances from `centre` = sum / rows.
void sum_columns(const std::byte* codes, std::size_t rows, std::size_t width, float* HWY_RESTRICT sum,
                 float* HWY_RESTRICT m2, float* HWY_RESTRICT peak, float* HWY_RESTRICT centre) {
  const Floats d;
  const auto per_row = hn::Set(d, static_cast<float>(rows));
  std::size_t c = 0;
  for (; c + kStep <= width; c += kStep) {
    const std::byte* column = codes + 2 * c;
    auto s = hn::Zero(d);
    auto p = hn::LoadU(d, peak + c);
    for (std::size_t r = 0; r < rows; ++r) {
      const auto x = load_half(column + 2 * r * width);
      s = hn::Add(s, x);
      p = hn::Max(p, hn::Abs(x));
    }
    const auto mean = hn::Div(s, per_row);
    auto squares = hn::Zero(d);
    for (std::size_t r = 0; r < rows; ++r) {
      const auto distance = hn::Sub(load_half(column + 2 * r * width), mean);
      squares = hn::Add(squares, hn::Mul(distance, distance));
    }
    hn::StoreU(s, d, sum + c);
    hn::StoreU(p, d, peak + c);
    hn::StoreU(mean, d, centre + c);
    hn::StoreU(squares, d, m2 + c);
  }
  for (; c < width; ++c) add_column(codes + 2 * c, rows, width, sum[c], m2[c], peak[c], centre[c]);
}

/// Merges what sum_columns found into the running statistics (Chan, Golub & LeVeque, 1983).
void merge_columns(std::size_t rows, std::size_t width, const float* HWY_RESTRICT sum,
                   const float* HWY_RESTRICT m2, const float* HWY_RESTRICT centre, double* HWY_RESTRICT count,
                   double* HWY_RESTRICT mean, double* HWY_RESTRICT running_m2) {
  const auto merge = [&](auto d, std::size_t c, auto share, auto total) HWY_ATTR {
    const hn::Rebind<float, decltype(d)> f;
    const auto n = hn::Set(d, static_cast<double>(rows));
    const auto own_mean =
        hn::Mul(hn::PromoteTo(d, hn::LoadU(f, sum + c)), hn::Set(d, 1.0 / static_cast<double>(rows)));
    const auto rounding = hn::Sub(own_mean, hn::PromoteTo(d, hn::LoadU(f, centre + c)));
    const auto own_m2 = hn::Max(hn::Zero(d), hn::Sub(hn::PromoteTo(d, hn::LoadU(f, m2 + c)),
                                                     hn::Mul(n, hn::Mul(rounding, rounding))));
    const auto before = hn::LoadU(d, count + c);
    const auto delta = hn::Sub(own_mean, hn::LoadU(d, mean + c));
    const auto step = hn::Mul(delta, share);
    hn::StoreU(total, d, count + c);
    hn::StoreU(hn::Add(hn::LoadU(d, mean + c), step), d, mean + c);
    const auto between = hn::Mul(hn::Mul(delta, step), before);
    hn::StoreU(hn::Add(hn::LoadU(d, running_m2 + c), hn::Add(own_m2, between)), d, running_m2 + c);
  };
  const hn::ScalableTag<double> d;
  const hn::CappedTag<double, 1> one;
  const auto n = static_cast<double>(rows);
  const double usual_total = count[0] + n;  // columns differ in count only where values were not finite
  const double usual_share = n / usual_total;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t c = 0;
  for (; c + lanes <= width; c += lanes) {
    const auto total = hn::Add(hn::LoadU(d, count + c), hn::Set(d, n));
    if (hn::AllTrue(d, hn::Eq(total, hn::Set(d, usual_total))))
      merge(d, c, hn::Set(d, usual_share), total);
    else
      merge(d, c, hn::Div(hn::Set(d, n), total), total);
  }
  for (; c < width; ++c) {
    const double total = count[c] + n;
    merge(one, c, hn::Set(one, n / total), hn::Set(one, total));
  }
}

bool add_rows(const std::byte* codes, std::size_t rows, std::size_t width, ColumnStatistics& columns,
              std::size_t first, Moments* moments) {
  if (!all_finite(codes, rows * width)) return false;
  std::vector<float> scratch(3 * width);
  float* sum = scratch.data();
  float* m2 = sum + width;
  float* centre = m2 + width;
  for (std::size_t begin = 0; begin < rows; begin += kRun) {
    const std::size_t count = std::min(kRun, rows - begin);
    const std::byte* block = codes + 2 * begin * width;
    for (std::size_t r = 0; r < count; ++r) moments[begin + r] = row_moments(block + 2 * r * width, width);
    sum_columns(block, count, width, sum, m2, columns.abs_max.data() + first, centre);
    merge_columns(count, width, sum, m2, centre, columns.count.data() + first, columns.mean.data() + first,
                  columns.m2.data() + first);
  }
  return true;
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {

HWY_EXPORT(add_rows);

bool add_f16_rows(const std::byte* codes, std::size_t rows, std::size_t width, ColumnStatistics& columns,
                  std::size_t first, Moments* row_moments) {
  if (rows == 0 || width == 0) return true;
  return HWY_DYNAMIC_DISPATCH(add_rows)(codes, rows, width, columns, first, row_moments);
}

}  // namespace bitlens::kernels
#endif  // HWY_ONCE
