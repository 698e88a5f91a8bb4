#include "kernels/dense/amx.h"

#if defined(__x86_64__) && defined(__linux__)

#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12's own intrinsics start from undefined registers and are told off for it.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

// What the functions below are compiled for; the rest of the program is not. available() checks all of it.
#define BITLENS_AMX __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512bf16")))

namespace bitlens::kernels::amx {

namespace {

constexpr std::size_t kStep = 32;          // inputs per tile, in pairs
constexpr std::size_t kTile = 16 * kStep;  // numbers in a tile: 16 rows of 64 bytes
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

/// 32 numbers in bf16 parts, parts kTile apart.
template <std::size_t kParts>
BITLENS_AMX inline void split(__m512 low, __m512 high, std::uint16_t* target) {
  const auto nearest = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
  _mm512_storeu_si512(target, nearest);
  if constexpr (kParts == 2) {
    const __m512i first = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(nearest));
    const __m512i second = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(nearest, 1));
    low = _mm512_sub_ps(low, _mm512_castsi512_ps(_mm512_slli_epi32(first, 16)));
    high = _mm512_sub_ps(high, _mm512_castsi512_ps(_mm512_slli_epi32(second, 16)));
    _mm512_storeu_si512(target + kTile, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)));
  }
}

/// The first `count` < 32 numbers of 32, the rest zeros.
template <std::size_t kParts>
BITLENS_AMX inline void split_some(const float* from, std::size_t count, std::uint16_t* target) {
  const std::uint32_t mask = (std::uint32_t{1} << count) - 1;
  const __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask & 0xFFFFU), from);
  const __m512 high = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), from + 16);
  split<kParts>(low, high, target);
}

/// `inputs` numbers of each of `rows` rows as tiles [row / 16][input / 32][part], 16 rows x 32 inputs each;
/// rows past the end, up to whole tiles (`whole` rows each), are zeros.
template <std::size_t kParts>
BITLENS_AMX void split_rows(const float* x, std::size_t x_stride, std::size_t rows, std::size_t inputs,
                            std::uint16_t* tiles, std::size_t stride, std::size_t whole = 16) {
  for (std::size_t r = 0; r < (rows + whole - 1) / whole * whole; ++r) {
    std::uint16_t* target = tiles + r / 16 * stride + r % 16 * kStep;
    const float* from = x + r * x_stride;
    for (std::size_t k = 0; k < inputs; k += kStep, target += kParts * kTile) {
      if (r >= rows)
        split<kParts>(_mm512_setzero_ps(), _mm512_setzero_ps(), target);
      else if (inputs - k < kStep)
        split_some<kParts>(from + k, inputs - k, target);
      else
        split<kParts>(_mm512_loadu_ps(from + k), _mm512_loadu_ps(from + k + 16), target);
    }
  }
}

/// A tile of 16 rows of 16 pairs, turned: pair p of row r goes to row p, place r.
BITLENS_AMX inline void turn(const std::uint16_t* from, std::uint16_t* target) {
  __m512i a[16], b[16];
#pragma GCC unroll 16
  for (std::size_t i = 0; i < 16; ++i) a[i] = _mm512_loadu_si512(from + i * kStep);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
  }
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 16; i += 4) {
    a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
    a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
    a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
    a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
  }
  // Quarter q of a[4 g + c] now holds pair 4 q + c of rows 4 g .. 4 g + 3.
#pragma GCC unroll 4
  for (std::size_t c = 0; c < 4; ++c) {
    const __m512i even_low = _mm512_shuffle_i32x4(a[c], a[4 + c], 0x88);
    const __m512i odd_low = _mm512_shuffle_i32x4(a[c], a[4 + c], 0xDD);
    const __m512i even_high = _mm512_shuffle_i32x4(a[8 + c], a[12 + c], 0x88);
    const __m512i odd_high = _mm512_shuffle_i32x4(a[8 + c], a[12 + c], 0xDD);
    _mm512_storeu_si512(target + c * kStep, _mm512_shuffle_i32x4(even_low, even_high, 0x88));
    _mm512_storeu_si512(target + (4 + c) * kStep, _mm512_shuffle_i32x4(odd_low, odd_high, 0x88));
    _mm512_storeu_si512(target + (8 + c) * kStep, _mm512_shuffle_i32x4(even_low, even_high, 0xDD));
    _mm512_storeu_si512(target + (12 + c) * kStep, _mm512_shuffle_i32x4(odd_low, odd_high, 0xDD));
  }
}

