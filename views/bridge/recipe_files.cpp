#include "views/bridge/recipe_files.h"

#include "core/base/atomic_file.h"
#include "core/quantize/tensor_types.h"
#include "views/bridge/entry.h"

namespace bitlens::views {

namespace {
constexpr std::size_t kMaxBytes = 4U << 20U;
}

Result<study::LoadedRecipe> load_recipe(const std::string& name, const study::ModelSession& session,
                                        bool importance) {
  const Entry entry("parse_recipe");
  return study::load_recipe(name, session.file(), importance);
}

Result<study::LoadedRecipe> load_tensor_types(const std::string& path, const study::ModelSession& session,
                                              const quantize::Recipe& base) {
  const Entry entry("parse_recipe");
  const auto text = read_file(path, kMaxBytes);
  if (!text) return pass(text);
  auto types = quantize::parse_tensor_types(*text, session.file(), path);
  if (!types) return pass(types);
  study::LoadedRecipe out{base, std::move(types->warnings)};
  out.recipe.rules.insert(out.recipe.rules.begin(), types->rules.begin(), types->rules.end());
  return out;
}

Status save_tensor_types(const quantize::ResolvedRecipe& resolved, const study::ModelSession& session,
                         const std::string& path) {
  const Entry entry("save_recipe");
  return write_file_atomically(path, quantize::tensor_types_text(resolved, session.file()));
}

Status save_recipe(const quantize::Recipe& recipe, const std::string& path) {
  const Entry entry("save_recipe");
  return write_file_atomically(path, quantize::recipe_to_json(recipe));
}

}  // namespace bitlens::views
