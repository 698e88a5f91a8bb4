// What a recipe makes of every tensor, for people and for programs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/io/model_file.h"
#include "core/quantize/recipe.h"

namespace bitlens::cli {

/// [{name, source, format, changed, quantizer, rule, kept_norm, weights, bytes}], in file order.
[[nodiscard]] nlohmann::ordered_json choices_json(const quantize::ResolvedRecipe& resolved,
                                                  const io::ModelFile& file);
/// A table of the same.
[[nodiscard]] std::string choices_text(const quantize::ResolvedRecipe& resolved, const io::ModelFile& file);
/// Tensors, bytes before and after, grouped by change ("F16 -> Q4_0").
[[nodiscard]] std::string changes_text(const quantize::ResolvedRecipe& resolved, const io::ModelFile& file);

}  // namespace bitlens::cli
