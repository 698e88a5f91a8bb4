// report MODEL --text F -o OUT.h5: everything measured about a model, in one HDF5 file.
#include <fmt/format.h>

#include <filesystem>

#include "app/cli/command.h"
#include "app/cli/measured_text.h"
#include "app/cli/options.h"
#include "app/cli/table.h"
#include "core/study/result_json.h"

namespace bitlens::cli {

namespace {

constexpr const char* kHelp =
    "Groups /model /recipe /sizes /weights /histograms /measurements, each self-contained: opens in h5py and "
    "in\n"
    "xarray.open_dataset(file, group=...). Includes the measurement that perplexity would make with the same "
    "options.\n"
    "\nJSON KEYS\n"
    "  path, bytes; result {the keys of perplexity: ppl, kl_mean, ..., provenance}; warnings";

struct Options {
  std::string model, text, calibration, output, imatrix, quantizer = "search";
  RecipeOptions recipe;
  MeasureOptions measure;
  bool force = false;
};

Result<Output> run(const Options& options, const Environment& environment) {
  const auto session = study::open_model(options.model);
  if (!session) return pass(session);
  study::ReportRequest request;
  request.session = *session;
  request.path = options.output;
  request.force = options.force;
  request.options = options.measure.resolved();
  request.quantizer = quantizer_of(options.quantizer);
  std::vector<std::string> recipe_warnings;
  const auto importance = load_imatrix(**session, options.imatrix, options.recipe);
  if (!importance) return pass(importance);
  request.importance = *importance;
  if (!options.imatrix.empty()) request.inputs.push_back(options.imatrix);
  if (!options.recipe.empty()) {
    auto loaded = load_recipe(options.recipe, (*session)->file(), *importance != nullptr);
    if (!loaded) return pass(loaded);
    request.recipe = std::move(loaded->recipe);
    recipe_warnings = std::move(loaded->warnings);
    for (const std::string& input : {options.recipe.recipe, options.recipe.tensor_type_file})
      request.inputs.push_back(input);
  }
  if (!(*session)->model->llama()) return pass((*session)->model->llama());
  const auto text = load_tokens(**session, options.text);
  if (!text) return pass(text);
  request.inputs.push_back((*text)->text->path);
  if (!options.calibration.empty()) {
    const auto calibration = load_tokens(**session, options.calibration);
    if (!calibration) return pass(calibration);
    request.calibration = *calibration;
    request.inputs.push_back((*calibration)->text->path);
  }
  if (const Status usable = study::check_output(**session, request.path, request.force, request.inputs);
      !usable)
    return pass(usable);

  const study::MeasureRequest measurement{*session,        request.recipe,    {},         *text,
                                          request.options, request.quantizer, *importance};
  auto result = study::measure(measurement, environment.work);
  if (!result) return pass(result);
  Output out;
  out.warnings = (*session)->file().warnings();
  out.warnings.insert(out.warnings.end(), recipe_warnings.begin(), recipe_warnings.end());
  const auto& more = result->measurement.warnings;
  out.warnings.insert(out.warnings.end(), more.begin(), more.end());
  request.results.push_back(*result);
  if (const Status written = study::write_report(request, environment.work); !written) return pass(written);

  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(options.output, error);
  out.json = {{"path", options.output}, {"bytes", bytes}, {"result", study::result_to_json(*result)}};
  Facts facts;
  facts.add("Written", fmt::format("{}, {}", printable(options.output, 1000), exact_bytes(bytes)));
  out.text = facts.render() + "\n" + measured_text(*result);
  return out;
}

}  // namespace

Command add_report(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("report", "Measure a model and write an HDF5 report");
  app->footer(kHelp);
  auto options = std::make_shared<Options>();
  add_model(*app, options->model);
  app->add_option("--text", options->text, "Text to score: a file, or \"sample\"")
      ->required()
      ->type_name("FILE");
  app->add_option("-o,--output", options->output, "File to write")->required()->type_name("OUT.h5");
  add_recipe_options(*app, options->recipe, false);
  app->add_option("--calibration", options->calibration, "Text for statistics of every linear layer's input")
      ->type_name("FILE");
  add_measure_options(*app, options->measure);
  add_quantizer(*app, options->quantizer);
  add_imatrix_option(*app, options->imatrix);
  app->add_flag("--force", options->force, "Replace an existing output (never an input)");
  return {app, [options](const Environment& environment) { return run(*options, environment); }};
}

}  // namespace bitlens::cli
