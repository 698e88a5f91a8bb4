// Searching encoders of Q4_0, Q5_0 and Q8_0 without an importance matrix: the way most models are converted,
// so the ladders are climbed in integers.
#include <algorithm>
#include <cstdint>
#include <iterator>

#include "kernels/formats/blocks.h"
#include "kernels/formats/families.h"
#include "kernels/formats/half.h"

#define HWY_TARGET_INCLUDE "kernels/formats/unweighted_search.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/formats/integer_ladder-inl.h"
#include "kernels/formats/packing.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

constexpr int kSize = 32;

/// Of each block of a tile, zero included.
struct Extremes {
  Floats low;
  Floats high;
  HWY_INLINE Floats largest() const { return hn::Max(high, hn::Neg(low)); }
  /// With its sign; the negative one of two.
  HWY_INLINE Floats outermost() const { return hn::IfThenElse(hn::Ge(hn::Neg(low), high), low, high); }
  HWY_INLINE hn::Mask<Tag> tied() const { return hn::Eq(hn::Neg(low), high); }
};

/// Walks a row tile by tile: search(tile, unit, extremes) says the scale of each lane, pack writes a block.
template <class Block, bool kWeighted, class Search, class Pack>
void encode_unweighted(const float* source, std::byte* target, std::size_t count, Grid grid, float zero,
                       Search search, Pack pack) {
  auto* block = reinterpret_cast<Block*>(target);
  const std::size_t blocks = count / kSize;
  TileMemory<kSize, kMaxLanes, kWeighted> memory;
  const Tile<kSize, kWeighted> tile(memory);
  for (std::size_t first = 0; first < blocks; first += lane_count()) {
    tile.load_values(source, first, blocks);
    const Floats unit = power_of_two_below(tile.largest_magnitude());
    const Floats by = reciprocal_of_power(unit);
    Floats low = zeros();
    Floats high = zeros();
    for (int j = 0; j < kSize; ++j) {
      const Floats x = hn::Mul(tile.x(j), by);
      low = hn::Min(low, x);
      high = hn::Max(high, x);
      hn::Store(x, Tag(), tile.x_ + static_cast<std::size_t>(j) * lane_count());
    }
    const Floats d = search(tile, unit, Extremes{low, high});
    const LaneValues inverses(inverse_or_zero(d));
    const LaneValues units(by);
    const LaneValues scales(hn::Mul(d, unit));
    for (std::size_t lane = 0; lane < lane_count() && first + lane < blocks; ++lane, ++block) {
      HWY_ALIGN std::uint8_t codes[kSize];
      row_codes<kSize>(source + (first + lane) * kSize, units[lane], inverses[lane], grid.low, grid.high,
                       zero, codes);
      store_u16(block->d, float_to_half(scales[lane]));
      pack(codes, *block);
    }
  }
}

/// Best scale by plain squared error on a coarse grid.
template <class T>
Floats search_coarse(const T& tile, Grid grid, const IntegerLadder& ladder, Floats unit, Extremes extremes) {
  const Floats extreme = extremes.outermost();
  PairTile<kSize, false> pairs;
  pairs.load(tile, extreme, zeros());
  const Floats scale = hn::Neg(hn::Mul(extreme, climb_integer_ladder(pairs, grid, ladder)));
  BestScale best{constant(kNoError), zeros()};
  settle_scale(tile, grid, unit, hn::Div(extreme, constant(grid.low)), 1, best);
  settle_scale(tile, grid, unit, scale, 2, best);
  try_least_scales(tile, grid, unit, extremes.largest(), best);
  return best.d;
}

constexpr Grid kGrid4{-8.0F, 7.0F};
constexpr Grid kGrid5{-16.0F, 15.0F};
constexpr Grid kGrid8{-128.0F, 127.0F};
constexpr IntegerLadder kLadder4 = make_integer_ladder(5.6F, 9.6F, 14, 5.6F, 8.4F, 6);
constexpr IntegerLadder kLadder5 = make_integer_ladder(12.8F, 18.4F, 24, 12.8F, 16.0F, 8);

/// Fills in what each weight of a block matters: sqrt(mean square of the block + its own square). Returns the
/// largest.
template <class T>
Floats weigh_by_magnitude(const T& tile, Floats largest) {
  Floats square = zeros();
  for (int j = 0; j < kSize; ++j) {
    square = hn::Add(square, hn::Mul(tile.x(j), tile.x(j)));
  }
  square = hn::Mul(square, constant(1.0F / static_cast<float>(kSize)));
  square = hn::IfThenElse(hn::Gt(square, zeros()), square, constant(1.0F));
  for (int j = 0; j < kSize; ++j) {
    const std::size_t at = static_cast<std::size_t>(j) * lane_count();
    const Floats x = tile.x(j);
    const Floats w = hn::Sqrt(hn::Add(square, hn::Mul(x, x)));
    hn::Store(w, Tag(), tile.w_ + at);
    hn::Store(hn::Mul(w, x), Tag(), tile.wx_ + at);
  }
  return hn::Sqrt(hn::Add(square, hn::Mul(largest, largest)));
}

