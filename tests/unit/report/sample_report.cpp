#include "sample_report.h"

#include <cmath>

using namespace bitlens;

namespace {

/// Numbers that no rounding on the way could turn into each other.
double number(std::size_t i) {
  return std::sqrt(static_cast<double>(i) + 2.0);
}

analyze::Statistics statistics(std::size_t seed) {
  analyze::Statistics out;
  double analyze::Statistics::*members[] = {&analyze::Statistics::min,
                                            &analyze::Statistics::max,
                                            &analyze::Statistics::mean,
                                            &analyze::Statistics::sigma,
                                            &analyze::Statistics::rms,
                                            &analyze::Statistics::abs_max,
                                            &analyze::Statistics::median_abs,
                                            &analyze::Statistics::dynamic_range,
                                            &analyze::Statistics::excess_kurtosis,
                                            &analyze::Statistics::zero_share,
                                            &analyze::Statistics::outliers_6sigma};
  for (std::size_t i = 0; i < std::size(members); ++i) out.*members[i] = number(100 * seed + i);
  out.count = 1000 + seed;
  out.zeros = 10 + seed;
  out.non_finite = seed;
  return out;
}

analyze::Histogram histogram(std::size_t seed) {
  analyze::Histogram out;
  out.low = -number(seed);
  out.high = number(seed);
  out.below = seed;
  out.above = seed + 1;
  for (std::size_t i = 0; i < analyze::kHistogramBins; ++i) out.counts.push_back(i * i + seed);
  return out;
}

std::vector<float> floats(std::size_t count, std::size_t seed) {
  std::vector<float> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(static_cast<float>(number(seed + i)));
  return out;
}

report::MeasurementRow measurement(std::size_t seed, bool with_base) {
  report::MeasurementRow row;
  row.name = with_base ? "Q4_0 recipe" : "file as it is";
  row.file_bytes = 123456789 + seed;
  row.bits_per_weight = number(seed);
  evaluate::Measurement& one = row.measurement;
  one.perplexity = {number(seed + 1), number(seed + 2), number(seed + 3), number(seed + 4), 20, 5100};
  one.context = 512;
  one.seconds = 12.5;
  one.warnings = {"first warning", "second warning"};
  for (std::size_t i = 0; i < 7 + seed; ++i) one.token_nll.push_back(static_cast<float>(number(i)));
  if (with_base) {
    row.recipe_json = "{\n  \"bitlens_recipe\": 1\n}\n";
    one.activations = evaluate::Activations::Q8;
    evaluate::Comparison comparison;
    comparison.base = {number(31), number(32), number(33), number(34), 20, 5100};
    comparison.kl_mean = number(35);
    comparison.kl_se = number(36);
    comparison.kl_median = number(37);
    comparison.kl_p90 = number(38);
    comparison.kl_p99 = number(39);
    comparison.kl_max = number(40);
    comparison.ln_ratio = -number(41);
    comparison.ln_ratio_se = number(42);
    comparison.top1_agreement = 0.875;
    comparison.delta_p_rms = number(43);
    one.comparison = comparison;
    for (std::size_t i = 0; i < one.token_nll.size(); ++i)
      one.token_kl.push_back(static_cast<float>(number(i + 50)));
  }
  row.provenance = {"models/m.gguf",
                    std::string(64, 'a'),
                    "text 文.txt",
                    std::string(64, 'b'),
                    "gpt2/smollm",
                    "none",
                    "search",
                    "bitlens test",
                    "AVX2",
                    "2026-01-02T03:04:05Z",
                    2,
                    0};
  return row;
}

/// Cells of the matrices, or of a group, at two formats.
report::SensitivitySweep sweep(const report::ReportInput& input, sensitivity::Method method,
                               const std::string& grouping) {
  report::SensitivitySweep out;
  out.grouping = grouping;
  out.context = 64;
  out.windows = 3;
  out.protocol = "llama";
  out.activations = "exact";
  out.provenance.text_name = "held out.txt";
  out.provenance.text_sha256 = std::string(64, 'd');
  out.provenance.quantizer = "search";
  out.provenance.program = "bitlens test";
  out.provenance.time = "2026-01-02T03:04:05Z";
  std::vector<std::string> names{"attn_v"};
  if (grouping == "tensor") names = {input.tensors[0].name, input.tensors[2].name};
  std::size_t i = 0;
  for (const std::string& name : names)
    for (const kernels::Format format : {kernels::Format::Q8_0, kernels::Format::Q4_0}) {
      sensitivity::CellRecord record;
      record.tensor = name;
      record.format = format;
      record.method = method;
      record.kl_mean = number(++i);
      record.kl_se = number(i) / 10;
      record.dnll_mean = -number(i + 2);
      record.dnll_se = number(i + 3);
      if (method == sensitivity::Method::Measured) {
        record.kl_median = number(i + 4);
        record.kl_p99 = number(i + 5);
        record.kl_max = number(i + 6);
        record.top1_agreement = 0.5;
        record.scored_tokens = 93;
        record.windows = 3;
        record.adaptive = i == 2;
        record.window_kl = floats(3, i);
      } else {
        record.samples = 6;
        record.response = floats(6, i);
        out.positions = 31;
        out.provenance.seed = 1;
      }
      out.cells.push_back(record);
    }
  return out;
}

}  // namespace

