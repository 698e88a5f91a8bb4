#include "kernels/dense/amx.h"

#include "kernels/dense/amx_tile.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

namespace bitlens::kernels::amx {

namespace {

/// Numbers of a row that are multiplied before the next piece's turn, all parts together: the rows' share of
/// the second cache.
constexpr std::size_t kPiece = 1152;

/// All eight tiles 16 rows of 64 bytes. Constant data in memory: GCC 12 drops stores to a configuration
/// it believes unread.
struct TileConfiguration {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfiguration) == 64);
alignas(64) const TileConfiguration kConfiguration;

bool processor_has_all() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0) return false;
  unsigned low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr unsigned vectors = 0xE6, tiles = 3U << 17;  // registers the operating system saves
  if ((low & (vectors | tiles)) != (vectors | tiles)) return false;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  constexpr unsigned amx_bf16_and_tile = (1U << 22) | (1U << 24);
  constexpr unsigned avx512_f_bw_vl = (1U << 16) | (1U << 30) | (1U << 31);
  if ((d & amx_bf16_and_tile) != amx_bf16_and_tile || (b & avx512_f_bw_vl) != avx512_f_bw_vl) return false;
  constexpr unsigned avx512_bf16 = 1U << 5;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & avx512_bf16) != 0;
}

bool permitted() {
  constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

/// The compiler does not know that tile instructions read memory.
inline void finish_stores() {
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

/// Memory wanted soon, fetched some lines per step.
struct Ahead {
  const std::uint16_t* at;
  std::size_t lines;
};

/// c[16 x 32] = (or +=) products of a row tile and two column tiles over `steps` steps. Few tiles are in use
/// at a time: while the processor's other hardware thread is busy, the unit has few more registers than those
/// it must keep, and a tile that is loaded waits for one. With 5 in use a product took 14 ns there, with 8
/// (two by two outputs) 22 ns; alone, both run at the unit's rate.
template <std::size_t kX, std::size_t kW>
BITLENS_AMX inline void multiply_tiles(const std::uint16_t* x, const std::uint16_t* w, std::size_t steps,
                                       float* c, std::size_t c_stride, bool add, Ahead ahead) {
  const std::size_t stride = c_stride * sizeof(float);
  if (add) {
    _tile_loadd(0, c, stride);
    _tile_loadd(1, c + 16, stride);
  } else {
    _tile_zero(0);
    _tile_zero(1);
  }
  for (std::size_t step = 0; step < steps; ++step) {
    for (std::size_t line = 0; line < ahead.lines; ++line, ahead.at += 32)
      _mm_prefetch(reinterpret_cast<const char*>(ahead.at), _MM_HINT_T1);
    _tile_loadd(2, x, 64);
    if constexpr (kX == 2) _tile_loadd(3, x + kTile, 64);
    _tile_loadd(4, w, 64);
    if constexpr (kX == 2) _tile_dpbf16ps(0, 3, 4);
    _tile_dpbf16ps(0, 2, 4);
    if constexpr (kW == 2) {
      _tile_loadd(4, w + 2 * kTile, 64);
      _tile_dpbf16ps(0, 2, 4);
    }
    _tile_loadd(4, w + kTile, 64);
    if constexpr (kX == 2) _tile_dpbf16ps(1, 3, 4);
    _tile_dpbf16ps(1, 2, 4);
    if constexpr (kW == 2) {
      _tile_loadd(4, w + 3 * kTile, 64);
      _tile_dpbf16ps(1, 2, 4);
    }
    x += kX * kTile;
    w += kW * 2 * kTile;
  }
  _tile_stored(0, c, stride);
  _tile_stored(1, c + 16, stride);
}

/// Tile kAt := one step's products of rows in two parts with integers.
template <int kAt>
BITLENS_AMX inline void multiply_step(const std::uint16_t* x, const std::uint16_t* w) {
  _tile_loadd(2, x, 64);
  _tile_loadd(3, x + kTile, 64);
  _tile_loadd(4, w, 64);
  if constexpr (kAt == 0) {
    _tile_zero(0);
    _tile_dpbf16ps(0, 3, 4);
    _tile_dpbf16ps(0, 2, 4);
  } else {
    _tile_zero(1);
    _tile_dpbf16ps(1, 3, 4);
    _tile_dpbf16ps(1, 2, 4);
  }
}

/// y += sums times a scale per column.
BITLENS_AMX inline __attribute__((always_inline)) void add_scaled(__m512 (&y)[16], const float* sums,
                                                                  const float* scales) {
  const __m512 scale = _mm512_loadu_ps(scales);
#pragma GCC unroll 16
  for (std::size_t i = 0; i < 16; ++i) y[i] = _mm512_fmadd_ps(_mm512_load_ps(sums + i * 16), scale, y[i]);
}

/// c[16 x 16] = (or +=) a row tile in two parts by a column tile of integers, each step's sums times
/// `scales`, kWidth apart. Sums leave the unit one step late and are added another step later, so that
/// nothing waits.
BITLENS_AMX inline void multiply_scaled(const std::uint16_t* x, const std::uint16_t* w, const float* scales,
                                        std::size_t steps, float* c, std::size_t c_stride, bool add,
                                        Ahead ahead) {
  alignas(64) float even[256], odd[256];
  __m512 y[16];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < 16; ++i) y[i] = add ? _mm512_loadu_ps(c + i * c_stride) : _mm512_setzero_ps();
  for (std::size_t step = 0; step < steps; step += 2, x += 4 * kTile, w += 4 * kTile) {
    for (std::size_t line = 0; line < 2 * ahead.lines; ++line, ahead.at += 32)
      _mm_prefetch(reinterpret_cast<const char*>(ahead.at), _MM_HINT_T1);
    multiply_step<0>(x, w);
    if (step > 0) {
      add_scaled(y, even, scales + (step - 2) * kWidth);
      _tile_stored(1, odd, 64);
    }
    if (step + 1 == steps) break;
    multiply_step<1>(x + 2 * kTile, w + 2 * kTile);
    if (step > 0) add_scaled(y, odd, scales + (step - 1) * kWidth);
    _tile_stored(0, even, 64);
  }
  const float* last = scales + (steps - 1) * kWidth;
  if (steps % 2 == 0) {
    add_scaled(y, even, last - kWidth);
    _tile_stored(1, odd, 64);
    add_scaled(y, odd, last);
  } else {
    if (steps > 1) add_scaled(y, odd, last - kWidth);
    _tile_stored(0, even, 64);
    add_scaled(y, even, last);
  }
#pragma GCC unroll 16
  for (std::size_t i = 0; i < 16; ++i) _mm512_storeu_ps(c + i * c_stride, y[i]);
}

/// A row tile by a panel in any way.
template <std::size_t kX, std::size_t kW, bool kScaled>
BITLENS_AMX inline void multiply_panel(const std::uint16_t* x, const std::uint16_t* w, const float* scales,
                                       std::size_t steps, float* c, std::size_t c_stride, bool add,
                                       Ahead ahead) {
  if constexpr (kScaled) {
    multiply_scaled(x, w, scales, steps, c, c_stride, add, ahead);
    ahead.lines = 0;
    multiply_scaled(x, w + kTile, scales + 16, steps, c + 16, c_stride, add, ahead);
  } else {
    multiply_tiles<kX, kW>(x, w, steps, c, c_stride, add, ahead);
  }
}

/// Rows as tiles: row tiles are `stride` numbers apart.
struct RowTiles {
  const std::uint16_t* data;
  std::size_t stride, rows;
};

/// `inputs` inputs of the rows (at most kRows of them) from panel input `k` on. `x` begins at that input.
template <std::size_t kX, std::size_t kW, bool kScaled>
BITLENS_AMX void multiply_piece(const Panels& panels, std::size_t columns, std::size_t k, std::size_t inputs,
                                const RowTiles& x, float* y, std::size_t y_stride, bool add) {
  // Weights of a panel that stay in the first cache while all rows pass: 24 KiB, less where the rows' tiles
  // are read twice.
  constexpr std::size_t most_steps = kScaled ? 8 : 12 / kW;
  alignas(64) float edge[16 * 32];
  const std::size_t steps = (inputs + kStep - 1) / kStep, all_steps = (panels.inputs + kStep - 1) / kStep;
  const std::size_t panel_numbers = panel_size(panels.inputs, kW);
  const std::size_t parts = (steps + most_steps - 1) / most_steps, deep = (steps + parts - 1) / parts;
  const std::size_t row_tiles = (x.rows + 15) / 16;
  const std::uint16_t* panel = panels.data + k * kW * kWidth;
  for (std::size_t column = 0; column < columns; column += kWidth, panel += panel_numbers) {
    const std::size_t width = std::min(kWidth, columns - column);
    for (std::size_t step = 0; step < steps; step += deep) {
      const std::size_t some = std::min(deep, steps - step);
      const std::uint16_t* w = panel + step * kW * 2 * kTile;
      const float* scales =
          kScaled ? panels.scales + (column / kWidth * all_steps + k / kStep + step) * kWidth : nullptr;
      // What comes next arrives while the rows pass this.
      const bool last = step + some == steps;
      const std::uint16_t* next = last ? panel + panel_numbers : w + some * kW * 2 * kTile;
      const std::size_t lines =
          last && column + kWidth >= columns ? 0 : (kW * 2 * kTile / 32 + row_tiles - 1) / row_tiles;
      for (std::size_t r = 0; r < x.rows; r += 16) {
        const std::uint16_t* rows = x.data + r / 16 * x.stride + step * kX * kTile;
        const Ahead ahead{next + r / 16 * lines * some * 32, lines};
        const bool sum = add || step > 0;
        const std::size_t height = std::min<std::size_t>(16, x.rows - r);
        float* c = y + r * y_stride + column;
        if (height == 16 && width == kWidth) {
          multiply_panel<kX, kW, kScaled>(rows, w, scales, some, c, y_stride, sum, ahead);
          continue;
        }
        if (sum)
          for (std::size_t i = 0; i < height; ++i) std::copy_n(c + i * y_stride, width, edge + i * 32);
        finish_stores();
        multiply_panel<kX, kW, kScaled>(rows, w, scales, some, edge, 32, sum, ahead);
        finish_stores();
        for (std::size_t i = 0; i < height; ++i) std::copy_n(edge + i * 32, width, c + i * y_stride);
      }
    }
  }
}

template <std::size_t kX, std::size_t kW, bool kScaled = false>
BITLENS_AMX void multiply_split(const Panels& panels, std::size_t columns, std::size_t first,
                                std::size_t inputs, const std::uint16_t* tiles, std::size_t rows, float* y,
                                std::size_t y_stride, bool accumulate) {
  constexpr std::size_t deepest = kPiece / kX / kStep * kStep;  // inputs
  const std::size_t stride = tile_row_size(inputs, kX);
  _tile_loadconfig(&kConfiguration);
  finish_stores();
  for (std::size_t r = 0; r < rows; r += kRows)
    for (std::size_t k = 0; k < inputs; k += deepest)
      multiply_piece<kX, kW, kScaled>(
          panels, columns, first + k, std::min(deepest, inputs - k),
          {tiles + r / 16 * stride + k / kStep * kX * kTile, stride, std::min(kRows, rows - r)},
          y + r * y_stride, y_stride, accumulate || k > 0);
  _tile_release();
}

template <std::size_t kX, std::size_t kW, bool kScaled = false>
BITLENS_AMX void multiply_floats(const Panels& panels, std::size_t columns, const float* x, std::size_t rows,
                                 std::size_t x_stride, float* y, std::size_t y_stride, bool accumulate) {
  constexpr std::size_t deepest = kPiece / kX / kStep * kStep;  // inputs
  alignas(64) std::uint16_t tiles[kRows * deepest * kX];
  _tile_loadconfig(&kConfiguration);
  for (std::size_t r = 0; r < rows; r += kRows)
    for (std::size_t k = 0; k < panels.inputs; k += deepest) {
      const std::size_t inputs = std::min(deepest, panels.inputs - k), some = std::min(kRows, rows - r);
      const std::size_t stride = tile_row_size(inputs, kX);
      split_rows(x + r * x_stride + k, x_stride, some, inputs, kX, tiles, stride);
      finish_stores();
      multiply_piece<kX, kW, kScaled>(panels, columns, k, inputs, {tiles, stride, some}, y + r * y_stride,
                                      y_stride, accumulate || k > 0);
    }
  _tile_release();
}

}  // namespace

