// The register tile every dense kernel here is made of, compiled once per instruction set. Included by the
// .cpp files inside Highway's foreach_target; see product.h for what it promises.
#include <cstddef>
#include <cstring>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "kernels/dense/product.h"

// Highway's per-target include guard.
#if defined(BITLENS_KERNELS_DENSE_GEMM_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITLENS_KERNELS_DENSE_GEMM_INL_H
#undef BITLENS_KERNELS_DENSE_GEMM_INL_H
#else
#define BITLENS_KERNELS_DENSE_GEMM_INL_H
#endif

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most 512-bit vectors; two of them wide, and as many rows as leave registers for two panel vectors and a
// broadcast.
using GemmTag = hn::CappedTag<float, 16>;
using GemmVector = hn::Vec<GemmTag>;
constexpr std::size_t kLanes = hn::MaxLanes(GemmTag());
constexpr std::size_t kPanel = 2 * kLanes;
#if HWY_TARGET <= HWY_AVX3
constexpr std::size_t kTileRows = 12;
#else
constexpr std::size_t kTileRows = 6;
#endif
/// Rows that share one pass over a panel.
constexpr std::size_t kRowBlock = 96;
static_assert(kRowBlock % kTileRows == 0);
/// Outputs that are finished before the next ones' turn, at most: a row block of them stays near the second
/// cache.
constexpr std::size_t kColumnBlock = 1536;

/// Where a register tile finds its rows: number k of row i at [i * kRow + k * kInput].
template <std::size_t kRowStep, std::size_t kInputStep>
struct RowLayout {
  static constexpr std::size_t kRow = kRowStep, kInput = kInputStep;
};
/// As pack_rows() leaves them.
using PackedLayout = RowLayout<1, kTileRows>;

/// Adds the products of one input: kTileRows numbers by b [kPanel]. kHalf: by the first kLanes of them.
template <class Layout, bool kHalf>
HWY_INLINE void add_outer_product(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b,
                                  GemmVector (&left)[kTileRows], GemmVector (&right)[kTileRows]) {
  const GemmTag d;
  const GemmVector b0 = hn::Load(d, b), b1 = kHalf ? b0 : hn::Load(d, b + kLanes);
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kTileRows; ++i) {
    const GemmVector x = hn::Set(d, a[i * Layout::kRow]);
    left[i] = hn::MulAdd(x, b0, left[i]);
    if constexpr (!kHalf) right[i] = hn::MulAdd(x, b1, right[i]);
  }
}

/// Numbers to ask for while a tile is multiplied, a line each kUnroll inputs, `step` apart: asked for at
/// once they would fill the queue to the second cache and stop the products.
template <class Number>
struct Ahead {
  const Number* next;
  std::size_t step;
};
constexpr std::size_t kUnroll = 4;

/// c[kTileRows x kPanel] = (or +=) a * b over `depth` inputs. b: [depth x kPanel]. kHalf: only the first
/// kLanes columns.
template <class Layout, bool kAccumulate, bool kHalf = false>
HWY_INLINE void register_tile(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, std::size_t depth,
                              Ahead<float> ahead, float* HWY_RESTRICT c, std::size_t c_stride) {
  const GemmTag d;
  GemmVector left[kTileRows], right[kTileRows];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kTileRows; ++i) left[i] = right[i] = hn::Zero(d);
  std::size_t k = kUnroll;
  for (; k <= depth; k += kUnroll) {
    hwy::Prefetch(ahead.next);
    ahead.next += ahead.step;
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kUnroll; ++i)
      add_outer_product<Layout, kHalf>(a + i * Layout::kInput, b + i * kPanel, left, right);
    a += kUnroll * Layout::kInput;
    b += kUnroll * kPanel;
  }
  for (k -= kUnroll; k < depth; ++k) {
    add_outer_product<Layout, kHalf>(a, b, left, right);
    a += Layout::kInput;
    b += kPanel;
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kTileRows; ++i) {
    float* row = c + i * c_stride;
    if constexpr (kAccumulate) {
      left[i] = hn::Add(hn::LoadU(d, row), left[i]);
      right[i] = hn::Add(hn::LoadU(d, row + kLanes), right[i]);
    }
    hn::StoreU(left[i], d, row);
    hn::StoreU(right[i], d, row + kLanes);
  }
}

