// Which attention runs on the tile unit.
#pragma once

#include <cstddef>

#include "kernels/dense/attention.h"
#include "kernels/dense/instruction_set.h"

namespace bitlens::kernels {

/// Heads that tiles are used for: smaller ones would leave them nearly empty.
inline constexpr std::size_t kSmallestTileHead = 32, kLargestTileHead = 256;

inline bool on_tiles(const AttentionShape& shape) {
  return shape.compute == Compute::Fast && shape.head_dim >= kSmallestTileHead &&
         shape.head_dim <= kLargestTileHead && uses_tiles();
}

}  // namespace bitlens::kernels
