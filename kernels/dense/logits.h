// From logits to log-likelihoods and divergences, a piece of the vocabulary at a time: rows as long as the
// vocabulary are never held. All sums over the vocabulary end in double.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace bitlens::kernels {

/// Running log-sum-exp of one row of logits, its most probable entry and the logit of its target.
struct LogitSummary {
  float largest = -std::numeric_limits<float>::infinity();
  double sum = 0.0;        ///< of exp(logit - largest)
  std::uint64_t best = 0;  ///< index of the largest logit, the first of equals
  float target = std::numeric_limits<float>::quiet_NaN();

  /// Negative log-probability of the target, nats; NaN if any logit was NaN.
  [[nodiscard]] double negative_log_likelihood() const;
};
/// Takes in logits of vocabulary entries [first, first + count), in order. `target`: the entry to predict.
void summarize_logits(const float* logits, std::size_t count, std::uint64_t first, std::uint64_t target,
                      LogitSummary& summary);

/// Logits to probabilities, in place: exp(logit - largest) / sum.
void to_probabilities(float* logits, std::size_t count, float largest, double sum);

/// Running KL(base || subject) of one row, with d = base logit - subject logit. For any shift c and e = d -
/// c,
///   KL = A + log1p(B - A),  A = sum p e,  B = sum p (exp(-e) - 1 + e),  p = softmax(base).
/// Every term of B is >= 0, and an error in A cancels to first order, so small divergences keep their digits,
/// where the difference of two log-sum-exps would drown them. Equal rows give exactly 0. Large ones are
/// KL = A + log sum p exp(-e).
struct DivergenceSummary {
  float largest = -std::numeric_limits<float>::infinity();  ///< of the base's logits so far
  float shift = 0.0F;
  bool started = false;
  double sum = 0.0;     ///< of w = exp(base logit - largest)
  double linear = 0.0;  ///< of w * e
  double curved = 0.0;  ///< of w * (exp(-e) - 1 + e)
  double direct = 0.0;  ///< of w * exp(-e)

  /// Nats, >= 0; NaN if any logit was NaN.
  [[nodiscard]] double divergence() const;
};
/// Takes in `count` logits of base and subject for the same entries.
void summarize_divergence(const float* base, const float* subject, std::size_t count,
                          DivergenceSummary& summary);

}  // namespace bitlens::kernels
