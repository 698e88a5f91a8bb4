// MXFP4 (OCP Microscaling Formats 1.0: E2M1 with a power-of-two scale per 32) and NVFP4 (E2M1 with a UE4M3
// scale per 16). Few scales are possible, so the search tries all that could win. Both quantizers search.
#include <array>
#include <cmath>
#include <cstdint>

#include "kernels/formats/blocks.h"
#include "kernels/formats/families.h"
#include "kernels/formats/packing.h"

#define HWY_TARGET_INCLUDE "kernels/formats/fp4.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/formats/search-inl.h"

namespace bitlens::kernels {
#ifndef BITLENS_FP4_TABLES
#define BITLENS_FP4_TABLES
namespace {

/// E2M1 values, doubled so that they are integers; the scales are halved instead.
constexpr std::array<std::int8_t, 16> kE2M1 = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/// 2^(e - 128).
float mx_scale(std::uint8_t e) {
  return std::ldexp(1.0F, static_cast<int>(e) - 128);
}

/// Half the value of an unsigned E4M3 number (bias 7). 0x7F, its NaN, counts as 0; elsewhere bit 7 is
/// ignored.
float nv_scale(std::uint8_t code) {
  const int exponent = (code >> 3) & 15;
  const int mantissa = code & 7;
  if (code == 0x7F) {
    return 0.0F;
  }
  return exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -10)
                       : std::ldexp(static_cast<float>(8 + mantissa), exponent - 11);
}

}  // namespace
#endif
}  // namespace bitlens::kernels

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

/// The doubled E2M1 values as a grid for the search.
struct FloatGrid {
  static constexpr float low = -12.0F;
};

/// Steps are 1 up to 4, 2 up to 8, 4 up to 12.
HWY_INLINE Floats nearest_magnitude(Floats magnitude) {
  const auto upper = hn::Ge(magnitude, constant(8.0F));
  const auto middle = hn::Ge(magnitude, constant(4.0F));
  const Floats step =
      hn::IfThenElse(upper, constant(4.0F), hn::IfThenElse(middle, constant(2.0F), constant(1.0F)));
  const Floats steps =
      hn::IfThenElse(upper, constant(0.25F), hn::IfThenElse(middle, constant(0.5F), constant(1.0F)));
  return hn::Min(hn::Mul(hn::Round(hn::Mul(magnitude, steps)), step), constant(12.0F));
}
HWY_INLINE Floats nearest_code(Floats scaled, FloatGrid) {
  return hn::CopySign(nearest_magnitude(hn::Min(hn::Abs(scaled), constant(12.0F))), scaled);
}
HWY_INLINE Floats code_index(Floats scaled, FloatGrid) {
  const Floats value = nearest_magnitude(hn::Min(hn::Abs(scaled), constant(12.0F)));
  Floats index = hn::IfThenElse(hn::Gt(value, constant(8.0F)), constant(7.0F),
                                hn::Add(hn::Mul(value, constant(0.5F)), constant(2.0F)));
  index = hn::IfThenElse(hn::Le(value, constant(4.0F)), value, index);
  const auto negative = hn::And(hn::Lt(scaled, zeros()), hn::Gt(value, zeros()));
  return hn::Add(index, hn::IfThenElseZero(negative, constant(8.0F)));
}

HWY_INLINE void decode_values(float scale, const std::uint8_t* qs, int half, float* target) {
  for (int j = 0; j < half; ++j) {
    target[j] = static_cast<float>(kE2M1[qs[j] & 15]) * scale;
    target[j + half] = static_cast<float>(kE2M1[qs[j] >> 4]) * scale;
  }
}

void decode_mxfp4_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = reinterpret_cast<const BlockMXFP4*>(source);
  for (const float* end = target + count; target != end; target += 32, ++block) {
    decode_values(mx_scale(block->e), block->qs, 16, target);
  }
}

