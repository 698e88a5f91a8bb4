// stats MODEL: statistics of every weight tensor, and of every linear layer's input over a text.
#include <fmt/format.h>

#include <array>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "app/cli/table.h"
#include "core/analyze/statistics.h"
#include "core/study/session.h"

namespace bitlens::cli {

namespace {

using analyze::Statistics;
using nlohmann::ordered_json;

constexpr const char* kHelp =
    "Weights are decoded to f32 as the file holds them; NaN and infinity are counted and left out of "
    "everything else.\n"
    "\nJSON KEYS\n"
    "  tensors [{name, type, shape, role, layer, and the numbers below}]\n"
    "  activations (with --activations) [{tensor, tokens, outliers_llm_int8, and the numbers below}], one "
    "per weight\n"
    "  of a linear layer, about its input\n"
    "    count, non_finite, zeros   finite values, others, exact zeros\n"
    "    min, max, mean, rms, abs_max\n"
    "    sigma                      population standard deviation\n"
    "    excess_kurtosis            E[(x - mean)^4] / sigma^4 - 3\n"
    "    median_abs                 median of non-zero |x|\n"
    "    dynamic_range              abs_max / median_abs\n"
    "    zero_share                 zeros / count\n"
    "    outliers_6sigma            share of |x - mean| > 6 sigma\n"
    "    outliers_llm_int8          share of input channels with any |x| >= 6\n"
    "  with --histograms also histogram and log10_histogram {low, high, below, above, counts}, the latter of "
    "log10 |x|;\n"
    "  calibration {text, text_sha256} (with --activations); warnings";

constexpr std::array<std::pair<const char*, double Statistics::*>, 11> kNumbers{{
    {"min", &Statistics::min},
    {"max", &Statistics::max},
    {"mean", &Statistics::mean},
    {"sigma", &Statistics::sigma},
    {"rms", &Statistics::rms},
    {"abs_max", &Statistics::abs_max},
    {"excess_kurtosis", &Statistics::excess_kurtosis},
    {"median_abs", &Statistics::median_abs},
    {"dynamic_range", &Statistics::dynamic_range},
    {"zero_share", &Statistics::zero_share},
    {"outliers_6sigma", &Statistics::outliers_6sigma},
}};

struct Options {
  std::string model, tensor = "*", activations;
  std::uint32_t context = 0, windows = 0;
  bool histograms = false;
};

ordered_json histogram_json(const analyze::Histogram& histogram) {
  return {{"low", histogram.low},
          {"high", histogram.high},
          {"below", histogram.below},
          {"above", histogram.above},
          {"counts", histogram.counts}};
}

void put_statistics(ordered_json& target, const Statistics& statistics) {
  target["count"] = statistics.count;
  target["non_finite"] = statistics.non_finite;
  target["zeros"] = statistics.zeros;
  for (const auto& [key, member] : kNumbers) target[key] = statistics.*member;
}

std::vector<Table::Column> columns(std::string title, std::vector<Table::Column> more) {
  std::vector<Table::Column> out{{std::move(title), Align::Left}};
  out.insert(out.end(), more.begin(), more.end());
  for (const char* name : {"min", "max", "mean", "sigma", "kurtosis", "range", "zeros", "6 sigma"})
    out.push_back({name, Align::Right});
  return out;
}

void add_numbers(std::vector<std::string>& row, const Statistics& statistics) {
  for (const double value : {statistics.min, statistics.max, statistics.mean, statistics.sigma,
                             statistics.excess_kurtosis, statistics.dynamic_range})
    row.push_back(fmt::format("{:.4g}", value));
  row.push_back(fmt::format("{:.3g} %", 100 * statistics.zero_share));
  row.push_back(fmt::format("{:.3g} %", 100 * statistics.outliers_6sigma));
}

/// Tensors the glob names and that can be decoded; those that cannot become warnings.
Result<std::vector<std::size_t>> chosen_tensors(const Options& options, const io::ModelFile& file,
                                                std::vector<std::string>& warnings) {
  std::vector<std::size_t> out;
  bool any = false;
  for (std::size_t i = 0; i < file.tensors().size(); ++i) {
    const io::TensorInfo& tensor = file.tensors()[i];
    if (!quantize::glob_matches(options.tensor, tensor.name)) continue;
    any = true;
    if (kernels::info(tensor.format).decodes)
      out.push_back(i);
    else
      warnings.push_back(fmt::format("{}: {} cannot be decoded yet; left out", tensor.name,
                                     kernels::info(tensor.format).name));
  }
  if (!any)
    return fail(ErrorCode::NotFound, fmt::format("no tensor matches \"{}\"", printable(options.tensor)),
                {file.path(), "", {}});
  return out;
}

Status add_weights(const Options& options, const study::ModelSession& session,
                   const std::vector<std::size_t>& chosen, const Environment& environment, Output& out) {
  const io::ModelFile& file = session.file();
  auto& list = out.json["tensors"] = ordered_json::array();
  Table table(columns("Tensor", {{"Type"}}));
  const auto all = analyze::weight_statistics(file, chosen, environment.work);
  if (!all) return pass(all);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const io::TensorInfo& tensor = file.tensors()[chosen[i]];
    const analyze::WeightStatistics& statistics = (*all)[i];
    const model::TensorRole& role = session.model->role(chosen[i]);
    ordered_json one{{"name", tensor.name},
                     {"type", kernels::info(tensor.format).name},
                     {"shape", tensor.shape},
                     {"role", model::module_name(role.module)},
                     {"layer", role.layer >= 0 ? ordered_json(role.layer) : ordered_json(nullptr)}};
    put_statistics(one, statistics.all);
    if (options.histograms) {
      one["histogram"] = histogram_json(statistics.histogram);
      one["log10_histogram"] = histogram_json(statistics.log_histogram);
    }
    list.push_back(std::move(one));
    std::vector<std::string> row{printable(tensor.name), std::string(kernels::info(tensor.format).name)};
    add_numbers(row, statistics.all);
    table.add(std::move(row));
    if (statistics.all.non_finite > 0)
      out.warnings.push_back(
          fmt::format("{}: {} values are NaN or infinite", tensor.name, statistics.all.non_finite));
  }
  out.text = table.render();
  return {};
}

Status add_activations(const Options& options, const study::ModelSession& session,
                       const Environment& environment, Output& out) {
  if (!session.model->llama()) return pass(session.model->llama());
  const auto tokens = load_tokens(session, options.activations);
  if (!tokens) return pass(tokens);
  evaluate::Options windows;
  windows.context = options.context;
  windows.windows = options.windows;
  const auto inputs = study::input_statistics(session, **tokens, windows, environment.work);
  if (!inputs) return pass(inputs);
  out.json["calibration"] = {{"text", (*tokens)->text->name}, {"text_sha256", (*tokens)->text->sha256}};
  auto& list = out.json["activations"] = ordered_json::array();
  Table table(columns("Input of", {{"int8 out.", Align::Right}}));
  for (std::size_t i = 0; i < inputs->size(); ++i) {
    const auto& statistics = (*inputs)[i];
    const std::string& name = session.file().tensors()[i].name;
    if (!statistics || !quantize::glob_matches(options.tensor, name)) continue;
    ordered_json one{{"tensor", name},
                     {"tokens", statistics->tokens},
                     {"outliers_llm_int8", statistics->outliers_llm_int8}};
    put_statistics(one, statistics->all);
    if (options.histograms) {
      one["histogram"] = histogram_json(statistics->histogram);
      one["log10_histogram"] = histogram_json(statistics->log_histogram);
    }
    list.push_back(std::move(one));
    std::vector<std::string> row{printable(name),
                                 fmt::format("{:.3g} %", 100 * statistics->outliers_llm_int8)};
    add_numbers(row, statistics->all);
    table.add(std::move(row));
  }
  out.text +=
      fmt::format("\nInputs of linear layers over {}\n", printable((*tokens)->text->name)) + table.render();
  return {};
}

Result<Output> run(const Options& options, const Environment& environment) {
  const auto session = study::open_model(options.model);
  if (!session) return pass(session);
  Output out;
  out.warnings = (*session)->file().warnings();
  const auto chosen = chosen_tensors(options, (*session)->file(), out.warnings);
  if (!chosen) return pass(chosen);
  if (const Status weights = add_weights(options, **session, *chosen, environment, out); !weights)
    return pass(weights);
  if (!options.activations.empty())
    if (const Status inputs = add_activations(options, **session, environment, out); !inputs)
      return pass(inputs);
  return out;
}

}  // namespace

Command add_stats(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("stats", "Statistics of weights, and of layer inputs over a text");
  app->footer(kHelp);
  auto options = std::make_shared<Options>();
  add_model(*app, options->model);
  app->add_option("--tensor", options->tensor, "Only tensors this glob names: * any characters, ? one")
      ->type_name("GLOB");
  app->add_option("--activations", options->activations,
                  "Also the input of every linear layer over this text: a file, or \"sample-calibration\"")
      ->type_name("FILE");
  app->add_option("--context", options->context,
                  "Tokens per window of that text (default: 512, or the model's own)")
      ->type_name("N");
  app->add_option("--windows", options->windows, "At most N windows of it (0: all)")->type_name("N");
  app->add_flag("--histograms", options->histograms, "Histograms of 256 bins too (JSON only)");
  return {app, [options](const Environment& environment) { return run(*options, environment); }};
}

}  // namespace bitlens::cli
