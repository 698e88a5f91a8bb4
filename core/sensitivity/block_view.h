// One block's weights, each the base's own or a cell's.
#pragma once

#include <cstddef>
#include <vector>

#include "core/model/model.h"
#include "core/run/forward.h"

namespace bitlens::sensitivity {

/// One block's weights as one view of the model sees them.
struct BlockView {
  const std::vector<float>*attn_norm = nullptr, *ffn_norm = nullptr;
  const run::Linear *q = nullptr, *k = nullptr, *v = nullptr, *attn_output = nullptr, *gate = nullptr,
                    *up = nullptr, *down = nullptr;
};
[[nodiscard]] BlockView view_of(const run::LayerWeights& weights);
/// `base` with the tensors listed in `changed` taken from `other`.
[[nodiscard]] BlockView with_changes(const BlockView& base, const run::LayerWeights& other,
                                     const std::vector<std::size_t>& changed, const model::Model& model);

}  // namespace bitlens::sensitivity
