// Search of a block's scale (and offset) in the lanes of a Tile, for uniform grids of codes.
//
// For a given scale the best codes are the nearest ones, so the squared error is a function of the scale (and
// offset) alone: many local minima, one family per assignment of codes. The search tries a fixed ladder of
// scales, scores each by the error after a least-squares refit of scale (and offset) to its codes, takes the
// best, and then alternates refit and reassignment with the scale *as it will be stored*. Errors that decide
// in the end are sums of squared differences, never differences of large sums.
// Functions that loop over a tile are left to the compiler to inline: a call costs nothing beside the loop,
// and forcing it makes builds (with sanitizers above all) many times slower. Included once per target.
#if defined(BITLENS_KERNELS_FORMATS_SEARCH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLENS_KERNELS_FORMATS_SEARCH_INL_H_
#undef BITLENS_KERNELS_FORMATS_SEARCH_INL_H_
#else
#define BITLENS_KERNELS_FORMATS_SEARCH_INL_H_
#endif

#include "kernels/formats/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

/// More than any error that is compared.
constexpr float kNoError = 3.0e38F;

/// The integers low..high.
struct Grid {
  float low;
  float high;
};

/// The grid point nearest to each lane.
HWY_INLINE Floats nearest_code(Floats scaled, Grid grid) {
  return hn::Round(clamp(scaled, constant(grid.low), constant(grid.high)));
}

/// The code of that point: what is stored.
HWY_INLINE Floats code_index(Floats scaled, Grid grid) {
  return hn::Sub(nearest_code(scaled, grid), constant(grid.low));
}

/// Sums over a block for x ~ d * q.
struct ScaleSums {
  Floats xq;  ///< sum w x q
  Floats qq;  ///< sum w q q
};

/// Sums for kWays inverse scales at once.
template <std::size_t kWays, class T, class G>
void scale_sums(const T& tile, const G& grid, const Floats* inverse, ScaleSums* sums) {
  Floats xq[kWays];
  Floats qq[kWays];
  for (std::size_t k = 0; k < kWays; ++k) {
    xq[k] = zeros();
    qq[k] = zeros();
  }
  for (int j = 0; j < T::count; ++j) {
    const Floats x = tile.x(j);
    const Floats wx = tile.wx(j);
    for (std::size_t k = 0; k < kWays; ++k) {
      const Floats q = nearest_code(hn::Mul(x, inverse[k]), grid);
      xq[k] = hn::Add(xq[k], hn::Mul(wx, q));
      qq[k] = hn::Add(qq[k], hn::Mul(tile.by_weight(j, q), q));
    }
  }
  for (std::size_t k = 0; k < kWays; ++k) {
    sums[k] = {xq[k], qq[k]};
  }
}

/// sum w (x - d q)^2 with the nearest codes, and the sums for a refit.
template <class T, class G>
Floats scale_error(const T& tile, const G& grid, Floats d, ScaleSums& sums) {
  const Floats inverse = inverse_or_zero(d);
  sums = {zeros(), zeros()};
  Floats error = zeros();
  for (int j = 0; j < T::count; ++j) {
    const Floats x = tile.x(j);
    const Floats q = nearest_code(hn::Mul(x, inverse), grid);
    const Floats difference = hn::Sub(x, hn::Mul(d, q));
    error = hn::Add(error, hn::Mul(tile.by_weight(j, difference), difference));
    sums.xq = hn::Add(sums.xq, hn::Mul(tile.wx(j), q));
    sums.qq = hn::Add(sums.qq, hn::Mul(tile.by_weight(j, q), q));
  }
  return error;
}

/// Weight of largest magnitude, with its sign.
template <class T>
HWY_INLINE Floats signed_extreme(const T& tile, Floats largest) {
  Floats lowest = zeros();
  for (int j = 0; j < T::count; ++j) {
    lowest = hn::Min(lowest, tile.x(j));
  }
  return hn::IfThenElse(hn::Eq(hn::Neg(lowest), largest), lowest, largest);
}

