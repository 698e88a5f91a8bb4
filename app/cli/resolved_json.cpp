#include "app/cli/resolved_json.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "app/cli/table.h"

namespace bitlens::cli {

using nlohmann::ordered_json;

namespace {

std::string reason(const quantize::TensorChoice& choice, const quantize::Recipe& recipe) {
  if (choice.kept_norm) return "norm or vector: kept";
  if (choice.rule < 0) return "default";
  const quantize::Rule& rule = recipe.rules[static_cast<std::size_t>(choice.rule)];
  return fmt::format("rule {}: {}", choice.rule + 1,
                     printable(rule.why.empty() ? rule.tensor : rule.why, 60));
}

}  // namespace

ordered_json choices_json(const quantize::ResolvedRecipe& resolved, const io::ModelFile& file) {
  ordered_json out = ordered_json::array();
  for (std::size_t i = 0; i < resolved.tensors.size(); ++i) {
    const quantize::TensorChoice& choice = resolved.tensors[i];
    ordered_json one{{"name", file.tensors()[i].name},
                     {"source", kernels::info(choice.source).name},
                     {"format", kernels::info(choice.format).name},
                     {"changed", choice.changed}};
    one["quantizer"] =
        choice.changed ? ordered_json(quantize::quantizer_name(choice.quantizer)) : ordered_json(nullptr);
    one["weighted"] = choice.weighted;
    one["rule"] = choice.rule >= 0 ? ordered_json(choice.rule) : ordered_json(nullptr);
    one["kept_norm"] = choice.kept_norm;
    one["weights"] = file.tensors()[i].elements();
    one["bytes"] = choice.bytes;
    out.push_back(std::move(one));
  }
  return out;
}

std::string choices_text(const quantize::ResolvedRecipe& resolved, const io::ModelFile& file) {
  Table table({{"Tensor"}, {"Shape", Align::Right}, {"From"}, {"To"}, {"Bytes", Align::Right}, {"Why"}});
  for (std::size_t i = 0; i < resolved.tensors.size(); ++i) {
    const quantize::TensorChoice& choice = resolved.tensors[i];
    table.add({printable(file.tensors()[i].name), shape_text(file.tensors()[i].shape),
               std::string(kernels::info(choice.source).name), std::string(kernels::info(choice.format).name),
               fmt::format("{}", choice.bytes), reason(choice, resolved.recipe)});
  }
  return table.render();
}

std::string changes_text(const quantize::ResolvedRecipe& resolved, const io::ModelFile& file) {
  struct Group {
    std::size_t tensors = 0;
    std::uint64_t before = 0, after = 0;
  };
  std::map<std::pair<kernels::Format, kernels::Format>, Group> groups;
  for (std::size_t i = 0; i < resolved.tensors.size(); ++i) {
    const quantize::TensorChoice& choice = resolved.tensors[i];
    Group& group = groups[{choice.source, choice.format}];
    ++group.tensors;
    group.before += file.tensors()[i].bytes;
    group.after += choice.bytes;
  }
  Table table(
      {{"From"}, {"To"}, {"Tensors", Align::Right}, {"Bytes before", Align::Right}, {"after", Align::Right}});
  for (const auto& [formats, group] : groups)
    table.add({std::string(kernels::info(formats.first).name),
               std::string(kernels::info(formats.second).name), fmt::format("{}", group.tensors),
               fmt::format("{}", group.before), fmt::format("{}", group.after)});
  return table.render();
}

}  // namespace bitlens::cli
