// Dot products of one vector with several, which is read once for all of them.
#pragma once

#include <cstddef>

namespace bitlens::kernels {

/// sums[i] += sum over j of vector[j] * others[i][j], j < length. In f32 inside pieces of a few thousand, 16
/// partial sums whatever the vector width, in double across pieces: the same bits on every CPU with fused
/// multiply-add.
void add_dots(const float* vector, const float* const* others, std::size_t count, std::size_t length,
              double* sums);

}  // namespace bitlens::kernels