void decode_nvfp4_blocks(const std::byte* source, float* target, std::size_t count) {
  const auto* block = reinterpret_cast<const BlockNVFP4*>(source);
  for (const float* end = target + count; target != end; target += 64, ++block) {
    for (int i = 0; i < 4; ++i) {
      decode_values(nv_scale(block->d[i]), block->qs + 8 * i, 8, target + 16 * i);
    }
  }
}

template <bool kWeighted>
void encode_mxfp4_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  auto* block = reinterpret_cast<BlockMXFP4*>(target);
  const std::size_t blocks = count / 32;
  TileMemory<32, kMaxLanes, kWeighted> memory;
  const Tile<32, kWeighted> tile(memory);
  Codes<32> codes;
  // The unit is the power of two below max |w|, so a scale of 1/8 maps that to 8..16.
  constexpr std::size_t kWays = 4;
  constexpr float kScales[2][kWays] = {{0.125F, 0.25F, 0.0625F, 0.5F}, {0.03125F, 0x1p-6F, 0x1p-7F, 0x1p-8F}};
  for (std::size_t first = 0; first < blocks; first += lane_count()) {
    tile.load(source, importance, first, blocks);
    const Floats unit = power_of_two_below(tile.largest_magnitude());
    tile.normalize(unit, tile.largest_weight());
    BestScale best{tile.energy(), zeros()};
    for (const auto& scales : kScales) {
      Floats d[kWays];
      Floats errors[kWays];
      for (std::size_t way = 0; way < kWays; ++way) {
        d[way] = constant(scales[way]);
      }
      scale_errors<kWays>(tile, FloatGrid(), d, errors);
      for (std::size_t way = 0; way < kWays; ++way) {
        // 2^-128 is the least scale there is; with more than 2^124 the largest value would be infinite.
        const auto exists =
            hn::And(hn::Ge(hn::Mul(unit, constant(scales[way] * 0x1p40F)), constant(0x1p-88F)),
                    hn::Le(hn::Mul(unit, constant(scales[way])), constant(0x1p124F)));
        best.offer(hn::IfThenElse(exists, errors[way], constant(3.0e38F)), d[way]);
      }
      if constexpr (!kWeighted) {
        break;  // clipping by more than half never pays when all weights count the same
      }
    }
    const Floats inverse = inverse_or_zero(best.d);
    for (int j = 0; j < 32; ++j) {
      codes.store(j, code_index(hn::Mul(tile.x(j), inverse), FloatGrid()));
    }
    const LaneValues d(best.d);
    const LaneValues units(unit);
    for (std::size_t lane = 0; lane < lane_count() && first + lane < blocks; ++lane, ++block) {
      const int exponent = d[lane] > 0 ? std::ilogb(d[lane]) + std::ilogb(units[lane]) : -128;
      block->e = static_cast<std::uint8_t>(exponent + 128);
      pack_nibbles(codes.block(lane), block->qs);
    }
  }
}

/// The code whose scale is nearest below or at `scale`, at least 1.
HWY_INLINE int nv_code_below(float scale) {
  if (scale >= 224.0F) {
    return 0x7E;
  }
  if (scale < 0x1p-7F) {  // subnormal
    const int code = static_cast<int>(scale * 0x1p10F);
    return code < 1 ? 1 : code;
  }
  const int exponent = std::ilogb(scale);
  const int mantissa = static_cast<int>(std::ldexp(scale, 3 - exponent)) - 8;
  return ((exponent + 8) << 3) | mantissa;
}

