#include "app/cli/options.h"

#include <limits>

#include "core/base/atomic_file.h"
#include "core/quantize/tensor_types.h"

namespace bitlens::cli {

void add_model(CLI::App& app, std::string& model) {
  app.add_option("MODEL", model,
                 "GGUF file (any shard of a split one), or \"sample\" for the model that comes with Bitlens")
      ->required();
}

void add_compute_option(CLI::App& app, std::string& compute) {
  app.add_option(
         "--compute", compute,
         "exact: products as good as f32; fast: of numbers rounded to bf16 or to integers, faster where "
         "the processor has AMX or VNNI")
      ->check(CLI::IsMember({"exact", "fast"}))
      ->capture_default_str()
      ->type_name("exact|fast");
}

evaluate::Compute compute_of(const std::string& name) {
  return name == "fast" ? evaluate::Compute::Fast : evaluate::Compute::Exact;
}

void add_measure_options(CLI::App& app, MeasureOptions& options) {
  app.add_option("--context", options.context, "Tokens per window (default: 512 for llama, 2048 for paper)")
      ->check(CLI::Range(1U, std::numeric_limits<std::uint32_t>::max()))
      ->type_name("N");
  app.add_option("--windows", options.windows, "Score at most N windows from the start of the text (0: all)")
      ->type_name("N");
  app.add_option("--protocol", options.protocol,
                 "llama: windows' second halves, as llama-perplexity; paper: every position, as GPTQ and AWQ")
      ->check(CLI::IsMember({"llama", "paper"}))
      ->capture_default_str()
      ->type_name("llama|paper");
  app.add_option(
         "--activations", options.activations,
         "exact: weights only; q8: the inputs of quantized weights rounded as llama.cpp's CPU code does")
      ->check(CLI::IsMember({"exact", "q8"}))
      ->capture_default_str()
      ->type_name("exact|q8");
}

evaluate::Options MeasureOptions::resolved() const {
  evaluate::Options out;
  out.protocol = protocol == "paper" ? evaluate::Protocol::Paper : evaluate::Protocol::Llama;
  out.activations = activations == "q8" ? evaluate::Activations::Q8 : evaluate::Activations::Exact;
  out.compute = compute_of(compute);
  out.context = context;
  out.windows = windows;
  return out;
}

void add_quantizer(CLI::App& app, std::string& quantizer) {
  app.add_option(
         "--quantizer", quantizer,
         "Default of rules that name none. search: smallest error; rtn: plain rounding, as other tools")
      ->check(CLI::IsMember({"rtn", "search"}))
      ->capture_default_str()
      ->type_name("rtn|search");
}

quantize::Quantizer quantizer_of(const std::string& name) {
  return quantize::quantizer_from_name(name).value_or(quantize::Quantizer::Search);
}

void add_recipe_options(CLI::App& app, RecipeOptions& options, bool required) {
  app.add_option(
         "--recipe", options.recipe,
         "Recipe: a JSON file, a format (such as Q4_0) for every matrix, or a scheme (such as Q4_K_M)")
      ->required(required)
      ->type_name("RECIPE");
  app.add_option(
         "--tensor-type", options.tensor_types,
         "PATTERN=TYPE in front of the recipe: a regular expression, found in tensor names (repeatable)")
      ->allow_extra_args(false)
      ->type_name("ITEM");
  app.add_option("--tensor-type-file", options.tensor_type_file, "File of such items")->type_name("FILE");
}

Result<study::LoadedRecipe> load_recipe(const RecipeOptions& options, const io::ModelFile& file,
                                        bool importance) {
  study::LoadedRecipe out;
  if (!options.recipe.empty()) {
    auto loaded = study::load_recipe(options.recipe, file, importance);
    if (!loaded) return loaded;
    out = std::move(*loaded);
  }
  std::string items;
  for (const std::string& item : options.tensor_types) items += item + "\n";
  if (!options.tensor_type_file.empty()) {
    const auto content = read_file(options.tensor_type_file, 4U << 20U);
    if (!content) return pass(content);
    items += *content;
  }
  const auto types = quantize::parse_tensor_types(
      items, file, options.tensor_type_file.empty() ? "--tensor-type" : options.tensor_type_file);
  if (!types) return pass(types);
  if (!types->rules.empty()) {
    out.recipe.rules.insert(out.recipe.rules.begin(), types->rules.begin(), types->rules.end());
    if (!out.recipe.name.empty()) out.recipe.name += " with tensor types";
  }
  out.warnings.insert(out.warnings.begin(), types->warnings.begin(), types->warnings.end());
  return out;
}

void add_imatrix_option(CLI::App& app, std::string& imatrix) {
  app.add_option("--imatrix", imatrix,
                 "Importance matrix (GGUF or .dat) for the searching encoders: columns count by their mean "
                 "squared input")
      ->type_name("FILE");
}

Result<quantize::ImportancePtr> load_imatrix(const study::ModelSession& session, const std::string& imatrix,
                                             const RecipeOptions& recipe) {
  if (imatrix.empty()) return quantize::ImportancePtr();
  if (recipe.empty()) return fail(ErrorCode::InvalidArgument, "--imatrix changes nothing without --recipe");
  return study::load_importance(imatrix, session);
}

Result<std::shared_ptr<const study::TokenizedText>> load_tokens(const study::ModelSession& session,
                                                                const std::string& text) {
  auto loaded = study::load_text(text);
  if (!loaded) return pass(loaded);
  return study::tokenize(session, std::move(*loaded));
}

std::vector<std::string> model_warnings(const study::ModelSession& session) {
  std::vector<std::string> out = session.file().warnings();
  const auto& odd = session.model->warnings();
  out.insert(out.end(), odd.begin(), odd.end());
  if (session.tokenizer) {
    const auto& more = (*session.tokenizer)->warnings();
    out.insert(out.end(), more.begin(), more.end());
  }
  return out;
}

}  // namespace bitlens::cli
