// From per-token values to means, standard errors and percentiles. Sums in double, in token order.
#pragma once

#include <cstdint>
#include <vector>

#include "core/evaluate/perplexity.h"

namespace bitlens::evaluate {

/// What one scored token contributes.
struct TokenResult {
  double nll = 0;       ///< subject's, nats
  double base_nll = 0;  ///< base's; the rest only with a base
  double kl = 0;        ///< KL(base || subject), nats
  bool same_top = true;
};

/// `sorted` ascending, not empty; linear between neighbouring order statistics; `share` in 0..1.
[[nodiscard]] double percentile(const std::vector<double>& sorted, double share);

[[nodiscard]] Perplexity subject_perplexity(const std::vector<TokenResult>& tokens, std::uint64_t windows);
/// Paired, subject against base.
[[nodiscard]] Comparison compare(const std::vector<TokenResult>& tokens, std::uint64_t windows);

}  // namespace bitlens::evaluate
