// The codebooks of the IQ1, IQ2 and IQ3 formats: facts of the formats, one entry per vector of 8 (IQ1, IQ2)
// or 4 (IQ3) magnitudes. Entry bits, from the low end, are one level number per magnitude: two bits each for
// 8, three bits each for 4. What a level number stands for is said in the level arrays.
#pragma once

#include <array>
#include <cstdint>

namespace bitlens::kernels {

inline constexpr std::array<float, 4> kLevels2 = {8, 25, 43, 0};  ///< number 3 does not occur
inline constexpr std::array<float, 8> kLevels3Xxs = {4, 12, 20, 28, 36, 44, 52, 62};
inline constexpr std::array<float, 8> kLevels3S = {1, 3, 5, 7, 9, 11, 13, 15};
inline constexpr std::array<float, 4> kLevels1 = {-1, 0, 1, 0};  ///< number 3 does not occur

extern const std::array<std::uint16_t, 256> kPoints2Xxs;  ///< IQ2_XXS
extern const std::array<std::uint16_t, 512> kPoints2Xs;   ///< IQ2_XS
extern const std::array<std::uint16_t, 1024> kPoints2S;   ///< IQ2_S
extern const std::array<std::uint16_t, 256> kPoints3Xxs;  ///< IQ3_XXS
extern const std::array<std::uint16_t, 512> kPoints3S;    ///< IQ3_S
extern const std::array<std::uint16_t, 2048> kPoints1;    ///< IQ1_S and IQ1_M

}  // namespace bitlens::kernels