#if HWY_TARGET != HWY_SCALAR
/// Four rows by four inputs, transposed: target[k * kStride + i] = rows[i][k].
template <std::size_t kStride>
HWY_INLINE void transpose_4x4(const float* rows, std::size_t stride, float* HWY_RESTRICT target) {
  const hn::FixedTag<float, 4> d;
  const hn::Repartition<double, decltype(d)> pairs;
  const auto r0 = hn::LoadU(d, rows), r1 = hn::LoadU(d, rows + stride);
  const auto r2 = hn::LoadU(d, rows + 2 * stride), r3 = hn::LoadU(d, rows + 3 * stride);
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1));
  const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, target);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, target + kStride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, target + 2 * kStride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, target + 3 * kStride);
}

/// Two rows by four inputs.
HWY_INLINE void transpose_2x4(const float* rows, std::size_t stride, float* HWY_RESTRICT target) {
  const hn::FixedTag<float, 4> d;
  const hn::FixedTag<float, 2> half;
  const auto r0 = hn::LoadU(d, rows), r1 = hn::LoadU(d, rows + stride);
  const auto low = hn::InterleaveLower(d, r0, r1), high = hn::InterleaveUpper(d, r0, r1);
  hn::StoreU(hn::LowerHalf(half, low), half, target);
  hn::StoreU(hn::UpperHalf(half, low), half, target + kTileRows);
  hn::StoreU(hn::LowerHalf(half, high), half, target + 2 * kTileRows);
  hn::StoreU(hn::UpperHalf(half, high), half, target + 3 * kTileRows);
}

/// The first whole fours of inputs of a full tile; returns how many inputs that were.
HWY_INLINE std::size_t pack_full_tile(const float* x, std::size_t x_stride, std::size_t depth,
                                      float* HWY_RESTRICT packed) {
  static_assert(kTileRows % 4 == 0 || kTileRows % 4 == 2);
  std::size_t k = 0;
  for (; k + 4 <= depth; k += 4) {
    std::size_t i = 0;
    for (; i + 4 <= kTileRows; i += 4)
      transpose_4x4<kTileRows>(x + i * x_stride + k, x_stride, packed + k * kTileRows + i);
    if constexpr (kTileRows % 4 == 2)
      transpose_2x4(x + i * x_stride + k, x_stride, packed + k * kTileRows + i);
  }
  return k;
}
#else
HWY_INLINE std::size_t pack_full_tile(const float*, std::size_t, std::size_t, float*) {
  return 0;
}
#endif

/// Rows of x, kTileRows at a time, as [depth x kTileRows]; rows past the end are zeros.
inline void pack_rows(const float* x, std::size_t x_stride, std::size_t rows, std::size_t depth,
                      float* HWY_RESTRICT packed) {
  for (std::size_t r = 0; r < rows; r += kTileRows) {
    const std::size_t count = rows - r < kTileRows ? rows - r : kTileRows;
    const std::size_t done =
        count == kTileRows ? pack_full_tile(x + r * x_stride, x_stride, depth, packed) : 0;
    for (std::size_t i = 0; i < kTileRows; ++i) {
      const float* row = x + (r + i) * x_stride;
      for (std::size_t k = done; k < depth; ++k) packed[k * kTileRows + i] = i < count ? row[k] : 0.0F;
    }
    packed += kTileRows * depth;
  }
}

