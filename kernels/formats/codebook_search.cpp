// Searching encoders of the codebook formats IQ1_S IQ1_M IQ2_XXS IQ2_XS IQ2_S IQ3_XXS IQ3_S. Plain rounding
// has no agreed definition for them; both quantizers are this one.
#include <cstdint>
#include <cstring>

#include "kernels/formats/blocks.h"
#include "kernels/formats/families.h"
#include "kernels/formats/half.h"

#define HWY_TARGET_INCLUDE "kernels/formats/codebook_search.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/formats/codebook_search-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

//                                 vector, group, parity, shifted, shared, scales, offset, slope, extreme
//                                 tried at
constexpr CodebookScheme kIq2Xxs{8, 32, true, false, false, 16, 0.125F, 0.25F, 38.0F, 80.0F};
constexpr CodebookScheme kIq2Xs{8, 16, true, false, false, 16, 0.125F, 0.25F, 36.0F, 70.0F};
constexpr CodebookScheme kIq2S{8, 16, false, false, false, 16, 0.125F, 0.25F, 36.0F, 70.0F};
constexpr CodebookScheme kIq3Xxs{4, 32, true, false, false, 16, 0.25F, 0.5F, 50.0F, 80.0F};
constexpr CodebookScheme kIq3S{4, 32, false, false, false, 16, 1.0F, 2.0F, 12.5F, 20.0F};
constexpr CodebookScheme kIq1S{8, 32, false, true, true, 8, 0.125F, 0.25F, 9.0F, 32.0F};
constexpr CodebookScheme kIq1M{8, 16, false, true, false, 8, 0.125F, 0.25F, 9.0F, 28.0F};

/// pack(super, block) fills a zeroed block; super.factor is as stored.
template <const CodebookScheme& kScheme, class Block, class Pack>
void encode_codebook(const CodebookCells& book, const float* source, const float* importance,
                     std::byte* target, std::size_t count, Pack pack) {
  auto* block = reinterpret_cast<Block*>(target);
  CodebookSuper<kScheme> super(book);
  for (std::size_t at = 0; at < count; at += 256, ++block) {
    super.fit(source + at, importance != nullptr ? importance + at : nullptr);
    std::memset(block, 0, sizeof *block);
    pack(super, *block);
  }
}

/// Or `bits` into a little-endian word of 16 or 32 bits.
template <class Word>
HWY_INLINE void add_bits(std::uint8_t* word, std::uint32_t bits) {
  Word value = 0;
  std::memcpy(&value, word, sizeof value);
  value = static_cast<Word>(value | bits);
  std::memcpy(word, &value, sizeof value);
}
HWY_INLINE void add_nibble(std::uint8_t* bytes, std::size_t index, unsigned nibble) {
  bytes[index / 2] = static_cast<std::uint8_t>(bytes[index / 2] | (nibble << (4 * (index % 2))));
}

void search_iq2_xxs_blocks(const float* source, const float* importance, std::byte* target,
                           std::size_t count) {
  encode_codebook<kIq2Xxs, BlockIQ2_XXS>(
      cells_iq2_xxs(), source, importance, target, count, [](const auto& super, BlockIQ2_XXS& block) {
        store_u16(block.d, float_to_half(super.factor));
        for (std::size_t g = 0; g < 8; ++g) {
          std::uint32_t word = static_cast<std::uint32_t>(super.scales[g]) << 28;
          for (std::size_t v = 0; v < 4; ++v) {
            block.qs[8 * g + v] = static_cast<std::uint8_t>(super.groups[g].points[v].entry);
            word |= (super.signs[4 * g + v] & 127U) << (7 * v);
          }
          add_bits<std::uint32_t>(block.qs + 8 * g + 4, word);
        }
      });
}

void search_iq2_xs_blocks(const float* source, const float* importance, std::byte* target,
                          std::size_t count) {
  encode_codebook<kIq2Xs, BlockIQ2_XS>(
      cells_iq2_xs(), source, importance, target, count, [](const auto& super, BlockIQ2_XS& block) {
        store_u16(block.d, float_to_half(super.factor));
        for (std::size_t i = 0; i < 32; ++i) {
          const unsigned word = super.groups[i / 2].points[i % 2].entry | ((super.signs[i] & 127U) << 9);
          store_u16(block.qs + 2 * i, static_cast<std::uint16_t>(word));
        }
        for (std::size_t g = 0; g < 16; ++g) {
          add_nibble(block.scales, g, super.scales[g]);
        }
      });
}

void search_iq2_s_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  encode_codebook<kIq2S, BlockIQ2_S>(
      cells_iq2_s(), source, importance, target, count, [](const auto& super, BlockIQ2_S& block) {
        store_u16(block.d, float_to_half(super.factor));
        for (std::size_t i = 0; i < 32; ++i) {
          const unsigned entry = super.groups[i / 2].points[i % 2].entry;
          block.qs[i] = static_cast<std::uint8_t>(entry);
          block.qh[i / 4] = static_cast<std::uint8_t>(block.qh[i / 4] | ((entry >> 8) << (2 * (i % 4))));
          block.signs[i] = super.signs[i];
        }
        for (std::size_t g = 0; g < 16; ++g) {
          add_nibble(block.scales, g, super.scales[g]);
        }
      });
}

