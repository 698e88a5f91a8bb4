// A Recipe: ordered rules "tensor glob -> format (+ quantizer)". A small value, JSON on disk, readable and
// diffable; everything a user drags, a preset applies or a solver finds is one. Resolving gives one choice
// per tensor with exact sizes, before any work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/io/metadata.h"
#include "core/io/model_file.h"
#include "core/quantize/importance.h"
#include "kernels/formats/codec.h"
#include "kernels/formats/format.h"

namespace bitlens::quantize {

using kernels::Format;
using kernels::Quantizer;

/// A format to change to, or nullopt: keep the tensor as the source file has it ("keep" in JSON).
using FormatChoice = std::optional<Format>;

struct Rule {
  std::string
      tensor;  ///< glob over the whole tensor name: `*` any run (dots too), `?` one character, case-sensitive
  FormatChoice format;
  std::optional<Quantizer> quantizer;  ///< this rule's; else the default of the run
  std::string why = {};                ///< a remark for people; changes nothing
  bool operator==(const Rule&) const = default;
};

struct Recipe {
  std::string name;
  std::vector<Rule> rules;  ///< in order, the first match wins
  FormatChoice fallback;    ///< "default": matrices no rule matches; nullopt keeps them
  bool operator==(const Recipe&) const = default;
};

/// {"bitlens_recipe": 1, "name": .., "rules": [{"tensor": .., "format": .., "quantizer": .., "why": ..}],
/// "default": ..}. Errors name the rule and what is wrong (unknown format or quantizer, unknown key, wrong
/// type, depth, duplicate).
[[nodiscard]] Result<Recipe> parse_recipe(std::string_view json, const std::string& file);
/// Pretty-printed, stable key order, newline at the end.
[[nodiscard]] std::string recipe_to_json(const Recipe& recipe);
[[nodiscard]] bool glob_matches(std::string_view glob, std::string_view name);

[[nodiscard]] const char* quantizer_name(Quantizer quantizer);  // "rtn", "search"
[[nodiscard]] std::optional<Quantizer> quantizer_from_name(std::string_view name);

/// Can a tensor of this shape be stored in `format`? (encodable, row length a whole number of blocks)
[[nodiscard]] Status check_format(const io::TensorInfo& tensor, Format format);

struct TensorChoice {
  Format source;  ///< in the file
  Format format;  ///< after the recipe
  Quantizer quantizer = Quantizer::Search;
  bool changed = false;   ///< false: the bytes are copied
  bool weighted = false;  ///< its encoder weighs columns by their importance
  int rule = -1;          ///< index of the rule that decided; -1 the default
  bool kept_norm =
      false;  ///< stays as it is because it is a norm or 1-D tensor and no rule asked for it by name
  std::uint64_t bytes = 0;  ///< of the data in the output file, padding excluded
};

/// One choice per tensor of the file, in file order, with the exact size of the exported file.
struct ResolvedRecipe {
  Recipe recipe;
  Quantizer default_quantizer = Quantizer::Search;
  ImportancePtr importance;  ///< null: none
  std::vector<TensorChoice> tensors;
  std::uint64_t tensor_bytes = 0;  ///< sum of data, padding included
  std::uint64_t file_bytes = 0;    ///< exact size of the exported GGUF (header with recipe, padding)
  std::uint64_t weights = 0;       ///< elements of all tensors
  double bits_per_weight = 0.0;    ///< 8 * sum of TensorChoice::bytes / weights
  std::vector<std::string>
      warnings;  ///< rules that match nothing, re-quantizing an already quantized tensor, ...
};

/// Norms and 1-D tensors stay as they are unless a rule asks for them by name, that is, unless the literal
/// text after the rule's last wildcard names more than the ".weight"/".bias" suffix ("*attn_norm.weight",
/// "output_norm.weight"). Errors: a format a shape cannot take or that cannot be encoded, naming tensor and
/// rule. `importance`, matched to the same file, steers the searching encoders of the tensors it covers.
[[nodiscard]] Result<ResolvedRecipe> resolve(const Recipe& recipe, const io::ModelFile& file,
                                             Quantizer default_quantizer, ImportancePtr importance = {});

/// Metadata of the exported file: the source's, with general.file_type and general.quantization_version set
/// as the choices need, split.* keys removed, the recipe under "bitlens.recipe" and, where an importance
/// matrix was used, what it was under "quantize.imatrix.*".
[[nodiscard]] io::Metadata export_metadata(const ResolvedRecipe& resolved, const io::ModelFile& file);

}  // namespace bitlens::quantize
