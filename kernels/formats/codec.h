// Decoding and encoding of blocks of weights. Plain functions on memory; deterministic; any number of
// threads may work on different rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/formats/format.h"

namespace bitlens::kernels {

/// How weights are rounded to a format.
enum class Quantizer {
  Rtn,  ///< plain round-to-nearest, byte-equal to ggml's quantize_row_*_ref for F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1
        ///< Q8_0; the other block formats have no agreed plain rounding and always search
  Search  ///< searches scale (and offset) of each block for the smallest weighted squared error; the default
};

/// Does encode() look at `importance` for this format and quantizer? (Rtn does not where it is defined.)
[[nodiscard]] bool searches(Format format, Quantizer quantizer);

/// Decodes `count` weights (a multiple of the block size) from `source` into `target`.
/// Exact: every value is what the format's definition gives in f32 arithmetic.
/// Requires info(format).decodes.
void decode(Format format, const std::byte* source, float* target, std::size_t count);

/// Encodes one row (or any whole number of blocks) of finite weights.
/// `importance`: null, or one non-negative weight per element of the row (expected squared input); the
/// search minimizes sum importance[j] * (w[j] - w'[j])^2.
/// Requires info(format).encodes and finite input; all-zero blocks, denormals and huge values are fine.
void encode(Format format, Quantizer quantizer, const float* source, const float* importance,
            std::byte* target, std::size_t count);

/// Rounds a row of activations in place the way `rounding` says (blocks of 32 or 256; a tail shorter than
/// a block is one short block). See method: `activations: q8`.
void round_activations(ActivationRounding rounding, float* row, std::size_t count);

/// Index of the first NaN or infinity, or `count`.
[[nodiscard]] std::size_t find_non_finite(const float* values, std::size_t count);

}  // namespace bitlens::kernels
