// TQ1_0 and TQ2_0: 256 weights as -d, 0 or d. For a given d the best code is the nearest one, so the search
// is one over d alone. Both quantizers search: plain rounding with d = max |w| zeroes nearly everything.
#include <cstdint>
#include <cstring>

#include "kernels/formats/blocks.h"
#include "kernels/formats/families.h"
#include "kernels/formats/half.h"
#include "kernels/formats/k_packing.h"

#define HWY_TARGET_INCLUDE "kernels/formats/ternary.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/formats/scaled-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

/// The trits of TQ1_0 lie in three runs; run r of `bytes` bytes holds `digits` trits per byte, trit n of byte
/// m being weight first + n * bytes + m.
struct TritRun {
  int first;
  int offset;  ///< of the bytes in the block
  int bytes;
  int digits;
};
constexpr TritRun kTritRuns[] = {{0, 0, 32, 5}, {160, 32, 16, 5}, {240, 48, 4, 4}};

void decode_tq1_0_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = reinterpret_cast<const BlockTQ1_0*>(source);
  for (const float* end = target + count; target != end; target += 256, ++block) {
    const float d = load_half(block->d);
    for (const TritRun& run : kTritRuns) {
      const std::uint8_t* bytes = reinterpret_cast<const std::uint8_t*>(block) + run.offset;
      unsigned power = 1;
      for (int n = 0; n < run.digits; ++n, power *= 3) {
        float* out = target + run.first + n * run.bytes;
        for (int m = 0; m < run.bytes; ++m) {
          const unsigned fraction = (bytes[m] * power) & 255U;  // the byte is 256 * 0.t1t2t3t4t5 in base 3
          out[m] = static_cast<float>(static_cast<int>((fraction * 3) >> 8) - 1) * d;
        }
      }
    }
  }
}

void decode_tq2_0_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = reinterpret_cast<const BlockTQ2_0*>(source);
  for (const float* end = target + count; target != end; target += 256, ++block) {
    const float d = load_half(block->d);
    std::uint8_t codes[256];
    unpack_two_bits(block->qs, codes);
    for (int j = 0; j < 256; ++j) {
      target[j] = static_cast<float>(codes[j] - 1) * d;
    }
  }
}

constexpr Grid kTrits{-1.0F, 1.0F};

/// max |w| / d from 0.9 to 50 in steps of 12 %: half the steps as one ladder, half as the other (the grid is
/// symmetric, so its two directions are the same search).
constexpr Ladder make_trit_ladder() {
  Ladder ladder{};
  float ratio = 0.9F;
  for (float& step : ladder.down) {
    step = ratio;
    ratio *= 1.12F;
    ++ladder.down_steps;
  }
  for (int k = 0; k < 4; ++k) {
    ladder.up[k] = ratio;
    ratio *= 1.12F;
    ++ladder.up_steps;
  }
  for (int k = 0; k < 4; ++k) {
    ladder.wide[k] = ratio;
    ratio *= 1.5F;
    ++ladder.wide_steps;
  }
  return ladder;
}
constexpr Ladder kTritLadder = make_trit_ladder();

void pack_tq1_0(const std::uint8_t* codes, BlockTQ1_0& block) {
  for (const TritRun& run : kTritRuns) {
    std::uint8_t* bytes = reinterpret_cast<std::uint8_t*>(&block) + run.offset;
    for (int m = 0; m < run.bytes; ++m) {
      unsigned number = 0;
      for (int n = 0; n < 5; ++n) {
        number = number * 3 + (n < run.digits ? codes[run.first + n * run.bytes + m] : 0U);
      }
      bytes[m] = static_cast<std::uint8_t>((number * 256 + 242) / 243);  // rounded up, so that digits survive
    }
  }
}

void search_tq1_0_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  if (importance != nullptr) {
    encode_scaled<BlockTQ1_0, true>(source, importance, target, count, kTrits, kTritLadder, pack_tq1_0);
  } else {
    encode_scaled<BlockTQ1_0, false>(source, importance, target, count, kTrits, kTritLadder, pack_tq1_0);
  }
}

void search_tq2_0_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  const auto pack = [](const std::uint8_t* codes, BlockTQ2_0& block) { pack_two_bits(codes, 0, block.qs); };
  if (importance != nullptr) {
    encode_scaled<BlockTQ2_0, true>(source, importance, target, count, kTrits, kTritLadder, pack);
  } else {
    encode_scaled<BlockTQ2_0, false>(source, importance, target, count, kTrits, kTritLadder, pack);
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {
HWY_EXPORT(decode_tq1_0_blocks);
HWY_EXPORT(decode_tq2_0_blocks);
HWY_EXPORT(search_tq1_0_blocks);
HWY_EXPORT(search_tq2_0_blocks);

void decode_tq1_0(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_tq1_0_blocks)(source, target, count);
}
void decode_tq2_0(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_tq2_0_blocks)(source, target, count);
}
void encode_tq1_0(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_tq1_0_blocks)(source, importance, target, count);
}
void encode_tq2_0(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_tq2_0_blocks)(source, importance, target, count);
}
}  // namespace bitlens::kernels
#endif  // HWY_ONCE
