#include "views/document/recipe_edit.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/quantize/tensor_kind.h"

namespace bitlens::views {

namespace {

using quantize::FormatChoice;
using quantize::Recipe;
using quantize::Rule;

constexpr std::string_view kWeight = ".weight";

bool has_wildcard(std::string_view glob) {
  return glob.find_first_of("*?") != std::string_view::npos;
}

bool matches(const Rule& rule, std::string_view name) {
  return has_wildcard(rule.tensor) ? quantize::glob_matches(rule.tensor, name) : rule.tensor == name;
}

bool is_vector(const model::Model& model, std::size_t tensor) {
  const io::TensorInfo& info = model.file().tensors()[tensor];
  return quantize::is_norm_or_vector(info) || quantize::is_integer(info.format);
}

/// Index of the first rule that matches, -1 for the default.
int deciding_rule(const Recipe& recipe, const model::Model& model, std::size_t tensor) {
  for (std::size_t r = 0; r < recipe.rules.size(); ++r)
    if (matches(recipe.rules[r], model.file().tensors()[tensor].name)) return static_cast<int>(r);
  return -1;
}

/// What the recipe chooses for a tensor: norms and vectors are changed only by rules that ask for them by
/// name.
FormatChoice choice_of(const Recipe& recipe, const model::Model& model, std::size_t tensor) {
  const int r = deciding_rule(recipe, model, tensor);
  if (r < 0) return is_vector(model, tensor) ? std::nullopt : recipe.fallback;
  const Rule& rule = recipe.rules[static_cast<std::size_t>(r)];
  return is_vector(model, tensor) && !quantize::asks_by_name(rule.tensor) ? std::nullopt : rule.format;
}

std::string in_layer(int layer) {
  return "blk." + std::to_string(layer) + ".";
}

/// Globs that cover exactly parts of `wanted`, then exact names for the rest.
std::vector<std::string> patterns_for(const model::Model& model, std::set<std::size_t> wanted) {
  const auto& tensors = model.file().tensors();
  std::map<std::string, std::vector<std::size_t>> columns;  // all block tensors by column glob
  std::map<int, std::vector<std::size_t>> layers;           // all block matrices by layer
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const model::TensorRole& role = model.role(t);
    if (role.layer < 0) continue;
    const std::string_view name = tensors[t].name;
    const std::string head = in_layer(role.layer);
    if (name.starts_with(head)) columns["blk.*." + std::string(name.substr(head.size()))].push_back(t);
    if (!is_vector(model, t) && name.ends_with(kWeight)) layers[role.layer].push_back(t);
  }
  std::vector<std::string> patterns;
  const auto take = [&](const std::string& glob, const std::vector<std::size_t>& members) {
    if (members.size() < 2) return;
    if (!std::all_of(members.begin(), members.end(), [&](std::size_t t) { return wanted.contains(t); }))
      return;
    // The glob must mean these tensors and no others.
    std::size_t meant = 0;
    for (std::size_t t = 0; t < tensors.size(); ++t)
      if (quantize::glob_matches(glob, tensors[t].name) &&
          (quantize::asks_by_name(glob) || !is_vector(model, t)))
        ++meant;
    if (meant != members.size()) return;
    patterns.push_back(glob);
    for (const std::size_t t : members) wanted.erase(t);
  };
  for (const auto& [glob, members] : columns) take(glob, members);
  for (const auto& [layer, members] : layers) take(in_layer(layer) + "*" + std::string(kWeight), members);
  for (const std::size_t t : wanted) patterns.push_back(tensors[t].name);
  return patterns;
}

/// Drops rules that match tensors of this model but decide none of them.
void drop_shadowed(Recipe& recipe, const model::Model& model) {
  std::vector<bool> matched(recipe.rules.size()), used(recipe.rules.size());
  for (std::size_t t = 0; t < model.file().tensors().size(); ++t) {
    bool decided = false;
    for (std::size_t r = 0; r < recipe.rules.size(); ++r) {
      if (!matches(recipe.rules[r], model.file().tensors()[t].name)) continue;
      matched[r] = true;
      if (!decided) used[r] = true;
      decided = true;
    }
  }
  std::vector<Rule> kept;
  for (std::size_t r = 0; r < recipe.rules.size(); ++r)
    if (used[r] || !matched[r]) kept.push_back(std::move(recipe.rules[r]));
  recipe.rules = std::move(kept);
}

/// Drops the rules in front that set `choice` when the rest of the recipe says the same: setting a column
/// back to the file's precision leaves nothing behind.
void drop_redundant_front(Recipe& recipe, const model::Model& model, FormatChoice choice) {
  const auto first_other = std::find_if(recipe.rules.begin(), recipe.rules.end(), [&](const Rule& rule) {
    return rule.format != choice || rule.quantizer.has_value();
  });
  Recipe without = recipe;
  without.rules.assign(first_other, recipe.rules.end());
  for (std::size_t t = 0; t < model.file().tensors().size(); ++t)
    if (choice_of(without, model, t) != choice_of(recipe, model, t)) return;
  recipe = std::move(without);
}

void insert_front(Recipe& recipe, const std::vector<std::string>& patterns, FormatChoice choice) {
  std::vector<Rule> rules;
  for (const std::string& pattern : patterns) rules.push_back({pattern, choice, std::nullopt});
  recipe.rules.insert(recipe.rules.begin(), rules.begin(), rules.end());
}

/// Puts rules for exactly these tensors in front. A layer's glob would also shadow what an earlier rule says
/// of its norms: then exact names are used.
void put_in_front(Recipe& recipe, const model::Model& model, const std::set<std::size_t>& tensors,
                  FormatChoice choice) {
  Recipe with_globs = recipe;
  insert_front(with_globs, patterns_for(model, tensors), choice);
  bool others_unchanged = true;
  for (std::size_t t = 0; t < model.file().tensors().size() && others_unchanged; ++t)
    if (!tensors.contains(t))
      others_unchanged = choice_of(with_globs, model, t) == choice_of(recipe, model, t);
  if (others_unchanged) {
    recipe = std::move(with_globs);
    return;
  }
  std::vector<std::string> names;
  for (const std::size_t t : tensors) names.push_back(model.file().tensors()[t].name);
  insert_front(recipe, names, choice);
}

}  // namespace

