// A cell of the sensitivity map: some tensors, changed together to one format, everything else as it is.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/model/model.h"
#include "core/quantize/importance.h"
#include "core/run/weights.h"
#include "kernels/formats/codec.h"
#include "kernels/formats/format.h"

namespace bitlens::sensitivity {

struct Cell {
  std::string name;  ///< the tensor's name, or the group's: "attn_v", "blk.3", "blk.3.attn_qkv", "*"
  kernels::Format format = kernels::Format::F16;
  kernels::Quantizer quantizer = kernels::Quantizer::Search;
  std::vector<std::size_t> tensors;  ///< indices in the model file; none: the control, which changes nothing
  quantize::ImportancePtr importance{};  ///< what searching encoders weigh columns by; null: nothing

  bool operator==(const Cell&) const = default;
};

/// What is changed together.
enum class Grouping {
  Tensor,  ///< each matrix alone
  Fused,   ///< attn_q + attn_k + attn_v of a layer, ffn_gate + ffn_up of a layer: runtimes that fuse them
  Module,  ///< one kind of matrix in all layers
  Layer,   ///< all matrices of a layer
  All      ///< all matrices
};

/// A cell that was asked for and cannot be.
struct SkippedCell {
  std::string name;
  kernels::Format format;
  std::string reason;
};

struct CellPlan {
  std::vector<Cell> cells;  ///< layer by layer in the order of the file; per name in the order of the formats
  std::vector<SkippedCell> skipped;
};

/// The cells of all matrices that match `glob` (tensor names as in recipes), for every format. A tensor that
/// cannot take a format, or has it already, is listed as skipped; a group is skipped when one of its tensors
/// cannot take it. InvalidArgument if nothing matches.
[[nodiscard]] Result<CellPlan> plan_cells(const model::Model& model, std::string_view glob,
                                          const std::vector<kernels::Format>& formats,
                                          kernels::Quantizer quantizer, Grouping grouping = Grouping::Tensor,
                                          const quantize::ImportancePtr& importance = {});

/// The model with the cell's tensors changed. Errors of quantize::check_format.
[[nodiscard]] Result<std::unique_ptr<run::WeightSource>> cell_weights(
    const std::shared_ptr<const model::Model>& model, const Cell& cell);

/// The first block that reads one of the cell's tensors: -1 if the embedding does (or for the control),
/// the number of layers if only what comes after the blocks does.
[[nodiscard]] int first_layer(const model::Model& model, const Cell& cell);

}  // namespace bitlens::sensitivity
