// Groups /measurements (a row per measured recipe or file, each with its provenance) and /tokens (the scored
// tokens of all rows, one behind the other).
#include <limits>

#include "core/report/groups.h"

namespace bitlens::report {

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

struct Number {
  const char* name;
  const char* long_name;
  const char* units;
  double (*get)(const MeasurementRow&);
};

/// A number of the comparison, NaN without a base.
template <auto kMember>
double compared(const MeasurementRow& row) {
  return row.measurement.comparison ? (*row.measurement.comparison).*kMember : kMissing;
}
template <auto kMember>
double base(const MeasurementRow& row) {
  return row.measurement.comparison ? row.measurement.comparison->base.*kMember : kMissing;
}
template <auto kMember>
double own(const MeasurementRow& row) {
  return row.measurement.perplexity.*kMember;
}

/// A number of what fast products change, NaN where products were exact.
template <auto kMember>
double fast(const MeasurementRow& row) {
  return row.measurement.deviation ? (*row.measurement.deviation).*kMember : kMissing;
}

using evaluate::Comparison;
using evaluate::Deviation;
using evaluate::Perplexity;
constexpr Number kNumbers[] = {
    {"ppl", "perplexity, exp(nll_mean)", "1", own<&Perplexity::ppl>},
    {"ppl_se", "standard error of ppl", "1", own<&Perplexity::ppl_se>},
    {"nll_mean", "mean negative log-likelihood of a scored token", "nat", own<&Perplexity::nll_mean>},
    {"nll_se", "standard error of nll_mean", "nat", own<&Perplexity::nll_se>},
    {"base_ppl", "perplexity of the base on the same tokens", "1", base<&Perplexity::ppl>},
    {"base_ppl_se", "standard error of base_ppl", "1", base<&Perplexity::ppl_se>},
    {"kl_mean", "mean KL divergence base || subject per scored token", "nat", compared<&Comparison::kl_mean>},
    {"kl_se", "standard error of kl_mean", "nat", compared<&Comparison::kl_se>},
    {"kl_median", "median KL divergence per scored token", "nat", compared<&Comparison::kl_median>},
    {"kl_p90", "90th percentile of the KL divergence", "nat", compared<&Comparison::kl_p90>},
    {"kl_p99", "99th percentile of the KL divergence", "nat", compared<&Comparison::kl_p99>},
    {"kl_max", "largest KL divergence", "nat", compared<&Comparison::kl_max>},
    {"ln_ratio", "ln(ppl / base_ppl): mean paired difference of the negative log-likelihoods", "nat",
     compared<&Comparison::ln_ratio>},
    {"ln_ratio_se", "standard error of ln_ratio, paired", "nat", compared<&Comparison::ln_ratio_se>},
    {"top1_agreement", "share of scored tokens with the same most probable token", "1",
     compared<&Comparison::top1_agreement>},
    {"delta_p_rms", "RMS change of the true token's probability", "1", compared<&Comparison::delta_p_rms>},
    {"fast_ln_ratio", "ln(ppl / ppl with exact products) on the first windows; NaN with exact products",
     "nat", fast<&Deviation::ln_ratio>},
    {"fast_kl_mean", "mean KL divergence exact || fast products per token there", "nat",
     fast<&Deviation::kl_mean>},
    {"bits_per_weight", "8 * bytes of tensor data / weights", "bit",
     [](const MeasurementRow& row) { return row.bits_per_weight; }},
    {"seconds", "time the measurement took", "s",
     [](const MeasurementRow& row) { return row.measurement.seconds; }},
};

struct Count {
  const char* name;
  const char* long_name;
  const char* units;
  std::uint64_t (*get)(const MeasurementRow&);
};
constexpr Count kCounts[] = {
    {"windows", "windows scored", "1",
     [](const MeasurementRow& row) { return row.measurement.perplexity.windows; }},
    {"scored_tokens", "tokens scored", "1",
     [](const MeasurementRow& row) { return row.measurement.perplexity.scored_tokens; }},
    {"context", "tokens per window", "1",
     [](const MeasurementRow& row) { return std::uint64_t{row.measurement.context}; }},
    {"file_bytes", "exact size of the model file", "byte",
     [](const MeasurementRow& row) { return row.file_bytes; }},
    {"threads", "threads used", "1",
     [](const MeasurementRow& row) { return static_cast<std::uint64_t>(row.provenance.threads); }},
    {"seed", "seed of the random numbers, 0: none used", "1",
     [](const MeasurementRow& row) { return row.provenance.seed; }},
};

struct Text {
  const char* name;
  const char* long_name;
  std::string (*get)(const MeasurementRow&);
};
constexpr Text kTexts[] = {
    {"recipe", "recipe as JSON; empty: the file as it is",
     [](const MeasurementRow& row) { return row.recipe_json; }},
    {"quantizer", "default quantizer of the recipe",
     [](const MeasurementRow& row) { return row.provenance.quantizer; }},
    {"protocol", "perplexity protocol",
     [](const MeasurementRow& row) {
       return std::string(evaluate::protocol_name(row.measurement.protocol));
     }},
    {"activations", "precision of activations",
     [](const MeasurementRow& row) {
       return std::string(evaluate::activations_name(row.measurement.activations));
     }},
    {"compute", "precision of products",
     [](const MeasurementRow& row) { return std::string(evaluate::compute_name(row.measurement.compute)); }},
    {"model_path", "model file", [](const MeasurementRow& row) { return row.provenance.model_path; }},
    {"model_sha256", "SHA-256 of the model file",
     [](const MeasurementRow& row) { return row.provenance.model_sha256; }},
    {"text_name", "evaluation text", [](const MeasurementRow& row) { return row.provenance.text_name; }},
    {"text_sha256", "SHA-256 of the evaluation text",
     [](const MeasurementRow& row) { return row.provenance.text_sha256; }},
    {"tokenizer", "tokenizer", [](const MeasurementRow& row) { return row.provenance.tokenizer; }},
    {"bos", "whether BOS is put at the head", [](const MeasurementRow& row) { return row.provenance.bos; }},
    {"program", "program and version", [](const MeasurementRow& row) { return row.provenance.program; }},
    {"instruction_set", "processor instructions used",
     [](const MeasurementRow& row) { return row.provenance.instruction_set; }},
    {"imatrix", "importance matrix of the encoders; empty: none",
     [](const MeasurementRow& row) { return row.provenance.imatrix; }},
    {"imatrix_sha256", "SHA-256 of that file",
     [](const MeasurementRow& row) { return row.provenance.imatrix_sha256; }},
    {"time", "when it was measured, ISO 8601 UTC",
     [](const MeasurementRow& row) { return row.provenance.time; }},
    {"warnings", "what to be careful about, a line each",
     [](const MeasurementRow& row) {
       std::string all;
       for (const std::string& warning : row.measurement.warnings) all += (all.empty() ? "" : "\n") + warning;
       return all;
     }},
};

void write_tokens(Hdf5File& file, const std::vector<MeasurementRow>& rows) {
  std::vector<std::uint64_t> lengths;
  std::vector<std::string> names;
  std::vector<std::int32_t> token, measurement;
  std::vector<float> nll, kl;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const evaluate::Measurement& one = rows[r].measurement;
    names.push_back(rows[r].name);
    lengths.push_back(one.token_nll.size());
    for (std::size_t i = 0; i < one.token_nll.size(); ++i) {
      token.push_back(static_cast<std::int32_t>(i));
      measurement.push_back(static_cast<std::int32_t>(r));
      nll.push_back(one.token_nll[i]);
      kl.push_back(i < one.token_kl.size() ? one.token_kl[i] : std::numeric_limits<float>::quiet_NaN());
    }
  }
  if (nll.empty()) return;
  file.group("tokens", {{"of", std::string("scored tokens of every measurement, in window order")}});
  file.dimension("measurement", names, {"name of the recipe or file"});
  file.variable("scored", {"measurement"}, lengths, {"scored tokens kept of the measurement"});
  file.dimension("token", token, {"scored token within its measurement; measurements one behind the other"});
  file.variable("token_measurement", {"token"}, measurement, {"index of the measurement"});
  file.variable("nll", {"token"}, nll, {"negative log-likelihood of the true token", "nat"});
  file.variable("kl", {"token"}, kl, {"KL divergence base || subject; NaN without a base", "nat"});
}

}  // namespace

void write_measurements(Hdf5File& file, const ReportInput& input) {
  if (input.measurements.empty()) return;
  const std::vector<MeasurementRow>& rows = input.measurements;
  file.group("measurements",
             {{"of", std::string("each recipe or file measured; provenance beside every number")}});
  std::vector<std::string> names;
  for (const MeasurementRow& row : rows) names.push_back(row.name);
  file.dimension("measurement", names, {"name of the recipe or file"});
  for (const Number& number : kNumbers) {
    std::vector<double> values;
    for (const MeasurementRow& row : rows) values.push_back(number.get(row));
    file.variable(number.name, {"measurement"}, values, {number.long_name, number.units});
  }
  for (const Count& count : kCounts) {
    std::vector<std::uint64_t> values;
    for (const MeasurementRow& row : rows) values.push_back(count.get(row));
    file.variable(count.name, {"measurement"}, values, {count.long_name, count.units});
  }
  for (const Text& text : kTexts) {
    std::vector<std::string> values;
    for (const MeasurementRow& row : rows) values.push_back(text.get(row));
    file.variable(text.name, {"measurement"}, values, {text.long_name});
  }
  write_tokens(file, rows);
}

}  // namespace bitlens::report
