#include "core/evaluate/paired.h"

#include <algorithm>
#include <cmath>

namespace bitlens::evaluate {

namespace {

struct MeanAndError {
  double mean = 0;
  double error = 0;  // standard error of the mean
};

template <typename Value>
MeanAndError mean_and_error(const std::vector<TokenResult>& tokens, const Value& value) {
  const auto count = static_cast<double>(tokens.size());
  double sum = 0.0;
  for (const TokenResult& token : tokens) sum += value(token);
  const double mean = sum / count;
  // E[x^2] - mean^2, computed about the mean so that nothing cancels.
  double squares = 0.0;
  for (const TokenResult& token : tokens) {
    const double difference = value(token) - mean;
    squares += difference * difference;
  }
  return {mean, tokens.size() < 2 ? 0.0 : std::sqrt(squares / count / (count - 1.0))};
}

Perplexity perplexity_of(MeanAndError nll, std::uint64_t windows, std::uint64_t tokens) {
  Perplexity result;
  result.nll_mean = nll.mean;
  result.nll_se = nll.error;
  result.ppl = std::exp(nll.mean);
  result.ppl_se = nll.error * result.ppl;
  result.windows = windows;
  result.scored_tokens = tokens;
  return result;
}

}  // namespace

double percentile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

Perplexity subject_perplexity(const std::vector<TokenResult>& tokens, std::uint64_t windows) {
  return perplexity_of(mean_and_error(tokens, [](const TokenResult& t) { return t.nll; }), windows,
                       tokens.size());
}

Comparison compare(const std::vector<TokenResult>& tokens, std::uint64_t windows) {
  Comparison result;
  result.base = perplexity_of(mean_and_error(tokens, [](const TokenResult& t) { return t.base_nll; }),
                              windows, tokens.size());
  const MeanAndError kl = mean_and_error(tokens, [](const TokenResult& t) { return t.kl; });
  result.kl_mean = kl.mean;
  result.kl_se = kl.error;
  std::vector<double> sorted;
  sorted.reserve(tokens.size());
  for (const TokenResult& token : tokens) sorted.push_back(token.kl);
  std::ranges::sort(sorted);
  result.kl_median = percentile(sorted, 0.5);
  result.kl_p90 = percentile(sorted, 0.9);
  result.kl_p99 = percentile(sorted, 0.99);
  result.kl_max = sorted.back();
  const MeanAndError ratio = mean_and_error(tokens, [](const TokenResult& t) { return t.nll - t.base_nll; });
  result.ln_ratio = ratio.mean;
  result.ln_ratio_se = ratio.error;
  std::uint64_t agreed = 0;
  double squares = 0.0;
  for (const TokenResult& token : tokens) {
    agreed += token.same_top ? 1 : 0;
    const double change = std::exp(-token.nll) - std::exp(-token.base_nll);
    squares += change * change;
  }
  result.top1_agreement = static_cast<double>(agreed) / static_cast<double>(tokens.size());
  result.delta_p_rms = std::sqrt(squares / static_cast<double>(tokens.size()));
  return result;
}

}  // namespace bitlens::evaluate
