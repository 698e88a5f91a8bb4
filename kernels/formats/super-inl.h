// Search in super-blocks of 256 weights: sub-blocks with integer scales (and minima) that are multiples of
// one or two F16 factors per super-block. Three steps, the last two repeated:
//   1. every sub-block alone: its best real scale (and offset), by the ladders of search-inl.h;
//   2. for given factors, the integer scales (and minima) around the ideal ones with the least error,
//   measured
//      with the values that will be stored;
//   3. the factors that fit all chosen integers and codes best, by least squares over the super-block.
// One sub-block per lane; 16 sub-blocks are worked on at once, whatever the vector length.
// Included once per target.
#if defined(BITLENS_KERNELS_FORMATS_SUPER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLENS_KERNELS_FORMATS_SUPER_INL_H_
#undef BITLENS_KERNELS_FORMATS_SUPER_INL_H_
#else
#define BITLENS_KERNELS_FORMATS_SUPER_INL_H_
#endif

#include <cstring>

#include "kernels/formats/half.h"
#include "kernels/formats/search-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

constexpr std::size_t kBatchLanes = 16;

/// One value per sub-block of a batch.
struct PerLane {
  HWY_ALIGN float v[kBatchLanes];
  HWY_INLINE Floats at(std::size_t lane) const { return hn::Load(Tag(), v + lane); }
  HWY_INLINE void set(std::size_t lane, Floats values) { hn::Store(values, Tag(), v + lane); }
};

/// 16 consecutive sub-blocks of kCount weights: one super-block of 16 or two of 8.
template <int kCount, bool kWeighted>
struct Batch {
  static constexpr std::size_t kSubs = 256 / kCount;
  static constexpr std::size_t kSupers = kBatchLanes / kSubs;
  using TileType = Tile<kCount, kWeighted>;

  TileMemory<kCount, kBatchLanes, kWeighted> memory;
  PerLane unit;

  HWY_INLINE TileType tile(std::size_t lane) { return TileType(memory, lane); }

  /// Loads super-blocks first_super .. and brings each to a common unit.
  void load(const float* source, const float* importance, std::size_t first_super, std::size_t supers) {
    PerLane largest;
    PerLane weight;
    for (std::size_t lane = 0; lane < kBatchLanes; lane += lane_count()) {
      const TileType part = tile(lane);
      part.load(source, importance, first_super * kSubs + lane, supers * kSubs);
      largest.set(lane, part.largest_magnitude());
      weight.set(lane, part.largest_weight());
    }
    spread_maximum(largest);
    spread_maximum(weight);
    for (std::size_t lane = 0; lane < kBatchLanes; lane += lane_count()) {
      unit.set(lane, power_of_two_below(largest.at(lane)));
      tile(lane).normalize(unit.at(lane), weight.at(lane));
    }
  }

  static void spread_maximum(PerLane& values) {
    for (std::size_t super = 0; super < kSupers; ++super) {
      float* v = values.v + super * kSubs;
      float largest = v[0];
      for (std::size_t i = 1; i < kSubs; ++i) {
        largest = v[i] > largest ? v[i] : largest;
      }
      for (std::size_t i = 0; i < kSubs; ++i) {
        v[i] = largest;
      }
    }
  }
  static void spread(PerLane& values, std::size_t super, float value) {
    for (std::size_t i = 0; i < kSubs; ++i) {
      values.v[super * kSubs + i] = value;
    }
  }
  static float sum(const PerLane& values, std::size_t super) {
    float total = 0;
    for (std::size_t i = 0; i < kSubs; ++i) {
      total += values.v[super * kSubs + i];
    }
    return total;
  }
};

/// A factor as it will be stored. `covering`: not so much smaller that the integers on top of it would have
/// to exceed their range, which matters where F16 is coarse (subnormal).
inline float stored_factor(float factor, float unit, bool covering) {
  const float wanted = factor * unit;
  float stored = half_to_float(float_to_finite_half(wanted));
  if (covering && wanted > 0 && stored < wanted * (1.0F - 0x1p-8F) && stored < kMaxHalf) {
    stored += kLeastHalf;
  } else if (covering && wanted < 0 && stored > wanted * (1.0F - 0x1p-8F) && stored > -kMaxHalf) {
    stored -= kLeastHalf;
  }
  return stored / unit;
}

// --- d * scale * q -----------------------------------------------------------------------------------------

