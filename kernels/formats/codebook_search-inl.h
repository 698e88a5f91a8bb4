// Search in super-blocks of the codebook formats. As in super-inl.h: every group of weights that shares a
// small scale alone first, then small scales and points for a given F16 factor, then the factor that fits
// them best. For one scale the best point of each vector is looked for among the candidates of its cell, one
// candidate per lane. Included once per target.
#if defined(BITLENS_KERNELS_FORMATS_CODEBOOK_SEARCH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLENS_KERNELS_FORMATS_CODEBOOK_SEARCH_INL_H_
#undef BITLENS_KERNELS_FORMATS_CODEBOOK_SEARCH_INL_H_
#else
#define BITLENS_KERNELS_FORMATS_CODEBOOK_SEARCH_INL_H_
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "kernels/formats/codebook_cells.h"
#include "kernels/formats/super-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

/// What a format's groups look like.
struct CodebookScheme {
  std::size_t size;   ///< numbers per vector
  std::size_t group;  ///< weights that share a small scale
  bool parity;        ///< of 8 signs one is left out: their number must be even
  bool shifted;       ///< vectors are shifted by 1 or -1
  bool shift_shared;  ///< ... all vectors of a group the same way
  int scales;         ///< small scales 0 .. scales - 1, meaning offset + slope * scale
  float offset;
  float slope;
  float extreme_from;  ///< ladder: the numbers that the largest weight of a group is tried at
  float extreme_to;
};

/// A vector's choice: its point, and sum w y p, sum w p p.
struct PointChoice {
  std::uint16_t entry = 0;
  bool down = false;  ///< shifted by -1
  float yp = 0;
  float pp = 0;
};

/// Powers of the number of levels: what each number of a vector counts in the number of its cell.
template <std::size_t kVector>
constexpr std::array<float, kVector> make_places() {
  std::array<float, kVector> places{};
  float place = 1.0F;
  for (float& value : places) {
    value = place;
    place *= kVector == 8 ? 3.0F : 8.0F;
  }
  return places;
}
template <std::size_t kVector>
constexpr std::array<float, kVector> kPlaces = make_places<kVector>();

/// The best point for `scale` among the candidates of the cell where y / scale lies.
template <std::size_t kVector>
HWY_INLINE PointChoice choose_point(const CodebookCells& book, const float* y, const float* w,
                                    const float* wy, float scale, float inverse, float shift) {
  const hn::CappedTag<float, kVector> dv;
  const float per_step = 1.0F / book.step;
  auto sum = hn::Zero(dv);
  for (std::size_t j = 0; j < kVector; j += hn::Lanes(dv)) {
    const auto above =
        hn::Sub(hn::Mul(hn::Load(dv, y + j), hn::Set(dv, inverse)), hn::Set(dv, book.first + shift));
    const auto limited = hn::Max(
        hn::Min(hn::Mul(above, hn::Set(dv, per_step)), hn::Set(dv, static_cast<float>(book.levels - 1))),
        hn::Zero(dv));
    sum = hn::Add(sum, hn::Mul(hn::Round(limited), hn::LoadU(dv, kPlaces<kVector>.data() + j)));
  }
  const auto cell = static_cast<std::size_t>(hn::GetLane(hn::SumOfLanes(dv, sum)));

  constexpr std::size_t kCandidates = CodebookCells::kCandidates;
  const hn::Rebind<std::int8_t, Tag> bytes;
  const std::int8_t* values = book.values.data() + cell * kVector * kCandidates;
  HWY_ALIGN float yp[kCandidates];
  HWY_ALIGN float pp[kCandidates];
  HWY_ALIGN float losses[kCandidates];
  float least = kNoError;
  for (std::size_t k = 0; k < kCandidates; k += lane_count()) {
    Floats sum_yp = zeros();
    Floats sum_pp = zeros();
    for (std::size_t j = 0; j < kVector; ++j) {
      const auto wide = hn::PromoteTo(IntTag(), hn::LoadU(bytes, values + j * kCandidates + k));
      const Floats p = hn::Add(hn::ConvertTo(Tag(), wide), constant(shift));
      sum_yp = hn::Add(sum_yp, hn::Mul(constant(wy[j]), p));
      sum_pp = hn::Add(sum_pp, hn::Mul(hn::Mul(constant(w[j]), p), p));
    }
    const Floats loss = hn::Sub(hn::Mul(constant(scale), sum_pp), hn::Add(sum_yp, sum_yp));
    hn::Store(sum_yp, Tag(), yp + k);
    hn::Store(sum_pp, Tag(), pp + k);
    hn::Store(loss, Tag(), losses + k);
    least = std::min(least, hn::GetLane(hn::MinOfLanes(Tag(), loss)));
  }
  std::size_t best = 0;
  for (std::size_t k = 0; k < kCandidates; k += lane_count()) {
    const auto found = hn::FindFirstTrue(Tag(), hn::Eq(hn::Load(Tag(), losses + k), constant(least)));
    if (found >= 0) {
      best = k + static_cast<std::size_t>(found);
      break;
    }
  }
  return {book.entries[cell * kCandidates + best], shift < 0.0F, yp[best], pp[best]};
}

