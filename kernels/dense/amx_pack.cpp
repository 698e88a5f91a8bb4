// Weights and inputs in bf16 parts, laid out as the products of the tile unit read them.
#include <algorithm>

#include "kernels/dense/amx.h"
#include "kernels/dense/amx_tile.h"

#if defined(__x86_64__) && defined(__linux__)

namespace bitlens::kernels::amx {

namespace {

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

/// 32 integers of magnitude at most 256, which are bf16 numbers.
BITLENS_AMX inline __m512i as_bf16(const std::int16_t* codes) {
  const __m512i all = _mm512_loadu_si512(codes);
  const __m512 low = _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm512_castsi512_si256(all)));
  const __m512 high = _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(_mm512_extracti64x4_epi64(all, 1)));
  return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
}

BITLENS_AMX void pack_integers(const std::int16_t* codes, std::size_t stride, std::size_t inputs,
                               std::uint16_t* panel) {
  alignas(64) std::uint16_t plain[kTile];
  for (std::size_t k = 0; k < inputs; k += kStep)
    for (std::size_t tile = 0; tile < 2; ++tile, panel += kTile) {
      for (std::size_t i = 0; i < 16; ++i)
        _mm512_store_si512(plain + i * kStep, as_bf16(codes + (tile * 16 + i) * stride + k));
      turn(plain, panel);
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

}  // namespace

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

// A call of its own: with the attribute this would be another function than the one declared.
void pack_codes(const std::int16_t* codes, std::size_t stride, std::size_t inputs, std::uint16_t* panel) {
  pack_integers(codes, stride, inputs, panel);
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

}  // namespace bitlens::kernels::amx

#else  // another processor or operating system

namespace bitlens::kernels::amx {

std::size_t panel_size(std::size_t, std::size_t) {
  return 0;
}
void pack_panel(const float*, std::size_t, std::size_t, std::size_t, std::size_t, std::uint16_t*) {}
void pack_codes(const std::int16_t*, std::size_t, std::size_t, std::uint16_t*) {}
void pack_columns(const float*, std::size_t, std::size_t, std::size_t, std::size_t, std::uint16_t*) {}
std::size_t tile_row_size(std::size_t, std::size_t) {
  return 0;
}
void split_rows(const float*, std::size_t, std::size_t, std::size_t, std::size_t, std::uint16_t*,
                std::size_t) {}

}  // namespace bitlens::kernels::amx

#endif
