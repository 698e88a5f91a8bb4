#include "kernels/dense/elementwise.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense/elementwise.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Tag = hn::CappedTag<float, 16>;

void rms_norm_rows(const float* x, const float* weight, std::size_t rows, std::size_t width, float epsilon,
                   float* target) {
  constexpr std::size_t kSums = 16;  // a fixed number of partial sums: the same bits at any vector width
  for (std::size_t r = 0; r < rows; ++r, x += width, target += width) {
    double sums[kSums] = {};
    std::size_t i = 0;
    for (; i + kSums <= width; i += kSums)
      for (std::size_t j = 0; j < kSums; ++j) {
        const double value = static_cast<double>(x[i + j]);
        sums[j] += value * value;
      }
    for (; i < width; ++i) sums[i % kSums] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    double sum = 0.0;
    for (const double part : sums) sum += part;
    const double mean = sum / static_cast<double>(width);
    const auto scale = static_cast<float>(1.0 / std::sqrt(mean + static_cast<double>(epsilon)));
    for (std::size_t c = 0; c < width; ++c) target[c] = x[c] * scale * weight[c];
  }
}

HWY_INLINE hn::Vec<Tag> gated(hn::Vec<Tag> gate, hn::Vec<Tag> up) {
  const Tag d;
  // Beyond 87 the exponential would overflow; the quotient is below 1e-35 there.
  const auto exponent = hn::Min(hn::Neg(gate), hn::Set(d, 87.0F));
  const auto denominator = hn::Add(hn::Set(d, 1.0F), hn::Exp(d, exponent));
  return hn::Mul(hn::Div(gate, denominator), up);
}

void swiglu_row(const float* gate, const float* up, std::size_t count, float* target) {
  const Tag d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    hn::StoreU(gated(hn::LoadU(d, gate + i), hn::LoadU(d, up + i)), d, target + i);
  if (i == count) return;
  HWY_ALIGN float tail_gate[16] = {}, tail_up[16] = {};
  for (std::size_t j = 0; i + j < count; ++j) {
    tail_gate[j] = gate[i + j];
    tail_up[j] = up[i + j];
  }
  hn::Store(gated(hn::Load(d, tail_gate), hn::Load(d, tail_up)), d, tail_gate);
  for (std::size_t j = 0; i + j < count; ++j) target[i + j] = tail_gate[j];
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {

HWY_EXPORT(rms_norm_rows);
HWY_EXPORT(swiglu_row);

void rms_norm(const float* x, const float* weight, std::size_t rows, std::size_t width, float epsilon,
              float* target) {
  HWY_DYNAMIC_DISPATCH(rms_norm_rows)(x, weight, rows, width, epsilon, target);
}

void rotate(float* row, std::size_t heads, std::size_t head_dim, std::size_t dimensions,
            const float* angles) {
  for (std::size_t head = 0; head < heads; ++head, row += head_dim)
    for (std::size_t i = 0; i < dimensions; i += 2) {
      const float cosine = angles[i], sine = angles[i + 1], x = row[i], y = row[i + 1];
      row[i] = x * cosine - y * sine;
      row[i + 1] = x * sine + y * cosine;
    }
}

void swiglu(const float* gate, const float* up, std::size_t count, float* target) {
  HWY_DYNAMIC_DISPATCH(swiglu_row)(gate, up, count, target);
}

}  // namespace bitlens::kernels
#endif  // HWY_ONCE
