#include "core/sensitivity/block_view.h"

namespace bitlens::sensitivity {

using model::Module;

BlockView view_of(const run::LayerWeights& w) {
  return {&w.attn_norm, &w.ffn_norm, &w.q, &w.k, &w.v, &w.attn_output, &w.gate, &w.up, &w.down};
}

BlockView with_changes(const BlockView& base, const run::LayerWeights& other,
                       const std::vector<std::size_t>& changed, const model::Model& model) {
  BlockView view = base;
  for (const std::size_t tensor : changed) {
    switch (model.role(tensor).module) {
      case Module::AttnNorm:
        view.attn_norm = &other.attn_norm;
        break;
      case Module::FfnNorm:
        view.ffn_norm = &other.ffn_norm;
        break;
      case Module::AttnQ:
        view.q = &other.q;
        break;
      case Module::AttnK:
        view.k = &other.k;
        break;
      case Module::AttnV:
        view.v = &other.v;
        break;
      case Module::AttnOutput:
        view.attn_output = &other.attn_output;
        break;
      case Module::FfnGate:
        view.gate = &other.gate;
        break;
      case Module::FfnUp:
        view.up = &other.up;
        break;
      case Module::FfnDown:
        view.down = &other.down;
        break;
      default:
        break;
    }
  }
  return view;
}

}  // namespace bitlens::sensitivity