/// What a format allows and how hard to look.
struct ScaleScheme {
  const float* down;  ///< ladder with the extreme weight at the low end of the grid
  std::size_t down_steps;
  const float* up;  ///< ... at the high end
  std::size_t up_steps;
  float scale_low;  ///< integer scales
  float scale_high;
  int window;  ///< integers tried around the ideal one, to either side
  int rounds;  ///< of refitting the factor
};

template <std::size_t kSupers>
struct ScaledSupers {
  float d[kSupers];
  PerLane scale;
};

template <class B, class G>
void fit_scaled_supers(B& batch, const G& grid, const ScaleScheme& scheme, ScaledSupers<B::kSupers>& best) {
  PerLane ideal;
  PerLane energy;
  for (std::size_t lane = 0; lane < kBatchLanes; lane += lane_count()) {
    const auto tile = batch.tile(lane);
    const Floats base = inverse_or_zero(signed_extreme(tile, tile.largest_magnitude()));
    Floats gain = zeros();
    Floats scale = zeros();
    climb_ladder(tile, grid, hn::Neg(base), scheme.down, scheme.down_steps, gain, scale);
    climb_ladder(tile, grid, base, scheme.up, scheme.up_steps, gain, scale);
    ideal.set(lane, scale);
    energy.set(lane, tile.energy());
    best.scale.set(lane, zeros());
  }
  float least[B::kSupers];
  PerLane factor;
  for (std::size_t super = 0; super < B::kSupers; ++super) {
    least[super] = B::sum(energy, super);
    best.d[super] = 0;
    const float* s = ideal.v + super * B::kSubs;
    float extreme = 0;
    for (std::size_t i = 0; i < B::kSubs; ++i) {
      extreme = (s[i] < 0 ? -s[i] : s[i]) > (extreme < 0 ? -extreme : extreme) ? s[i] : extreme;
    }
    B::spread(factor, super, stored_factor(extreme / scheme.scale_low, batch.unit.v[super * B::kSubs], true));
  }
  PerLane error;
  PerLane integer;
  PerLane xq;
  PerLane qq;
  const Floats low = constant(scheme.scale_low);
  const Floats high = constant(scheme.scale_high);
  for (int round = 0; round < scheme.rounds; ++round) {
    for (std::size_t lane = 0; lane < kBatchLanes; lane += lane_count()) {
      const auto tile = batch.tile(lane);
      const Floats d = factor.at(lane);
      const Floats center = hn::Round(clamp(hn::Mul(ideal.at(lane), inverse_or_zero(d)), low, high));
      Floats least_error = energy.at(lane);
      Floats chosen = zeros();
      constexpr std::size_t kWays = 3;
      for (int from = -scheme.window; from <= scheme.window; from += static_cast<int>(kWays)) {
        Floats candidate[kWays];
        Floats scale[kWays];
        Floats errors[kWays];
        for (std::size_t way = 0; way < kWays; ++way) {
          candidate[way] =
              clamp(hn::Add(center, constant(static_cast<float>(from) + static_cast<float>(way))), low, high);
          scale[way] = hn::Mul(d, candidate[way]);
        }
        scale_errors<kWays>(tile, grid, scale, errors);
        for (std::size_t way = 0; way < kWays; ++way) {
          const auto better = hn::Lt(errors[way], least_error);
          least_error = hn::IfThenElse(better, errors[way], least_error);
          chosen = hn::IfThenElse(better, candidate[way], chosen);
        }
      }
      ScaleSums sums;
      error.set(lane, scale_error(tile, grid, hn::Mul(d, chosen), sums));
      integer.set(lane, chosen);
      xq.set(lane, hn::Mul(chosen, sums.xq));
      qq.set(lane, hn::Mul(hn::Mul(chosen, chosen), sums.qq));
    }
    for (std::size_t super = 0; super < B::kSupers; ++super) {
      const std::size_t first = super * B::kSubs;
      const float total = B::sum(error, super);
      if (total < least[super]) {
        least[super] = total;
        best.d[super] = factor.v[first];
        std::memcpy(best.scale.v + first, integer.v + first, B::kSubs * sizeof(float));
      }
      const float squares = B::sum(qq, super);
      const float refit = squares > 0 ? B::sum(xq, super) / squares : 0.0F;
      B::spread(factor, super, stored_factor(refit, batch.unit.v[first], false));
    }
  }
}

// --- d * scale * q - dmin * min
// ------------------------------------------------------------------------------