std::vector<kernels::Format> choosable_formats() {
  std::vector<kernels::FormatInfo> infos;
  for (const kernels::FormatInfo& i : kernels::all_formats())
    if (i.encodes) infos.push_back(i);
  std::stable_sort(infos.begin(), infos.end(),
                   [](const auto& a, const auto& b) { return a.bits_per_weight() > b.bits_per_weight(); });
  std::vector<kernels::Format> formats;
  for (const auto& i : infos) formats.push_back(i.format);
  return formats;
}

std::string choice_name(FormatChoice choice) {
  return choice ? std::string(kernels::info(*choice).name) : std::string("as in file");
}

std::optional<FormatChoice> choice_from_name(std::string_view name) {
  std::optional<FormatChoice> choice;
  const kernels::FormatInfo* info = kernels::find_format(name);
  if (info && info->encodes)
    choice.emplace(info->format);
  else if (name == "as in file")
    choice.emplace();
  return choice;
}

std::optional<Refusal> refusal_of(const model::Model& model, std::size_t tensor, FormatChoice choice) {
  const io::TensorInfo& info = model.file().tensors()[tensor];
  if (!choice || *choice == info.format) return std::nullopt;
  const bool vector = is_vector(model, tensor);
  Refusal refusal{tensor, RefusalKind::Other, *choice, std::nullopt};
  if (vector && kernels::info(*choice).block_size > 1) {
    refusal.kind = RefusalKind::VectorFormat;
    refusal.would_fit = kernels::Format::F32;
    return refusal;
  }
  if (!kernels::info(info.format).decodes) {
    refusal.kind = RefusalKind::NotDecodable;
    return refusal;
  }
  if (quantize::check_format(info, *choice)) return std::nullopt;
  if (info.row_length() % kernels::info(*choice).block_size != 0) refusal.kind = RefusalKind::RowLength;
  const double wanted = kernels::info(*choice).bits_per_weight();
  for (const kernels::Format f : choosable_formats())  // most bits first: the last that fits is the nearest
    if (kernels::info(f).bits_per_weight() >= wanted && quantize::check_format(info, f) &&
        (!refusal.would_fit ||
         kernels::info(f).bits_per_weight() < kernels::info(*refusal.would_fit).bits_per_weight()))
      refusal.would_fit = f;
  return refusal;
}

RecipeEdit assign(const Recipe& recipe, const model::Model& model, const std::vector<std::size_t>& tensors,
                  FormatChoice choice) {
  RecipeEdit edit{recipe, {}, {}, 0};
  const bool matrices =
      std::any_of(tensors.begin(), tensors.end(), [&](std::size_t t) { return !is_vector(model, t); });
  for (const std::size_t t : tensors) {
    if (matrices && is_vector(model, t)) {
      ++edit.vectors_left;
    } else if (auto refusal = refusal_of(model, t, choice)) {
      edit.refused.push_back(std::move(*refusal));
    } else {
      edit.accepted.push_back(t);
    }
  }
  const std::set<std::size_t> accepted(edit.accepted.begin(), edit.accepted.end());
  const auto names = [&](const Rule& rule) {
    return !has_wildcard(rule.tensor) && std::any_of(accepted.begin(), accepted.end(), [&](std::size_t t) {
      return model.file().tensors()[t].name == rule.tensor;
    });
  };
  std::erase_if(edit.recipe.rules, names);
  std::set<std::size_t> needed;
  for (const std::size_t t : accepted)
    if (choice_of(edit.recipe, model, t) != choice) needed.insert(t);
  put_in_front(edit.recipe, model, needed.size() == accepted.size() ? accepted : needed, choice);
  drop_shadowed(edit.recipe, model);
  drop_redundant_front(edit.recipe, model, choice);
  return edit;
}

RecipeEdit fit(const Recipe& recipe, const model::Model& model) {
  RecipeEdit edit{recipe, {}, {}, 0};
  std::map<kernels::Format, std::set<std::size_t>> replaced;
  for (std::size_t t = 0; t < model.file().tensors().size(); ++t) {
    if (is_vector(model, t)) continue;
    const FormatChoice choice = choice_of(recipe, model, t);
    auto refusal = refusal_of(model, t, choice);
    if (!refusal) {
      edit.accepted.push_back(t);
      continue;
    }
    replaced[refusal->would_fit.value_or(model.file().tensors()[t].format)].insert(t);
    edit.refused.push_back(std::move(*refusal));
  }
  for (const auto& [format, tensors] : replaced) put_in_front(edit.recipe, model, tensors, format);
  return edit;
}

std::string_view column_key(std::string_view name) {
  if (name.starts_with("blk.")) {
    const std::size_t dot = name.find('.', 4);
    if (dot != std::string_view::npos) name.remove_prefix(dot + 1);
  }
  if (name.ends_with(kWeight)) name.remove_suffix(kWeight.size());
  return name;
}

}  // namespace bitlens::views
