// Searching encoders of one scale per 32 weights with an importance matrix (Q4_0 Q5_0 Q8_0; without:
// unweighted_search.cpp), and of scale and offset (Q4_1 Q5_1).
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>

#include "kernels/formats/blocks.h"
#include "kernels/formats/families.h"
#include "kernels/formats/half.h"

#define HWY_TARGET_INCLUDE "kernels/formats/simple_search.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/formats/packing.h"
#include "kernels/formats/scaled-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

constexpr Grid kGrid4{-8.0F, 7.0F};
constexpr Grid kGrid5{-16.0F, 15.0F};
constexpr Grid kGrid8{-128.0F, 127.0F};
constexpr Ladder kLadder4 = make_ladder(5.6F, 9.6F, 20, 5.6F, 8.4F, 8);
constexpr Ladder kLadder5 = make_ladder(12.8F, 18.4F, 24, 12.8F, 16.0F, 8);

void search_q4_0_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  encode_scaled<BlockQ4_0, true>(
      source, importance, target, count, kGrid4, kLadder4,
      [](const std::uint8_t* codes, BlockQ4_0& block) { pack_nibbles(codes, block.qs); });
}

void search_q5_0_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  encode_scaled<BlockQ5_0, true>(source, importance, target, count, kGrid5, kLadder5,
                                 [](const std::uint8_t* codes, BlockQ5_0& block) {
                                   pack_nibbles(codes, block.qs);
                                   pack_fifth_bits(codes, block.qh);
                                 });
}

/// Scales at which the extreme weight is -128 .. -112 or 127 .. 111: the step is a third of what moves a
/// middling code by one.
constexpr Ladder kLadder8 = make_ladder(128.4F, 114.0F, 32, 127.4F, 118.0F, 16);
/// With few weights that matter, clipping the others or a coarser scale may fit better.
constexpr Ladder kWideLadder8 = make_ladder(129.0F, 160.0F, 16, 113.0F, 96.0F, 16);

void search_q8_0_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  auto* block = reinterpret_cast<BlockQ8_0*>(target);
  const std::size_t blocks = count / 32;
  TileMemory<32, kMaxLanes, true> memory;
  const Tile<32, true> tile(memory);
  Codes<32> codes;
  for (std::size_t first = 0; first < blocks; first += lane_count()) {
    tile.load(source, importance, first, blocks);
    const Floats unit = power_of_two_below(tile.largest_magnitude());
    tile.normalize(unit, tile.largest_weight());
    const Floats largest = tile.largest_magnitude();
    const Floats extreme = signed_extreme(tile, largest);
    BestScale best{tile.energy(), zeros()};
    settle_scale(tile, kGrid8, unit, hn::Div(extreme, constant(127.0F)), 1, best);
    climb_stored_ladder(tile, kGrid8, unit, hn::Neg(extreme), kLadder8.down, kLadder8.down_steps, best);
    climb_stored_ladder(tile, kGrid8, unit, extreme, kLadder8.up, kLadder8.up_steps, best);
    climb_stored_ladder(tile, kGrid8, unit, hn::Neg(extreme), kWideLadder8.down, kWideLadder8.down_steps,
                        best);
    climb_stored_ladder(tile, kGrid8, unit, hn::Neg(extreme), kWideLadder8.up, kWideLadder8.up_steps, best);
    settle_scale(tile, kGrid8, unit, best.d, 3, best);
    try_least_scales(tile, kGrid8, unit, largest, best);
    const Floats inverse = inverse_or_zero(best.d);
    for (int j = 0; j < 32; ++j) {
      codes.store(j, nearest_code(hn::Mul(tile.x(j), inverse), kGrid8));
    }
    const LaneValues scales(hn::Mul(best.d, unit));
    for (std::size_t lane = 0; lane < lane_count() && first + lane < blocks; ++lane, ++block) {
      store_u16(block->d, float_to_half(scales[lane]));
      std::memcpy(block->qs, codes.block(lane), 32);
    }
  }
}

/// Cuts (low, high) of a block's range in steps of its grid, all pairs of a few; finer grids gain from more.
constexpr float kCuts4[][2] = {{-0.4F, -0.4F}, {-0.4F, 0.1F}, {-0.4F, 0.6F}, {-0.4F, 1.1F},
                               {0.1F, -0.4F},  {0.1F, 0.1F},  {0.1F, 0.6F},  {0.1F, 1.1F},
                               {0.6F, -0.4F},  {0.6F, 0.1F},  {0.6F, 0.6F},  {0.6F, 1.1F},
                               {1.1F, -0.4F},  {1.1F, 0.1F},  {1.1F, 0.6F},  {1.1F, 1.1F}};
constexpr float kCuts5[][2] = {{-0.4F, -0.4F}, {-0.4F, 0.0F}, {-0.4F, 0.4F}, {-0.4F, 0.8F}, {-0.4F, 1.3F},
                               {0.0F, -0.4F},  {0.0F, 0.0F},  {0.0F, 0.4F},  {0.0F, 0.8F},  {0.0F, 1.3F},
                               {0.4F, -0.4F},  {0.4F, 0.0F},  {0.4F, 0.4F},  {0.4F, 0.8F},  {0.4F, 1.3F},
                               {0.8F, -0.4F},  {0.8F, 0.0F},  {0.8F, 0.4F},  {0.8F, 0.8F},  {0.8F, 1.3F},
                               {1.3F, -0.4F},  {1.3F, 0.0F},  {1.3F, 0.4F},  {1.3F, 0.8F}};
