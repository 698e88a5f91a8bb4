// When an importance matrix has a say in how a tensor is rounded: one rule for exports and for cells.
#pragma once

#include <cstddef>

#include "core/quantize/importance.h"
#include "kernels/formats/codec.h"
#include "kernels/formats/format.h"

namespace bitlens::quantize {

/// Could rounding to `format` weigh columns at all?
[[nodiscard]] inline bool can_weigh(kernels::Format format, kernels::Quantizer quantizer) {
  return kernels::info(format).block_size > 1 && kernels::searches(format, quantizer);
}
/// Does the encoder of this tensor weigh its columns? `importance` may be null.
[[nodiscard]] inline bool weighs(const ImportancePtr& importance, std::size_t tensor, kernels::Format format,
                                 kernels::Quantizer quantizer) {
  return importance && importance->covers(tensor) && can_weigh(format, quantizer);
}

}  // namespace bitlens::quantize
