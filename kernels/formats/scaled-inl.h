// Encoders of blocks with one F16 scale over a grid of codes. Included once per target.
#if defined(BITLENS_KERNELS_FORMATS_SCALED_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLENS_KERNELS_FORMATS_SCALED_INL_H_
#undef BITLENS_KERNELS_FORMATS_SCALED_INL_H_
#else
#define BITLENS_KERNELS_FORMATS_SCALED_INL_H_
#endif

#include "kernels/formats/half.h"
#include "kernels/formats/search-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

/// Ladders of |code| at the extreme weight, relative to the grid's low end. The grids reach one step further
/// down than up, so the extreme is tried at both ends.
struct Ladder {
  static constexpr int kMax = 32;
  float down[kMax];  ///< extreme at the low end
  std::size_t down_steps;
  float up[kMax];  ///< extreme at the high end
  std::size_t up_steps;
  float wide[kMax];  ///< clipping more: worth it only when weights are important unequally
  std::size_t wide_steps;
};

constexpr Ladder make_ladder(float from, float to, std::size_t down_steps, float up_from, float up_to,
                             std::size_t up_steps) {
  Ladder ladder{};
  ladder.down_steps = down_steps;
  for (std::size_t k = 0; k < down_steps; ++k) {
    ladder.down[k] = from + (to - from) * static_cast<float>(k) / static_cast<float>(down_steps - 1);
  }
  ladder.up_steps = up_steps;
  for (std::size_t k = 0; k < up_steps; ++k) {
    ladder.up[k] = up_from + (up_to - up_from) * static_cast<float>(k) / static_cast<float>(up_steps - 1);
  }
  ladder.wide_steps = 12;
  float factor = to;
  for (std::size_t k = 0; k < ladder.wide_steps; ++k) {
    factor *= 1.12F;
    ladder.wide[k] = factor;
  }
  return ladder;
}

template <class T, class G>
BestScale search_scale(const T& tile, const G& grid, Floats unit, const Ladder& ladder) {
  const Floats largest = tile.largest_magnitude();
  const Floats extreme = signed_extreme(tile, largest);
  const Floats base = inverse_or_zero(extreme);
  Floats gain = zeros();
  Floats scale = zeros();
  climb_ladder(tile, grid, hn::Neg(base), ladder.down, ladder.down_steps, gain, scale);
  climb_ladder(tile, grid, base, ladder.up, ladder.up_steps, gain, scale);
  if constexpr (T::weighted) {
    climb_ladder(tile, grid, hn::Neg(base), ladder.wide, ladder.wide_steps, gain, scale);
  }
  // Plain rounding is one of the candidates, so the search is never worse than it.
  BestScale best{tile.energy(), zeros()};
  settle_scale(tile, grid, unit, hn::Div(extreme, constant(grid.low)), 1, best);
  settle_scale(tile, grid, unit, scale, 2, best);
  try_least_scales(tile, grid, unit, largest, best);
  return best;
}

/// Writes lanes of codes (offset to be unsigned) and scales as blocks.
template <class Block, bool kWeighted, class G, class Pack>
void encode_scaled(const float* source, const float* importance, std::byte* target, std::size_t count,
                   const G& grid, const Ladder& ladder, Pack pack) {
  constexpr int kSize = Block::kSize;
  auto* block = reinterpret_cast<Block*>(target);
  const std::size_t blocks = count / kSize;
  TileMemory<kSize, kMaxLanes, kWeighted> memory;
  const Tile<kSize, kWeighted> tile(memory);
  Codes<kSize> codes;
  for (std::size_t first = 0; first < blocks; first += lane_count()) {
    tile.load(source, importance, first, blocks);
    const Floats unit = power_of_two_below(tile.largest_magnitude());
    tile.normalize(unit, tile.largest_weight());
    const BestScale best = search_scale(tile, grid, unit, ladder);
    const Floats inverse = inverse_or_zero(best.d);
    for (int j = 0; j < kSize; ++j) {
      codes.store(j, code_index(hn::Mul(tile.x(j), inverse), grid));
    }
    const LaneValues scales(hn::Mul(best.d, unit));
    for (std::size_t lane = 0; lane < lane_count() && first + lane < blocks; ++lane, ++block) {
      store_u16(block->d, float_to_half(scales[lane]));
      pack(codes.block(lane), *block);
    }
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