/// Weights that matter little may be clipped further.
constexpr float kWideCuts[][2] = {{0.0F, 2.2F}, {2.2F, 0.0F}, {2.2F, 2.2F}, {0.0F, 4.0F},
                                  {4.0F, 0.0F}, {4.0F, 4.0F}, {0.0F, 7.0F}, {7.0F, 0.0F}};

template <class Block, class Pack, bool kWeighted>
void encode_lined(const float* source, const float* importance, std::byte* target, std::size_t count,
                  float top, const float (*cuts)[2], std::size_t steps, Pack pack) {
  auto* block = reinterpret_cast<Block*>(target);
  const std::size_t blocks = count / 32;
  TileMemory<32, kMaxLanes, kWeighted> memory;
  const Tile<32, kWeighted> tile(memory);
  Codes<32> codes;
  for (std::size_t first = 0; first < blocks; first += lane_count()) {
    tile.load(source, importance, first, blocks);
    const Floats unit = power_of_two_below(tile.largest_magnitude());
    tile.normalize(unit, tile.largest_weight());
    Floats low;
    Floats high;
    Floats total;
    const Floats mean = tile.center(low, high, total);
    LineSums sums;
    const auto stored = [&](Line line) {
      return Line{as_stored(line.d, unit), hn::Sub(as_stored(hn::Add(line.m, mean), unit), mean)};
    };
    // Everything at the mean, then plain rounding: the search is never worse than either.
    Line line = stored({zeros(), zeros()});
    BestLine best{line_error(tile, top, line, sums), line};
    line = stored({hn::Div(hn::Sub(high, low), constant(top)), low});
    best.offer(line_error(tile, top, line, sums), line);
    try_least_lines(tile, top, unit, mean, low, high, best);
    BestGain fit{zeros(), {zeros(), low}};
    try_cuts<false>(tile, top, low, high, total, mean, cuts, steps, fit);
    if constexpr (kWeighted) {
      try_cuts<false>(tile, top, low, high, total, mean, kWideCuts, std::size(kWideCuts), fit);
    }
    line = fit.line;
    for (int round = 0; round < 3; ++round) {
      line = stored(line);
      best.offer(line_error(tile, top, line, sums), line);
      line = centred_line(sums, total);
    }
    const Floats inverse = inverse_or_zero(best.line.d);
    for (int j = 0; j < 32; ++j) {
      codes.store(j, nearest_code(hn::Mul(hn::Sub(tile.x(j), best.line.m), inverse), {0.0F, top}));
    }
    const LaneValues scales(hn::Mul(best.line.d, unit));
    const LaneValues offsets(hn::Mul(hn::Add(best.line.m, mean), unit));
    for (std::size_t lane = 0; lane < lane_count() && first + lane < blocks; ++lane, ++block) {
      store_u16(block->d, float_to_finite_half(scales[lane]));
      store_u16(block->m, float_to_finite_half(offsets[lane]));
      pack(codes.block(lane), *block);
    }
  }
}

void search_q4_1_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  const auto pack = [](const std::uint8_t* codes, BlockQ4_1& block) { pack_nibbles(codes, block.qs); };
  if (importance != nullptr) {
    encode_lined<BlockQ4_1, decltype(pack), true>(source, importance, target, count, 15.0F, kCuts4,
                                                  std::size(kCuts4), pack);
  } else {
    encode_lined<BlockQ4_1, decltype(pack), false>(source, importance, target, count, 15.0F, kCuts4,
                                                   std::size(kCuts4), pack);
  }
}

void search_q5_1_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  const auto pack = [](const std::uint8_t* codes, BlockQ5_1& block) {
    pack_nibbles(codes, block.qs);
    pack_fifth_bits(codes, block.qh);
  };
  if (importance != nullptr) {
    encode_lined<BlockQ5_1, decltype(pack), true>(source, importance, target, count, 31.0F, kCuts5,
                                                  std::size(kCuts5), pack);
  } else {
    encode_lined<BlockQ5_1, decltype(pack), false>(source, importance, target, count, 31.0F, kCuts5,
                                                   std::size(kCuts5), pack);
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {
HWY_EXPORT(search_q4_0_blocks);
HWY_EXPORT(search_q4_1_blocks);
HWY_EXPORT(search_q5_0_blocks);
HWY_EXPORT(search_q5_1_blocks);
HWY_EXPORT(search_q8_0_blocks);

void encode_search_q4_0(const float* source, const float* importance, std::byte* target, std::size_t count) {
  if (importance == nullptr) {
    return encode_unweighted_q4_0(source, target, count);
  }
  HWY_DYNAMIC_DISPATCH(search_q4_0_blocks)(source, importance, target, count);
}
void encode_search_q4_1(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_q4_1_blocks)(source, importance, target, count);
}
void encode_search_q5_0(const float* source, const float* importance, std::byte* target, std::size_t count) {
  if (importance == nullptr) {
    return encode_unweighted_q5_0(source, target, count);
  }
  HWY_DYNAMIC_DISPATCH(search_q5_0_blocks)(source, importance, target, count);
}
void encode_search_q5_1(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_q5_1_blocks)(source, importance, target, count);
}
void encode_search_q8_0(const float* source, const float* importance, std::byte* target, std::size_t count) {
  if (importance == nullptr) {
    return encode_unweighted_q8_0(source, target, count);
  }
  HWY_DYNAMIC_DISPATCH(search_q8_0_blocks)(source, importance, target, count);
}
}  // namespace bitlens::kernels
#endif  // HWY_ONCE
