// The ladders of search-inl.h in 16-bit integers, for blocks without an importance matrix: several times as
// many rungs in the same time. They only choose where to look: what they find is settled, and its error
// taken, in floating point. Included once per target.
#if defined(BITLENS_KERNELS_FORMATS_INTEGER_LADDER_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLENS_KERNELS_FORMATS_INTEGER_LADDER_INL_H_
#undef BITLENS_KERNELS_FORMATS_INTEGER_LADDER_INL_H_
#else
#define BITLENS_KERNELS_FORMATS_INTEGER_LADDER_INL_H_
#endif

#include "kernels/formats/pairs-inl.h"
#include "kernels/formats/search-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

/// Rungs of an integer ladder: what |code| the extreme weight gets, in sixteenths; negative where it stands
/// at the high end of the grid.
struct IntegerLadder {
  static constexpr std::size_t kMax = 40;
  std::int16_t rungs[kMax];
  std::size_t steps;
};

constexpr IntegerLadder make_integer_ladder(float from, float to, std::size_t down_steps, float up_from,
                                            float up_to, std::size_t up_steps) {
  IntegerLadder ladder{};
  for (std::size_t k = 0; k < down_steps; ++k) {
    const float rung = from + (to - from) * static_cast<float>(k) / static_cast<float>(down_steps - 1);
    ladder.rungs[ladder.steps++] = static_cast<std::int16_t>(rung * 16.0F + 0.5F);
  }
  for (std::size_t k = 0; k < up_steps; ++k) {
    const float rung = up_from + (up_to - up_from) * static_cast<float>(k) / static_cast<float>(up_steps - 1);
    ladder.rungs[ladder.steps++] = static_cast<std::int16_t>(-(rung * 16.0F + 0.5F));
  }
  return ladder;
}

/// A tile as pairs. y = -x / extreme: the extreme weight of each block is -1.
template <int kCount, bool kWeighted>
struct PairTile {
  static constexpr std::size_t kRows = kCount / 2;
  HWY_ALIGN std::int32_t y[kRows * kMaxLanes];                  ///< 11 bits below the point
  HWY_ALIGN std::int32_t wy[kRows * kMaxLanes];                 ///< w y, 15 bits
  HWY_ALIGN std::int32_t w[kWeighted ? kRows * kMaxLanes : 1];  ///< 12 bits, the largest 1

  /// largest_weight: of each lane of `tile`; not used without weights.
  template <class T>
  void load(const T& tile, Floats extreme, Floats largest_weight) {
    const Floats per_extreme = hn::Neg(inverse_or_zero(extreme));
    const Floats weight_scale = kWeighted ? hn::Div(constant(4095.0F), largest_weight) : zeros();
    const Floats coarse = hn::Mul(per_extreme, constant(2048.0F));
    const Floats fine = hn::Mul(per_extreme, constant(32767.0F));
    const Floats weighted_fine =
        kWeighted ? hn::Div(hn::Mul(per_extreme, constant(32767.0F)), largest_weight) : fine;
    for (std::size_t row = 0; row < kRows; ++row) {
      const int j = static_cast<int>(2 * row);
      const std::size_t at = row * lane_count();
      store_pairs(hn::Mul(tile.x(j), coarse), hn::Mul(tile.x(j + 1), coarse), y + at);
      store_pairs(hn::Mul(tile.wx(j), weighted_fine), hn::Mul(tile.wx(j + 1), weighted_fine), wy + at);
      if constexpr (kWeighted) {
        store_pairs(hn::Mul(tile.w(j), weight_scale), hn::Mul(tile.w(j + 1), weight_scale), w + at);
      }
    }
  }
};

