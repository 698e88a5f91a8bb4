// Shared ground of the searching encoders: one block (or sub-block) per vector lane.
//
// A Tile holds as many blocks as a vector has lanes, transposed: x[j * lanes + lane] is weight j of block
// `lane`. Every lane then does the same arithmetic in the same order whatever the vector length, without
// fused multiply-add, so all targets produce the same bytes. Values are divided by a power of two (`unit`)
// per lane so that neither squares nor products overflow; scales are multiplied by it again when they are
// stored. Included once per target.
#if defined(BITLENS_KERNELS_FORMATS_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLENS_KERNELS_FORMATS_LANES_INL_H_
#undef BITLENS_KERNELS_FORMATS_LANES_INL_H_
#else
#define BITLENS_KERNELS_FORMATS_LANES_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "kernels/formats/half-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kMaxLanes = 16;
using Tag = hn::CappedTag<float, kMaxLanes>;
using IntTag = hn::RebindToSigned<Tag>;
using Floats = hn::Vec<Tag>;

HWY_INLINE Floats constant(float value) {
  return hn::Set(Tag(), value);
}
HWY_INLINE Floats zeros() {
  return hn::Zero(Tag());
}
HWY_INLINE std::size_t lane_count() {
  return hn::Lanes(Tag());
}

HWY_INLINE Floats clamp(Floats value, Floats low, Floats high) {
  return hn::Min(hn::Max(value, low), high);
}

/// 1 / value, 0 for 0.
HWY_INLINE Floats inverse_or_zero(Floats value) {
  return hn::IfThenZeroElse(hn::Eq(value, zeros()), hn::Div(constant(1.0F), value));
}
/// a / b, 0 where b is not positive.
HWY_INLINE Floats ratio_or_zero(Floats a, Floats b) {
  return hn::IfThenElseZero(hn::Gt(b, zeros()), hn::Div(a, b));
}

/// Largest power of two not above |value|, limited to 2^-126 .. 2^126 so that it has an exact reciprocal.
HWY_INLINE Floats power_of_two_below(Floats value) {
  const IntTag di;
  const auto exponent = hn::And(hn::BitCast(di, value), hn::Set(di, 0x7F800000));
  return hn::BitCast(Tag(), hn::Min(hn::Max(exponent, hn::Set(di, 1 << 23)), hn::Set(di, 253 << 23)));
}
/// Exact reciprocal of a power of two.
HWY_INLINE Floats reciprocal_of_power(Floats power) {
  const IntTag di;
  return hn::BitCast(Tag(), hn::Sub(hn::Set(di, 254 << 23), hn::BitCast(di, power)));
}

/// A scale in units of a lane, and back: the value it has after being stored as F16.
HWY_INLINE Floats as_stored(Floats scale, Floats unit) {
  return hn::Mul(round_to_finite_half(Tag(), hn::Mul(scale, unit)), reciprocal_of_power(unit));
}

/// The least scale F16 can hold.
constexpr float kLeastHalf = 0x1p-24F;

#if HWY_TARGET == HWY_SCALAR
template <int kCount>
void transpose(const float* const* from, float* to) {
  for (int j = 0; j < kCount; ++j) {
    to[j] = from[0][j];
  }
}
#else
/// Four values of each of the blocks from[0], from[4], from[8], ...
template <class D>
HWY_INLINE hn::Vec<D> load_quads(D d, const float* const* from, std::size_t at) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    return hn::LoadU(d, from[0] + at);
  } else {
    constexpr hn::Half<D> half;
    return hn::Combine(d, load_quads(half, from + hn::MaxLanes(half), at), load_quads(half, from, at));
  }
}
/// to[j * lanes + lane] = from[lane][j]
template <int kCount>
void transpose(const float* const* from, float* to) {
  static_assert(kCount % 4 == 0);
  constexpr std::size_t kLanes = hn::MaxLanes(Tag());
  static_assert(kLanes == 4 || kLanes == 8 || kLanes == 16);
  const Tag d;
  for (std::size_t j = 0; j < kCount; j += 4) {
    const Floats row0 = load_quads(d, from, j);
    const Floats row1 = load_quads(d, from + 1, j);
    const Floats row2 = load_quads(d, from + 2, j);
    const Floats row3 = load_quads(d, from + 3, j);
    const Floats even01 = hn::InterleaveLower(d, row0, row2);
    const Floats odd01 = hn::InterleaveLower(d, row1, row3);
    const Floats even23 = hn::InterleaveUpper(d, row0, row2);
    const Floats odd23 = hn::InterleaveUpper(d, row1, row3);
    hn::Store(hn::InterleaveLower(d, even01, odd01), d, to + j * kLanes);
    hn::Store(hn::InterleaveUpper(d, even01, odd01), d, to + (j + 1) * kLanes);
    hn::Store(hn::InterleaveLower(d, even23, odd23), d, to + (j + 2) * kLanes);
    hn::Store(hn::InterleaveUpper(d, even23, odd23), d, to + (j + 3) * kLanes);
  }
}
#endif

