// Rows of super-blocks: search by super-inl.h, codes, and the block's own packing. Included once per target.
#if defined(BITLENS_KERNELS_FORMATS_SUPER_ENCODE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLENS_KERNELS_FORMATS_SUPER_ENCODE_INL_H_
#undef BITLENS_KERNELS_FORMATS_SUPER_ENCODE_INL_H_
#else
#define BITLENS_KERNELS_FORMATS_SUPER_ENCODE_INL_H_
#endif

#include "kernels/formats/super-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

/// Codes of 16 sub-blocks, in the order of the weights.
template <int kCount>
struct BatchCodes {
  HWY_ALIGN std::uint8_t bytes[kBatchLanes * kCount];

  HWY_INLINE void store(std::size_t first_lane, int j, Floats codes) {
    HWY_ALIGN std::int32_t wide[kMaxLanes];
    hn::Store(hn::ConvertTo(IntTag(), codes), IntTag(), wide);
    const std::size_t lanes = lane_count();
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      bytes[(first_lane + lane) * kCount + static_cast<std::size_t>(j)] =
          static_cast<std::uint8_t>(wide[lane]);
    }
  }
};

template <class Block, int kCount, bool kWeighted, class G, class Pack>
void encode_scaled_supers(const float* source, const float* importance, std::byte* target, std::size_t count,
                          const G& grid, const ScaleScheme& scheme, Pack pack) {
  using B = Batch<kCount, kWeighted>;
  auto* block = reinterpret_cast<Block*>(target);
  const std::size_t supers = count / 256;
  B batch;
  BatchCodes<kCount> codes;
  for (std::size_t first = 0; first < supers; first += B::kSupers) {
    batch.load(source, importance, first, supers);
    ScaledSupers<B::kSupers> best;
    fit_scaled_supers(batch, grid, scheme, best);
    for (std::size_t lane = 0; lane < kBatchLanes; lane += lane_count()) {
      const auto tile = batch.tile(lane);
      PerLane factor;
      for (std::size_t super = 0; super < B::kSupers; ++super) {
        B::spread(factor, super, best.d[super]);
      }
      const Floats inverse = inverse_or_zero(hn::Mul(factor.at(lane), best.scale.at(lane)));
      for (int j = 0; j < kCount; ++j) {
        codes.store(lane, j, code_index(hn::Mul(tile.x(j), inverse), grid));
      }
    }
    for (std::size_t super = 0; super < B::kSupers && first + super < supers; ++super, ++block) {
      const std::size_t lane = super * B::kSubs;
      store_u16(block->d, float_to_finite_half(best.d[super] * batch.unit.v[lane]));
      pack(codes.bytes + 256 * super, best.scale.v + lane, *block);
    }
  }
}

template <class Block, int kCount, bool kWeighted, class Pack>
void encode_lined_supers(const float* source, const float* importance, std::byte* target, std::size_t count,
                         const LineScheme& scheme, Pack pack) {
  using B = Batch<kCount, kWeighted>;
  auto* block = reinterpret_cast<Block*>(target);
  const std::size_t supers = count / 256;
  B batch;
  BatchCodes<kCount> codes;
  for (std::size_t first = 0; first < supers; first += B::kSupers) {
    batch.load(source, importance, first, supers);
    LinedSupers<B::kSupers> best;
    PerLane mean;
    fit_lined_supers(batch, scheme, best, mean);
    PerLane factor;
    PerLane min_factor;
    for (std::size_t super = 0; super < B::kSupers; ++super) {
      B::spread(factor, super, best.d[super]);
      B::spread(min_factor, super, best.dmin[super]);
    }
    for (std::size_t lane = 0; lane < kBatchLanes; lane += lane_count()) {
      const auto tile = batch.tile(lane);
      const Floats inverse = inverse_or_zero(hn::Mul(factor.at(lane), best.scale.at(lane)));
      const Floats m = hn::Sub(hn::Neg(hn::Mul(min_factor.at(lane), best.min.at(lane))), mean.at(lane));
      for (int j = 0; j < kCount; ++j) {
        codes.store(lane, j, nearest_code(hn::Mul(hn::Sub(tile.x(j), m), inverse), Grid{0.0F, scheme.top}));
      }
    }
    for (std::size_t super = 0; super < B::kSupers && first + super < supers; ++super, ++block) {
      const std::size_t lane = super * B::kSubs;
      std::uint8_t scales[B::kSubs];
      std::uint8_t minima[B::kSubs];
      for (std::size_t i = 0; i < B::kSubs; ++i) {
        scales[i] = static_cast<std::uint8_t>(best.scale.v[lane + i]);
        minima[i] = static_cast<std::uint8_t>(best.min.v[lane + i]);
      }
      store_u16(block->d, float_to_finite_half(best.d[super] * batch.unit.v[lane]));
      store_u16(block->dmin, float_to_finite_half(best.dmin[super] * batch.unit.v[lane]));
      pack(codes.bytes + 256 * super, scales, minima, *block);
    }
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
