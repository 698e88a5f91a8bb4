// Recipes by name: a file, a format for every matrix, or one of the schemes that come with the program, made
// into a plain recipe for one model.
#pragma once

#include <string>
#include <vector>

#include "core/quantize/recipe.h"
#include "core/quantize/scheme.h"

namespace bitlens::study {

struct LoadedRecipe {
  quantize::Recipe recipe;
  std::vector<std::string> warnings;  ///< tensors a scheme's formats do not fit, and what they get
};

/// In front of a scheme's name where a format is called the same ("field:Q2_K").
inline constexpr std::string_view kSchemePrefix = "field:";

/// `name`: a recipe or scheme file; else the name of a format (every matrix, nothing else); else that of an
/// included scheme, with or without the prefix. `importance`: an importance matrix will be used.
[[nodiscard]] Result<LoadedRecipe> load_recipe(const std::string& name, const io::ModelFile& file,
                                               bool importance);
/// The same of a text that was already read.
[[nodiscard]] Result<LoadedRecipe> recipe_from_text(std::string_view text, const std::string& name,
                                                    const io::ModelFile& file, bool importance);

struct IncludedScheme {
  std::string name, about;
};
[[nodiscard]] std::vector<IncludedScheme> included_schemes();

}  // namespace bitlens::study