/// Memory behind tiles: room for kLanes blocks of kCount weights.
template <int kCount, std::size_t kLanes, bool kWeighted>
struct TileMemory {
  HWY_ALIGN float x[kCount * kLanes];
  HWY_ALIGN float w[kWeighted ? kCount * kLanes : 1];
  HWY_ALIGN float wx[kWeighted ? kCount * kLanes : 1];
};

/// kCount weights per lane, in memory owned by the caller. kWeighted: with importance.
template <int kCount, bool kWeighted>
struct Tile {
  static constexpr int count = kCount;
  static constexpr bool weighted = kWeighted;

  float* x_;
  float* w_;
  float* wx_;

  /// The tile of lanes first_lane .. in `memory`.
  template <std::size_t kLanes>
  HWY_INLINE explicit Tile(TileMemory<kCount, kLanes, kWeighted>& memory, std::size_t first_lane = 0)
      : x_(memory.x + first_lane * kCount),
        w_(memory.w + (kWeighted ? first_lane * kCount : 0)),
        wx_(memory.wx + (kWeighted ? first_lane * kCount : 0)) {}

  HWY_INLINE Floats x(int j) const {
    return hn::Load(Tag(), x_ + static_cast<std::size_t>(j) * lane_count());
  }
  HWY_INLINE Floats w(int j) const {
    if constexpr (kWeighted) {
      return hn::Load(Tag(), w_ + static_cast<std::size_t>(j) * lane_count());
    } else {
      return constant(1.0F);
    }
  }
  /// w * x
  HWY_INLINE Floats wx(int j) const {
    if constexpr (kWeighted) {
      return hn::Load(Tag(), wx_ + static_cast<std::size_t>(j) * lane_count());
    } else {
      return x(j);
    }
  }
  /// w * value
  HWY_INLINE Floats by_weight(int j, Floats value) const {
    if constexpr (kWeighted) {
      return hn::Mul(w(j), value);
    } else {
      return value;
    }
  }

  /// Blocks first .. first + lanes - 1 of `blocks` consecutive ones; lanes beyond the last repeat it.
  void load(const float* source, const float* importance, std::size_t first, std::size_t blocks) const {
    const float* rows[kMaxLanes];
    point_at(source, first, blocks, rows);
    transpose<kCount>(rows, x_);
    if constexpr (kWeighted) {
      point_at(importance, first, blocks, rows);
      transpose<kCount>(rows, w_);
    }
  }
  /// The weights alone; importances are for the caller to fill in.
  void load_values(const float* source, std::size_t first, std::size_t blocks) const {
    const float* rows[kMaxLanes];
    point_at(source, first, blocks, rows);
    transpose<kCount>(rows, x_);
  }
  static void point_at(const float* values, std::size_t first, std::size_t blocks, const float** rows) {
    for (std::size_t lane = 0; lane < lane_count(); ++lane) {
      rows[lane] = values + (first + lane < blocks ? first + lane : blocks - 1) * kCount;
    }
  }

  Floats largest_magnitude() const {
    Floats result = zeros();
    for (int j = 0; j < kCount; ++j) {
      result = hn::Max(result, hn::Abs(x(j)));
    }
    return result;
  }
  Floats largest_weight() const {
    Floats result = zeros();
    for (int j = 0; j < kCount; ++j) {
      result = hn::Max(result, w(j));
    }
    return result;
  }

  /// sum w x x
  Floats energy() const {
    Floats result = zeros();
    for (int j = 0; j < kCount; ++j) {
      result = hn::Add(result, hn::Mul(wx(j), x(j)));
    }
    return result;
  }

