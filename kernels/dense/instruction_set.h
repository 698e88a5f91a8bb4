// Which of the processor's instructions kernels use: the best there are (AMX tiles, AVX-512, AVX2, SSE4,
// plain code), or fewer on demand, to compare paths or to reproduce another machine's bits.
#pragma once

#include <string>
#include <string_view>

namespace bitlens::kernels {

/// The best in use: "AVX-512 + AMX", "AVX-512 + VNNI", "AVX-512", "AVX2 + VNNI", "AVX2", "SSE4", "plain".
[[nodiscard]] std::string instruction_set();

/// Nothing better than `name` from now on: "amx", "avx512", "avx2", "sse4", "plain". False: no such name.
/// Before any other kernel is called; for the whole process.
[[nodiscard]] bool limit_instruction_set(std::string_view name);

/// Do products run on AMX tiles? Only beside AVX-512.
[[nodiscard]] bool uses_tiles();
/// Is the sum of two products of 16-bit integers one instruction (AVX512-VNNI, AVX-VNNI)?
[[nodiscard]] bool uses_dot_products();
/// For tests.
void allow_tiles(bool allowed);
void allow_dot_products(bool allowed);

}  // namespace bitlens::kernels