/// The best so far in each lane.
struct BestScale {
  Floats error;
  Floats d;
  HWY_INLINE void offer(Floats candidate_error, Floats candidate) {
    const auto better = hn::Lt(candidate_error, error);
    error = hn::IfThenElse(better, candidate_error, error);
    d = hn::IfThenElse(better, candidate, d);
  }
};

/// Tries inverse scales `base * ladder[k]` (kSteps of them) and keeps the inverse whose refitted error is
/// least, that is whose (sum wxq)^2 / sum wqq is largest.
template <class T, class G>
void climb_ladder(const T& tile, const G& grid, Floats base, const float* ladder, std::size_t steps,
                  Floats& best_gain, Floats& best_scale) {
  constexpr std::size_t kWays = 4;
  for (std::size_t k = 0; k < steps; k += kWays) {
    Floats inverse[kWays];
    ScaleSums sums[kWays];
    for (std::size_t way = 0; way < kWays; ++way) {
      inverse[way] = hn::Mul(base, constant(ladder[k + way]));
    }
    scale_sums<kWays>(tile, grid, inverse, sums);
    for (std::size_t way = 0; way < kWays; ++way) {
      const Floats scale = ratio_or_zero(sums[way].xq, sums[way].qq);
      const Floats gain = hn::Mul(scale, sums[way].xq);
      const auto better = hn::Gt(gain, best_gain);
      best_gain = hn::IfThenElse(better, gain, best_gain);
      best_scale = hn::IfThenElse(better, scale, best_scale);
    }
  }
}

/// Alternates storing, assigning codes and refitting, starting from `scale`; offers every stop.
template <class T, class G>
void settle_scale(const T& tile, const G& grid, Floats unit, Floats scale, int rounds, BestScale& best) {
  for (int round = 0; round < rounds; ++round) {
    const Floats stored = as_stored(scale, unit);
    ScaleSums sums;
    const Floats error = scale_error(tile, grid, stored, sums);
    best.offer(error, stored);
    scale = ratio_or_zero(sums.xq, sums.qq);
  }
}

/// The ladder for fine grids: each scale is stored before its error is taken, so that the scale's own
/// rounding counts. `base / ladder[k]` are the scales.
template <class T, class G>
void climb_stored_ladder(const T& tile, const G& grid, Floats unit, Floats base, const float* ladder,
                         std::size_t steps, BestScale& best) {
  constexpr std::size_t kWays = 4;
  for (std::size_t k = 0; k < steps; k += kWays) {
    Floats d[kWays];
    Floats inverse[kWays];
    Floats error[kWays];
    for (std::size_t way = 0; way < kWays; ++way) {
      d[way] = as_stored(hn::Div(base, constant(ladder[k + way])), unit);
      inverse[way] = inverse_or_zero(d[way]);
      error[way] = zeros();
    }
    for (int j = 0; j < T::count; ++j) {
      const Floats x = tile.x(j);
      for (std::size_t way = 0; way < kWays; ++way) {
        const Floats q = nearest_code(hn::Mul(x, inverse[way]), grid);
        const Floats difference = hn::Sub(x, hn::Mul(d[way], q));
        error[way] = hn::Add(error[way], hn::Mul(tile.by_weight(j, difference), difference));
      }
    }
    for (std::size_t way = 0; way < kWays; ++way) {
      best.offer(error[way], d[way]);
    }
  }
}

/// Blocks so small that their best scale is a small multiple of the least F16: tries those multiples, both
/// signs, in the lanes where that is so.
template <class T, class G>
void try_least_scales(const T& tile, const G& grid, Floats unit, Floats largest, BestScale& best) {
  constexpr int kMultiples = 32;
  const Floats reach = constant(kLeastHalf * static_cast<float>(kMultiples) * -grid.low);
  const auto tiny = hn::Lt(hn::Mul(largest, unit), reach);
  if (hn::AllFalse(Tag(), tiny)) {
    return;
  }
  for (int k = 1; k <= kMultiples; ++k) {
    for (const float sign : {1.0F, -1.0F}) {
      const Floats d =
          hn::Mul(constant(kLeastHalf * sign * static_cast<float>(k)), reciprocal_of_power(unit));
      ScaleSums sums;
      const Floats error = scale_error(tile, grid, d, sums);
      best.offer(hn::IfThenElse(tiny, error, constant(kNoError)), d);
    }
  }
}

