// Attention for small heads, compiled once per instruction set. With 8 or 16 components a head's products are
// too short for the register tile of gemm-inl.h. Here the lanes of a vector are queries instead: a vector of
// scores is a few multiply-adds, its exponential and its share of the output never leave the registers, and
// nothing is added across lanes.
#include <cmath>
#include <cstddef>
#include <limits>

#include "hwy/highway.h"
#include "kernels/dense/attention.h"
#include "kernels/dense/exp2-inl.h"
#include "kernels/dense/gemm-inl.h"

// Highway's per-target include guard.
#if defined(BITLENS_KERNELS_DENSE_ATTENTION_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLENS_KERNELS_DENSE_ATTENTION_LANES_INL_H
#undef BITLENS_KERNELS_DENSE_ATTENTION_LANES_INL_H
#else
#define BITLENS_KERNELS_DENSE_ATTENTION_LANES_INL_H
#endif

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Keys between two looks at the running maximum. Blocks start at multiples of it, so that a row's bits
/// depend on its position alone, whatever the vector width.
constexpr std::size_t kLaneKeys = 16;

/// Component 0 of a key, and the distance to the next component, in the panels of pack().
template <std::size_t kHead>
HWY_INLINE const float* packed_key(const float* keys, std::size_t key) {
  return keys + key / kPanel * (kPanel * kHead) + key % kPanel;
}
/// Component c of a value.
HWY_INLINE const float* packed_value(const float* values, std::size_t context, std::size_t key,
                                     std::size_t c) {
  return values + (c / kPanel * context + key) * kPanel + c % kPanel;
}

/// One vector of queries, turned and scaled so that scores are exponents of 2, on its way along the keys.
template <std::size_t kHead>
struct LaneAttention {
  using Vector = GemmVector;
  Vector query[kHead], output[kHead], largest, total;

  /// One block of keys [key, key + kLaneKeys). kMask: keys beyond `end` are not read, and key j counts for a
  /// lane only if position - window < j <= position.
  template <bool kMask>
  HWY_INLINE void add(const float* keys, const float* values, std::size_t context, std::size_t key,
                      std::size_t end, Vector position, float window) {
    const GemmTag d;
    const Vector nothing = hn::Set(d, -std::numeric_limits<float>::infinity());
    HWY_ALIGN float scores[kLaneKeys * kLanes];
    Vector top = largest;
    constexpr std::size_t kTogether = 4;
    for (std::size_t j = 0; j < kLaneKeys; j += kTogether) {
      const float* at[kTogether];
      Vector score[kTogether];
      for (std::size_t i = 0; i < kTogether; ++i) {
        const std::size_t wanted = key + j + i;
        at[i] = packed_key<kHead>(keys, kMask && wanted >= end ? end - 1 : wanted);
        score[i] = hn::Mul(query[0], hn::Set(d, at[i][0]));
      }
      for (std::size_t c = 1; c < kHead; ++c)
        for (std::size_t i = 0; i < kTogether; ++i)
          score[i] = hn::MulAdd(query[c], hn::Set(d, at[i][c * kPanel]), score[i]);
      for (std::size_t i = 0; i < kTogether; ++i) {
        if constexpr (kMask) {
          const Vector where = hn::Set(d, static_cast<float>(key + j + i));
          const auto seen =
              hn::And(hn::Le(where, position), hn::Gt(where, hn::Sub(position, hn::Set(d, window))));
          score[i] = hn::IfThenElse(seen, score[i], nothing);
        }
        hn::Store(score[i], d, scores + (j + i) * kLanes);
        top = hn::Max(top, score[i]);
      }
    }
    // A lane that has seen no key yet has nothing to shift by.
    const Vector shift = kMask ? hn::IfThenZeroElse(hn::Eq(top, nothing), top) : top;
    if (!hn::AllTrue(d, hn::Eq(top, largest))) {
      const Vector kept = power_of_two(d, hn::Sub(largest, shift));
      total = hn::Mul(total, kept);
      for (std::size_t c = 0; c < kHead; ++c) output[c] = hn::Mul(output[c], kept);
      largest = top;
    }
    const std::size_t last = kMask && end - key < kLaneKeys ? end - key : kLaneKeys;
    Vector even = hn::Zero(d), odd = hn::Zero(d);
    for (std::size_t j = 0; j < last; j += 2) {
      // Past the end a score is masked: its weight is 0.
      const Vector a = power_of_two(d, hn::Sub(hn::Load(d, scores + j * kLanes), shift));
      const Vector b = power_of_two(d, hn::Sub(hn::Load(d, scores + (j + 1) * kLanes), shift));
      even = hn::Add(even, a);
      odd = hn::Add(odd, b);
      const std::size_t next = kMask && j + 1 == last ? j : j + 1;
      for (std::size_t c = 0; c < kHead; ++c) {
        output[c] = hn::MulAdd(a, hn::Set(d, *packed_value(values, context, key + j, c)), output[c]);
        output[c] = hn::MulAdd(b, hn::Set(d, *packed_value(values, context, key + next, c)), output[c]);
      }
    }
    total = hn::Add(total, hn::Add(even, odd));
  }
};