struct LineScheme {
  float top;          ///< codes 0..top
  float integer_top;  ///< scales and minima 0..integer_top
  const float (*cuts)[2];
  std::size_t steps;
  int window;  ///< scales tried around the ideal one, to either side; minima always one
  int rounds;
};

template <std::size_t kSupers>
struct LinedSupers {
  float d[kSupers];
  float dmin[kSupers];
  PerLane scale;
  PerLane min;
};

/// sum w (x - d q - m)^2 for one scale and kWays offsets, summed in steps of the grid. x is centred, with
/// energy = sum w x x and total = sum w, which say what a flat line (d = 0) costs.
template <std::size_t kWays, class T>
void line_errors(const T& tile, float top, Floats d, const Floats* m, Floats energy, Floats total,
                 Floats* errors) {
  const Grid grid{0.0F, top};
  const Floats inverse = inverse_or_zero(d);
  Floats shift[kWays];
  Floats error[kWays];
  for (std::size_t way = 0; way < kWays; ++way) {
    shift[way] = hn::Mul(m[way], inverse);
    error[way] = zeros();
  }
  for (int j = 0; j < T::count; ++j) {
    const Floats scaled = hn::Mul(tile.x(j), inverse);
    for (std::size_t way = 0; way < kWays; ++way) {
      const Floats code = hn::Sub(scaled, shift[way]);
      const Floats difference = hn::Sub(code, nearest_code(code, grid));
      error[way] = hn::Add(error[way], hn::Mul(tile.by_weight(j, difference), difference));
    }
  }
  const auto flat = hn::Eq(d, zeros());
  for (std::size_t way = 0; way < kWays; ++way) {
    errors[way] = hn::IfThenElse(flat, hn::Add(energy, hn::Mul(total, hn::Mul(m[way], m[way]))),
                                 hn::Mul(error[way], hn::Mul(d, d)));
  }
}