/// One super-block of 256 weights.
template <const CodebookScheme& kScheme>
class CodebookSuper {
 public:
  static constexpr std::size_t kVectors = kScheme.group / kScheme.size;  ///< per group
  static constexpr std::size_t kGroups = 256 / kScheme.group;

  struct Group {
    PointChoice points[kVectors];
    float yp = 0;
    float pp = 0;
  };

  // What was found.
  float factor = 0;                ///< F16, as stored
  std::uint8_t scales[kGroups]{};  ///< small scales
  Group groups[kGroups]{};
  std::uint8_t signs[32]{};  ///< bit j: weight j of the 8 is negated

  explicit CodebookSuper(const CodebookCells& book) : book_(book) {}

  /// `importance` may be null.
  void fit(const float* source, const float* importance) {
    load(source, importance);
    float ideal[kGroups];
    float energy = 0;
    float largest = 0;
    for (std::size_t g = 0; g < kGroups; ++g) {
      energies_[g] = 0;
      for (std::size_t j = g * kScheme.group; j < (g + 1) * kScheme.group; ++j) {
        energies_[g] += wy_[j] * y_[j];
      }
      energy += energies_[g];
      ideal[g] = ideal_scale(g);
      largest = std::max(largest, ideal[g]);
    }
    least_ = energy;
    factor = 0;
    std::fill_n(scales, kGroups, std::uint8_t{0});
    for (std::size_t g = 0; g < kGroups; ++g) {
      groups[g] = evaluate(g, 0.0F);
    }
    // The largest scale at the top of its range, or a little below.
    for (const int top : {kScheme.scales - 1, kScheme.scales - 2}) {
      float d = stored_factor(largest / value(top), unit_, true);
      for (int round = 0; round < 2; ++round) {
        const float refit = try_factor(d, ideal);
        const float next = stored_factor(refit, unit_, false);
        if (next == d) {
          break;
        }
        d = next;
      }
    }
    factor *= unit_;
  }

 private:
  static constexpr float value(int scale) {
    return kScheme.offset + kScheme.slope * static_cast<float>(scale);
  }

  void load(const float* source, const float* importance) {
    float largest = 0;
    float heaviest = 0;
    for (std::size_t j = 0; j < 256; ++j) {
      largest = std::max(largest, std::fabs(source[j]));
      heaviest = importance != nullptr ? std::max(heaviest, importance[j]) : 0.0F;
    }
    unit_ = hn::GetLane(power_of_two_below(constant(largest)));
    const float by = hn::GetLane(reciprocal_of_power(constant(unit_)));
    // Twice, since importances may be as small or as large as floats get.
    const float first = hn::GetLane(reciprocal_of_power(power_of_two_below(constant(heaviest))));
    const float second = hn::GetLane(reciprocal_of_power(power_of_two_below(constant(heaviest * first))));
    for (std::size_t j = 0; j < 256; ++j) {
      const float x = source[j] * by;
      w_[j] = heaviest > 0.0F ? std::max(importance[j] * first * second, 0x1p-18F) : 1.0F;
      y_[j] = x;
    }
    if (!kScheme.shifted) {
      take_signs();
    }
    for (std::size_t j = 0; j < 256; ++j) {
      wy_[j] = w_[j] * y_[j];
    }
  }

  /// Leaves magnitudes; where the number of signs would be odd, the weight that costs least keeps its own
  /// sign reversed, and so a negative magnitude.
  void take_signs() {
    for (std::size_t v = 0; v < 32; ++v) {
      float* y = y_ + 8 * v;
      unsigned bits = 0;
      for (unsigned j = 0; j < 8; ++j) {
        bits |= (y[j] < 0.0F ? 1U : 0U) << j;
        y[j] = std::fabs(y[j]);
      }
      if (kScheme.parity && std::popcount(bits) % 2 != 0) {
        std::size_t cheapest = 0;
        for (std::size_t j = 1; j < 8; ++j) {
          if (w_[8 * v + j] * y[j] < w_[8 * v + cheapest] * y[cheapest]) {
            cheapest = j;
          }
        }
        bits ^= 1U << cheapest;
        y[cheapest] = -y[cheapest];
      }
      signs[v] = static_cast<std::uint8_t>(bits);
    }
  }