/// The scale of the best rung, in units of -extreme, as a least-squares refit to the codes it gives.
template <int kCount, bool kWeighted>
Floats climb_integer_ladder(const PairTile<kCount, kWeighted>& tile, const Grid& grid,
                            const IntegerLadder& ladder) {
  constexpr std::size_t kWays = 4;
  const Pairs low = all_pairs(static_cast<int>(grid.low));
  const Pairs high = all_pairs(static_cast<int>(grid.high));
  // (sum w y q)^2 / sum w q q is largest; fractions are compared without dividing.
  Floats best_yq = zeros();
  Floats best_qq = constant(1.0F);
  for (std::size_t k = 0; k < ladder.steps; k += kWays) {
    Pairs rung[kWays];
    Ints yq[kWays];
    Ints qq[kWays];
    for (std::size_t way = 0; way < kWays; ++way) {
      rung[way] = all_pairs(ladder.rungs[k + way]);
      yq[way] = hn::Zero(IntTag());
      qq[way] = hn::Zero(IntTag());
    }
    for (std::size_t row = 0; row < tile.kRows; ++row) {
      const std::size_t at = row * lane_count();
      const Pairs y = load_pairs(tile.y + at);
      const Pairs wy = load_pairs(tile.wy + at);
      for (std::size_t way = 0; way < kWays; ++way) {
        const Pairs q = larger(smaller(rounded_product(y, rung[way]), high), low);
        yq[way] = add_dot(yq[way], wy, q);
        if constexpr (kWeighted) {
          qq[way] = add_dot(qq[way], product(load_pairs(tile.w + at), q), q);
        } else {
          qq[way] = add_dot(qq[way], q, q);
        }
      }
    }
    for (std::size_t way = 0; way < kWays; ++way) {
      const Floats a = hn::ConvertTo(Tag(), yq[way]);
      const Floats b = hn::ConvertTo(Tag(), qq[way]);
      const auto better = hn::Gt(hn::Mul(hn::Mul(a, a), best_qq), hn::Mul(hn::Mul(best_yq, best_yq), b));
      best_yq = hn::IfThenElse(better, a, best_yq);
      best_qq = hn::IfThenElse(better, b, best_qq);
    }
  }
  return hn::Mul(ratio_or_zero(best_yq, best_qq), constant((kWeighted ? 4095.0F : 1.0F) / 32767.0F));
}

/// A rung of a stored ladder.
struct Rung {
  float code;  ///< of the extreme weight; negative at the high end
  float inverse;
};

/// For fine grids: every rung is stored before its error is taken, so that the scale's own rounding counts.
/// No rung may round beyond the grid at its own end.
template <int kCount>
struct StoredLadder {
  static constexpr std::size_t kRows = kCount / 2;
  HWY_ALIGN std::int32_t y[kRows * kMaxLanes];  ///< -x / extreme, 15 bits below the point

  template <class T>
  void load(const T& tile, Floats extreme) {
    const Floats fine = hn::Mul(hn::Neg(inverse_or_zero(extreme)), constant(32767.0F));
    for (std::size_t row = 0; row < kRows; ++row) {
      const int j = static_cast<int>(2 * row);
      store_pairs(hn::Mul(tile.x(j), fine), hn::Mul(tile.x(j + 1), fine), y + row * lane_count());
    }
  }

  /// The best stored scale; `high` is the grid's upper end. Codes have 7 bits below the point here, so errors
  /// are known to about a thousandth.
  Floats climb(Floats extreme, Floats unit, float high, const Rung* rungs, std::size_t steps) const {
    constexpr std::size_t kWays = 4;
    const Floats per_extreme = inverse_or_zero(extreme);
    const Pairs half = all_pairs(64);
    const Pairs whole = all_pairs(-128);
    const Pairs top = all_pairs(static_cast<int>(high) * 128);
    Floats best_error = constant(kNoError);
    Floats best = zeros();
    for (std::size_t k = 0; k < steps; k += kWays) {
      Floats d[kWays];
      Pairs rung[kWays];
      Ints error[kWays];
      for (std::size_t way = 0; way < kWays; ++way) {
        const Rung& wanted = rungs[k + way];
        d[way] = as_stored(hn::Mul(extreme, constant(-wanted.inverse)), unit);
        // 1 / stored out of 1 / wanted by one step of Newton's: off by the square of 2^-11. Where F16 is
        // coarser than that the rung is off, and settling has to do.
        const Floats slip =
            hn::Add(constant(2.0F), hn::Mul(hn::Mul(d[way], per_extreme), constant(wanted.code)));
        rung[way] = both(low_integers(hn::Mul(constant(128.0F * wanted.code), slip)));
        error[way] = hn::Zero(IntTag());
      }
      for (std::size_t row = 0; row < kRows; ++row) {
        const Pairs value = load_pairs(y + row * lane_count());
        for (std::size_t way = 0; way < kWays; ++way) {
          const Pairs code = rounded_product(value, rung[way]);
          const Pairs nearest = smaller(bits_and(add(code, half), whole), top);
          const Pairs difference = subtract(code, nearest);
          error[way] = add_dot(error[way], difference, difference);
        }
      }
      for (std::size_t way = 0; way < kWays; ++way) {
        const Floats squared = hn::Mul(hn::ConvertTo(Tag(), error[way]), hn::Mul(d[way], d[way]));
        const auto better = hn::AndNot(hn::Eq(d[way], zeros()), hn::Lt(squared, best_error));
        best_error = hn::IfThenElse(better, squared, best_error);
        best = hn::IfThenElse(better, d[way], best);
      }
    }
    return best;
  }
};

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