report::ReportInput sample_report() {
  report::ReportInput input;
  input.model_path = "models/m.gguf";
  input.model_sha256 = std::string(64, 'a');
  input.model_file_bytes = 987654321;
  input.summary.architecture = "llama";
  input.summary.name = "Ein Modell 模型";
  input.summary.parameters = 64 * 40 + 64 + 172 * 64;
  input.summary.layers = 1;
  input.summary.context = 128;
  input.metadata = {
      {"general.architecture", "llama"}, {"tokenizer.ggml.tokens", "[string x 40]"}, {"bad", "a\xff z"}};
  const auto tensor = [&](std::string name, std::vector<std::uint64_t> shape, kernels::Format format) {
    io::TensorInfo info;
    info.name = std::move(name);
    info.shape = std::move(shape);
    info.format = format;
    info.bytes = info.elements() * kernels::info(format).block_bytes / kernels::info(format).block_size;
    input.roles.push_back(model::role_of(info));
    input.tensors.push_back(info);
  };
  tensor("token_embd.weight", {64, 40}, kernels::Format::F32);
  tensor("blk.0.attn_norm.weight", {64}, kernels::Format::F32);
  tensor("blk.0.ffn_down.weight", {172, 64}, kernels::Format::F16);

  quantize::ResolvedRecipe resolved;
  resolved.recipe = {"mix",
                     {{"*embd*", kernels::Format::Q8_0, kernels::Quantizer::Rtn}, {"*none*", {}, {}}},
                     kernels::Format::F16};
  resolved.file_bytes = 55555;
  resolved.bits_per_weight = 9.25;
  resolved.warnings = {"rule 2 (\"*none*\") matches no tensor"};
  for (std::size_t t = 0; t < input.tensors.size(); ++t) {
    quantize::TensorChoice choice;
    choice.source = choice.format = input.tensors[t].format;
    if (t == 0) choice.format = kernels::Format::Q8_0;
    choice.changed = t == 0;
    choice.rule = t == 0 ? 0 : -1;
    choice.quantizer = kernels::Quantizer::Rtn;
    choice.bytes = t == 0 ? 64 * 40 / 32 * 34 : input.tensors[t].bytes;
    resolved.tensors.push_back(choice);
  }
  input.recipe = resolved;

  input.weights.resize(3);
  for (const std::size_t t : {0U, 2U}) {  // the norm has none
    analyze::WeightStatistics one;
    one.all = statistics(t + 1);
    one.histogram = histogram(t + 3);
    one.log_histogram = histogram(t + 4);
    const std::size_t columns = input.tensors[t].row_length();
    const std::size_t rows = input.tensors[t].rows();
    one.channels = {floats(columns, 1), floats(columns, 2), floats(rows, 3), floats(rows, 4)};
    input.weights[t] = one;
  }
  input.activations.resize(3);
  analyze::ActivationStatistics one;
  one.all = statistics(9);
  one.tokens = 5120;
  one.outliers_llm_int8 = 0.125;
  one.channels.input_abs_max = floats(172, 5);
  one.channels.input_sigma = floats(172, 6);
  for (std::size_t i = 0; i < 172; ++i) {
    one.energy.push_back(number(i + 7));
    one.mean.push_back(-number(i + 8));
  }
  one.histogram = histogram(20);
  one.log_histogram = histogram(21);
  input.activations[2] = one;
  input.calibration_name = "calibration.txt";
  input.calibration_sha256 = std::string(64, 'c');
  input.measurements = {measurement(0, false), measurement(1, true)};
  input.sensitivities = {sweep(input, sensitivity::Method::Response, "tensor"),
                         sweep(input, sensitivity::Method::Measured, "tensor"),
                         sweep(input, sensitivity::Method::Measured, "module")};
  input.program = "bitlens test";
  input.instruction_set = "AVX2";
  input.time = "2026-01-02T03:04:05Z";
  input.threads = 2;
  return input;
}