  /// Subtracts the weighted mean and returns it; low and high are the extremes left, total is sum w.
  Floats center(Floats& low, Floats& high, Floats& total) const {
    Floats sum = zeros();
    total = zeros();
    for (int j = 0; j < kCount; ++j) {
      sum = hn::Add(sum, wx(j));
      total = hn::Add(total, w(j));
    }
    const Floats mean = hn::Div(sum, total);
    low = constant(3.0e38F);
    high = constant(-3.0e38F);
    for (int j = 0; j < kCount; ++j) {
      const std::size_t at = static_cast<std::size_t>(j) * lane_count();
      const Floats centred = hn::Sub(x(j), mean);
      low = hn::Min(low, centred);
      high = hn::Max(high, centred);
      hn::Store(centred, Tag(), x_ + at);
      if constexpr (kWeighted) {
        hn::Store(hn::Mul(w(j), centred), Tag(), wx_ + at);
      }
    }
    return mean;
  }

  /// x /= unit; w /= a power of two near largest_weight, floored so that no weight is lost altogether; all
  /// ones where largest_weight is 0.
  void normalize(Floats unit, [[maybe_unused]] Floats largest) const {
    const Floats by = reciprocal_of_power(unit);
    for (int j = 0; j < kCount; ++j) {
      hn::Store(hn::Mul(x(j), by), Tag(), x_ + static_cast<std::size_t>(j) * lane_count());
    }
    if constexpr (kWeighted) {
      const auto unweighted = hn::Eq(largest, zeros());
      // Twice, since importances may be as small or as large as floats get.
      const Floats power = power_of_two_below(largest);
      const Floats first = reciprocal_of_power(power);
      const Floats second = reciprocal_of_power(power_of_two_below(hn::Mul(largest, first)));
      const Floats least = constant(0x1p-30F);
      for (int j = 0; j < kCount; ++j) {
        Floats weight = hn::Max(hn::Mul(hn::Mul(w(j), first), second), least);
        weight = hn::IfThenElse(unweighted, constant(1.0F), weight);
        hn::Store(weight, Tag(), w_ + static_cast<std::size_t>(j) * lane_count());
        hn::Store(hn::Mul(weight, x(j)), Tag(), wx_ + static_cast<std::size_t>(j) * lane_count());
      }
    }
  }
};

/// Per-lane values to memory, for the scalar code that writes blocks.
struct LaneValues {
  HWY_ALIGN float values[kMaxLanes];
  HWY_INLINE explicit LaneValues(Floats lanes) { hn::Store(lanes, Tag(), values); }
  float operator[](std::size_t lane) const { return values[lane]; }
};

/// Codes of one block out of its row of weights: round((x * by) * inverse), limited to low..high, minus
/// `zero` (even), modulo 256. The same arithmetic as in the lanes of a normalized tile, so the same codes.
template <int kCount>
HWY_INLINE void row_codes(const float* x, float by, float inverse, float low, float high, float zero,
                          std::uint8_t* codes) {
  constexpr hn::CappedTag<float, static_cast<std::size_t>(kCount)> d;
  constexpr hn::Rebind<std::uint32_t, hn::CappedTag<float, static_cast<std::size_t>(kCount)>> wide;
  constexpr hn::Rebind<std::uint8_t, hn::CappedTag<float, static_cast<std::size_t>(kCount)>> narrow;
  const auto shift = hn::Set(d, 0x1.8p23F - zero);  // leaves the rounded code in the low bits
  for (std::size_t j = 0; j < kCount; j += hn::Lanes(d)) {
    const auto scaled = hn::Mul(hn::Mul(hn::LoadU(d, x + j), hn::Set(d, by)), hn::Set(d, inverse));
    const auto limited = hn::Max(hn::Min(scaled, hn::Set(d, high)), hn::Set(d, low));
    hn::StoreU(hn::TruncateTo(narrow, hn::BitCast(wide, hn::Add(limited, shift))), narrow, codes + j);
  }
}

/// Codes of a tile as bytes, block by block.
template <int kCount>
struct Codes {
  HWY_ALIGN std::uint8_t bytes[kMaxLanes * kCount];

  HWY_INLINE void store(int j, Floats codes) {
    HWY_ALIGN std::int32_t wide[kMaxLanes];
    hn::Store(hn::ConvertTo(IntTag(), codes), IntTag(), wide);
    const std::size_t lanes = lane_count();
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      bytes[lane * kCount + static_cast<std::size_t>(j)] = static_cast<std::uint8_t>(wide[lane]);
    }
  }
  const std::uint8_t* block(std::size_t lane) const { return bytes + lane * kCount; }
};

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
