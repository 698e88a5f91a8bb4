// Options that several commands share: how a measurement is made, recipes, refusing to overwrite inputs.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/study/imatrix.h"
#include "core/study/recipes.h"
#include "core/study/session.h"

namespace bitlens::cli {

/// MODEL: a path or "sample".
void add_model(CLI::App& app, std::string& model);

struct MeasureOptions {
  std::string protocol = "llama", activations = "exact", compute = "exact";
  std::uint32_t context = 0, windows = 0;
  [[nodiscard]] evaluate::Options resolved() const;
};
/// --compute exact|fast.
void add_compute_option(CLI::App& app, std::string& compute);
[[nodiscard]] evaluate::Compute compute_of(const std::string& name);
/// --context, --windows, --protocol, --activations.
void add_measure_options(CLI::App& app, MeasureOptions& options);

/// --quantizer rtn|search.
void add_quantizer(CLI::App& app, std::string& quantizer);
[[nodiscard]] quantize::Quantizer quantizer_of(const std::string& name);

/// What changes a model: --recipe, --tensor-type, --tensor-type-file.
struct RecipeOptions {
  std::string recipe, tensor_type_file;
  std::vector<std::string> tensor_types;
  /// None of them was given.
  [[nodiscard]] bool empty() const {
    return recipe.empty() && tensor_type_file.empty() && tensor_types.empty();
  }
};
void add_recipe_options(CLI::App& app, RecipeOptions& options, bool required);
/// The recipe they mean for `file`, with what is to be told about it: tensors a scheme's formats do not fit,
/// patterns that match nothing. `importance`: an importance matrix will be used.
[[nodiscard]] Result<study::LoadedRecipe> load_recipe(const RecipeOptions& options, const io::ModelFile& file,
                                                      bool importance);

/// --imatrix FILE: what the searching encoders weigh columns by.
void add_imatrix_option(CLI::App& app, std::string& imatrix);
/// Reads and checks an importance matrix against the session's model; null for an empty name.
/// InvalidArgument for one without anything to encode.
[[nodiscard]] Result<quantize::ImportancePtr> load_imatrix(const study::ModelSession& session,
                                                           const std::string& imatrix,
                                                           const RecipeOptions& recipe);

/// A text and its tokens under the session's tokenizer.
[[nodiscard]] Result<std::shared_ptr<const study::TokenizedText>> load_tokens(
    const study::ModelSession& session, const std::string& text);

/// Warnings of an opened model: of the file and of its tokenizer.
[[nodiscard]] std::vector<std::string> model_warnings(const study::ModelSession& session);

}  // namespace bitlens::cli
