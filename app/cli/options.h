// Options that several commands share: how a measurement is made, recipes, refusing to overwrite inputs.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/study/session.h"

namespace bitlens::cli {

/// MODEL: a path or "sample".
void add_model(CLI::App& app, std::string& model);

struct MeasureOptions {
  std::string protocol = "llama", activations = "exact";
  std::uint32_t context = 0, windows = 0;
  [[nodiscard]] evaluate::Options resolved() const;
};
/// --context, --windows, --protocol, --activations.
void add_measure_options(CLI::App& app, MeasureOptions& options);

/// --quantizer rtn|search.
void add_quantizer(CLI::App& app, std::string& quantizer);
[[nodiscard]] quantize::Quantizer quantizer_of(const std::string& name);

/// The help text of every --recipe.
inline constexpr const char* kRecipeHelp =
    "Recipe: a JSON file, or the name of a format (such as Q4_0) for every matrix";
/// Reads a recipe file; the name of a format that is no file stands for that format everywhere.
[[nodiscard]] Result<quantize::Recipe> load_recipe(const std::string& argument);

/// A text and its tokens under the session's tokenizer.
[[nodiscard]] Result<std::shared_ptr<const study::TokenizedText>> load_tokens(
    const study::ModelSession& session, const std::string& text);

/// Warnings of an opened model: of the file and of its tokenizer.
[[nodiscard]] std::vector<std::string> model_warnings(const study::ModelSession& session);

}  // namespace bitlens::cli
