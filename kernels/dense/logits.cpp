#include "kernels/dense/logits.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense/logits.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target:
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Everything runs in steps of 16 entries and 16 partial sums whatever the vector width, so that widths agree.
constexpr std::size_t kStep = 16;
using Tag = hn::CappedTag<float, kStep>;
using Vector = hn::Vec<Tag>;
constexpr std::size_t kLanes = hn::MaxLanes(Tag());
constexpr std::size_t kParts = kStep / kLanes;
/// Single-precision partial sums are handed over to double after this many entries.
constexpr std::size_t kPiece = 512;

struct Sums {
  Vector parts[kParts];
  HWY_INLINE Sums() {
    for (Vector& part : parts) part = hn::Zero(Tag());
  }
  [[nodiscard]] HWY_INLINE double total() const {
    HWY_ALIGN float lanes[kStep];
    for (std::size_t i = 0; i < kParts; ++i) hn::Store(parts[i], Tag(), lanes + i * kLanes);
    double sum = 0.0;
    for (const float lane : lanes) sum += static_cast<double>(lane);
    return sum;
  }
};

/// `count` values of `source`, the rest of a whole number of steps filled with `filler`.
HWY_INLINE const float* padded(const float* source, std::size_t count, float filler, float* room) {
  if (count % kStep == 0) return source;
  std::copy_n(source, count, room);
  std::fill(room + count, room + (count + kStep - 1) / kStep * kStep, filler);
  return room;
}

