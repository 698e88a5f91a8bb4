#include "core/sensitivity/cell.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/quantize/recipe.h"
#include "core/quantize/weighing.h"

namespace bitlens::sensitivity {

using model::Module;

namespace {

/// Name of the group a tensor belongs to.
std::string group_name(const io::TensorInfo& tensor, const model::TensorRole& role, Grouping grouping) {
  const bool in_block = role.layer >= 0;
  switch (grouping) {
    case Grouping::Tensor:
      break;
    case Grouping::Fused:
      if (in_block &&
          (role.module == Module::AttnQ || role.module == Module::AttnK || role.module == Module::AttnV))
        return fmt::format("blk.{}.attn_qkv", role.layer);
      if (in_block && (role.module == Module::FfnGate || role.module == Module::FfnUp))
        return fmt::format("blk.{}.ffn_gate_up", role.layer);
      break;
    case Grouping::Module:
      return std::string(model::module_name(role.module));
    case Grouping::Layer:
      if (in_block) return fmt::format("blk.{}", role.layer);
      break;
    case Grouping::All:
      return "*";
  }
  return tensor.name;
}

/// Why `tensor` cannot be a changed tensor of a cell in `format`, or nothing.
std::optional<std::string> obstacle(const io::TensorInfo& tensor, kernels::Format format) {
  if (tensor.format == format)
    return fmt::format("{} is {} already", tensor.name, kernels::info(format).name);
  if (const auto fits = quantize::check_format(tensor, format); !fits)
    return fmt::format("{}: {}", tensor.name, fits.error().message);
  return std::nullopt;
}

}  // namespace

Result<CellPlan> plan_cells(const model::Model& model, std::string_view glob,
                            const std::vector<kernels::Format>& formats, kernels::Quantizer quantizer,
                            Grouping grouping, const quantize::ImportancePtr& importance) {
  const auto& tensors = model.file().tensors();
  std::vector<std::pair<std::string, std::vector<std::size_t>>> groups;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    if (!model.role(t).is_matrix || !quantize::glob_matches(glob, tensors[t].name)) continue;
    std::string name = group_name(tensors[t], model.role(t), grouping);
    auto found = std::ranges::find(groups, name, &decltype(groups)::value_type::first);
    if (found == groups.end()) found = groups.insert(groups.end(), {std::move(name), {}});
    found->second.push_back(t);
  }
  if (groups.empty())
    return fail(ErrorCode::InvalidArgument, fmt::format("no matrix matches \"{}\"", printable(glob, 80)),
                {model.file().path(), {}, {}});
  CellPlan plan;
  for (const auto& [name, members] : groups)
    for (const kernels::Format format : formats) {
      std::optional<std::string> reason;
      std::size_t unchanged = 0;
      for (const std::size_t t : members) {
        if (tensors[t].format == format && members.size() > 1) {
          ++unchanged;
          continue;
        }
        if (!reason) reason = obstacle(tensors[t], format);
      }
      if (!reason && unchanged == members.size())
        reason = fmt::format("all are {} already", kernels::info(format).name);
      if (reason)
        plan.skipped.push_back({name, format, *reason});
      else
        plan.cells.push_back({name, format, quantizer, members, importance});
    }
  std::ranges::stable_sort(plan.cells, {}, [&](const Cell& cell) { return first_layer(model, cell); });
  return plan;
}

Result<std::unique_ptr<run::WeightSource>> cell_weights(const std::shared_ptr<const model::Model>& model,
                                                        const Cell& cell) {
  // A view needs one choice per tensor and none of the sizes that resolving a recipe works out.
  quantize::ResolvedRecipe resolved;
  resolved.importance = cell.importance;
  for (const io::TensorInfo& tensor : model->file().tensors()) {
    quantize::TensorChoice choice{};
    choice.source = choice.format = tensor.format;
    choice.quantizer = cell.quantizer;
    resolved.tensors.push_back(choice);
  }
  for (const std::size_t t : cell.tensors) {
    const io::TensorInfo& tensor = model->file().tensors()[t];
    if (const auto fits = quantize::check_format(tensor, cell.format); !fits) return pass(fits);
    resolved.tensors[t].format = cell.format;
    resolved.tensors[t].changed = tensor.format != cell.format;
    resolved.tensors[t].weighted =
        resolved.tensors[t].changed && quantize::weighs(cell.importance, t, cell.format, cell.quantizer);
  }
  return run::recipe_weights(model, std::move(resolved));
}

int first_layer(const model::Model& model, const Cell& cell) {
  const int layers = model.llama() ? static_cast<int>(model.llama()->layers) : 0;
  if (cell.tensors.empty()) return -1;
  int first = layers;
  for (const std::size_t t : cell.tensors) {
    const model::TensorRole& role = model.role(t);
    if (role.layer >= 0)
      first = std::min(first, role.layer);
    else if (role.module == Module::TokenEmbedding)
      first = -1;
  }
  return first;
}

}  // namespace bitlens::sensitivity
