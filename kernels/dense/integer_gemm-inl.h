// Products of rows of f32 with weights that are integers times a scale per 32 (integer_blocks.h), compiled
// once per instruction set. Each 32 values of a row become 16-bit integers times a scale of their own
// (relative to the largest of them the error is at most 2^-16); 32 products are summed exactly in 32 bits,
// scaled and added in f32. Two products and their sum are one instruction on processors with VNNI, which
// makes this nearly twice as fast as f32 products, and two on others; the bits are the same. See product.h
// for what it promises about them.
#include <bit>
#include <cstdint>
#include <limits>

#include "kernels/dense/gemm-inl.h"
#include "kernels/dense/integer_blocks.h"

// Highway's per-target include guard.
#if defined(BITLENS_KERNELS_DENSE_INTEGER_GEMM_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLENS_KERNELS_DENSE_INTEGER_GEMM_INL_H
#undef BITLENS_KERNELS_DENSE_INTEGER_GEMM_INL_H
#else
#define BITLENS_KERNELS_DENSE_INTEGER_GEMM_INL_H
#endif

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

constexpr std::size_t kPairs = kIntegerBlock / 2;
/// Blocks that are multiplied before the next panel's turn: a piece of a panel stays in the first cache.
constexpr std::size_t kChunkBlocks = 18;
/// 127 * 256: values that are multiples of their block's maximum / 127 already are kept exactly.
constexpr float kLargestCode = 32512.0F;

/// Can the sum of two products be one instruction on this target, if the processor has it?
constexpr bool kDotProducts = HWY_ARCH_X86 != 0 && HWY_TARGET <= HWY_AVX2;

/// Inputs of a register tile: pairs [pairs x kTileRows], scales and sums [blocks x kTileRows].
struct IntegerRows {
  const std::int32_t* pairs;
  const float* scales;
  const float* sums;
};
/// Weights of a panel: pairs [pairs x kPanel], scales and offsets [blocks x kPanel]; offsets may be null.
struct IntegerPanel {
  const std::int32_t* pairs;
  const float* scales;
  const float* offsets;
};

#if HWY_TARGET == HWY_SCALAR
/// sums[kTileRows x kPanel] of one block, exact.
HWY_INLINE void block_sums(const std::int32_t* a, const std::int32_t* b, std::int32_t* sums) {
  const auto product = [](std::int32_t x, std::int32_t y) {
    const auto low = [](std::int32_t pair) { return std::int32_t{static_cast<std::int16_t>(pair & 0xFFFF)}; };
    return low(x) * low(y) + (x >> 16) * (y >> 16);
  };
  for (std::size_t i = 0; i < kTileRows * kPanel; ++i) sums[i] = 0;
  for (std::size_t k = 0; k < kPairs; ++k)
    for (std::size_t i = 0; i < kTileRows; ++i)
      for (std::size_t j = 0; j < kPanel; ++j)
        sums[i * kPanel + j] += product(a[k * kTileRows + i], b[k * kPanel + j]);
}
#else
using PairTag = hn::Repartition<std::int32_t, GemmTag>;
using CodeTag = hn::Repartition<std::int16_t, GemmTag>;
using PairVector = hn::Vec<PairTag>;

