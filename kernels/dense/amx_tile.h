// What the files about the tile unit share: how a tile is filled, and what their functions are compiled for.
#pragma once

#include <cstddef>

#if defined(__x86_64__) && defined(__linux__)

#include <immintrin.h>

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12's own intrinsics start from undefined registers and are told off for it.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif

// What the functions about it are compiled for; the rest of the program is not. available() checks all of it.
#define BITLENS_AMX __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512bf16")))

namespace bitlens::kernels::amx {

inline constexpr std::size_t kStep = 32;          // inputs per tile, in pairs
inline constexpr std::size_t kTile = 16 * kStep;  // numbers in a tile: 16 rows of 64 bytes

}  // namespace bitlens::kernels::amx

#endif