/// sum w (x - d q)^2 for kWays scales at once, summed in steps of the grid. d = 0 is no candidate: its error
/// is infinite here.
template <std::size_t kWays, class T, class G>
void scale_errors(const T& tile, const G& grid, const Floats* d, Floats* errors) {
  Floats inverse[kWays];
  Floats error[kWays];
  for (std::size_t way = 0; way < kWays; ++way) {
    inverse[way] = inverse_or_zero(d[way]);
    error[way] = zeros();
  }
  for (int j = 0; j < T::count; ++j) {
    const Floats x = tile.x(j);
    for (std::size_t way = 0; way < kWays; ++way) {
      const Floats scaled = hn::Mul(x, inverse[way]);
      const Floats difference = hn::Sub(scaled, nearest_code(scaled, grid));
      error[way] = hn::Add(error[way], hn::Mul(tile.by_weight(j, difference), difference));
    }
  }
  for (std::size_t way = 0; way < kWays; ++way) {
    errors[way] = hn::IfThenElse(hn::Eq(d[way], zeros()), constant(kNoError),
                                 hn::Mul(error[way], hn::Mul(d[way], d[way])));
  }
}

/// Scale and offset of x ~ d * q + m.
struct Line {
  Floats d;
  Floats m;
};
struct BestLine {
  Floats error;
  Line line;
  HWY_INLINE void offer(Floats candidate_error, Line candidate) {
    const auto better = hn::Lt(candidate_error, error);
    error = hn::IfThenElse(better, candidate_error, error);
    line.d = hn::IfThenElse(better, candidate.d, line.d);
    line.m = hn::IfThenElse(better, candidate.m, line.m);
  }
};

/// Sums over a block for x ~ d * q + m.
struct LineSums {
  Floats q;   ///< sum w q
  Floats xq;  ///< sum w x q
  Floats qq;  ///< sum w q q
};

/// Least-squares line for the codes behind the sums, when sum w x = 0 (centred weights) and sum w = total.
HWY_INLINE Line centred_line(const LineSums& sums, Floats total) {
  const Floats spread = hn::Sub(hn::Mul(total, sums.qq), hn::Mul(sums.q, sums.q));
  const Floats d = ratio_or_zero(hn::Mul(total, sums.xq), spread);
  return {d, hn::Neg(ratio_or_zero(hn::Mul(d, sums.q), total))};
}

/// The line of largest explained energy so far.
struct BestGain {
  Floats gain;
  Line line;
};

