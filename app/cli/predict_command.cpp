// predict MODEL --recipe R --sensitivity S: what a recipe will cost, from what is known about its cells.
#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "app/cli/table.h"
#include "core/study/result_json.h"
#include "core/study/sensitivity.h"

namespace bitlens::cli {

namespace {

constexpr const char* kHelp =
    "With responses (sensitivity --method response) the tensors' interactions are part of the prediction and "
    "its error\n"
    "bar; otherwise their single costs are added up. A prediction is a local expansion: the larger the KL, "
    "the "
    "less it\n"
    "is to be trusted. perplexity --recipe measures the same.\n"
    "\nJSON KEYS\n"
    "  kl_mean, kl_se     predicted KL(base || recipe) per scored token, nats, and its standard error\n"
    "  joint              true: interactions included; samples: behind a joint prediction\n"
    "  sum_of_single_kl   what the tensors would cost if they did not interact, nats\n"
    "  file_bytes, bits_per_weight; changed (tensors); missing [names of changed tensors left out]\n"
    "  recipe, provenance (of the sensitivity file), warnings";

struct Options {
  std::string model, sensitivity, imatrix, quantizer = "search";
  RecipeOptions recipe;
};

Result<Output> run(const Options& options, const Environment& environment) {
  const auto session = study::open_model(options.model);
  if (!session) return pass(session);
  const auto importance = load_imatrix(**session, options.imatrix, options.recipe);
  if (!importance) return pass(importance);
  const auto loaded = load_recipe(options.recipe, (*session)->file(), *importance != nullptr);
  if (!loaded) return pass(loaded);
  const quantize::Recipe& recipe = loaded->recipe;
  const auto known = study::load_sensitivity(options.sensitivity);
  if (!known) return pass(known);
  const auto hash = (*session)->file().sha256(environment.work);
  if (!hash) return pass(hash);
  if (*hash != known->provenance.model_sha256)
    return fail(ErrorCode::InvalidArgument, "the sensitivity file is about another model",
                {options.sensitivity, {}, {}});
  const auto prediction =
      study::predict_recipe(**session, recipe, quantizer_of(options.quantizer), *known, *importance);
  if (!prediction) return pass(prediction);
  Output out;
  out.warnings = (*session)->file().warnings();
  out.warnings.insert(out.warnings.end(), loaded->warnings.begin(), loaded->warnings.end());
  out.warnings.insert(out.warnings.end(), prediction->warnings.begin(), prediction->warnings.end());
  out.json = {{"kl_mean", prediction->kl_mean},
              {"kl_se", prediction->kl_se},
              {"joint", prediction->joint},
              {"samples", prediction->samples},
              {"sum_of_single_kl", prediction->sum_of_single_kl},
              {"file_bytes", prediction->file_bytes},
              {"bits_per_weight", prediction->bits_per_weight},
              {"changed", prediction->changed},
              {"missing", prediction->missing},
              {"recipe", study::recipe_json(recipe)},
              {"provenance", study::provenance_to_json(known->provenance)}};
  Facts facts;
  facts.add("Predicted KL",
            fmt::format("{} nats per token, {}", with_error(prediction->kl_mean, prediction->kl_se),
                        prediction->joint ? fmt::format("joint, {} samples", prediction->samples)
                                          : "sum of single tensors"));
  facts.add("  sum of single", number(prediction->sum_of_single_kl));
  facts.add("Size", fmt::format("{}, {:.3f} bits per weight", exact_bytes(prediction->file_bytes),
                                prediction->bits_per_weight));
  facts.add("Tensors changed",
            fmt::format("{}, {} of them unknown", prediction->changed, prediction->missing.size()));
  out.text = facts.render();
  return out;
}

}  // namespace

Command add_predict(CLI::App& parent) {
  CLI::App* app = parent.add_subcommand("predict", "Predict what a recipe costs, without measuring it");
  app->footer(kHelp);
  auto options = std::make_shared<Options>();
  add_model(*app, options->model);
  add_recipe_options(*app, options->recipe, true);
  app->add_option("--sensitivity", options->sensitivity,
                  "What sensitivity wrote, or the journal of a run that has not finished")
      ->required()
      ->type_name("FILE");
  add_quantizer(*app, options->quantizer);
  add_imatrix_option(*app, options->imatrix);
  return {app, [options](const Environment& environment) { return run(*options, environment); }};
}

}  // namespace bitlens::cli
