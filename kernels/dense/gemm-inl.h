// The register tile every dense kernel here is made of, compiled once per instruction set. Included by the
// .cpp files inside Highway's foreach_target; see product.h for what it promises.
#include <cstddef>
#include <cstring>

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
static_assert(kRowTile % kTileRows == 0);

/// c[kTileRows x kPanel] = (or +=) a * b over `depth` inputs. a: [depth x kTileRows], b: [depth x kPanel],
/// packed.
template <bool kAccumulate>
HWY_INLINE void register_tile(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, std::size_t depth,
                              float* HWY_RESTRICT c, std::size_t c_stride) {
  const GemmTag d;
  GemmVector left[kTileRows], right[kTileRows];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < kTileRows; ++i) left[i] = right[i] = hn::Zero(d);
  for (std::size_t k = 0; k < depth; ++k) {
    const GemmVector b0 = hn::Load(d, b), b1 = hn::Load(d, b + kLanes);
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kTileRows; ++i) {
      const GemmVector x = hn::Set(d, a[i]);
      left[i] = hn::MulAdd(x, b0, left[i]);
      right[i] = hn::MulAdd(x, b1, right[i]);
    }
    a += kTileRows;
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

/// Rows of x, kTileRows at a time, as [depth x kTileRows]; rows past the end are zeros.
inline void pack_rows(const float* x, std::size_t x_stride, std::size_t rows, std::size_t depth,
                      float* HWY_RESTRICT packed) {
  for (std::size_t r = 0; r < rows; r += kTileRows) {
    const std::size_t count = rows - r < kTileRows ? rows - r : kTileRows;
    for (std::size_t i = 0; i < kTileRows; ++i) {
      const float* row = x + (r + i) * x_stride;
      float* target = packed + i;
      if (i < count) {
        for (std::size_t k = 0; k < depth; ++k) target[k * kTileRows] = row[k];
      } else {
        for (std::size_t k = 0; k < depth; ++k) target[k * kTileRows] = 0.0F;
      }
    }
    packed += kTileRows * depth;
  }
}

/// y[rows x columns] = (or +=) x[rows x depth] * B, B in panels of kPanel columns `panel_stride` floats
/// apart, each [depth x kPanel] and padded with zeros beyond `columns`.
inline void gemm(const float* panels, std::size_t panel_stride, std::size_t columns, std::size_t depth,
                 const float* x, std::size_t x_stride, std::size_t rows, float* y, std::size_t y_stride,
                 bool accumulate) {
  HWY_ALIGN float packed[kRowTile * kDepth];
  HWY_ALIGN float edge[kTileRows * kPanel];
  for (std::size_t first = 0; first < rows; first += kRowTile) {
    const std::size_t tile_rows = rows - first < kRowTile ? rows - first : kRowTile;
    for (std::size_t k = 0; k < depth; k += kDepth) {
      const std::size_t chunk = depth - k < kDepth ? depth - k : kDepth;
      pack_rows(x + first * x_stride + k, x_stride, tile_rows, chunk, packed);
      const bool add = accumulate || k > 0;
      for (std::size_t column = 0; column < columns; column += kPanel) {
        const float* b = panels + column / kPanel * panel_stride + k * kPanel;
        const std::size_t width = columns - column < kPanel ? columns - column : kPanel;
        for (std::size_t r = 0; r < tile_rows; r += kTileRows) {
          const float* a = packed + r * chunk;
          const std::size_t height = tile_rows - r < kTileRows ? tile_rows - r : kTileRows;
          float* c = y + (first + r) * y_stride + column;
          if (height == kTileRows && width == kPanel) {
            if (add)
              register_tile<true>(a, b, chunk, c, y_stride);
            else
              register_tile<false>(a, b, chunk, c, y_stride);
            continue;
          }
          register_tile<false>(a, b, chunk, edge, kPanel);
          for (std::size_t i = 0; i < height; ++i)
            for (std::size_t j = 0; j < width; ++j) {
              float& target = c[i * y_stride + j];
              target = add ? target + edge[i * kPanel + j] : edge[i * kPanel + j];
            }
        }
      }
    }
  }
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