template <bool kWeighted>
void encode_nvfp4_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  auto* out = reinterpret_cast<BlockNVFP4*>(target);
  const std::size_t subs = count / 16;
  TileMemory<16, kMaxLanes, kWeighted> memory;
  const Tile<16, kWeighted> tile(memory);
  Codes<16> codes;
  constexpr std::size_t kWays = 4;
  constexpr std::size_t kSteps = kWeighted ? 24 : 16;
  for (std::size_t first = 0; first < subs; first += lane_count()) {
    tile.load(source, importance, first, subs);
    // Scales reach from 2^-10 to 224 only; beyond 2^100 nothing but saturation is left.
    const Floats unit = hn::Min(power_of_two_below(tile.largest_magnitude()), constant(0x1p100F));
    tile.normalize(unit, tile.largest_weight());
    // From where max |w| is clipped by a third (weighted: more) upwards in steps of one code.
    const LaneValues start(
        hn::Mul(hn::Mul(tile.largest_magnitude(), unit), constant(kWeighted ? 0.03F : 0.055F)));
    int code[kMaxLanes];
    for (std::size_t lane = 0; lane < lane_count(); ++lane) {
      code[lane] = nv_code_below(start[lane]);
    }
    BestScale best{tile.energy(), zeros()};
    Floats chosen = zeros();
    for (std::size_t step = 0; step < kSteps; step += kWays) {
      Floats d[kWays];
      Floats errors[kWays];
      Floats number[kWays];
      for (std::size_t way = 0; way < kWays; ++way) {
        HWY_ALIGN float scales[kMaxLanes];
        HWY_ALIGN float numbers[kMaxLanes];
        for (std::size_t lane = 0; lane < lane_count(); ++lane) {
          const int next = code[lane] + static_cast<int>(step + way);
          const int valid = next < 0x7E ? next : 0x7E;
          scales[lane] = nv_scale(static_cast<std::uint8_t>(valid));
          numbers[lane] = static_cast<float>(valid);
        }
        d[way] = hn::Mul(hn::Load(Tag(), scales), reciprocal_of_power(unit));
        number[way] = hn::Load(Tag(), numbers);
      }
      scale_errors<kWays>(tile, FloatGrid(), d, errors);
      for (std::size_t way = 0; way < kWays; ++way) {
        chosen = hn::IfThenElse(hn::Lt(errors[way], best.error), number[way], chosen);
        best.offer(errors[way], d[way]);
      }
    }
    const Floats inverse = inverse_or_zero(best.d);
    for (int j = 0; j < 16; ++j) {
      codes.store(j, code_index(hn::Mul(tile.x(j), inverse), FloatGrid()));
    }
    const LaneValues numbers(chosen);
    for (std::size_t lane = 0; lane < lane_count() && first + lane < subs; ++lane) {
      BlockNVFP4& block = out[(first + lane) / 4];
      const std::size_t sub = (first + lane) % 4;
      block.d[sub] = static_cast<std::uint8_t>(numbers[lane]);
      const std::uint8_t* c = codes.block(lane);
      for (std::size_t j = 0; j < 8; ++j) {
        block.qs[8 * sub + j] = static_cast<std::uint8_t>(c[j] | (c[j + 8] << 4));
      }
    }
  }
}

void search_mxfp4_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  importance != nullptr ? encode_mxfp4_blocks<true>(source, importance, target, count)
                        : encode_mxfp4_blocks<false>(source, importance, target, count);
}
void search_nvfp4_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  importance != nullptr ? encode_nvfp4_blocks<true>(source, importance, target, count)
                        : encode_nvfp4_blocks<false>(source, importance, target, count);
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {
HWY_EXPORT(decode_mxfp4_blocks);
HWY_EXPORT(decode_nvfp4_blocks);
HWY_EXPORT(search_mxfp4_blocks);
HWY_EXPORT(search_nvfp4_blocks);

void decode_mxfp4(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_mxfp4_blocks)(source, target, count);
}
void decode_nvfp4(const std::byte* source, float* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(decode_nvfp4_blocks)(source, target, count);
}
void encode_mxfp4(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_mxfp4_blocks)(source, importance, target, count);
}
void encode_nvfp4(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_nvfp4_blocks)(source, importance, target, count);
}
}  // namespace bitlens::kernels
#endif  // HWY_ONCE