template <std::size_t kHead>
void attend_lanes(const AttentionShape& shape, const float* queries, std::size_t query_stride,
                  std::size_t first, std::size_t rows, const float* packed_keys, const float* packed_values,
                  float* target, std::size_t target_stride) {
  const GemmTag d;
  // Exponents in powers of two: log2(e) / sqrt(head_dim).
  const float scale = 1.44269504F / std::sqrt(static_cast<float>(kHead));
  // Positions are exact in f32: a window has fewer than 2^24 tokens. No window is one that nothing leaves.
  const float window = shape.sliding_window == 0 || shape.sliding_window > shape.context
                           ? static_cast<float>(shape.context)
                           : static_cast<float>(shape.sliding_window);
  const auto seen_from = [&](std::size_t position) {
    return shape.sliding_window != 0 && position + 1 > shape.sliding_window
               ? position + 1 - shape.sliding_window
               : std::size_t{0};
  };
  HWY_ALIGN float turned[kHead * kLanes];
  for (std::size_t r = 0; r < rows; r += kLanes, first += kLanes) {
    const std::size_t count = rows - r < kLanes ? rows - r : kLanes;
    const float* source = queries + r * query_stride;
    for (std::size_t i = 0; i < kLanes; ++i)
      for (std::size_t c = 0; c < kHead; ++c)
        turned[c * kLanes + i] = i < count ? source[i * query_stride + c] * scale : 0.0F;
    LaneAttention<kHead> lanes;
    for (std::size_t c = 0; c < kHead; ++c) {
      lanes.query[c] = hn::Load(d, turned + c * kLanes);
      lanes.output[c] = hn::Zero(d);
    }
    lanes.largest = hn::Set(d, -std::numeric_limits<float>::infinity());
    lanes.total = hn::Zero(d);
    const GemmVector position = hn::Iota(d, static_cast<float>(first));
    const std::size_t end = first + count;
    // Every lane sees every key of a block between these.
    const std::size_t all_from = seen_from(end - 1);
    for (std::size_t key = seen_from(first) / kLaneKeys * kLaneKeys; key < end; key += kLaneKeys) {
      if (key >= all_from && key + kLaneKeys <= first + 1)
        lanes.template add<false>(packed_keys, packed_values, shape.context, key, end, position, window);
      else
        lanes.template add<true>(packed_keys, packed_values, shape.context, key, end, position, window);
    }
    const GemmVector by = hn::Div(hn::Set(d, 1.0F), lanes.total);
    for (std::size_t c = 0; c < kHead; ++c) hn::Store(hn::Mul(lanes.output[c], by), d, turned + c * kLanes);
    float* row = target + r * target_stride;
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t c = 0; c < kHead; ++c) row[i * target_stride + c] = turned[c * kLanes + i];
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
