// quantize MODEL --recipe R -o OUT.gguf: writes the model the recipe describes, verified, and measured if a
// text is given.
#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/measured_text.h"
#include "app/cli/options.h"
#include "app/cli/resolved_json.h"
#include "app/cli/table.h"
#include "core/study/result_json.h"

namespace bitlens::cli {

namespace {

using nlohmann::ordered_json;

constexpr const char* kHelp =
    "The output is written beside its name, reopened and verified, and only then given its name: there is "
    "never a partial\n"
    "file, and the same model, recipe and quantizer give the same bytes at any number of threads. The recipe "
    "is kept in\n"
    "the file as metadata \"bitlens.recipe\". With --text the written file is measured against MODEL.\n"
    "\nJSON KEYS\n"
    "  dry_run, path (null in a dry run without -o), source_bytes, file_bytes, tensor_bytes, weights, "
    "bits_per_weight;\n"
    "  recipe; imatrix (null without one); tensors [{name, source, format, changed, quantizer, weighted, "
    "rule, "
    "kept_norm,\n"
    "  weights, bytes}], rule "
    "counted from 0,\n"
    "  null for the default; warnings. Not in a dry run: sha256, seconds, encode_seconds; with --text "
    "remeasured {the\n"
    "  keys of perplexity: ppl, kl_mean, ..., provenance}";

struct Options {
  std::string model, output, text, imatrix, quantizer = "search";
  RecipeOptions recipe;
  MeasureOptions measure;
  bool dry_run = false, force = false;
};

void append(std::vector<std::string>& target, const std::vector<std::string>& source) {
  target.insert(target.end(), source.begin(), source.end());
}

std::string sizes_text(const quantize::ResolvedRecipe& resolved, const io::ModelFile& file) {
  Facts facts;
  facts.add("Source", fmt::format("{}, {}", printable(file.path(), 1000), exact_bytes(file.file_bytes())));
  const double share = static_cast<double>(resolved.file_bytes) / static_cast<double>(file.file_bytes());
  facts.add("Result",
            fmt::format("{}, {:.1f} % of the source", exact_bytes(resolved.file_bytes), 100 * share));
  facts.add("Bits per weight",
            fmt::format("{:.4f} over {} weights", resolved.bits_per_weight, resolved.weights));
  return facts.render();
}

Result<Output> run(const Options& options, const Environment& environment) {
  if (options.output.empty() && !options.dry_run)
    return fail(ErrorCode::InvalidArgument,
                "-o/--output is required without --dry-run; see bitlens-cli quantize --help");
  if (options.recipe.empty())
    return fail(ErrorCode::InvalidArgument, "--recipe is required; see bitlens-cli quantize --help");
  const auto session = study::open_model(options.model);
  if (!session) return pass(session);
  const auto quantizer = quantizer_of(options.quantizer);
  const io::ModelFile& file = (*session)->file();
  const auto importance = load_imatrix(**session, options.imatrix, options.recipe);
  if (!importance) return pass(importance);
  const auto loaded = load_recipe(options.recipe, file, *importance != nullptr);
  if (!loaded) return pass(loaded);
  const quantize::Recipe& recipe = loaded->recipe;
  const auto resolved = quantize::resolve(recipe, file, quantizer, *importance);
  if (!resolved) return pass(resolved);

  study::ExportRequest request{*session, recipe, quantizer, options.output, options.force,
                               {},       {},     {},        *importance};
  Output out;
  out.warnings = file.warnings();
  append(out.warnings, loaded->warnings);
  if (!options.text.empty()) {
    if (!(*session)->model->llama()) return pass((*session)->model->llama());
    const auto tokens = load_tokens(**session, options.text);
    if (!tokens) return pass(tokens);
    request.text = *tokens;
    request.options = options.measure.resolved();
    if (const auto windows = study::plan_windows(**session, *request.text, request.options); !windows)
      return pass(windows);
  }
  out.json = {{"dry_run", options.dry_run},
              {"path", options.output.empty() ? ordered_json(nullptr) : ordered_json(options.output)},
              {"source_bytes", file.file_bytes()},
              {"file_bytes", resolved->file_bytes},
              {"tensor_bytes", resolved->tensor_bytes},
              {"weights", resolved->weights},
              {"bits_per_weight", resolved->bits_per_weight},
              {"recipe", study::recipe_json(recipe)},
              {"imatrix", *importance ? ordered_json((*importance)->file) : ordered_json(nullptr)}};
  if (options.dry_run) {
    append(out.warnings, resolved->warnings);
    out.text = choices_text(*resolved, file) + "\n" + sizes_text(*resolved, file);
    out.json["tensors"] = choices_json(*resolved, file);
    return out;
  }

  request.inputs = {options.recipe.recipe, options.recipe.tensor_type_file};
  if (!options.imatrix.empty()) request.inputs.push_back(options.imatrix);
  const auto written = study::export_model(request, environment.work);
  if (!written) return pass(written);

  append(out.warnings, written->warnings);
  out.json["file_bytes"] = written->file_bytes;
  out.json["sha256"] = written->sha256;
  out.json["seconds"] = written->seconds;
  out.json["encode_seconds"] = written->encode_seconds;
  out.json["tensors"] = choices_json(*resolved, file);
  out.text = changes_text(*resolved, file) + "\n" + sizes_text(*resolved, file);
  Facts facts;
  facts.add("Written", printable(written->path, 1000));
  facts.add("SHA-256", written->sha256);
  facts.add("Time", fmt::format("{:.2f} s, of it encoding and writing {:.2f} s", written->seconds,
                                written->encode_seconds));
  out.text += facts.render();
  if (written->remeasured) {
    append(out.warnings, written->remeasured->measurement.warnings);
    out.json["remeasured"] = study::result_to_json(*written->remeasured);
    out.text += "\nMeasured from the written file\n" + measured_text(*written->remeasured);
  }
  return out;
}

}  // namespace

Command add_quantize(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("quantize", "Write a quantized GGUF file by recipe");
  app->footer(kHelp);
  auto options = std::make_shared<Options>();
  add_model(*app, options->model);
  add_recipe_options(*app, options->recipe, false);
  app->add_option("-o,--output", options->output, "File to write")->type_name("OUT.gguf");
  app->add_flag("--dry-run", options->dry_run,
                "Only say what would become of every tensor, with exact sizes");
  app->add_flag("--force", options->force, "Replace an existing output (never an input)");
  add_quantizer(*app, options->quantizer);
  add_imatrix_option(*app, options->imatrix);
  app->add_option("--text", options->text, "Measure the written file on this text: a file, or \"sample\"")
      ->type_name("FILE");
  add_measure_options(*app, options->measure);
  add_compute_option(*app, options->measure.compute);
  return {app, [options](const Environment& environment) { return run(*options, environment); }};
}

}  // namespace bitlens::cli
