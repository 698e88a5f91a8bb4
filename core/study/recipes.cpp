#include "core/study/recipes.h"

#include <fmt/format.h>

#include <filesystem>

#include "core/base/atomic_file.h"

namespace bitlens::study {

namespace {

constexpr std::size_t kMaxBytes = 16U << 20U;

Result<LoadedRecipe> expanded(std::string_view text, const std::string& name, const io::ModelFile& file,
                              bool importance) {
  const auto scheme = quantize::parse_scheme(text, name);
  if (!scheme) return pass(scheme);
  quantize::ExpandedScheme out = quantize::expand(*scheme, file, importance);
  return LoadedRecipe{std::move(out.recipe), std::move(out.warnings)};
}

}  // namespace

Result<LoadedRecipe> recipe_from_text(std::string_view text, const std::string& name,
                                      const io::ModelFile& file, bool importance) {
  if (quantize::is_scheme(text)) return expanded(text, name, file, importance);
  auto recipe = quantize::parse_recipe(text, name);
  if (!recipe) return pass(recipe);
  return LoadedRecipe{std::move(*recipe), {}};
}

Result<LoadedRecipe> load_recipe(const std::string& name, const io::ModelFile& file, bool importance) {
  std::error_code error;
  if (std::filesystem::exists(std::filesystem::status(name, error))) {
    const auto content = read_file(name, kMaxBytes);
    if (!content) return pass(content);
    return recipe_from_text(*content, name, file, importance);
  }
  if (const kernels::FormatInfo* format = kernels::find_format(std::string_view(name)); format != nullptr)
    return LoadedRecipe{{std::string(format->name), {}, format->format}, {}};
  std::string_view scheme = name;
  if (scheme.starts_with(kSchemePrefix)) scheme.remove_prefix(kSchemePrefix.size());
  if (const quantize::SchemeText* found = quantize::find_included_scheme(scheme); found != nullptr)
    return expanded(found->json, std::string(found->name), file, importance);
  std::vector<std::string_view> names;
  for (const quantize::SchemeText& known : quantize::included_schemes()) names.push_back(known.name);
  return fail(ErrorCode::NotFound,
              fmt::format("there is no such file, format or scheme; schemes: {}", fmt::join(names, ", ")),
              {name, {}, {}});
}

std::vector<IncludedScheme> included_schemes() {
  std::vector<IncludedScheme> out;
  for (const quantize::SchemeText& text : quantize::included_schemes())
    if (auto scheme = quantize::parse_scheme(text.json, std::string(text.name)); scheme)
      out.push_back({std::move(scheme->name), std::move(scheme->about)});
  return out;
}

}  // namespace bitlens::study
