// Recipes on disk.
#pragma once

#include <string>

#include "core/study/recipes.h"
#include "core/study/session.h"

namespace bitlens::views {

/// A recipe or scheme file, or the name of an included scheme, made a recipe for this model.
[[nodiscard]] Result<study::LoadedRecipe> load_recipe(const std::string& name,
                                                      const study::ModelSession& session, bool importance);
/// `base` with the items of a --tensor-type-file in front.
[[nodiscard]] Result<study::LoadedRecipe> load_tensor_types(const std::string& path,
                                                            const study::ModelSession& session,
                                                            const quantize::Recipe& base);
[[nodiscard]] Status save_tensor_types(const quantize::ResolvedRecipe& resolved,
                                       const study::ModelSession& session, const std::string& path);
[[nodiscard]] Status save_recipe(const quantize::Recipe& recipe, const std::string& path);

}  // namespace bitlens::views
