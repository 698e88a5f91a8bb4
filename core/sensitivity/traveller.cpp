#include "core/sensitivity/traveller.h"

#include <fmt/format.h>

namespace bitlens::sensitivity {

Result<Traveller> Traveller::set_out(std::size_t index, const Cell& cell, const BaseRun& base, double cost,
                                     std::uint64_t own_bytes) {
  const model::Model& model = *base.model();
  Traveller out;
  out.index = index;
  out.cell = &cell;
  out.cost = cost;
  auto source = cell_weights(base.model(), cell);
  if (!source) return pass(source);
  out.source = std::move(*source);
  auto forward = run::Forward::create(*out.source, base.forward().context(),
                                      base.forward().rounds_activations(), base.forward().compute());
  if (!forward) return pass(forward);
  out.forward = std::move(*forward);
  out.changed.resize(static_cast<std::size_t>(base.layers()));
  for (const std::size_t tensor : cell.tensors) {
    const model::TensorRole& role = model.role(tensor);
    if (role.layer < 0 || !out.source->differs(tensor)) continue;
    auto& changed = out.changed[static_cast<std::size_t>(role.layer)];
    changed.push_back(tensor);
    // A changed product is taken whole, with its bias.
    const auto bias =
        model.file().find_tensor(fmt::format("blk.{}.{}.bias", role.layer, model::module_name(role.module)));
    if (bias) changed.push_back(*bias);
  }
  if (!out.hidden.resize(base.group() * base.window_floats()))
    return fail(ErrorCode::Memory, "not enough memory for a cell's hidden states");
  const evaluate::Windows& windows = base.windows();
  out.tokens.reserve(windows.inputs.size() * windows.scored_per_window());
  if (out.changed_bytes() <= own_bytes) out.own = std::make_unique<OwnWeights>();
  return out;
}

std::uint64_t Traveller::changed_bytes() const {
  std::uint64_t bytes = 0;
  for (const std::size_t tensor : cell->tensors)
    bytes += source->model().file().tensors()[tensor].elements() * sizeof(float);
  return bytes;
}

Result<const run::LayerWeights*> Traveller::weights(int layer, run::LayerWeights& room,
                                                    const WorkContext& work) {
  run::LayerWeights* target = &room;
  if (own) {
    const auto [place, fresh] = own->layers.try_emplace(layer);
    target = &place->second;
    if (!fresh) return target;
  }
  const auto& tensors = changed[static_cast<std::size_t>(layer)];
  if (auto s = forward->load_layer(layer, *target, work, &tensors); !s) {
    if (own) own->layers.erase(layer);
    return pass(s);
  }
  return target;
}

MeasuredCell Traveller::result(std::size_t scored) const {
  const std::size_t windows = tokens.size() / scored;
  const evaluate::Comparison compared = evaluate::compare(tokens, windows);
  MeasuredCell out;
  out.kl_mean = compared.kl_mean;
  out.kl_se = compared.kl_se;
  out.kl_median = compared.kl_median;
  out.kl_p99 = compared.kl_p99;
  out.kl_max = compared.kl_max;
  out.dnll_mean = compared.ln_ratio;
  out.dnll_se = compared.ln_ratio_se;
  out.top1_agreement = compared.top1_agreement;
  out.scored_tokens = tokens.size();
  out.seconds = seconds;
  for (std::size_t w = 0; w < windows; ++w) {
    double sum = 0;
    for (std::size_t p = 0; p < scored; ++p) sum += tokens[w * scored + p].kl;
    out.window_kl.push_back(static_cast<float>(sum / static_cast<double>(scored)));
  }
  return out;
}

}  // namespace bitlens::sensitivity