/// sum + a * b in pairs. kDot: in one instruction, which Highway has not on these targets;
/// uses_dot_products() tells whether the processor has it.
template <bool kDot>
HWY_INLINE void add_products(PairVector& sum, hn::Vec<CodeTag> a, hn::Vec<CodeTag> b) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2  // kDotProducts
  if constexpr (kDot) {
#if HWY_TARGET <= HWY_AVX3
    asm("vpdpwssd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
#else
    asm volatile("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sum.raw) : "x"(a.raw), "x"(b.raw));
#endif
    return;
  }
#endif
  PairVector unused = hn::Zero(PairTag());  // filled only where pairs are not summed in place
  sum = hn::ReorderWidenMulAccumulate(PairTag(), a, b, sum, unused);
  // Keeps the sum where it is: without this GCC 12 moves broadcasts ahead until sums no longer fit the
  // registers. With 32 of them there is room.
#if HWY_ARCH_X86 && HWY_TARGET > HWY_AVX3
  asm volatile("" : "+x"(sum.raw));
#endif
}
#endif

/// c[kTileRows x kPanel] = (or +=) the products over `blocks` blocks.
template <bool kDot, bool kOffsets>
HWY_INLINE void integer_tile(IntegerRows rows, IntegerPanel panel, std::size_t blocks,
                             [[maybe_unused]] Ahead<std::int32_t> ahead, bool add, float* HWY_RESTRICT c,
                             std::size_t c_stride) {
  const GemmTag d;
  HWY_ALIGN float tile[kTileRows * kPanel];
  for (std::size_t i = 0; i < kTileRows; ++i)
    for (std::size_t j = 0; j < kPanel; j += kLanes)
      hn::Store(add ? hn::LoadU(d, c + i * c_stride + j) : hn::Zero(d), d, tile + i * kPanel + j);
  const std::int32_t* HWY_RESTRICT a = rows.pairs;
  const std::int32_t* HWY_RESTRICT b = panel.pairs;
  for (std::size_t block = 0; block < blocks; ++block) {
#if HWY_TARGET == HWY_SCALAR
    std::int32_t sums[kTileRows * kPanel];
    block_sums(a, b, sums);
    a += kPairs * kTileRows;
    b += kPairs * kPanel;
#else
    const PairTag pairs;
    const CodeTag codes;
    PairVector left[kTileRows], right[kTileRows];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kTileRows; ++i) left[i] = right[i] = hn::Zero(pairs);
    for (std::size_t k = 0; k < kPairs; k += kUnroll) {
      hwy::Prefetch(ahead.next);
      ahead.next += ahead.step;
#pragma GCC unroll 4
      for (std::size_t u = 0; u < kUnroll; ++u) {
        const auto b0 = hn::BitCast(codes, hn::Load(pairs, b)),
                   b1 = hn::BitCast(codes, hn::Load(pairs, b + kLanes));
#pragma GCC unroll 16
        for (std::size_t i = 0; i < kTileRows; ++i) {
          const auto x = hn::BitCast(codes, hn::Set(pairs, a[i]));
          add_products<kDot>(left[i], x, b0);
          add_products<kDot>(right[i], x, b1);
        }
        a += kTileRows;
        b += kPanel;
      }
    }
#endif
    // Unrolled, or the sums would have to be in memory.
#pragma GCC unroll 2
    for (std::size_t j = 0; j < kPanel; j += kLanes) {
      const GemmVector column = hn::Load(d, panel.scales + block * kPanel + j);
      const GemmVector offset = kOffsets ? hn::Load(d, panel.offsets + block * kPanel + j) : hn::Zero(d);
#pragma GCC unroll 16
      for (std::size_t i = 0; i < kTileRows; ++i) {
        float* at = tile + i * kPanel + j;
#if HWY_TARGET == HWY_SCALAR
        const GemmVector sum = hn::Set(d, static_cast<float>(sums[i * kPanel + j]));
#else
        const GemmVector sum = hn::ConvertTo(d, j == 0 ? left[i] : right[i]);
#endif
        const GemmVector scale = hn::Mul(hn::Set(d, rows.scales[block * kTileRows + i]), column);
        GemmVector value = hn::MulAdd(sum, scale, hn::Load(d, at));
        if constexpr (kOffsets)
          value = hn::MulAdd(hn::Set(d, rows.sums[block * kTileRows + i]), offset, value);
        hn::Store(value, d, at);
      }
    }
  }
  for (std::size_t i = 0; i < kTileRows; ++i)
    for (std::size_t j = 0; j < kPanel; j += kLanes)
      hn::StoreU(hn::Load(d, tile + i * kPanel + j), d, c + i * c_stride + j);
}

/// 32 values as 16-bit integers times `scale`; `sum` is scale times the sum of the integers. A NaN or an
/// infinity makes scale and sum NaN. Values below 1e-30 in a block that holds nothing larger count as zero.
HWY_INLINE void round_block(const float* HWY_RESTRICT x, std::int16_t* HWY_RESTRICT codes, float& scale,
                            float& sum) {
  // As integers, magnitudes are in order, NaN above all.
  std::uint32_t top = 0;
  for (std::size_t i = 0; i < kIntegerBlock; ++i) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(x[i]) & 0x7FFFFFFFU;
    top = bits > top ? bits : top;
  }
  const auto largest = std::bit_cast<float>(top);
  const bool finite = top < 0x7F800000U;
  const float factor = finite && largest >= 1e-30F ? kLargestCode / largest : 0.0F;
  scale = finite ? largest / kLargestCode : std::numeric_limits<float>::quiet_NaN();
  std::int32_t total = 0;
  // Adding and taking away 1.5 * 2^23 rounds to the nearest integer, ties to even.
  constexpr float kRounder = 12582912.0F;
  for (std::size_t i = 0; i < kIntegerBlock; ++i) {
    const float value = finite ? x[i] * factor : 0.0F;
    const std::int32_t code =
        std::bit_cast<std::int32_t>(value + kRounder) - std::bit_cast<std::int32_t>(kRounder);
    codes[i] = static_cast<std::int16_t>(code);
    total += code;
  }
  sum = scale * static_cast<float>(total);
}