  /// Points for one real scale.
  Group evaluate(std::size_t g, float scale) const {
    Group result;
    const float inverse = scale > 0.0F ? 1.0F / scale : 0.0F;
    if constexpr (kScheme.shifted) {
      Group other;
      for (std::size_t v = 0; v < kVectors; ++v) {
        result.points[v] = choose(g, v, scale, inverse, 1.0F);
        other.points[v] = choose(g, v, scale, inverse, -1.0F);
      }
      if constexpr (kScheme.shift_shared) {
        add_up(result);
        add_up(other);
        return loss(other, scale) < loss(result, scale) ? other : result;
      } else {
        for (std::size_t v = 0; v < kVectors; ++v) {
          const auto cost = [scale](const PointChoice& p) { return scale * p.pp - 2.0F * p.yp; };
          if (cost(other.points[v]) < cost(result.points[v])) {
            result.points[v] = other.points[v];
          }
        }
      }
    } else {
      for (std::size_t v = 0; v < kVectors; ++v) {
        result.points[v] = choose(g, v, scale, inverse, 0.0F);
      }
    }
    add_up(result);
    return result;
  }
  HWY_INLINE PointChoice choose(std::size_t g, std::size_t v, float scale, float inverse, float shift) const {
    const std::size_t at = g * kScheme.group + v * kScheme.size;
    return choose_point<kScheme.size>(book_, y_ + at, w_ + at, wy_ + at, scale, inverse, shift);
  }
  static void add_up(Group& group) {
    group.yp = 0;
    group.pp = 0;
    for (const PointChoice& point : group.points) {
      group.yp += point.yp;
      group.pp += point.pp;
    }
  }
  /// sum w (y - scale p)^2 - sum w y y
  static float loss(const Group& group, float scale) { return scale * (scale * group.pp - 2.0F * group.yp); }

  /// The best real scale of a group on its own.
  float ideal_scale(std::size_t g) const {
    float largest = 0;
    for (std::size_t j = g * kScheme.group; j < (g + 1) * kScheme.group; ++j) {
      largest = std::max(largest, std::fabs(y_[j]));
    }
    if (largest == 0.0F) {
      return 0.0F;
    }
    constexpr int kSteps = 8;
    float best_gain = 0;
    float best = 0;
    const auto attempt = [&](float scale) {
      const Group group = evaluate(g, scale);
      const float refit = group.pp > 0.0F && group.yp > 0.0F ? group.yp / group.pp : 0.0F;
      // Clearly better: among equals the first, so that like groups get like scales.
      if (refit * group.yp > best_gain * (1.0F + 0x1p-16F)) {
        best_gain = refit * group.yp;
        best = refit;
      }
    };
    attempt(largest / book_.first);  // flat groups: all at the lowest level
    for (int k = 0; k < kSteps; ++k) {
      const float at = static_cast<float>(k) / static_cast<float>(kSteps - 1);
      attempt(largest / (kScheme.extreme_from + (kScheme.extreme_to - kScheme.extreme_from) * at));
    }
    attempt(best);
    return best;
  }

  /// Small scales and points for a factor; keeps them if they are the best so far. Returns the factor that
  /// fits them best.
  float try_factor(float d, const float* ideal) {
    if (!(d > 0.0F)) {
      return 0.0F;
    }
    std::uint8_t chosen_scales[kGroups]{};
    Group chosen[kGroups]{};
    float total = 0;
    double yp = 0;
    double pp = 0;
    for (std::size_t g = 0; g < kGroups; ++g) {
      const float wanted = (ideal[g] / d - kScheme.offset) / kScheme.slope;
      const float top = static_cast<float>(kScheme.scales - 1);
      const int center = static_cast<int>(std::max(0.0F, std::min(wanted, top)) + 0.5F);
      float least = kNoError;
      // The two whole scales around the ideal one.
      const int other = wanted > static_cast<float>(center) ? center + 1 : center - 1;
      for (const int n : {center, std::clamp(other, 0, kScheme.scales - 1)}) {
        const float scale = d * value(n);
        const Group group = evaluate(g, scale);
        if (loss(group, scale) < least) {
          least = loss(group, scale);
          chosen[g] = group;
          chosen_scales[g] = static_cast<std::uint8_t>(n);
        }
      }
      total += energies_[g] + least;
      const auto v = static_cast<double>(value(chosen_scales[g]));
      yp += v * static_cast<double>(chosen[g].yp);
      pp += v * v * static_cast<double>(chosen[g].pp);
    }
    if (total < least_) {
      least_ = total;
      factor = d;
      std::copy_n(chosen_scales, kGroups, scales);
      std::copy_n(chosen, kGroups, groups);
    }
    return yp > 0 && pp > 0 ? static_cast<float>(yp / pp) : 0.0F;
  }

  const CodebookCells& book_;
  float unit_ = 1;
  float least_ = 0;
  float energies_[kGroups];
  HWY_ALIGN float y_[256];
  HWY_ALIGN float w_[256];
  HWY_ALIGN float wy_[256];
};

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