/// y[rows x columns] = (or +=) rows laid out as Layout says, a tile of kTileRows of them `tile_step` numbers
/// after the last, by panels, over one chain of `depth` <= kDepth inputs. Rows are read in whole tiles.
template <class Layout>
HWY_INLINE void multiply_rows(const float* panels, std::size_t panel_stride, std::size_t columns,
                              std::size_t depth, const float* x, std::size_t tile_step, std::size_t rows,
                              float* y, std::size_t y_stride, bool add) {
  HWY_ALIGN float edge[kTileRows * kPanel];
  // The next panel arrives in as many pieces as this one has row tiles.
  const std::size_t tiles = (rows + kTileRows - 1) / kTileRows, step_ahead = kUnroll * kPanel / tiles;
  for (std::size_t column = 0; column < columns; column += kPanel) {
    const float* b = panels + column / kPanel * panel_stride;
    const std::size_t width = columns - column < kPanel ? columns - column : kPanel;
    for (std::size_t r = 0; r < rows; r += kTileRows) {
      const float* a = x + r / kTileRows * tile_step;
      const std::size_t height = rows - r < kTileRows ? rows - r : kTileRows;
      float* c = y + r * y_stride + column;
      const float* next = column + kPanel < columns ? b + panel_stride : b;
      const Ahead<float> ahead{next + r / kTileRows * (depth / kUnroll * step_ahead), step_ahead};
      if (height == kTileRows && width == kPanel) {
        if (add)
          register_tile<Layout, true>(a, b, depth, ahead, c, y_stride);
        else
          register_tile<Layout, false>(a, b, depth, ahead, c, y_stride);
        continue;
      }
      if (width <= kLanes)
        register_tile<Layout, false, true>(a, b, depth, ahead, edge, kPanel);
      else
        register_tile<Layout, false>(a, b, depth, ahead, edge, kPanel);
      for (std::size_t i = 0; i < height; ++i)
        for (std::size_t j = 0; j < width; ++j) {
          float& target = c[i * y_stride + j];
          target = add ? target + edge[i * kPanel + j] : edge[i * kPanel + j];
        }
    }
  }
}

/// One row block by columns [0, columns) of y, which stay in the second cache over all inputs.
HWY_INLINE void gemm_block(const float* panels, std::size_t panel_stride, std::size_t columns,
                           std::size_t depth, const float* x, std::size_t x_stride, std::size_t rows,
                           float* y, std::size_t y_stride, bool accumulate, float* HWY_RESTRICT packed) {
  const std::size_t step = chain_length(depth);
  for (std::size_t k = 0; k < depth; k += step) {
    const std::size_t chunk = depth - k < step ? depth - k : step;
    pack_rows(x + k, x_stride, rows, chunk, packed);
    multiply_rows<PackedLayout>(panels + k * kPanel, panel_stride, columns, chunk, packed, chunk * kTileRows,
                                rows, y, y_stride, accumulate || k > 0);
  }
}

/// y[rows x columns] = (or +=) x[rows x depth] * B, B in panels of kPanel columns `panel_stride` floats
/// apart, each [depth x kPanel] and padded with zeros beyond `columns`.
inline void gemm(const float* panels, std::size_t panel_stride, std::size_t columns, std::size_t depth,
                 const float* x, std::size_t x_stride, std::size_t rows, float* y, std::size_t y_stride,
                 bool accumulate) {
  HWY_ALIGN float packed[kRowBlock * kDepth];
  // Nearly equal blocks: rows are packed anew for each.
  const std::size_t blocks = (columns + kColumnBlock - 1) / kColumnBlock;
  const std::size_t block =
      blocks == 0 ? 1 : ((columns + blocks - 1) / blocks + kPanel - 1) / kPanel * kPanel;
  for (std::size_t first = 0; first < rows; first += kRowBlock) {
    const std::size_t tile_rows = rows - first < kRowBlock ? rows - first : kRowBlock;
    for (std::size_t column = 0; column < columns; column += block)
      gemm_block(panels + column / kPanel * panel_stride, panel_stride,
                 columns - column < block ? columns - column : block, depth, x + first * x_stride, x_stride,
                 tile_rows, y + first * y_stride + column, y_stride, accumulate, packed);
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
