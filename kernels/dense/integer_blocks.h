// Weights that are small integers times a scale shared by 32 of them, plus an offset shared by the same 32 in
// some formats: taken apart for products in integers. Exact: code * scale + offset is what the format
// defines.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/formats/format.h"

namespace bitlens::kernels {

/// Consecutive inputs that share a scale.
inline constexpr std::size_t kIntegerBlock = 32;

/// Is every weight of the format an integer of magnitude at most 128 times a scale per 32 weights, plus an
/// offset per 32 weights (has_offsets)?
[[nodiscard]] bool has_integer_blocks(Format format);
[[nodiscard]] bool has_offsets(Format format);

/// Takes `count` weights (a multiple of the format's block size) apart. scales, offsets: one per 32 weights;
/// a format without offsets leaves `offsets` alone. False if a scale or an offset is NaN or infinite.
/// Requires has_integer_blocks(format).
[[nodiscard]] bool take_apart(Format format, const std::byte* source, std::size_t count, std::int16_t* codes,
                              float* scales, float* offsets);

}  // namespace bitlens::kernels
