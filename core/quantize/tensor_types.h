// Recipes as the text llama-quantize takes: items REGEX=TYPE, after --tensor-type each, or separated by
// spaces or line ends in a --tensor-type-file. An item is for every tensor in whose name the pattern is found
// anywhere; the first item that is found decides.
//
// Patterns may come from a stranger's file: they are at most 1 KiB long, run against the model's tensor names
// alone, and matching is cut off after a fixed number of steps.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/quantize/recipe.h"

namespace bitlens::quantize {

struct TensorTypes {
  std::vector<Rule> rules;  ///< to go in front of a recipe's own
  std::vector<std::string>
      warnings;  ///< items that no matrix of the model matches, or that earlier ones shadow
};
/// Rules that choose for this file what the items do. A pattern becomes a glob where one means the same
/// tensors, names otherwise; as in llama-quantize no norm and no vector is reached. InvalidArgument naming
/// the item for a missing "=", an unknown type, a pattern that is none.
[[nodiscard]] Result<TensorTypes> parse_tensor_types(std::string_view text, const io::ModelFile& file,
                                                     const std::string& source);

/// One item per matrix, a line each, in file order: with any quantized base type llama-quantize then makes
/// exactly these choices.
[[nodiscard]] std::string tensor_types_text(const ResolvedRecipe& resolved, const io::ModelFile& file);

}  // namespace bitlens::quantize
