// IQ4_NL (one F16 scale per 32 weights) and IQ4_XS (super-blocks with 6-bit scales): 4-bit codes for 16
// uneven levels. Plain rounding has no agreed definition here; both quantizers search.
#include <cstdint>
#include <cstring>
#include <iterator>

#include "kernels/formats/blocks.h"
#include "kernels/formats/families.h"
#include "kernels/formats/half.h"
#include "kernels/formats/iq4_levels.h"
#include "kernels/formats/packing.h"

#define HWY_TARGET_INCLUDE "kernels/formats/iq4.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/formats/scaled-inl.h"
#include "kernels/formats/super_encode-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

/// The uneven levels as a grid for the searches.
struct LevelGrid {
  static constexpr float low = -127.0F;
};

HWY_INLINE hn::Vec<IntTag> interval(Floats scaled) {
  const Floats limited = clamp(scaled, constant(-128.0F), constant(127.75F));
  return hn::ConvertTo(IntTag(), hn::Add(hn::Add(limited, limited), constant(256.0F)));
}
HWY_INLINE Floats nearest_code(Floats scaled, LevelGrid) {
  return hn::GatherIndex(Tag(), kIq4Nearest.level.data(), interval(scaled));
}
HWY_INLINE Floats code_index(Floats scaled, LevelGrid) {
  return hn::GatherIndex(Tag(), kIq4Nearest.code.data(), interval(scaled));
}

HWY_INLINE void decode_levels(float scale, const std::uint8_t* qs, float* target) {
  for (int j = 0; j < 16; ++j) {
    target[j] = scale * static_cast<float>(kIq4Levels[qs[j] & 15]);
    target[j + 16] = scale * static_cast<float>(kIq4Levels[qs[j] >> 4]);
  }
}

void decode_iq4_nl_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = reinterpret_cast<const BlockIQ4_NL*>(source);
  for (const float* end = target + count; target != end; target += 32, ++block) {
    decode_levels(load_half(block->d), block->qs, target);
  }
}

void decode_iq4_xs_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = reinterpret_cast<const BlockIQ4_XS*>(source);
  for (const float* end = target + count; target != end; target += 256, ++block) {
    const float d = load_half(block->d);
    const unsigned upper = load_u16(block->scales_h);
    for (unsigned i = 0; i < 8; ++i) {
      const unsigned low = (block->scales_l[i / 2] >> (4 * (i % 2))) & 15U;
      const int scale = static_cast<int>(low | (((upper >> (2 * i)) & 3U) << 4)) - 32;
      decode_levels(d * static_cast<float>(scale), block->qs + 16 * i, target + 32 * i);
    }
  }
}

constexpr Ladder kLevelLadder = make_ladder(100.0F, 145.0F, 16, 86.0F, 119.0F, 12);

void search_iq4_nl_blocks(const float* source, const float* importance, std::byte* target,
                          std::size_t count) {
  const auto pack = [](const std::uint8_t* codes, BlockIQ4_NL& block) { pack_nibbles(codes, block.qs); };
  if (importance != nullptr) {
    encode_scaled<BlockIQ4_NL, true>(source, importance, target, count, LevelGrid(), kLevelLadder, pack);
  } else {
    encode_scaled<BlockIQ4_NL, false>(source, importance, target, count, LevelGrid(), kLevelLadder, pack);
  }
}

constexpr ScaleScheme kLevelScheme{
    kLevelLadder.down, kLevelLadder.down_steps, kLevelLadder.up, kLevelLadder.up_steps, -32.0F, 31.0F, 1, 2};

void search_iq4_xs_blocks(const float* source, const float* importance, std::byte* target,
                          std::size_t count) {
  const auto pack = [](const std::uint8_t* codes, const float* scales, BlockIQ4_XS& block) {
    unsigned upper = 0;
    std::memset(block.scales_l, 0, sizeof block.scales_l);
    for (unsigned i = 0; i < 8; ++i) {
      const auto scale = static_cast<unsigned>(static_cast<int>(scales[i]) + 32);
      block.scales_l[i / 2] =
          static_cast<std::uint8_t>(block.scales_l[i / 2] | ((scale & 15U) << (4 * (i % 2))));
      upper |= (scale >> 4) << (2 * i);
      pack_nibbles(codes + 32 * i, block.qs + 16 * i);
    }
    store_u16(block.scales_h, static_cast<std::uint16_t>(upper));
  };
  if (importance != nullptr) {
    encode_scaled_supers<BlockIQ4_XS, 32, true>(source, importance, target, count, LevelGrid(), kLevelScheme,
                                                pack);
  } else {
    encode_scaled_supers<BlockIQ4_XS, 32, false>(source, importance, target, count, LevelGrid(), kLevelScheme,
                                                 pack);
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {
HWY_EXPORT(decode_iq4_nl_blocks);
HWY_EXPORT(decode_iq4_xs_blocks);
HWY_EXPORT(search_iq4_nl_blocks);
HWY_EXPORT(search_iq4_xs_blocks);

void decode_iq4_nl(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_iq4_nl_blocks)(source, target, count);
}
void decode_iq4_xs(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_iq4_xs_blocks)(source, target, count);
}
void encode_iq4_nl(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_iq4_nl_blocks)(source, importance, target, count);
}
void encode_iq4_xs(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_iq4_xs_blocks)(source, importance, target, count);
}
}  // namespace bitlens::kernels
#endif  // HWY_ONCE