void search_iq3_xxs_blocks(const float* source, const float* importance, std::byte* target,
                           std::size_t count) {
  encode_codebook<kIq3Xxs, BlockIQ3_XXS>(
      cells_iq3_xxs(), source, importance, target, count, [](const auto& super, BlockIQ3_XXS& block) {
        store_u16(block.d, float_to_half(super.factor));
        for (std::size_t g = 0; g < 8; ++g) {
          std::uint32_t word = static_cast<std::uint32_t>(super.scales[g]) << 28;
          for (std::size_t v = 0; v < 8; ++v) {
            block.qs[8 * g + v] = static_cast<std::uint8_t>(super.groups[g].points[v].entry);
          }
          for (std::size_t v = 0; v < 4; ++v) {
            word |= (super.signs[4 * g + v] & 127U) << (7 * v);
          }
          add_bits<std::uint32_t>(block.signs_and_scales + 4 * g, word);
        }
      });
}

void search_iq3_s_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  encode_codebook<kIq3S, BlockIQ3_S>(
      cells_iq3_s(), source, importance, target, count, [](const auto& super, BlockIQ3_S& block) {
        store_u16(block.d, float_to_half(super.factor));
        for (std::size_t g = 0; g < 8; ++g) {
          for (std::size_t v = 0; v < 8; ++v) {
            const unsigned entry = super.groups[g].points[v].entry;
            block.qs[8 * g + v] = static_cast<std::uint8_t>(entry);
            block.qh[g] = static_cast<std::uint8_t>(block.qh[g] | ((entry >> 8) << v));
          }
          add_nibble(block.scales, g, super.scales[g]);
        }
        std::memcpy(block.signs, super.signs, sizeof block.signs);
      });
}

void search_iq1_s_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  encode_codebook<kIq1S, BlockIQ1_S>(
      cells_iq1(), source, importance, target, count, [](const auto& super, BlockIQ1_S& block) {
        store_u16(block.d, float_to_half(super.factor));
        for (std::size_t g = 0; g < 8; ++g) {
          std::uint32_t word = static_cast<std::uint32_t>(super.scales[g]) << 12;
          for (std::size_t v = 0; v < 4; ++v) {
            const PointChoice& point = super.groups[g].points[v];
            block.qs[4 * g + v] = static_cast<std::uint8_t>(point.entry);
            word |= (static_cast<std::uint32_t>(point.entry) >> 8) << (3 * v);
            word |= point.down ? 0x8000U : 0U;
          }
          add_bits<std::uint16_t>(block.qh + 2 * g, word);
        }
      });
}

void search_iq1_m_blocks(const float* source, const float* importance, std::byte* target, std::size_t count) {
  encode_codebook<kIq1M, BlockIQ1_M>(
      cells_iq1(), source, importance, target, count, [](const auto& super, BlockIQ1_M& block) {
        const std::uint32_t factor = float_to_half(super.factor);
        for (std::size_t k = 0; k < 4; ++k) {
          add_bits<std::uint16_t>(block.scales + 2 * k, ((factor >> (4 * k)) & 15U) << 12);
        }
        for (std::size_t i = 0; i < 32; ++i) {
          const PointChoice& point = super.groups[i / 2].points[i % 2];
          block.qs[i] = static_cast<std::uint8_t>(point.entry);
          add_nibble(block.qh, i, (static_cast<unsigned>(point.entry) >> 8) | (point.down ? 8U : 0U));
        }
        for (std::size_t g = 0; g < 16; ++g) {
          add_bits<std::uint16_t>(block.scales + 2 * (g / 4), static_cast<std::uint32_t>(super.scales[g])
                                                                  << (3 * (g % 4)));
        }
      });
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bitlens::kernels {
HWY_EXPORT(search_iq1_s_blocks);
HWY_EXPORT(search_iq1_m_blocks);
HWY_EXPORT(search_iq2_xxs_blocks);
HWY_EXPORT(search_iq2_xs_blocks);
HWY_EXPORT(search_iq2_s_blocks);
HWY_EXPORT(search_iq3_xxs_blocks);
HWY_EXPORT(search_iq3_s_blocks);

void encode_iq1_s(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_iq1_s_blocks)(source, importance, target, count);
}
void encode_iq1_m(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_iq1_m_blocks)(source, importance, target, count);
}
void encode_iq2_xxs(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_iq2_xxs_blocks)(source, importance, target, count);
}
void encode_iq2_xs(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_iq2_xs_blocks)(source, importance, target, count);
}
void encode_iq2_s(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_iq2_s_blocks)(source, importance, target, count);
}
void encode_iq3_xxs(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_iq3_xxs_blocks)(source, importance, target, count);
}
void encode_iq3_s(const float* source, const float* importance, std::byte* target, std::size_t count) {
  HWY_DYNAMIC_DISPATCH(search_iq3_s_blocks)(source, importance, target, count);
}
}  // namespace bitlens::kernels
#endif  // HWY_ONCE
