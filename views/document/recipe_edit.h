// What a drag, a key or a preset does to a Recipe. Pure values in, pure values out; no Qt.
//
// An edit puts its rules at the front (the first match wins): one glob for a whole column
// ("blk.*.ffn_up.weight") or a whole layer ("blk.3.*.weight") where the selection covers it, exact names
// otherwise. Rules that no longer decide anything are dropped, so that the recipe stays readable.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/model/model.h"
#include "core/quantize/recipe.h"

namespace bitlens::views {

/// Why a tensor cannot take a format.
enum class RefusalKind { RowLength, VectorFormat, NotDecodable, Other };
/// A tensor that cannot take what was asked, and the nearest format (at least as many bits) that it can.
struct Refusal {
  std::size_t tensor = 0;
  RefusalKind kind = RefusalKind::Other;
  kernels::Format wanted = kernels::Format::F32;
  std::optional<kernels::Format> would_fit;
};

struct RecipeEdit {
  quantize::Recipe recipe;
  std::vector<std::size_t> accepted;
  std::vector<Refusal> refused;
  std::size_t vectors_left = 0;  ///< norms and 1-D tensors in a mixed selection: they stay as they are
};

/// Formats a recipe may name, most bits first.
[[nodiscard]] std::vector<kernels::Format> choosable_formats();
/// "Q4_0", or "as in file" for nullopt (untranslated, for drags and tests).
[[nodiscard]] std::string choice_name(quantize::FormatChoice choice);
[[nodiscard]] std::optional<quantize::FormatChoice> choice_from_name(std::string_view name);

/// Can the tensor take the choice? Norms and 1-D tensors take F32, F16 and BF16 only (runtimes expect them
/// so).
[[nodiscard]] std::optional<Refusal> refusal_of(const model::Model& model, std::size_t tensor,
                                                quantize::FormatChoice choice);
/// Sets `choice` on `tensors`. Tensors that cannot take it are left out and listed.
[[nodiscard]] RecipeEdit assign(const quantize::Recipe& recipe, const model::Model& model,
                                const std::vector<std::size_t>& tensors, quantize::FormatChoice choice);
/// Makes a recipe written for other shapes fit this model: a matrix that cannot take its format gets the
/// nearest one it can, as an exact rule in front.
[[nodiscard]] RecipeEdit fit(const quantize::Recipe& recipe, const model::Model& model);

/// The name without "blk.N." and ".weight": what a column of the map stands for.
[[nodiscard]] std::string_view column_key(std::string_view tensor_name);

}  // namespace bitlens::views