/// Room for the rows of a row tile over one chunk.
struct IntegerRoom {
  HWY_ALIGN std::int32_t pairs[kRowBlock * kChunkBlocks * kPairs];
  float scales[kRowBlock * kChunkBlocks], sums[kRowBlock * kChunkBlocks];
};

/// kTileRows rows at a time, in the order register tiles read them; rows past the end are zeros.
inline void round_rows(const float* x, std::size_t x_stride, std::size_t rows, std::size_t blocks,
                       IntegerRoom& room) {
  HWY_ALIGN std::int32_t codes[kTileRows * kChunkBlocks * kPairs];
  const std::size_t pairs = blocks * kPairs;
  for (std::size_t r = 0; r < rows; r += kTileRows) {
    const std::size_t count = rows - r < kTileRows ? rows - r : kTileRows;
    for (std::size_t i = 0; i < kTileRows; ++i)
      for (std::size_t block = 0; block < blocks; ++block) {
        const std::size_t at = r * blocks + block * kTileRows + i;
        std::int16_t rounded[kIntegerBlock] = {};
        room.scales[at] = room.sums[at] = 0.0F;
        if (i < count)
          round_block(x + (r + i) * x_stride + block * kIntegerBlock, rounded, room.scales[at],
                      room.sums[at]);
        std::memcpy(codes + i * pairs + block * kPairs, rounded, sizeof rounded);
      }
    std::int32_t* target = room.pairs + r * pairs;
    for (std::size_t k = 0; k < pairs; ++k)
      for (std::size_t i = 0; i < kTileRows; ++i) target[k * kTileRows + i] = codes[i * pairs + k];
  }
}

/// As gemm(), with panels of integers `depth` = 32 * blocks deep.
template <bool kDot>
inline void integer_gemm(const IntegerPanel& panels, std::size_t columns, std::size_t depth, const float* x,
                         std::size_t x_stride, std::size_t rows, float* y, std::size_t y_stride,
                         bool accumulate) {
  IntegerRoom room;
  HWY_ALIGN float edge[kTileRows * kPanel] = {};
  const std::size_t all = depth / kIntegerBlock;
  for (std::size_t first = 0; first < rows; first += kRowBlock) {
    const std::size_t tile_rows = rows - first < kRowBlock ? rows - first : kRowBlock;
    for (std::size_t block = 0; block < all; block += kChunkBlocks) {
      const std::size_t blocks = all - block < kChunkBlocks ? all - block : kChunkBlocks;
      round_rows(x + first * x_stride + block * kIntegerBlock, x_stride, tile_rows, blocks, room);
      const bool add = accumulate || block > 0;
      // The next panel arrives in as many pieces as this one has row tiles.
      const std::size_t tiles = (tile_rows + kTileRows - 1) / kTileRows,
                        step_ahead = kUnroll * kPanel / tiles, piece = blocks * kPairs / kUnroll * step_ahead;
      for (std::size_t column = 0; column < columns; column += kPanel) {
        const std::size_t at = column / kPanel * all + block;  // this piece, in blocks of the matrix
        const IntegerPanel panel{panels.pairs + at * kPairs * kPanel, panels.scales + at * kPanel,
                                 panels.offsets == nullptr ? nullptr : panels.offsets + at * kPanel};
        const std::size_t width = columns - column < kPanel ? columns - column : kPanel;
        for (std::size_t r = 0; r < tile_rows; r += kTileRows) {
          const IntegerRows tile{room.pairs + r * blocks * kPairs, room.scales + r * blocks,
                                 room.sums + r * blocks};
          const std::size_t height = tile_rows - r < kTileRows ? tile_rows - r : kTileRows;
          float* c = y + (first + r) * y_stride + column;
          const std::int32_t* next =
              column + kPanel < columns ? panel.pairs + all * kPairs * kPanel : panel.pairs;
          const Ahead<std::int32_t> ahead{next + r / kTileRows * piece, step_ahead};
          const bool whole = height == kTileRows && width == kPanel;
          float* target = whole ? c : edge;
          const std::size_t stride = whole ? y_stride : kPanel;
          if (!whole && add)
            for (std::size_t i = 0; i < height; ++i)
              for (std::size_t j = 0; j < width; ++j) edge[i * kPanel + j] = c[i * y_stride + j];
          if (panel.offsets == nullptr)
            integer_tile<kDot, false>(tile, panel, blocks, ahead, add, target, stride);
          else
            integer_tile<kDot, true>(tile, panel, blocks, ahead, add, target, stride);
          if (whole) continue;
          for (std::size_t i = 0; i < height; ++i)
            for (std::size_t j = 0; j < width; ++j) c[i * y_stride + j] = edge[i * kPanel + j];
        }
      }
    }
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
