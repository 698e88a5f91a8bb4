#include "core/study/result_json.h"

#include <array>

namespace bitlens::study {

namespace {

using evaluate::Activations;
using evaluate::Comparison;
using evaluate::Measurement;
using evaluate::Protocol;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::uint64_t kMaxU32 = 0xFFFFFFFFU;

/// Key and member of every number of a comparison, in the order they are written.
constexpr std::array<std::pair<const char*, double Comparison::*>, 10> kComparisonNumbers{{
    {"kl_mean", &Comparison::kl_mean},
    {"kl_se", &Comparison::kl_se},
    {"kl_median", &Comparison::kl_median},
    {"kl_p90", &Comparison::kl_p90},
    {"kl_p99", &Comparison::kl_p99},
    {"kl_max", &Comparison::kl_max},
    {"ln_ratio", &Comparison::ln_ratio},
    {"ln_ratio_se", &Comparison::ln_ratio_se},
    {"top1_agreement", &Comparison::top1_agreement},
    {"delta_p_rms", &Comparison::delta_p_rms},
}};

constexpr std::array<std::pair<const char*, std::string Provenance::*>, 12> kProvenanceTexts{{
    {"model", &Provenance::model_path},
    {"model_sha256", &Provenance::model_sha256},
    {"base", &Provenance::base_path},
    {"base_sha256", &Provenance::base_sha256},
    {"text", &Provenance::text_name},
    {"text_sha256", &Provenance::text_sha256},
    {"tokenizer", &Provenance::tokenizer},
    {"bos", &Provenance::bos},
    {"quantizer", &Provenance::quantizer},
    {"program", &Provenance::program},
    {"instruction_set", &Provenance::instruction_set},
    {"time", &Provenance::time},
}};

}  // namespace

ordered_json provenance_to_json(const Provenance& provenance) {
  ordered_json out;
  for (const auto& [key, member] : kProvenanceTexts) out[key] = provenance.*member;
  if (!provenance.imatrix.empty()) {
    out["imatrix"] = provenance.imatrix;
    out["imatrix_sha256"] = provenance.imatrix_sha256;
  }
  out["protocol"] = provenance.protocol;
  out["activations"] = provenance.activations;
  out["compute"] = provenance.compute;
  out["context"] = provenance.context;
  out["windows"] = provenance.windows;
  out["scored_tokens"] = provenance.scored_tokens;
  out["threads"] = provenance.threads;
  out["seed"] = provenance.seed;
  return out;
}

Provenance read_provenance(ObjectReader reader) {
  Provenance out;
  for (const auto& [key, member] : kProvenanceTexts) out.*member = reader.string(key);
  if (reader.has("imatrix")) {
    out.imatrix = reader.string("imatrix");
    out.imatrix_sha256 = reader.string("imatrix_sha256");
  }
  out.protocol = reader.string("protocol");
  out.activations = reader.string("activations");
  if (reader.has("compute")) out.compute = reader.string("compute");  // older files: exact
  out.context = reader.unsigned_number("context");
  out.windows = reader.unsigned_number("windows");
  out.scored_tokens = reader.unsigned_number("scored_tokens");
  out.threads = static_cast<int>(reader.unsigned_number("threads", 1U << 20U));
  out.seed = reader.unsigned_number("seed");
  reader.end();
  return out;
}

void put_measurement(ordered_json& target, const Measurement& measurement) {
  target["ppl"] = measurement.perplexity.ppl;
  target["ppl_se"] = measurement.perplexity.ppl_se;
  target["nll_mean"] = measurement.perplexity.nll_mean;
  target["nll_se"] = measurement.perplexity.nll_se;
  target["windows"] = measurement.perplexity.windows;
  target["scored_tokens"] = measurement.perplexity.scored_tokens;
  target["context"] = measurement.context;
  target["protocol"] = evaluate::protocol_name(measurement.protocol);
  target["activations"] = evaluate::activations_name(measurement.activations);
  target["compute"] = evaluate::compute_name(measurement.compute);
  if (measurement.deviation) {
    const evaluate::Deviation& deviation = *measurement.deviation;
    target["fast_windows"] = deviation.windows;
    target["fast_scored_tokens"] = deviation.scored_tokens;
    target["fast_ln_ratio"] = deviation.ln_ratio;
    target["fast_ln_ratio_se"] = deviation.ln_ratio_se;
    target["fast_kl_mean"] = deviation.kl_mean;
  }
  if (measurement.comparison) {
    const Comparison& comparison = *measurement.comparison;
    for (const auto& [key, member] : kComparisonNumbers) target[key] = comparison.*member;
    target["base_ppl"] = comparison.base.ppl;
    target["base_ppl_se"] = comparison.base.ppl_se;
    target["base_nll_mean"] = comparison.base.nll_mean;
    target["base_nll_se"] = comparison.base.nll_se;
  }
  target["seconds"] = measurement.seconds;
}

Measurement read_measurement(ObjectReader& reader) {
  Measurement out;
  out.perplexity.ppl = reader.number("ppl");
  out.perplexity.ppl_se = reader.number("ppl_se");
  out.perplexity.nll_mean = reader.number("nll_mean");
  out.perplexity.nll_se = reader.number("nll_se");
  out.perplexity.windows = reader.unsigned_number("windows");
  out.perplexity.scored_tokens = reader.unsigned_number("scored_tokens");
  out.context = static_cast<std::uint32_t>(reader.unsigned_number("context", kMaxU32));
  out.protocol = reader.one_of("protocol", {Protocol::Llama, Protocol::Paper}, evaluate::protocol_name);
  out.activations =
      reader.one_of("activations", {Activations::Exact, Activations::Q8}, evaluate::activations_name);
  if (reader.has("compute"))  // older files: exact
    out.compute =
        reader.one_of("compute", {evaluate::Compute::Exact, evaluate::Compute::Fast}, evaluate::compute_name);
  if (reader.has("fast_windows")) {
    evaluate::Deviation& deviation = out.deviation.emplace();
    deviation.windows = reader.unsigned_number("fast_windows");
    deviation.scored_tokens = reader.unsigned_number("fast_scored_tokens");
    deviation.ln_ratio = reader.number("fast_ln_ratio");
    deviation.ln_ratio_se = reader.number("fast_ln_ratio_se");
    deviation.kl_mean = reader.number("fast_kl_mean");
  }
  if (reader.has("kl_mean")) {
    Comparison& comparison = out.comparison.emplace();
    for (const auto& [key, member] : kComparisonNumbers) comparison.*member = reader.number(key);
    comparison.base.ppl = reader.number("base_ppl");
    comparison.base.ppl_se = reader.number("base_ppl_se");
    comparison.base.nll_mean = reader.number("base_nll_mean");
    comparison.base.nll_se = reader.number("base_nll_se");
    comparison.base.windows = out.perplexity.windows;
    comparison.base.scored_tokens = out.perplexity.scored_tokens;
  }
  out.seconds = reader.number("seconds");
  return out;
}

ordered_json recipe_json(const quantize::Recipe& recipe) {
  return ordered_json::parse(quantize::recipe_to_json(recipe));
}

quantize::Recipe read_recipe(const json& value, const std::string& path, JsonDocument& document) {
  if (document.error) return {};
  auto recipe = quantize::parse_recipe(value.dump(), document.file);
  if (recipe) return std::move(*recipe);
  Error error = recipe.error();
  error.where.object = path + (error.where.object.empty() ? "" : ": " + error.where.object);
  error.where.offset.reset();  // counted inside the recipe, not in this file
  if (error.code == ErrorCode::InvalidArgument) error.code = ErrorCode::BadFile;
  document.error = std::move(error);
  return {};
}

ordered_json result_to_json(const MeasuredResult& result) {
  ordered_json out;
  out["name"] = result.name;
  if (result.recipe) out["recipe"] = recipe_json(*result.recipe);
  out["file_bytes"] = result.file_bytes;
  out["bits_per_weight"] = result.bits_per_weight;
  put_measurement(out, result.measurement);
  out["warnings"] = result.measurement.warnings;
  out["provenance"] = provenance_to_json(result.provenance);
  return out;
}

MeasuredResult read_result(const json& value, const std::string& path, JsonDocument& document) {
  ObjectReader reader(value, path, document);
  MeasuredResult out;
  out.name = reader.string("name");
  if (reader.has("recipe"))
    out.recipe = read_recipe(reader.any("recipe"), reader.path_of("recipe"), document);
  out.file_bytes = reader.unsigned_number("file_bytes");
  out.bits_per_weight = reader.number("bits_per_weight");
  out.measurement = read_measurement(reader);
  out.measurement.warnings = reader.strings("warnings");
  out.provenance = read_provenance(reader.object("provenance"));
  reader.end();
  return out;
}

std::string dump(const ordered_json& value) {
  return value.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace bitlens::study
