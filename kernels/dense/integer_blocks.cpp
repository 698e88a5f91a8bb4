#include "kernels/dense/integer_blocks.h"

#include <cmath>

#include "kernels/formats/blocks.h"
#include "kernels/formats/half.h"
#include "kernels/formats/iq4_levels.h"
#include "kernels/formats/k_packing.h"

namespace bitlens::kernels {

namespace {

constexpr int kHalf = static_cast<int>(kIntegerBlock / 2);

/// 4-bit codes of 32 weights: low nibbles first half, high nibbles second half.
void nibbles(const std::uint8_t* qs, int zero, std::int16_t* codes) {
  for (int i = 0; i < kHalf; ++i) {
    codes[i] = static_cast<std::int16_t>((qs[i] & 15) - zero);
    codes[i + kHalf] = static_cast<std::int16_t>((qs[i] >> 4) - zero);
  }
}

/// The same with bit i of qh as the fifth bit of weight i.
void nibbles_and_bits(const std::uint8_t* qs, const std::uint8_t* qh, int zero, std::int16_t* codes) {
  nibbles(qs, zero, codes);
  const unsigned bits = unsigned{load_u16(qh)} | unsigned{load_u16(qh + 2)} << 16;
  for (unsigned i = 0; i < kIntegerBlock; ++i)
    codes[i] = static_cast<std::int16_t>(codes[i] + static_cast<std::int16_t>((bits >> i & 1U) << 4));
}

/// One source block is one block of codes.
void take_block(const BlockQ4_0& b, std::int16_t* codes, float& scale, float*) {
  scale = load_half(b.d);
  nibbles(b.qs, 8, codes);
}
void take_block(const BlockQ4_1& b, std::int16_t* codes, float& scale, float* offset) {
  scale = load_half(b.d);
  *offset = load_half(b.m);
  nibbles(b.qs, 0, codes);
}
void take_block(const BlockQ5_0& b, std::int16_t* codes, float& scale, float*) {
  scale = load_half(b.d);
  nibbles_and_bits(b.qs, b.qh, 16, codes);
}
void take_block(const BlockQ5_1& b, std::int16_t* codes, float& scale, float* offset) {
  scale = load_half(b.d);
  *offset = load_half(b.m);
  nibbles_and_bits(b.qs, b.qh, 0, codes);
}
void take_block(const BlockQ8_0& b, std::int16_t* codes, float& scale, float*) {
  scale = load_half(b.d);
  for (std::size_t i = 0; i < kIntegerBlock; ++i) codes[i] = b.qs[i];
}
void take_block(const BlockIQ4_NL& b, std::int16_t* codes, float& scale, float*) {
  scale = load_half(b.d);
  nibbles(b.qs, 0, codes);
  for (std::size_t i = 0; i < kIntegerBlock; ++i) codes[i] = kIq4Levels[static_cast<std::size_t>(codes[i])];
}

template <typename Block>
bool take_simple(const std::byte* source, std::size_t count, std::int16_t* codes, float* scales,
                 float* offsets) {
  const auto* blocks = reinterpret_cast<const Block*>(source);
  bool finite = true;
  for (std::size_t i = 0; i < count / kIntegerBlock; ++i) {
    float unused = 0;
    float& offset = offsets != nullptr ? offsets[i] : unused;
    take_block(blocks[i], codes + i * kIntegerBlock, scales[i], &offset);
    finite = finite && std::isfinite(scales[i]) && (offsets == nullptr || std::isfinite(offset));
  }
  return finite;
}

/// Q4_K, Q5_K: eight sub-blocks of 32 with scale d * s and offset -dmin * m.
template <typename Block>
bool take_super(const std::byte* source, std::size_t count, std::int16_t* codes, float* scales,
                float* offsets) {
  constexpr std::size_t kSuper = 256, kParts = kSuper / kIntegerBlock;
  const auto* blocks = reinterpret_cast<const Block*>(source);
  bool finite = true;
  for (std::size_t i = 0; i < count / kSuper; ++i) {
    const Block& b = blocks[i];
    std::uint8_t bytes[kSuper], scale[kParts], minimum[kParts];
    unpack_four_bits(b.qs, bytes);
    if constexpr (requires { b.qh; }) unpack_top_bits(b.qh, 4, bytes);
    unpack_scales_and_minima(b.scales, scale, minimum);
    const float d = load_half(b.d), dmin = load_half(b.dmin);
    for (std::size_t j = 0; j < kSuper; ++j) codes[i * kSuper + j] = bytes[j];
    for (std::size_t j = 0; j < kParts; ++j) {
      scales[i * kParts + j] = d * static_cast<float>(scale[j]);
      offsets[i * kParts + j] = -dmin * static_cast<float>(minimum[j]);
    }
    finite = finite && std::isfinite(d) && std::isfinite(dmin);
  }
  return finite;
}

}  // namespace

bool has_integer_blocks(Format format) {
  switch (format) {
    case Format::Q4_0:
    case Format::Q5_0:
    case Format::Q8_0:
    case Format::IQ4_NL:
      return true;
    default:
      return has_offsets(format);
  }
}

bool has_offsets(Format format) {
  return format == Format::Q4_1 || format == Format::Q5_1 || format == Format::Q4_K || format == Format::Q5_K;
}

bool take_apart(Format format, const std::byte* source, std::size_t count, std::int16_t* codes, float* scales,
                float* offsets) {
  switch (format) {
    case Format::Q4_0:
      return take_simple<BlockQ4_0>(source, count, codes, scales, nullptr);
    case Format::Q4_1:
      return take_simple<BlockQ4_1>(source, count, codes, scales, offsets);
    case Format::Q5_0:
      return take_simple<BlockQ5_0>(source, count, codes, scales, nullptr);
    case Format::Q5_1:
      return take_simple<BlockQ5_1>(source, count, codes, scales, offsets);
    case Format::Q8_0:
      return take_simple<BlockQ8_0>(source, count, codes, scales, nullptr);
    case Format::IQ4_NL:
      return take_simple<BlockIQ4_NL>(source, count, codes, scales, nullptr);
    case Format::Q4_K:
      return take_super<BlockQ4_K>(source, count, codes, scales, offsets);
    default:
      return take_super<BlockQ5_K>(source, count, codes, scales, offsets);
  }
}

}  // namespace bitlens::kernels
