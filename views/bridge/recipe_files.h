// Recipes on disk.
#pragma once

#include <string>

#include "core/quantize/recipe.h"

namespace bitlens::views {

[[nodiscard]] Result<quantize::Recipe> load_recipe(const std::string& path);
[[nodiscard]] Status save_recipe(const quantize::Recipe& recipe, const std::string& path);

}  // namespace bitlens::views
