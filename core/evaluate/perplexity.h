// Perplexity under two named protocols, and the paired comparison of two precisions of a model on the same
// tokens.
//
// llama: as llama-perplexity. The text is tokenized once, BOS at the head if the model adds it; floor(tokens
// / n)
//   windows of n, tail dropped; in each window the first token is replaced by BOS if the model adds it;
//   positions n/2 .. n-2 are scored, each predicting the next token.
// paper: windows of n as the quantization papers use them (GPTQ, AWQ); positions 0 .. n-2 are scored.
// PPL = exp(mean NLL) (natural log); ppl_se = sqrt((E[nll^2] - mean^2) / (count - 1)) * PPL. Sums in double.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/run/weights.h"
#include "core/tokenizer/tokenizer.h"
#include "kernels/dense/product.h"

namespace bitlens::evaluate {

enum class Protocol { Llama, Paper };
/// Exact: f32 activations. Q8: the inputs of quantized weights rounded as llama.cpp's CPU products do
/// (kernels::ActivationRounding of the weight's format); the embedding look-up is not rounded.
enum class Activations { Exact, Q8 };
/// Exact: products with weights as good as those of f32. Fast: both sides of them rounded to bf16, sums in
/// f32; how far that is off is measured on the first window (Deviation).
using kernels::Compute;
[[nodiscard]] const char* protocol_name(Protocol protocol);           // "llama", "paper"
[[nodiscard]] const char* activations_name(Activations activations);  // "exact", "q8"
[[nodiscard]] const char* compute_name(Compute compute);              // "exact", "fast"

struct Options {
  Protocol protocol = Protocol::Llama;
  std::uint32_t context = 0;  ///< tokens per window; 0: 512 for llama, 2048 for paper
  std::uint32_t windows = 0;  ///< at most this many, from the start of the text; 0: all
  Activations activations = Activations::Exact;
  Compute compute = Compute::Exact;
  std::uint64_t memory_budget =
      1ULL << 30;  ///< bytes of hidden states held at once; windows run in groups that fit
};

/// The windows a protocol cuts out of a text. `tokens` are the model inputs (BOS already put in), `targets`
/// the token each position predicts.
struct Windows {
  std::uint32_t context = 0;
  std::uint32_t first_scored = 0, last_scored = 0;  ///< positions, inclusive
  std::vector<std::vector<tokenizer::TokenId>> inputs;
  std::vector<std::vector<tokenizer::TokenId>>
      targets;                        ///< targets[w][p] = token at position p + 1; context - 1 each
  std::uint64_t text_tokens = 0;      ///< of the whole text, BOS included
  std::vector<std::string> warnings;  ///< context above the model's own, ...
  [[nodiscard]] std::uint64_t scored_per_window() const { return last_scored - first_scored + 1; }
};
/// `text_tokens`: of the whole text, BOS at its head if the model adds it.
/// InvalidArgument if the text has fewer than two windows ("text has 312 tokens; at least 2 x 512 needed").
[[nodiscard]] Result<Windows> make_windows(const std::vector<tokenizer::TokenId>& text_tokens,
                                           const tokenizer::Tokenizer& tokenizer, const Options& options,
                                           std::uint32_t model_context);

struct Perplexity {
  double nll_mean = 0, nll_se = 0;  ///< nats per scored token
  double ppl = 0, ppl_se = 0;
  std::uint64_t windows = 0, scored_tokens = 0;
};

/// Paired over the scored tokens; base first. KL in nats per token over the full distributions.
struct Comparison {
  Perplexity base;
  double kl_mean = 0, kl_se = 0, kl_median = 0, kl_p90 = 0, kl_p99 = 0, kl_max = 0;
  double ln_ratio = 0, ln_ratio_se = 0;  ///< mean and SE of nll - nll_base = ln(PPL / PPL_base)
  double top1_agreement = 0;             ///< share of scored tokens with the same most probable token, 0..1
  double delta_p_rms = 0;                ///< RMS change of the true token's probability, 0..1
};

/// What fast products change, measured on the first windows of a run: the same weights with exact products,
/// paired token by token.
struct Deviation {
  std::uint64_t windows = 0, scored_tokens = 0;
  double ln_ratio = 0, ln_ratio_se = 0;  ///< ln(PPL fast / PPL exact) and its standard error
  double kl_mean = 0;                    ///< KL(exact || fast), nats per scored token
};

struct Measurement {
  Perplexity perplexity;
  std::optional<Comparison> comparison;
  std::optional<Deviation> deviation;  ///< of fast products
  Protocol protocol = Protocol::Llama;
  Activations activations = Activations::Exact;
  Compute compute = Compute::Exact;
  std::uint32_t context = 0;
  double seconds = 0;
  std::vector<float> token_nll;  ///< per scored token, in window order
  std::vector<float> token_kl;   ///< empty without a base
  std::vector<std::string> warnings;
};

/// Measures `subject`, and against `base` when given (same vocabulary). The options' activations apply to
/// `subject` only, the base runs with exact ones, so the comparison contains the cost of rounded activations
/// too; its `compute` applies to both. Identical views (no tensor differs, exact activations) give a KL of
/// exactly 0. Numeric at the first NaN, naming layer and tensor.
[[nodiscard]] Result<Measurement> measure(const run::WeightSource& subject, const run::WeightSource* base,
                                          const Windows& windows, const Options& options,
                                          const WorkContext& work);

}  // namespace bitlens::evaluate
