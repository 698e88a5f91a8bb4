#include "kernels/dense/backward.h"

#include <cmath>
#include <limits>

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

/// Scores of one row to shares, in place; columns outside [low, high) become 0.
HWY_INLINE void softmax_row(float* row, std::size_t low, std::size_t high, std::size_t columns, float scale) {
  const GemmTag d;
  float largest = -std::numeric_limits<float>::infinity();
  for (std::size_t i = low; i < high; ++i) {
    row[i] *= scale;
    if (row[i] > largest) largest = row[i];
  }
  for (std::size_t i = 0; i < low; ++i) row[i] = 0.0F;
  for (std::size_t i = high; i < columns; ++i) row[i] = 0.0F;
  std::size_t i = low;
  const GemmVector shift = hn::Set(d, largest);
  for (; i + kLanes <= high; i += kLanes)
    hn::StoreU(hn::Exp(d, hn::Sub(hn::LoadU(d, row + i), shift)), d, row + i);
  for (; i < high; ++i) row[i] = hn::GetLane(hn::Exp(d, hn::Set(d, row[i] - largest)));
  double sum = 0.0;
  for (i = low; i < high; ++i) sum += static_cast<double>(row[i]);
  const auto by = static_cast<float>(1.0 / sum);
  for (i = low; i < high; ++i) row[i] *= by;
}

/// shares * (gradient - mean of the gradient under the shares) * scale, into `gradient`.
HWY_INLINE void softmax_backward_row(const float* shares, float* gradient, std::size_t columns, float scale) {
  constexpr std::size_t kSums = 16;
  float sums[kSums] = {};
  std::size_t i = 0;
  for (; i + kSums <= columns; i += kSums)
    for (std::size_t j = 0; j < kSums; ++j) sums[j] += shares[i + j] * gradient[i + j];
  for (; i < columns; ++i) sums[i % kSums] += shares[i] * gradient[i];
  double mean = 0.0;
  for (const float part : sums) mean += static_cast<double>(part);
  const auto m = static_cast<float>(mean);
  for (i = 0; i < columns; ++i) gradient[i] = shares[i] * (gradient[i] - m) * scale;
}

/// turned [columns x kQueryTile] = the transpose of rows [rows x columns].
HWY_INLINE void turn(const float* values, std::size_t rows, std::size_t columns, std::size_t stride,
                     float* HWY_RESTRICT turned) {
  for (std::size_t c = 0; c < columns; c += 16) {
    const std::size_t end = columns - c < 16 ? columns : c + 16;
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t i = c; i < end; ++i) turned[i * kQueryTile + r] = values[r * stride + i];
  }
}

/// Rows of `columns` floats as panels [rows x kPanel].
HWY_INLINE void pack_tile(const float* values, std::size_t stride, std::size_t rows, std::size_t columns,
                          float* HWY_RESTRICT packed) {
  for (std::size_t c = 0; c < columns; c += kPanel) {
    const std::size_t width = columns - c < kPanel ? columns - c : kPanel;
    for (std::size_t r = 0; r < rows; ++r, packed += kPanel)
      for (std::size_t j = 0; j < kPanel; ++j) packed[j] = j < width ? values[r * stride + c + j] : 0.0F;
  }
}

std::size_t padded_head(std::size_t head) {
  return (head + kPanel - 1) / kPanel * kPanel;
}

void attend_backward_all(const AttentionShape& shape, const AttentionHead& head,
                         const AttentionGradient* gradients, std::size_t count, std::size_t key_stride,
                         float* shares, float* shares_turned, float* scores, float* scores_turned,
                         float* tile) {
  const std::size_t dim = shape.head_dim, window = shape.sliding_window, stride = head.query_stride;
  const float scale = 1.0F / std::sqrt(static_cast<float>(dim));
  for (std::size_t first = 0; first < shape.context; first += kQueryTile) {
    const std::size_t rows = shape.context - first < kQueryTile ? shape.context - first : kQueryTile;
    const std::size_t end = first + rows;
    std::size_t start = window != 0 && first + 1 > window ? first + 1 - window : 0;
    start = start / kKeyBlock * kKeyBlock;
    const std::size_t keys = end - start;
    const float* queries = head.queries + first * stride;
    gemm(head.packed_keys + start * dim, kPanel * dim, keys, dim, queries, stride, rows, shares, keys, false);
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t position = first + r;
      const std::size_t low =
          window != 0 && position + 1 > window + start ? position + 1 - window - start : 0;
      softmax_row(shares + r * keys, low, position + 1 - start, keys, scale);
    }
    turn(shares, rows, keys, keys, shares_turned);
    for (std::size_t g = 0; g < count; ++g) {
      const AttentionGradient& gradient = gradients[g];
      const float* output = gradient.output + first * stride;
      gemm(head.values_as_keys + start * dim, kPanel * dim, keys, dim, output, stride, rows, scores, keys,
           false);
      for (std::size_t r = 0; r < rows; ++r)
        softmax_backward_row(shares + r * keys, scores + r * keys, keys, scale);
      gemm(head.keys_as_values + start * kPanel, kPanel * shape.context, dim, keys, scores, keys, rows,
           gradient.queries + first * stride, stride, false);
      turn(scores, rows, keys, keys, scores_turned);
      pack_tile(queries, stride, rows, dim, tile);
      gemm(tile, kPanel * rows, dim, rows, scores_turned, kQueryTile, keys,
           gradient.keys + start * key_stride, key_stride, true);
      pack_tile(output, stride, rows, dim, tile);
      gemm(tile, kPanel * rows, dim, rows, shares_turned, kQueryTile, keys,
           gradient.values + start * key_stride, key_stride, true);
    }
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {

HWY_EXPORT(rms_norm_backward_rows);
HWY_EXPORT(swiglu_backward_row);
HWY_EXPORT(padded_head);
HWY_EXPORT(attend_backward_all);

void rms_norm_backward(const float* x, const float* weight, const float* gradient, std::size_t rows,
                       std::size_t width, float epsilon, float* target) {
  HWY_DYNAMIC_DISPATCH(rms_norm_backward_rows)(x, weight, gradient, rows, width, epsilon, target);
}

void swiglu_backward(const float* gate, const float* up, const float* gradient, std::size_t count,
                     float* d_gate, float* d_up) {
  HWY_DYNAMIC_DISPATCH(swiglu_backward_row)(gate, up, gradient, count, d_gate, d_up);
}

bool attend_backward(const AttentionShape& shape, const AttentionHead& head,
                     const AttentionGradient* gradients, std::size_t count, std::size_t key_stride,
                     AttentionScratch& s) {
  const std::size_t size = kQueryTile * shape.context;
  const std::size_t tile = kQueryTile * HWY_DYNAMIC_DISPATCH(padded_head)(shape.head_dim);
  if (!s.shares.resize(size) || !s.shares_turned.resize(size) || !s.scores.resize(size) ||
      !s.scores_turned.resize(size) || !s.tile.resize(tile))
    return false;
  HWY_DYNAMIC_DISPATCH(attend_backward_all)
  (shape, head, gradients, count, key_stride, s.shares.data(), s.shares_turned.data(), s.scores.data(),
   s.scores_turned.data(), s.tile.data());
  return true;
}

}  // namespace bitlens::kernels
#endif  // HWY_ONCE
