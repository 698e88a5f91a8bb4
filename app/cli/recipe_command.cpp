// recipe [MODEL]: a recipe written out for a model, from a name, a file or llama-quantize's tensor types.
#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "app/cli/table.h"
#include "core/base/atomic_file.h"
#include "core/quantize/tensor_types.h"
#include "core/study/result_json.h"

namespace bitlens::cli {

namespace {

constexpr const char* kHelp =
    "Writes the recipe that --recipe and the tensor types mean for MODEL: rules that can be read, edited and "
    "given to\n"
    "any --recipe. --as tensor-types writes one PATTERN=TYPE per matrix, for llama-quantize "
    "--tensor-type-file (with\n"
    "any quantized type as base). Without -o the text goes to the standard output. --list shows the schemes "
    "that come\n"
    "with the program.\n"
    "\nJSON KEYS\n"
    "  recipe, tensor_types, path (null without -o); with --list schemes [{name, about}]; warnings";

struct Options {
  std::string model, imatrix, as = "json", output;
  RecipeOptions recipe;
  bool list = false, force = false;
};

Output list_schemes() {
  Output out;
  out.json["schemes"] = nlohmann::ordered_json::array();
  Table table({{"Scheme"}, {"What it is"}});
  for (const study::IncludedScheme& scheme : study::included_schemes()) {
    table.add({scheme.name, scheme.about});
    out.json["schemes"].push_back({{"name", scheme.name}, {"about", scheme.about}});
  }
  out.text = table.render();
  return out;
}

Result<Output> run(const Options& options) {
  if (options.list) return list_schemes();
  if (options.model.empty())
    return fail(ErrorCode::InvalidArgument, "MODEL is required; see bitlens-cli recipe --help");
  const auto session = study::open_model(options.model);
  if (!session) return pass(session);
  const io::ModelFile& file = (*session)->file();
  const auto importance = load_imatrix(**session, options.imatrix, options.recipe);
  if (!importance) return pass(importance);
  const auto loaded = load_recipe(options.recipe, file, *importance != nullptr);
  if (!loaded) return pass(loaded);
  const auto resolved = quantize::resolve(loaded->recipe, file, quantize::Quantizer::Search, *importance);
  if (!resolved) return pass(resolved);

  Output out;
  out.warnings = loaded->warnings;
  out.warnings.insert(out.warnings.end(), resolved->warnings.begin(), resolved->warnings.end());
  const std::string types = quantize::tensor_types_text(*resolved, file);
  const std::string text = options.as == "json" ? quantize::recipe_to_json(loaded->recipe) : types;
  out.json = {{"recipe", study::recipe_json(loaded->recipe)}, {"tensor_types", types}, {"path", nullptr}};
  if (options.output.empty()) {
    out.text = text;
    return out;
  }
  if (const Status usable = study::check_output(**session, options.output, options.force,
                                                {options.recipe.recipe, options.recipe.tensor_type_file});
      !usable)
    return pass(usable);
  if (const Status written = write_file_atomically(options.output, text, options.force); !written)
    return pass(written);
  out.json["path"] = options.output;
  Facts facts;
  facts.add("Written", fmt::format("{}, {}", printable(options.output, 1000), exact_bytes(text.size())));
  facts.add("Result", fmt::format("{}, {:.4f} bits per weight", exact_bytes(resolved->file_bytes),
                                  resolved->bits_per_weight));
  out.text = facts.render();
  return out;
}

}  // namespace

Command add_recipe(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("recipe", "Write a recipe out, import or export tensor types");
  app->footer(kHelp);
  auto options = std::make_shared<Options>();
  app->add_option("MODEL", options->model, "GGUF file, or \"sample\" for the model that comes with Bitlens");
  app->add_flag("--list", options->list, "List the schemes that come with the program");
  add_recipe_options(*app, options->recipe, false);
  add_imatrix_option(*app, options->imatrix);
  app->add_option("--as", options->as, "json: a recipe; tensor-types: for llama-quantize --tensor-type-file")
      ->check(CLI::IsMember({"json", "tensor-types"}))
      ->capture_default_str()
      ->type_name("json|tensor-types");
  app->add_option("-o,--output", options->output, "File to write")->type_name("OUT");
  app->add_flag("--force", options->force, "Replace an existing output (never an input)");
  return {app, [options](const Environment&) { return run(*options); }};
}

}  // namespace bitlens::cli