/// sum (x - d q)^2 with the nearest codes.
template <class T>
Floats plain_error(const T& tile, Grid grid, Floats d) {
  const Floats inverse = inverse_or_zero(d);
  Floats error = zeros();
  for (int j = 0; j < T::count; ++j) {
    const Floats x = tile.x(j);
    const Floats difference = hn::Sub(x, hn::Mul(d, nearest_code(hn::Mul(x, inverse), grid)));
    error = hn::Add(error, hn::Mul(difference, difference));
  }
  return error;
}

// Without importance, 4-bit codes fitted by plain squared error clip the large weights, and a model's
// divergence grows although the error falls; so large weights count more, as in ggml's encoders. A block
// whose plain error that makes worse than plain rounding's is rounded plainly.
void search_q4_0_blocks(const float* source, std::byte* target, std::size_t count) {
  const auto search = [](const auto& tile, Floats unit, Extremes extremes) {
    const Floats largest_weight = weigh_by_magnitude(tile, extremes.largest());
    const Floats extreme = extremes.outermost();
    PairTile<kSize, true> pairs;
    pairs.load(tile, extreme, largest_weight);
    const Floats scale = hn::Neg(hn::Mul(extreme, climb_integer_ladder(pairs, kGrid4, kLadder4)));
    const Floats plain = as_stored(hn::Mul(extreme, constant(-1.0F / 8.0F)), unit);
    BestScale best{constant(kNoError), zeros()};
    settle_scale(tile, kGrid4, unit, plain, 1, best);
    settle_scale(tile, kGrid4, unit, scale, 2, best);
    try_least_scales(tile, kGrid4, unit, extremes.largest(), best);
    BestScale result{plain_error(tile, kGrid4, best.d), best.d};
    result.offer(plain_error(tile, kGrid4, plain), plain);
    if (!hn::AllFalse(Tag(), extremes.tied())) {
      // Of two extremes of both signs plain rounding takes the first.
      const Floats error = plain_error(tile, kGrid4, hn::Neg(plain));
      result.offer(hn::IfThenElse(extremes.tied(), error, constant(kNoError)), hn::Neg(plain));
    }
    return result.d;
  };
  encode_unweighted<BlockQ4_0, true>(
      source, target, count, kGrid4, kGrid4.low, search,
      [](const std::uint8_t* codes, BlockQ4_0& block) { pack_nibbles(codes, block.qs); });
}

void search_q5_0_blocks(const float* source, std::byte* target, std::size_t count) {
  const auto search = [](const auto& tile, Floats unit, Extremes extremes) {
    return search_coarse(tile, kGrid5, kLadder5, unit, extremes);
  };
  encode_unweighted<BlockQ5_0, false>(source, target, count, kGrid5, kGrid5.low, search,
                                      [](const std::uint8_t* codes, BlockQ5_0& block) {
                                        pack_nibbles(codes, block.qs);
                                        pack_fifth_bits(codes, block.qh);
                                      });
}

/// Extreme weights at -128.4 .. -114 or 127.4 .. 118.
struct FineLadder {
  static constexpr std::size_t kDown = 24;
  static constexpr std::size_t kUp = 8;
  Rung rungs[kDown + kUp];
};
constexpr FineLadder make_fine_ladder() {
  FineLadder ladder{};
  for (std::size_t k = 0; k < FineLadder::kDown + FineLadder::kUp; ++k) {
    const bool down = k < FineLadder::kDown;
    const auto step = static_cast<float>(down ? k : k - FineLadder::kDown);
    const float code = down ? 128.4F - 14.4F * step / static_cast<float>(FineLadder::kDown - 1)
                            : -(127.4F - 9.4F * step / static_cast<float>(FineLadder::kUp - 1));
    ladder.rungs[k] = {code, 1.0F / code};
  }
  return ladder;
}
constexpr FineLadder kLadder8 = make_fine_ladder();

void search_q8_0_blocks(const float* source, std::byte* target, std::size_t count) {
  const auto search = [](const auto& tile, Floats unit, Extremes extremes) {
    const Floats extreme = extremes.outermost();
    StoredLadder<kSize> ladder;
    ladder.load(tile, extreme);
    BestScale best{constant(kNoError), zeros()};
    settle_scale(tile, kGrid8, unit, hn::Mul(extreme, constant(1.0F / 127.0F)), 1, best);
    settle_scale(tile, kGrid8, unit,
                 ladder.climb(extreme, unit, kGrid8.high, kLadder8.rungs, std::size(kLadder8.rungs)), 2,
                 best);
    try_least_scales(tile, kGrid8, unit, extremes.largest(), best);
    return best.d;
  };
  encode_unweighted<BlockQ8_0, false>(source, target, count, kGrid8, 0.0F, search,
                                      [](const std::uint8_t* codes, BlockQ8_0& block) {
                                        std::copy_n(codes, kSize, reinterpret_cast<std::uint8_t*>(block.qs));
                                      });
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {
HWY_EXPORT(search_q4_0_blocks);
HWY_EXPORT(search_q5_0_blocks);
HWY_EXPORT(search_q8_0_blocks);

void encode_unweighted_q4_0(const float* source, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_q4_0_blocks)(source, target, count);
}
void encode_unweighted_q5_0(const float* source, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_q5_0_blocks)(source, target, count);
}
void encode_unweighted_q8_0(const float* source, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_q8_0_blocks)(source, target, count);
}
}  // namespace bitlens::kernels
#endif  // HWY_ONCE
