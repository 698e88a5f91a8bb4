// Counts what operator new hands out in this executable, to bound what a hostile file can make it allocate.
#pragma once

#include <cstddef>

namespace bitlens::test {

/// Starts anew: the peak is counted from the memory allocated now.
void reset_peak();
/// Largest number of bytes allocated at a time since reset_peak(), above what was allocated then.
[[nodiscard]] std::size_t peak_bytes();

}  // namespace bitlens::test
