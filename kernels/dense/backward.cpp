#include "kernels/dense/backward.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense/backward.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "hwy/contrib/math/math-inl.h"
#include "kernels/dense/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

void rms_norm_backward_rows(const float* x, const float* weight, const float* gradient, std::size_t rows,
                            std::size_t width, float epsilon, float* target) {
  constexpr std::size_t kSums = 16;  // a fixed number of partial sums: the same bits at any vector width
  for (std::size_t r = 0; r < rows; ++r, x += width, gradient += width, target += width) {
    double squares[kSums] = {}, products[kSums] = {};
    for (std::size_t i = 0; i < width; ++i) {
      const double value = static_cast<double>(x[i]);
      squares[i % kSums] += value * value;
      products[i % kSums] += value * static_cast<double>(gradient[i] * weight[i]);
    }
    double square = 0.0, product = 0.0;
    for (std::size_t i = 0; i < kSums; ++i) {
      square += squares[i];
      product += products[i];
    }
    const double n = static_cast<double>(width);
    const double scale = 1.0 / std::sqrt(square / n + static_cast<double>(epsilon));
    const auto s = static_cast<float>(scale);
    const auto shrink = static_cast<float>(product * scale * scale * scale / n);
    for (std::size_t i = 0; i < width; ++i) target[i] += s * weight[i] * gradient[i] - shrink * x[i];
  }
}

void swiglu_backward_row(const float* gate, const float* up, const float* gradient, std::size_t count,
                         float* d_gate, float* d_up) {
  const GemmTag d;
  const GemmVector one = hn::Set(d, 1.0F);
  const auto step = [&](GemmVector g, GemmVector u, GemmVector by, GemmVector& to_gate, GemmVector& to_up) {
    // Below -80 exp would overflow; the sigmoid is then 0 for all purposes.
    const GemmVector low = hn::Max(g, hn::Set(d, -80.0F));
    const GemmVector sigmoid = hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(low))));
    to_up = hn::Mul(by, hn::Mul(g, sigmoid));
    const GemmVector slope = hn::Mul(sigmoid, hn::MulAdd(g, hn::Sub(one, sigmoid), one));
    to_gate = hn::Mul(hn::Mul(by, u), slope);
  };
  std::size_t i = 0;
  GemmVector to_gate, to_up;
  for (; i + kLanes <= count; i += kLanes) {
    step(hn::LoadU(d, gate + i), hn::LoadU(d, up + i), hn::LoadU(d, gradient + i), to_gate, to_up);
    hn::StoreU(to_gate, d, d_gate + i);
    hn::StoreU(to_up, d, d_up + i);
  }
  if (i == count) return;
  HWY_ALIGN float a[16] = {}, b[16] = {}, c[16] = {};
  for (std::size_t j = 0; i + j < count; ++j) {
    a[j] = gate[i + j];
    b[j] = up[i + j];
    c[j] = gradient[i + j];
  }
  step(hn::Load(d, a), hn::Load(d, b), hn::Load(d, c), to_gate, to_up);
  hn::Store(to_gate, d, a);
  hn::Store(to_up, d, b);
  for (std::size_t j = 0; i + j < count; ++j) {
    d_gate[i + j] = a[j];
    d_up[i + j] = b[j];
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {

HWY_EXPORT(rms_norm_backward_rows);
HWY_EXPORT(swiglu_backward_row);

void rms_norm_backward(const float* x, const float* weight, const float* gradient, std::size_t rows,
                       std::size_t width, float epsilon, float* target) {
  HWY_DYNAMIC_DISPATCH(rms_norm_backward_rows)(x, weight, gradient, rows, width, epsilon, target);
}

void swiglu_backward(const float* gate, const float* up, const float* gradient, std::size_t count,
                     float* d_gate, float* d_up) {
  HWY_DYNAMIC_DISPATCH(swiglu_backward_row)(gate, up, gradient, count, d_gate, d_up);
}

}  // namespace bitlens::kernels
#endif  // HWY_ONCE
