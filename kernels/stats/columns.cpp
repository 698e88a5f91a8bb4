#include "kernels/stats/columns.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/stats/columns.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// One group of columns (as many as `d` has lanes), `rows` values each, merged into the running sums.
template <class D>
HWY_INLINE void add_group(D d, const float* HWY_RESTRICT values, std::size_t rows, std::size_t stride,
                          double* HWY_RESTRICT count, double* HWY_RESTRICT mean, double* HWY_RESTRICT m2,
                          float* HWY_RESTRICT abs_max) {
  const hn::Rebind<float, D> f;
  // The first row as origin: it lies among the data, so that the squares lose at most log2(rows) bits.
  const auto origin = hn::PromoteTo(d, hn::LoadU(f, values));
  auto s1 = hn::Zero(d);
  auto s2 = hn::Zero(d);
  auto peak = hn::LoadU(f, abs_max);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto x = hn::LoadU(f, values + r * stride);
    peak = hn::Max(peak, hn::Abs(x));
    const auto distance = hn::Sub(hn::PromoteTo(d, x), origin);
    s1 = hn::Add(s1, distance);
    s2 = hn::Add(s2, hn::Mul(distance, distance));
  }
  hn::StoreU(peak, f, abs_max);
  const auto n = hn::Set(d, static_cast<double>(rows));
  const auto shift = hn::Div(s1, n);
  const auto own_mean = hn::Add(origin, shift);
  const auto own_m2 = hn::Max(hn::Zero(d), hn::Sub(s2, hn::Mul(s1, shift)));
  const auto before = hn::LoadU(d, count);
  const auto total = hn::Add(before, n);
  const auto delta = hn::Sub(own_mean, hn::LoadU(d, mean));
  const auto step = hn::Mul(delta, hn::Div(n, total));
  hn::StoreU(total, d, count);
  hn::StoreU(hn::Add(hn::LoadU(d, mean), step), d, mean);
  hn::StoreU(hn::Add(hn::LoadU(d, m2), hn::Add(own_m2, hn::Mul(hn::Mul(delta, step), before))), d, m2);
}

void add_block(const float* values, std::size_t rows, std::size_t width, double* count, double* mean,
               double* m2, float* abs_max) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t c = 0;
  for (; c + lanes <= width; c += lanes)
    add_group(d, values + c, rows, width, count + c, mean + c, m2 + c, abs_max + c);
  const hn::CappedTag<double, 1> one;
  for (; c < width; ++c) add_group(one, values + c, rows, width, count + c, mean + c, m2 + c, abs_max + c);
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {

HWY_EXPORT(add_block);

void ColumnStatistics::add_rows(const float* values, std::size_t rows, std::size_t width, std::size_t first) {
  if (rows == 0) return;
  HWY_DYNAMIC_DISPATCH(add_block)
  (values, rows, width, count.data() + first, mean.data() + first, m2.data() + first, abs_max.data() + first);
}

void ColumnStatistics::add_rows_with_non_finite(const float* values, std::size_t rows, std::size_t width,
                                                std::size_t first) {
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < width; ++c) {
      const float x = values[r * width + c];
      if (!std::isfinite(x)) continue;
      const std::size_t column = first + c;
      count[column] += 1.0;
      const double delta = static_cast<double>(x) - mean[column];
      mean[column] += delta / count[column];
      m2[column] += delta * (static_cast<double>(x) - mean[column]);
      abs_max[column] = std::max(abs_max[column], std::fabs(x));
    }
}

void ColumnStatistics::merge(const ColumnStatistics& other) {
  for (std::size_t c = 0; c < columns(); ++c) {
    if (other.count[c] == 0) continue;
    const double total = count[c] + other.count[c];
    const double delta = other.mean[c] - mean[c];
    const double step = delta * (other.count[c] / total);
    mean[c] += step;
    m2[c] += other.m2[c] + delta * step * count[c];
    count[c] = total;
    abs_max[c] = std::max(abs_max[c], other.abs_max[c]);
  }
}

}  // namespace bitlens::kernels
#endif  // HWY_ONCE