/// Largest value; NaN if there is one (IEEE maximum instructions would lose it).
HWY_INLINE float maximum(const float* values, std::size_t count) {
  const Tag d;
  Vector largest = hn::Set(d, -std::numeric_limits<float>::infinity());
  auto bad = hn::IsNaN(largest);
  for (std::size_t i = 0; i < count; i += kLanes) {
    const Vector value = hn::LoadU(d, values + i);
    bad = hn::Or(bad, hn::IsNaN(value));
    largest = hn::Max(largest, value);
  }
  if (!hn::AllFalse(d, bad)) return std::numeric_limits<float>::quiet_NaN();
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

constexpr float kLowest = -std::numeric_limits<float>::infinity();

void summarize_piece(const float* logits, std::size_t count, std::uint64_t first, std::uint64_t target,
                     LogitSummary& summary) {
  const Tag d;
  HWY_ALIGN float room[kPiece];
  if (target >= first && target - first < count) summary.target = logits[target - first];
  const float* values = padded(logits, count, kLowest, room);
  const std::size_t steps = (count + kStep - 1) / kStep * kStep;
  const float largest = maximum(values, steps);
  if (std::isnan(largest) || std::isinf(largest)) {
    summary.sum = std::numeric_limits<double>::quiet_NaN();
    return;
  }
  if (largest > summary.largest) {
    summary.sum *= std::exp(static_cast<double>(summary.largest) - static_cast<double>(largest));
    summary.largest = largest;
    summary.best = first + static_cast<std::uint64_t>(std::find(logits, logits + count, largest) - logits);
  }
  const Vector shift = hn::Set(d, summary.largest);
  Sums sums;
  for (std::size_t i = 0; i < steps; i += kStep)
    for (std::size_t part = 0; part < kParts; ++part)
      sums.parts[part] =
          hn::Add(sums.parts[part], hn::Exp(d, hn::Sub(hn::LoadU(d, values + i + part * kLanes), shift)));
  summary.sum += sums.total();
}

/// exp(-e) - 1 + e without cancellation for |e| < 1/2: its Taylor series to e^9, below one unit in the last
/// place.
HWY_INLINE Vector curvature(Vector e) {
  const Tag d;
  const Vector x = hn::Neg(e);
  Vector sum = hn::Set(d, 1.0F / 362880.0F);
  sum = hn::MulAdd(sum, x, hn::Set(d, 1.0F / 40320.0F));
  sum = hn::MulAdd(sum, x, hn::Set(d, 1.0F / 5040.0F));
  sum = hn::MulAdd(sum, x, hn::Set(d, 1.0F / 720.0F));
  sum = hn::MulAdd(sum, x, hn::Set(d, 1.0F / 120.0F));
  sum = hn::MulAdd(sum, x, hn::Set(d, 1.0F / 24.0F));
  sum = hn::MulAdd(sum, x, hn::Set(d, 1.0F / 6.0F));
  sum = hn::MulAdd(sum, x, hn::Set(d, 0.5F));
  return hn::Mul(sum, hn::Mul(x, x));
}

void divergence_piece(const float* base, const float* subject, std::size_t count,
                      DivergenceSummary& summary) {
  const Tag d;
  HWY_ALIGN float base_room[kPiece], subject_room[kPiece];
  const std::size_t steps = (count + kStep - 1) / kStep * kStep;
  const float largest = maximum(padded(base, count, kLowest, base_room), steps);
  // In the padding both logits are so low that the weight is 0 and the difference is 0.
  constexpr float kFiller = -1e30F;
  const float* p = padded(base, count, kFiller, base_room);
  const float* q = padded(subject, count, kFiller, subject_room);
  if (!std::isfinite(largest)) {
    summary.sum = std::numeric_limits<double>::quiet_NaN();
    return;
  }
  if (!summary.started) {
    double difference = 0.0;
    for (std::size_t i = 0; i < count; ++i)
      difference += static_cast<double>(base[i]) - static_cast<double>(subject[i]);
    summary.shift = static_cast<float>(difference / static_cast<double>(count));
    summary.started = true;
  }
  if (largest > summary.largest) {
    const double factor = std::exp(static_cast<double>(summary.largest) - static_cast<double>(largest));
    summary.sum *= factor;
    summary.linear *= factor;
    summary.curved *= factor;
    summary.direct *= factor;
    summary.largest = largest;
  }
  const Vector top = hn::Set(d, summary.largest), shift = hn::Set(d, summary.shift), half = hn::Set(d, 0.5F);
  const Vector limit = hn::Set(d, 80.0F), one = hn::Set(d, 1.0F);
  Sums sum, linear, curved, direct;
  for (std::size_t i = 0; i < steps; i += kStep)
    for (std::size_t part = 0; part < kParts; ++part) {
      const Vector b = hn::LoadU(d, p + i + part * kLanes), s = hn::LoadU(d, q + i + part * kLanes);
      const Vector below = hn::Sub(b, top);
      const Vector weight = hn::Exp(d, below);
      // In the padding the difference is 0, so e = -shift would count with weight 0: exactly nothing.
      const Vector e = hn::Sub(hn::Sub(b, s), shift);
      const Vector near = hn::Mul(weight, curvature(e));
      const auto small = hn::Lt(hn::Abs(e), half);
      sum.parts[part] = hn::Add(sum.parts[part], weight);
      linear.parts[part] = hn::MulAdd(weight, e, linear.parts[part]);
      if (hn::AllTrue(d, small)) {
        curved.parts[part] = hn::Add(curved.parts[part], near);
        direct.parts[part] = hn::Add(direct.parts[part], hn::Add(near, hn::Mul(weight, hn::Sub(one, e))));
        continue;
      }
      // For large |e|: w * exp(-e) as one exponential, which cannot overflow before the subject's own logits
      // do.
      const Vector whole = hn::Exp(d, hn::Min(hn::Sub(below, e), limit));
      const Vector rest = hn::Mul(weight, hn::Sub(one, e));
      const Vector far = hn::Sub(whole, rest);
      direct.parts[part] = hn::Add(direct.parts[part], hn::IfThenElse(small, hn::Add(near, rest), whole));
      curved.parts[part] = hn::Add(curved.parts[part], hn::IfThenElse(small, near, far));
    }
  summary.sum += sum.total();
  summary.linear += linear.total();
  summary.curved += curved.total();
  summary.direct += direct.total();
}

void probabilities_row(float* logits, std::size_t count, float largest, float scale) {
  const Tag d;
  const Vector shift = hn::Set(d, largest), factor = hn::Set(d, scale);
  HWY_ALIGN float room[kStep];
  for (std::size_t i = 0; i < count; i += kLanes) {
    const std::size_t some = std::min(kLanes, count - i);
    std::copy_n(logits + i, some, room);
    std::fill(room + some, room + kLanes, kLowest);
    hn::Store(hn::Mul(hn::Exp(d, hn::Sub(hn::Load(d, room), shift)), factor), d, room);
    std::copy_n(room, some, logits + i);
  }
}

void summarize_row(const float* logits, std::size_t count, std::uint64_t first, std::uint64_t target,
                   LogitSummary& summary) {
  for (std::size_t i = 0; i < count; i += kPiece)
    summarize_piece(logits + i, std::min(kPiece, count - i), first + i, target, summary);
}

void divergence_row(const float* base, const float* subject, std::size_t count, DivergenceSummary& summary) {
  for (std::size_t i = 0; i < count; i += kPiece)
    divergence_piece(base + i, subject + i, std::min(kPiece, count - i), summary);
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {

HWY_EXPORT(probabilities_row);
HWY_EXPORT(summarize_row);
HWY_EXPORT(divergence_row);

double LogitSummary::negative_log_likelihood() const {
  return std::log(sum) + static_cast<double>(largest) - static_cast<double>(target);
}

double DivergenceSummary::divergence() const {
  const double a = linear / sum, b = curved / sum;
  // Where the subject gives the base's likely tokens almost nothing, b - a is nearly -1 and says nothing any
  // more.
  const double value = a + (b - a <= -0.5 ? std::log(direct / sum) : std::log1p(b - a));
  return value < 0.0 ? 0.0 : value;  // NaN stays NaN
}

void summarize_logits(const float* logits, std::size_t count, std::uint64_t first, std::uint64_t target,
                      LogitSummary& summary) {
  HWY_DYNAMIC_DISPATCH(summarize_row)(logits, count, first, target, summary);
}

void to_probabilities(float* logits, std::size_t count, float largest, double sum) {
  HWY_DYNAMIC_DISPATCH(probabilities_row)(logits, count, largest, static_cast<float>(1.0 / sum));
}

void summarize_divergence(const float* base, const float* subject, std::size_t count,
                          DivergenceSummary& summary) {
  HWY_DYNAMIC_DISPATCH(divergence_row)(base, subject, count, summary);
}

}  // namespace bitlens::kernels
#endif  // HWY_ONCE
