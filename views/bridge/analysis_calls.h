// What the inspector and the map ask the engine about single tensors. Every call checks that it is not on the
// window's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "views/document/snapshots.h"

namespace bitlens::views {

using WeightsPtr = std::shared_ptr<const analyze::WeightStatistics>;
using InputsPtr = std::shared_ptr<const analyze::ActivationStatistics>;

/// The values one block of a tensor can take in a format: drawn over the histogram.
struct QuantizationGrid {
  std::vector<double> levels;  ///< ascending; empty when there are too many to draw
  double block_abs_max = 0;    ///< of the block they belong to: the one with the median abs-max
  std::size_t count = 0;       ///< levels found, also when too many to draw
};

[[nodiscard]] Result<WeightsPtr> describe_weights(const study::ModelSession& session, std::size_t tensor,
                                                  const WorkContext& work);
/// `input_energy`: E[x_j^2] of the layer's input, or empty without a calibration.
[[nodiscard]] Result<analyze::RoundingError> describe_rounding(const study::ModelSession& session,
                                                               std::size_t tensor, kernels::Format format,
                                                               kernels::Quantizer quantizer,
                                                               std::span<const double> input_energy,
                                                               const WorkContext& work);
/// Inputs of every linear layer over a text; one entry per tensor of the file, null where it has no input.
[[nodiscard]] Result<std::vector<InputsPtr>> describe_inputs(const study::ModelSession& session,
                                                             const study::TokenizedText& text,
                                                             const evaluate::Options& options,
                                                             const WorkContext& work);
[[nodiscard]] Result<QuantizationGrid> quantization_grid(const study::ModelSession& session,
                                                         std::size_t tensor, kernels::Format format);

}  // namespace bitlens::views