/// Tries ranges low..high cut at both ends (pairs, in steps of the grid) and keeps the refitted line of least
/// error. Codes 0..top; x centred (mean is what was subtracted), total = sum w. kAnchored: m + mean <= 0.
template <bool kAnchored, class T>
void try_cuts(const T& tile, float top, Floats low, Floats high, Floats total, [[maybe_unused]] Floats mean,
              const float (*cuts)[2], std::size_t steps, BestGain& best) {
  constexpr std::size_t kWays = 4;
  const Grid grid{0.0F, top};
  const Floats step = hn::Mul(hn::Sub(high, low), constant(1.0F / top));
  const Floats steps_per_unit = inverse_or_zero(step);
  for (std::size_t k = 0; k < steps; k += kWays) {
    Floats inverse[kWays];
    Floats shift[kWays];
    LineSums sums[kWays];
    for (std::size_t way = 0; way < kWays; ++way) {
      const float* cut = cuts[k + way];
      inverse[way] = hn::Mul(steps_per_unit, constant(top / (top - cut[0] - cut[1])));
      shift[way] = hn::Neg(hn::Mul(hn::Add(low, hn::Mul(step, constant(cut[0]))), inverse[way]));
      sums[way] = {zeros(), zeros(), zeros()};
    }
    for (int j = 0; j < T::count; ++j) {
      const Floats x = tile.x(j);
      const Floats wx = tile.wx(j);
      for (std::size_t way = 0; way < kWays; ++way) {
        const Floats q = nearest_code(hn::Add(hn::Mul(x, inverse[way]), shift[way]), grid);
        const Floats wq = tile.by_weight(j, q);
        sums[way].q = hn::Add(sums[way].q, wq);
        sums[way].qq = hn::Add(sums[way].qq, hn::Mul(wq, q));
        sums[way].xq = hn::Add(sums[way].xq, hn::Mul(wx, q));
      }
    }
    for (std::size_t way = 0; way < kWays; ++way) {
      Line line = centred_line(sums[way], total);
      Floats gain = hn::Mul(line.d, sums[way].xq);
      if constexpr (kAnchored) {  // else the line through zero
        const auto above = hn::Gt(hn::Add(line.m, mean), zeros());
        const Floats xq = hn::Add(sums[way].xq, hn::Mul(mean, sums[way].q));
        const Floats d = hn::Max(zeros(), ratio_or_zero(xq, sums[way].qq));
        line.d = hn::IfThenElse(above, d, line.d);
        line.m = hn::IfThenElse(above, hn::Neg(mean), line.m);
        gain = hn::IfThenElse(above, hn::Sub(hn::Mul(d, xq), hn::Mul(total, hn::Mul(mean, mean))), gain);
      }
      const auto better = hn::Gt(gain, best.gain);
      best.gain = hn::IfThenElse(better, gain, best.gain);
      best.line.d = hn::IfThenElse(better, line.d, best.line.d);
      best.line.m = hn::IfThenElse(better, line.m, best.line.m);
    }
  }
}

/// sum w (x - d q - m)^2 with the nearest codes, and the sums for a refit.
template <class T>
Floats line_error(const T& tile, float top, Line line, LineSums& sums) {
  const Grid grid{0.0F, top};
  const Floats inverse = inverse_or_zero(line.d);
  sums = {zeros(), zeros(), zeros()};
  Floats error = zeros();
  for (int j = 0; j < T::count; ++j) {
    const Floats x = tile.x(j);
    const Floats q = nearest_code(hn::Mul(hn::Sub(x, line.m), inverse), grid);
    const Floats difference = hn::Sub(hn::Sub(x, line.m), hn::Mul(line.d, q));
    error = hn::Add(error, hn::Mul(tile.by_weight(j, difference), difference));
    const Floats wq = tile.by_weight(j, q);
    sums.q = hn::Add(sums.q, wq);
    sums.qq = hn::Add(sums.qq, hn::Mul(wq, q));
    sums.xq = hn::Add(sums.xq, hn::Mul(tile.wx(j), q));
  }
  return error;
}

/// As try_least_scales, with the offset at the stored minimum.
template <class T>
void try_least_lines(const T& tile, float top, Floats unit, Floats mean, Floats low, Floats high,
                     BestLine& best) {
  constexpr int kMultiples = 32;
  const Floats reach = constant(kLeastHalf * static_cast<float>(kMultiples) * top);
  const auto tiny = hn::Lt(hn::Mul(hn::Sub(high, low), unit), reach);
  if (hn::AllFalse(Tag(), tiny)) {
    return;
  }
  const Floats m = hn::Sub(as_stored(hn::Add(low, mean), unit), mean);
  for (int k = 1; k <= kMultiples; ++k) {
    const Line line{hn::Mul(constant(kLeastHalf * static_cast<float>(k)), reciprocal_of_power(unit)), m};
    LineSums sums;
    best.offer(hn::IfThenElse(tiny, line_error(tile, top, line, sums), constant(kNoError)), line);
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
