#include "app/cli/measured_text.h"

#include <fmt/format.h>

#include "app/cli/table.h"

namespace bitlens::cli {

namespace {

std::string short_hash(const std::string& sha256) {
  return sha256.substr(0, 12);
}

}  // namespace

std::string measured_text(const study::MeasuredResult& result) {
  const study::Provenance& from = result.provenance;
  const evaluate::Measurement& measured = result.measurement;
  Facts facts;
  facts.add("Model",
            fmt::format("{} (sha256 {})", printable(from.model_path, 1000), short_hash(from.model_sha256)));
  if (result.recipe)
    facts.add("Recipe", fmt::format("{}, quantizer {}", printable(result.name), from.quantizer));
  if (!from.imatrix.empty())
    facts.add("Importance",
              fmt::format("{} (sha256 {})", printable(from.imatrix, 1000), short_hash(from.imatrix_sha256)));
  if (!from.base_path.empty())
    facts.add("Base",
              fmt::format("{} (sha256 {})", printable(from.base_path, 1000), short_hash(from.base_sha256)));
  facts.add("Size", fmt::format("{}, {:.3f} bits per weight", exact_bytes(result.file_bytes),
                                result.bits_per_weight));
  facts.add("Text", fmt::format("{} (sha256 {})", printable(from.text_name), short_hash(from.text_sha256)));
  facts.add("Protocol",
            fmt::format("{}: {} windows of {} tokens, {} scored; BOS {}; activations {}; products {}",
                        from.protocol, from.windows, from.context, from.scored_tokens, from.bos,
                        from.activations, from.compute));
  facts.add("Run", fmt::format("{}, {}, {} threads, {:.1f} s", from.program, from.instruction_set,
                               from.threads, measured.seconds));
  std::string out = facts.render() + "\n";

  Facts numbers;
  numbers.add("Perplexity", with_error(measured.perplexity.ppl, measured.perplexity.ppl_se));
  numbers.add("  mean NLL", fmt::format("{} nats per token", with_error(measured.perplexity.nll_mean,
                                                                        measured.perplexity.nll_se)));
  if (measured.comparison) {
    const evaluate::Comparison& compared = *measured.comparison;
    numbers.add("  of the base", with_error(compared.base.ppl, compared.base.ppl_se));
    numbers.add("  ln(PPL / base)", with_error(compared.ln_ratio, compared.ln_ratio_se));
    numbers.add("KL(base || this)",
                fmt::format("{} nats per token", with_error(compared.kl_mean, compared.kl_se)));
    numbers.add("  median", number(compared.kl_median));
    numbers.add("  90 %", number(compared.kl_p90));
    numbers.add("  99 %", number(compared.kl_p99));
    numbers.add("  maximum", number(compared.kl_max));
    numbers.add("Same top token", fmt::format("{:.3f} %", 100 * compared.top1_agreement));
    numbers.add("RMS change of p", fmt::format("{:.4f} %", 100 * compared.delta_p_rms));
  }
  if (measured.deviation) {
    const evaluate::Deviation& deviation = *measured.deviation;
    numbers.add("Fast products",
                fmt::format("measured on the first {} tokens scored", deviation.scored_tokens));
    numbers.add("  ln(PPL / exact)", with_error(deviation.ln_ratio, deviation.ln_ratio_se));
    numbers.add("  KL(exact || this)", fmt::format("{} nats per token", number(deviation.kl_mean)));
  }
  return out + numbers.render();
}

}  // namespace bitlens::cli
