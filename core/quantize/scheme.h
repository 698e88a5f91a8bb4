// Schemes: recipes with conditions. A Recipe names tensors; a scheme says "attn_v in the layers that get more
// bits", "the output matrix, or the embedding where they are one", "Q5_0 where a row does not fit Q4_K", as
// the whole-file recipes of the field do (Q4_K_M and the like). Expanding a scheme for a model gives a plain
// Recipe, which can then be edited: a change to one tensor never moves another's choice, since nothing is
// counted afterwards.
//
// JSON (resources/recipes holds the ones that come with the program):
//   {"bitlens_scheme": 1, "name": .., "about": .., "default": FORMAT,
//    "rules": [{"tensor": GLOB or [GLOB, ..], "layers": LAYERS, "when": {CONDITION: VALUE, ..},
//               "format": FORMAT or "keep", "why": ..}, ..],
//    "does_not_fit": {FORMAT: FORMAT, .., "else": FORMAT}}
// Rules are tried in order for every matrix; the first whose glob, layers and conditions all hold decides.
//   LAYERS, of the n layers that have a tensor these globs match, i counted from 0, divisions rounded down:
//     "first K": i < K   "first A/B": i < A*n/B   "from A/B to C/D": A*n/B <= i < C*n/D
//     "more_bits": i < n/8, or i >= 7*n/8, or (i - n/8) mod 3 = 2
//   CONDITIONS: "tied" (no output.weight), "importance" (an importance matrix is given): true or false;
//     "gqa_at_least" (attention heads / key-value heads), "experts", "layer_count": a number
// "does_not_fit" is followed, repeatedly, while a row is no whole number of the format's blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/quantize/recipe.h"

namespace bitlens::quantize {

struct LayerCondition {
  enum class Kind { All, FirstCount, Range, MoreBits } kind = Kind::All;
  std::uint64_t count = 0;                                 ///< FirstCount
  std::uint64_t from = 0, from_of = 1, to = 1, to_of = 1;  ///< Range: from/from_of <= i/n < to/to_of
  [[nodiscard]] bool holds(std::uint64_t layer, std::uint64_t layers) const;
};

struct SchemeRule {
  std::vector<std::string> tensors;  ///< globs, any of them
  LayerCondition layers;
  std::optional<bool> tied, importance;
  std::optional<std::uint64_t> gqa_at_least, experts, layer_count;
  FormatChoice format;  ///< nullopt: keep
  std::string why;
};

struct Scheme {
  std::string name, about;
  Format base = Format::F16;
  std::vector<SchemeRule> rules;
  std::vector<std::pair<Format, Format>> does_not_fit;
  std::optional<Format> does_not_fit_else;
};

/// InvalidArgument naming the rule and what is wrong with it.
[[nodiscard]] Result<Scheme> parse_scheme(std::string_view json, const std::string& file);
/// Does the text look like a scheme rather than a recipe? (it has the key)
[[nodiscard]] bool is_scheme(std::string_view json);

/// The schemes that come with the program: their JSON text by name, in order of name.
struct SchemeText {
  std::string_view name, json;
};
[[nodiscard]] std::span<const SchemeText> included_schemes();
/// By name, case-insensitive; nullptr if unknown.
[[nodiscard]] const SchemeText* find_included_scheme(std::string_view name);

/// A tensor whose rows the wanted format does not fit, and what it gets instead.
struct Substitution {
  std::size_t tensor = 0;
  Format wanted, used;
};
struct ExpandedScheme {
  Recipe recipe;  ///< named like the scheme; every rule carries its reason
  std::vector<Substitution> substitutions;
  std::vector<std::string> warnings;  ///< the substitutions in words, one per pair of formats
};
/// The recipe the scheme means for this file. `importance`: an importance matrix will be used.
[[nodiscard]] ExpandedScheme expand(const Scheme& scheme, const io::ModelFile& file, bool importance);

}  // namespace bitlens::quantize