template <std::size_t kParts>
BITLENS_AMX void pack(const float* rows, std::size_t stride, std::size_t count, std::size_t inputs,
                      std::uint16_t* panel) {
  alignas(64) std::uint16_t plain[2 * kParts * kTile];
  for (std::size_t k = 0; k < inputs; k += kStep) {
    split_rows<kParts>(rows + k, stride, count, std::min(kStep, inputs - k), plain, kParts * kTile, kWidth);
    // By part, then by tile of outputs, as the products read them.
    for (std::size_t part = 0; part < kParts; ++part)
      for (std::size_t tile = 0; tile < 2; ++tile, panel += kTile)
        turn(plain + (tile * kParts + part) * kTile, panel);
  }
}

/// One step of pack_columns(): tiles of pairs of rows, `count` of them there, 16 columns `at` on.
template <std::size_t kParts>
BITLENS_AMX inline void pair_rows(const float* rows, std::size_t stride, std::size_t count, __mmask16 columns,
                                  std::uint16_t* tile) {
  alignas(64) static constexpr auto order = [] {
    struct {
      std::uint16_t places[32];
    } interleaved{};
    for (std::uint16_t i = 0; i < 32; ++i)
      interleaved.places[i] = static_cast<std::uint16_t>(i / 2 + i % 2 * 16);
    return interleaved;
  }();
  const __m512i places = _mm512_load_si512(order.places);
  alignas(64) std::uint16_t plain[kParts * kTile];
  for (std::size_t i = 0; i < kStep; i += 2) {
    const __mmask16 first = i < count ? columns : 0, second = i + 1 < count ? columns : 0;
    split<kParts>(_mm512_maskz_loadu_ps(first, rows + i * stride),
                  _mm512_maskz_loadu_ps(second, rows + (i + 1) * stride), plain);
    for (std::size_t part = 0; part < kParts; ++part)
      _mm512_storeu_si512(tile + part * 2 * kTile + i / 2 * kStep,
                          _mm512_permutexvar_epi16(places, _mm512_loadu_si512(plain + part * kTile)));
  }
}

template <std::size_t kParts>
BITLENS_AMX void pack_turned(const float* rows, std::size_t stride, std::size_t inputs, std::size_t outputs,
                             std::uint16_t* panel) {
  for (std::size_t column = 0; column < outputs; column += kWidth)
    for (std::size_t k = 0; k < inputs; k += kStep, panel += kParts * 2 * kTile)
      for (std::size_t tile = 0; tile < 2; ++tile) {
        const std::size_t at = column + tile * 16,
                          width = at < outputs ? std::min<std::size_t>(16, outputs - at) : 0;
        pair_rows<kParts>(rows + k * stride + at, stride, inputs - k,
                          static_cast<__mmask16>((std::uint32_t{1} << width) - 1), panel + tile * kTile);
      }
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
      split_rows<kX>(x + r * x_stride + k, x_stride, some, inputs, tiles, stride);
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

std::size_t panel_size(std::size_t inputs, std::size_t parts) {
  return (inputs + kStep - 1) / kStep * kStep * kWidth * parts;
}

void pack_panel(const float* rows, std::size_t stride, std::size_t count, std::size_t inputs,
                std::size_t parts, std::uint16_t* panel) {
  if (parts == 2)
    pack<2>(rows, stride, count, inputs, panel);
  else
    pack<1>(rows, stride, count, inputs, panel);
}

void pack_columns(const float* rows, std::size_t stride, std::size_t inputs, std::size_t outputs,
                  std::size_t parts, std::uint16_t* panels) {
  if (parts == 2)
    pack_turned<2>(rows, stride, inputs, outputs, panels);
  else
    pack_turned<1>(rows, stride, inputs, outputs, panels);
}

std::size_t tile_row_size(std::size_t inputs, std::size_t parts) {
  return (inputs + kStep - 1) / kStep * kTile * parts;
}

void split_rows(const float* x, std::size_t x_stride, std::size_t rows, std::size_t inputs, std::size_t parts,
                std::uint16_t* tiles, std::size_t stride) {
  if (parts == 2)
    split_rows<2>(x, x_stride, rows, inputs, tiles, stride);
  else
    split_rows<1>(x, x_stride, rows, inputs, tiles, stride);
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
std::size_t panel_size(std::size_t, std::size_t) {
  return 0;
}
void pack_panel(const float*, std::size_t, std::size_t, std::size_t, std::size_t, std::uint16_t*) {}
void pack_columns(const float*, std::size_t, std::size_t, std::size_t, std::size_t, std::uint16_t*) {}
std::size_t tile_row_size(std::size_t, std::size_t) {
  return 0;
}
void split_rows(const float*, std::size_t, std::size_t, std::size_t, std::size_t, std::uint16_t*,
                std::size_t) {}
void multiply_tiles(const Panels&, std::size_t, std::size_t, std::size_t, const std::uint16_t*, std::size_t,
                    std::size_t, float*, std::size_t, bool) {}
void multiply(const Panels&, std::size_t, const float*, std::size_t, std::size_t, std::size_t, float*,
              std::size_t, bool) {}

}  // namespace bitlens::kernels::amx

#endif
