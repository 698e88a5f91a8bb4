#include "views/bridge/recipe_files.h"

#include "core/base/atomic_file.h"
#include "views/bridge/entry.h"

namespace bitlens::views {

namespace {
constexpr std::size_t kMaxBytes = 16U << 20U;
}

Result<quantize::Recipe> load_recipe(const std::string& path) {
  const Entry entry("parse_recipe");
  const auto json = read_file(path, kMaxBytes);
  if (!json) return pass(json);
  return quantize::parse_recipe(*json, path);
}

Status save_recipe(const quantize::Recipe& recipe, const std::string& path) {
  const Entry entry("save_recipe");
  return write_file_atomically(path, quantize::recipe_to_json(recipe));
}

}  // namespace bitlens::views