/// The tiles of `batch` are left centred; mean.v holds what was subtracted.
template <class B>
void fit_lined_supers(B& batch, const LineScheme& scheme, LinedSupers<B::kSupers>& best, PerLane& mean) {
  PerLane centred_energy;
  PerLane ideal_scale;
  PerLane ideal_min;
  PerLane weight;
  PerLane error;
  for (std::size_t lane = 0; lane < kBatchLanes; lane += lane_count()) {
    const auto tile = batch.tile(lane);
    error.set(lane, tile.energy());
    best.scale.set(lane, zeros());
    best.min.set(lane, zeros());
    Floats low;
    Floats high;
    Floats total;
    const Floats middle = tile.center(low, high, total);
    centred_energy.set(lane, tile.energy());
    // The offset cannot be positive: the line starts at zero or below.
    const Floats zero = hn::Neg(middle);
    low = hn::Min(low, zero);
    high = hn::Max(high, low);
    const Floats flat = hn::IfThenElseZero(hn::Gt(middle, zeros()), hn::Mul(hn::Mul(total, middle), middle));
    BestGain fit{hn::Neg(flat), {zeros(), hn::Min(zeros(), zero)}};
    try_cuts<true>(tile, scheme.top, low, high, total, middle, scheme.cuts, scheme.steps, fit);
    mean.set(lane, middle);
    weight.set(lane, total);
    ideal_scale.set(lane, fit.line.d);
    ideal_min.set(lane, hn::Max(zeros(), hn::Neg(hn::Add(fit.line.m, middle))));
  }
  float least[B::kSupers];
  PerLane factor = ideal_scale;
  PerLane min_factor = ideal_min;
  B::spread_maximum(factor);
  B::spread_maximum(min_factor);
  for (std::size_t super = 0; super < B::kSupers; ++super) {
    const std::size_t first = super * B::kSubs;
    least[super] = B::sum(error, super);
    best.d[super] = 0;
    best.dmin[super] = 0;
    B::spread(factor, super, stored_factor(factor.v[first] / scheme.integer_top, batch.unit.v[first], true));
    B::spread(min_factor, super,
              stored_factor(min_factor.v[first] / scheme.integer_top, batch.unit.v[first], true));
  }
  PerLane scale;
  PerLane min;
  PerLane sum_q;
  PerLane sum_qq;
  PerLane sum_xq;
  const Floats top = constant(scheme.integer_top);
  for (int round = 0; round < scheme.rounds; ++round) {
    for (std::size_t lane = 0; lane < kBatchLanes; lane += lane_count()) {
      const auto tile = batch.tile(lane);
      const Floats d = factor.at(lane);
      const Floats dmin = min_factor.at(lane);
      const Floats middle = mean.at(lane);
      const Floats scale_center =
          hn::Round(clamp(hn::Mul(ideal_scale.at(lane), inverse_or_zero(d)), zeros(), top));
      const Floats per_ideal = inverse_or_zero(ideal_scale.at(lane));
      Floats least_error = constant(kNoError);
      Floats chosen_scale = scale_center;
      Floats chosen_min = zeros();
      constexpr std::size_t kWays = 3;
      for (int step = -scheme.window; step <= scheme.window; ++step) {
        const Floats candidate =
            clamp(hn::Add(scale_center, constant(static_cast<float>(step))), zeros(), top);
        const Floats line_scale = hn::Mul(d, candidate);
        // A steeper line starts lower: the ideal offset grows with the scale.
        const Floats start = hn::IfThenElse(hn::Eq(per_ideal, zeros()), ideal_min.at(lane),
                                            hn::Mul(ideal_min.at(lane), hn::Mul(line_scale, per_ideal)));
        const Floats min_center = hn::Round(clamp(hn::Mul(start, inverse_or_zero(dmin)), zeros(), top));
        Floats candidate_min[kWays];
        Floats m[kWays];
        Floats errors[kWays];
        for (std::size_t way = 0; way < kWays; ++way) {
          candidate_min[way] =
              clamp(hn::Add(min_center, constant(static_cast<float>(way) - 1.0F)), zeros(), top);
          m[way] = hn::Sub(hn::Neg(hn::Mul(dmin, candidate_min[way])), middle);
        }
        line_errors<kWays>(tile, scheme.top, line_scale, m, centred_energy.at(lane), weight.at(lane), errors);
        for (std::size_t way = 0; way < kWays; ++way) {
          const auto better = hn::Lt(errors[way], least_error);
          least_error = hn::IfThenElse(better, errors[way], least_error);
          chosen_scale = hn::IfThenElse(better, candidate, chosen_scale);
          chosen_min = hn::IfThenElse(better, candidate_min[way], chosen_min);
        }
      }
      LineSums sums;
      const Line line{hn::Mul(d, chosen_scale), hn::Sub(hn::Neg(hn::Mul(dmin, chosen_min)), middle)};
      error.set(lane, line_error(tile, scheme.top, line, sums));
      scale.set(lane, chosen_scale);
      min.set(lane, chosen_min);
      sum_q.set(lane, sums.q);
      sum_qq.set(lane, sums.qq);
      sum_xq.set(lane, hn::Add(sums.xq, hn::Mul(middle, sums.q)));  // of the weights before centring
    }
    for (std::size_t super = 0; super < B::kSupers; ++super) {
      const std::size_t first = super * B::kSubs;
      const float total = B::sum(error, super);
      if (total < least[super]) {
        least[super] = total;
        best.d[super] = factor.v[first];
        best.dmin[super] = min_factor.v[first];
        std::memcpy(best.scale.v + first, scale.v + first, B::kSubs * sizeof(float));
        std::memcpy(best.min.v + first, min.v + first, B::kSubs * sizeof(float));
      }
      // x ~ d * (s q) - dmin * n: two normal equations.
      double ss = 0;
      double sn = 0;
      double nn = 0;
      double xs = 0;
      double xn = 0;
      for (std::size_t i = first; i < first + B::kSubs; ++i) {
        const double s = static_cast<double>(scale.v[i]);
        const double n = static_cast<double>(min.v[i]);
        const double w = static_cast<double>(weight.v[i]);
        ss += s * s * static_cast<double>(sum_qq.v[i]);
        sn += s * n * static_cast<double>(sum_q.v[i]);
        nn += n * n * w;
        xs += s * static_cast<double>(sum_xq.v[i]);
        xn += n * w * static_cast<double>(mean.v[i]);
      }
      const double determinant = ss * nn - sn * sn;
      double d = 0;
      double dmin = 0;
      if (determinant > ss * nn * 1e-9) {
        d = (xs * nn - xn * sn) / determinant;
        dmin = (xs * sn - xn * ss) / determinant;
      } else if (ss > 0) {
        d = xs / ss;
      }
      B::spread(factor, super,
                stored_factor(d > 0 ? static_cast<float>(d) : 0.0F, batch.unit.v[first], false));
      B::spread(min_factor, super,
                stored_factor(dmin > 0 ? static_cast<float>(dmin) : 0.0F, batch.unit.v[first], false));
    }
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
