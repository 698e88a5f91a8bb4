// Decoders of the codebook formats IQ1_S IQ1_M IQ2_XXS IQ2_XS IQ2_S IQ3_XXS IQ3_S: vectors of magnitudes
// looked up in a table, with signs and small scales.
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "kernels/formats/blocks.h"
#include "kernels/formats/codebook_tables.h"
#include "kernels/formats/families.h"
#include "kernels/formats/half.h"

namespace bitlens::kernels {
namespace {

std::uint32_t load_u32(const void* source) {
  std::uint32_t value = 0;
  std::memcpy(&value, source, sizeof value);
  return value;
}

/// Seven stored signs; the eighth makes their number even.
unsigned complete_signs(unsigned signs) {
  return signs | ((static_cast<unsigned>(std::popcount(signs)) & 1U) << 7);
}

/// kSize magnitudes of an entry times scale, negated where the sign bit is set.
template <int kSize, std::size_t kLevels>
void write_entry(unsigned entry, const std::array<float, kLevels>& levels, unsigned signs, float scale,
                 float* target) {
  constexpr unsigned kBits = kSize == 8 ? 2 : 3;
  constexpr unsigned kMask = (1U << kBits) - 1U;
  for (unsigned j = 0; j < kSize; ++j) {
    const float magnitude = scale * levels[(entry >> (kBits * j)) & kMask];
    target[j] = ((signs >> j) & 1U) != 0 ? -magnitude : magnitude;
  }
}

template <class Block, class DecodeBlock>
void decode_blocks(const std::byte* source, float* target, std::size_t count, DecodeBlock decode_block) {
  const auto* block = reinterpret_cast<const Block*>(source);
  for (const float* end = target + count; target != end; target += 256, ++block) {
    decode_block(*block, target);
  }
}

/// Scales of the two-bit formats: (0.5 + nibble) / 4.
float two_bit_scale(float d, unsigned nibble) {
  return d * (0.5F + static_cast<float>(nibble)) * 0.25F;
}

/// Vectors of the one-bit formats are shifted by an eighth, up or down.
void write_shifted(unsigned entry, bool down, float scale, float* target) {
  const float shift = down ? -0.125F : 0.125F;
  for (unsigned j = 0; j < 8; ++j) {
    target[j] = scale * (kLevels1[(entry >> (2 * j)) & 3U] + shift);
  }
}

}  // namespace

void decode_iq2_xxs(const std::byte* source, float* target, std::size_t count) {
  decode_blocks<BlockIQ2_XXS>(source, target, count, [](const BlockIQ2_XXS& block, float* out) {
    const float d = load_half(block.d);
    for (int i = 0; i < 8; ++i) {
      const std::uint8_t* entries = block.qs + 8 * i;
      const std::uint32_t word = load_u32(entries + 4);
      const float scale = two_bit_scale(d, word >> 28);
      for (int l = 0; l < 4; ++l) {
        write_entry<8>(kPoints2Xxs[entries[l]], kLevels2, complete_signs((word >> (7 * l)) & 127U), scale,
                       out + 32 * i + 8 * l);
      }
    }
  });
}

void decode_iq2_xs(const std::byte* source, float* target, std::size_t count) {
  decode_blocks<BlockIQ2_XS>(source, target, count, [](const BlockIQ2_XS& block, float* out) {
    const float d = load_half(block.d);
    for (int i = 0; i < 32; ++i) {
      const unsigned word = load_u16(block.qs + 2 * i);
      const unsigned nibble = (block.scales[i / 4] >> (4 * ((i / 2) % 2))) & 15U;
      write_entry<8>(kPoints2Xs[word & 511U], kLevels2, complete_signs(word >> 9), two_bit_scale(d, nibble),
                     out + 8 * i);
    }
  });
}

void decode_iq2_s(const std::byte* source, float* target, std::size_t count) {
  decode_blocks<BlockIQ2_S>(source, target, count, [](const BlockIQ2_S& block, float* out) {
    const float d = load_half(block.d);
    for (int i = 0; i < 32; ++i) {
      const unsigned entry = block.qs[i] | (((block.qh[i / 4] >> (2 * (i % 4))) & 3U) << 8);
      const unsigned nibble = (block.scales[i / 4] >> (4 * ((i / 2) % 2))) & 15U;
      write_entry<8>(kPoints2S[entry], kLevels2, block.signs[i], two_bit_scale(d, nibble), out + 8 * i);
    }
  });
}

void decode_iq3_xxs(const std::byte* source, float* target, std::size_t count) {
  decode_blocks<BlockIQ3_XXS>(source, target, count, [](const BlockIQ3_XXS& block, float* out) {
    const float d = load_half(block.d);
    for (int i = 0; i < 8; ++i) {
      const std::uint32_t word = load_u32(block.signs_and_scales + 4 * i);
      const float scale = d * (0.5F + static_cast<float>(word >> 28)) * 0.5F;
      for (int l = 0; l < 8; ++l) {
        const unsigned signs = complete_signs((word >> (7 * (l / 2))) & 127U) >> (4 * (l % 2));
        write_entry<4>(kPoints3Xxs[block.qs[8 * i + l]], kLevels3Xxs, signs, scale, out + 32 * i + 4 * l);
      }
    }
  });
}

void decode_iq3_s(const std::byte* source, float* target, std::size_t count) {
  decode_blocks<BlockIQ3_S>(source, target, count, [](const BlockIQ3_S& block, float* out) {
    const float d = load_half(block.d);
    for (int i = 0; i < 8; ++i) {
      const int nibble = (block.scales[i / 2] >> (4 * (i % 2))) & 15;
      const float scale = d * static_cast<float>(1 + 2 * nibble);
      for (int l = 0; l < 8; ++l) {
        const unsigned entry = block.qs[8 * i + l] | (((block.qh[i] >> l) & 1U) << 8);
        const unsigned signs = static_cast<unsigned>(block.signs[4 * i + l / 2]) >> (4 * (l % 2));
        write_entry<4>(kPoints3S[entry], kLevels3S, signs, scale, out + 32 * i + 4 * l);
      }
    }
  });
}

void decode_iq1_s(const std::byte* source, float* target, std::size_t count) {
  decode_blocks<BlockIQ1_S>(source, target, count, [](const BlockIQ1_S& block, float* out) {
    const float d = load_half(block.d);
    for (int i = 0; i < 8; ++i) {
      const unsigned word = load_u16(block.qh + 2 * i);
      const float scale = d * static_cast<float>(2 * ((word >> 12) & 7U) + 1);
      for (int l = 0; l < 4; ++l) {
        const unsigned entry = block.qs[4 * i + l] | (((word >> (3 * l)) & 7U) << 8);
        write_shifted(kPoints1[entry], (word & 0x8000U) != 0, scale, out + 32 * i + 8 * l);
      }
    }
  });
}

void decode_iq1_m(const std::byte* source, float* target, std::size_t count) {
  decode_blocks<BlockIQ1_M>(source, target, count, [](const BlockIQ1_M& block, float* out) {
    unsigned factor = 0;
    for (int k = 0; k < 4; ++k) {
      factor |= static_cast<unsigned>(load_u16(block.scales + 2 * k) >> 12) << (4 * k);
    }
    const float d = half_to_float(static_cast<std::uint16_t>(factor));
    for (int i = 0; i < 32; ++i) {
      const unsigned nibble = (block.qh[i / 2] >> (4 * (i % 2))) & 15U;
      const unsigned entry = block.qs[i] | ((nibble & 7U) << 8);
      const unsigned word = load_u16(block.scales + 2 * (i / 8));
      const float scale = d * static_cast<float>(2 * ((word >> (3 * ((i / 2) % 4))) & 7U) + 1);
      write_shifted(kPoints1[entry], (nibble & 8U) != 0, scale, out + 8 * i);
    }
  });
}

}  // namespace bitlens::kernels
