// The 16 levels of IQ4_NL and IQ4_XS, and for each half-integer interval of -128..128 the code whose level is
// nearest. Midpoints between levels are multiples of one half, so each interval has one answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bitlens::kernels {

inline constexpr std::array<std::int8_t, 16> kIq4Levels = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                           1,    13,   25,  38,  53,  69,  89,  113};

struct Iq4Nearest {
  std::array<float, 512> level;  ///< interval i is [(i - 256) / 2, (i - 255) / 2)
  std::array<float, 512> code;
};

constexpr Iq4Nearest make_iq4_nearest() {
  Iq4Nearest table{};
  std::size_t code = 0;
  for (int i = 0; i < 512; ++i) {
    // The interval's centre in quarters, so that the comparison is exact.
    const int center = 2 * (i - 256) + 1;
    while (code + 1 < kIq4Levels.size() && 2 * (kIq4Levels[code] + kIq4Levels[code + 1]) < center) {
      ++code;
    }
    table.level[static_cast<std::size_t>(i)] = static_cast<float>(kIq4Levels[code]);
    table.code[static_cast<std::size_t>(i)] = static_cast<float>(code);
  }
  return table;
}

inline constexpr Iq4Nearest kIq4Nearest = make_iq4_nearest();

}  // namespace bitlens::kernels
