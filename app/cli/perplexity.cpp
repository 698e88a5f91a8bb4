// perplexity MODEL --text F: how well a model predicts a text, and what a recipe or another file changes
// about it.
#include "app/cli/command.h"
#include "app/cli/measured_text.h"
#include "app/cli/options.h"
#include "core/study/result_json.h"

namespace bitlens::cli {

namespace {

constexpr const char* kHelp =
    "With --recipe the model seen through the recipe is compared with the model as it is; with --base MODEL "
    "is compared\n"
    "with another file; with both, MODEL through the recipe with the other file. The same tokens are scored "
    "by both, so\n"
    "differences are paired. The base always runs with exact activations.\n"
    "\nJSON KEYS (numbers at the top level; nats are natural logarithms)\n"
    "  ppl, ppl_se       exp(mean NLL) and its standard error\n"
    "  nll_mean, nll_se  negative log-likelihood per scored token, nats\n"
    "  windows, scored_tokens, context, protocol, activations, compute\n"
    "  fast_ln_ratio, fast_ln_ratio_se, fast_kl_mean (with --compute fast)   ln(PPL / PPL with exact "
    "products),\n"
    "                    its standard error, and KL(exact || fast) per token, on the first fast_windows "
    "windows\n"
    "                    (fast_scored_tokens tokens)\n"
    "  name, file_bytes, bits_per_weight, recipe (with --recipe), seconds\n"
    "  with --recipe or --base also\n"
    "  kl_mean, kl_se, kl_median, kl_p90, kl_p99, kl_max   KL(base || this) per scored token, nats\n"
    "  ln_ratio, ln_ratio_se   mean of NLL - base NLL = ln(PPL / base PPL), and its standard error\n"
    "  top1_agreement          share of tokens with the same most probable token, 0..1\n"
    "  delta_p_rms             RMS change of the true token's probability, 0..1\n"
    "  base_ppl, base_ppl_se, base_nll_mean, base_nll_se\n"
    "  provenance {model, model_sha256, base, base_sha256, text, text_sha256, tokenizer, bos, quantizer, "
    "[imatrix, "
    "imatrix_sha256,] "
    "program,\n"
    "              instruction_set, time, protocol, activations, compute, context, windows, scored_tokens, "
    "threads, "
    "seed}\n"
    "  warnings";

struct Options {
  std::string model, text, base, imatrix, quantizer = "search";
  RecipeOptions recipe;
  MeasureOptions measure;
};

Result<Output> run(const Options& options, const Environment& environment) {
  study::MeasureRequest request;
  const auto subject = study::open_model(options.model);
  if (!subject) return pass(subject);
  request.subject = *subject;
  Output out;
  out.warnings = (*subject)->file().warnings();
  if (!options.base.empty()) {
    const auto base = study::open_model(options.base);
    if (!base) return pass(base);
    request.base = *base;
    const auto& more = (*base)->file().warnings();
    out.warnings.insert(out.warnings.end(), more.begin(), more.end());
  }
  std::vector<std::string> recipe_warnings;
  const auto importance = load_imatrix(**subject, options.imatrix, options.recipe);
  if (!importance) return pass(importance);
  request.importance = *importance;
  if (!options.recipe.empty()) {
    auto loaded = load_recipe(options.recipe, (*subject)->file(), *importance != nullptr);
    if (!loaded) return pass(loaded);
    request.recipe = std::move(loaded->recipe);
    recipe_warnings = std::move(loaded->warnings);
  }
  // Why a model cannot be run is worth more than what is wrong with its tokenizer or the text.
  if (!(*subject)->model->llama()) return pass((*subject)->model->llama());
  const auto tokens = load_tokens(**subject, options.text);
  if (!tokens) return pass(tokens);
  request.text = *tokens;
  request.options = options.measure.resolved();
  request.quantizer = quantizer_of(options.quantizer);

  const auto result = study::measure(request, environment.work);
  if (!result) return pass(result);
  out.warnings.insert(out.warnings.end(), recipe_warnings.begin(), recipe_warnings.end());
  const auto& more = result->measurement.warnings;
  out.warnings.insert(out.warnings.end(), more.begin(), more.end());
  if (environment.json)
    out.json = study::result_to_json(*result);
  else
    out.text = measured_text(*result);
  return out;
}

}  // namespace

Command add_perplexity(CLI::App& parent) {
  CLI::App* app =
      parent.add_subcommand("perplexity", "Measure perplexity, and KL and agreement against a base");
  app->footer(kHelp);
  auto options = std::make_shared<Options>();
  add_model(*app, options->model);
  app->add_option("--text", options->text, "Text to score: a file, or \"sample\"")
      ->required()
      ->type_name("FILE");
  add_measure_options(*app, options->measure);
  add_compute_option(*app, options->measure.compute);
  add_recipe_options(*app, options->recipe, false);
  app->add_option("--base", options->base, "Model file to compare with")->type_name("MODEL");
  add_quantizer(*app, options->quantizer);
  add_imatrix_option(*app, options->imatrix);
  return {app, [options](const Environment& environment) { return run(*options, environment); }};
}

}  // namespace bitlens::cli