bool available() {
  static const bool both = processor_has_all() && permitted();
  return both;
}

void multiply_tiles(const Panels& panels, std::size_t columns, std::size_t first, std::size_t inputs,
                    const std::uint16_t* tiles, std::size_t rows, std::size_t x_parts, float* y,
                    std::size_t y_stride, bool accumulate) {
  const auto run = panels.scales != nullptr ? multiply_split<2, 1, true>
                   : panels.parts == 2      ? multiply_split<2, 2>
                   : x_parts == 2           ? multiply_split<2, 1>
                                            : multiply_split<1, 1>;
  run(panels, columns, first, inputs, tiles, rows, y, y_stride, accumulate);
}

void multiply(const Panels& panels, std::size_t columns, const float* x, std::size_t rows,
              std::size_t x_stride, std::size_t x_parts, float* y, std::size_t y_stride, bool accumulate) {
  const auto run = panels.scales != nullptr ? multiply_floats<2, 1, true>
                   : panels.parts == 2      ? multiply_floats<2, 2>
                   : x_parts == 2           ? multiply_floats<2, 1>
                                            : multiply_floats<1, 1>;
  run(panels, columns, x, rows, x_stride, y, y_stride, accumulate);
}

}  // namespace bitlens::kernels::amx

#else  // another processor or operating system

namespace bitlens::kernels::amx {

bool available() {
  return false;
}
void multiply_tiles(const Panels&, std::size_t, std::size_t, std::size_t, const std::uint16_t*, std::size_t,
                    std::size_t, float*, std::size_t, bool) {}
void multiply(const Panels&, std::size_t, const float*, std::size_t, std::size_t, std::size_t, float*,
              std::size_t, bool) {}

}  // namespace bitlens::kernels::amx

#endif
