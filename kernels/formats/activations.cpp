// Rounding of activations the way ggml's x86 code rounds the input of a product, and the search for
// values that are not finite.
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/formats/codec.h"
#include "kernels/formats/half.h"

#define HWY_TARGET_INCLUDE "kernels/formats/activations.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace bitlens::kernels::HWY_NAMESPACE {

HWY_INLINE float largest_magnitude(const float* x, std::size_t count) {
  std::int32_t largest = 0;
  for (std::size_t j = 0; j < count; ++j) {
    std::int32_t bits = 0;
    std::memcpy(&bits, x + j, sizeof bits);
    bits &= 0x7FFFFFFF;
    largest = bits > largest ? bits : largest;
  }
  float result = 0;
  std::memcpy(&result, &largest, sizeof result);
  return result;
}

/// Nearest integer, ties to even, for |value| < 2^22.
HWY_INLINE float nearest(float value) {
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23
  return (value + kShift) - kShift;
}

/// Q8_0 and Q8_1: blocks of 32, scale max|x| / 127 stored as F16, ties to even.
void round_q8_blocks(float* row, std::size_t count) {
  for (std::size_t begin = 0; begin < count; begin += 32) {
    const std::size_t length = count - begin < 32 ? count - begin : 32;
    float* x = row + begin;
    const float largest = largest_magnitude(x, length);
    const float d = half_to_float(float_to_finite_half(largest / 127.0F));
    const float quotient = largest != 0.0F ? 127.0F / largest : 0.0F;
    const float inverse_scale = std::isfinite(quotient) ? quotient : 0.0F;
    for (std::size_t j = 0; j < length; ++j) {
      x[j] = nearest(x[j] * inverse_scale) * d;
    }
  }
}

/// Q8_K: blocks of 256; the weight of largest magnitude becomes -127, the scale stays f32.
void round_q8_k_blocks(float* row, std::size_t count) {
  for (std::size_t begin = 0; begin < count; begin += 256) {
    const std::size_t length = count - begin < 256 ? count - begin : 256;
    float* x = row + begin;
    const float largest = largest_magnitude(x, length);
    float extreme = largest;
    for (std::size_t j = 0; j < length; ++j) {
      if (x[j] == largest || x[j] == -largest) {
        extreme = x[j];
        break;
      }
    }
    const float quotient = largest != 0.0F ? -127.0F / extreme : 0.0F;
    const float inverse_scale = std::isfinite(quotient) ? quotient : 0.0F;
    const float d = inverse_scale != 0.0F ? 1.0F / inverse_scale : 0.0F;
    for (std::size_t j = 0; j < length; ++j) {
      const float code = nearest(inverse_scale * x[j]);
      x[j] = d * (code < 127.0F ? code : 127.0F);
    }
  }
}

void round_bf16_values(float* row, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    row[i] = bfloat_to_float(float_to_bfloat(row[i]));
  }
}

/// Exponent bits all set means infinity or NaN. Whole pieces are tested without a branch inside.
std::size_t find_non_finite_value(const float* values, std::size_t count) {
  constexpr std::size_t kPiece = 256;
  for (std::size_t begin = 0; begin < count; begin += kPiece) {
    const std::size_t end = count - begin < kPiece ? count : begin + kPiece;
    std::int32_t largest = 0;
    for (std::size_t i = begin; i < end; ++i) {
      std::int32_t bits = 0;
      std::memcpy(&bits, values + i, sizeof bits);
      bits &= 0x7FFFFFFF;
      largest = bits > largest ? bits : largest;
    }
    if (largest >= 0x7F800000) {
      for (std::size_t i = begin; i < end; ++i) {
        if (!std::isfinite(values[i])) {
          return i;
        }
      }
    }
  }
  return count;
}

}  // namespace bitlens::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/formats/families.h"

namespace bitlens::kernels {
HWY_EXPORT(round_q8_blocks);
HWY_EXPORT(round_q8_k_blocks);
HWY_EXPORT(round_bf16_values);
HWY_EXPORT(find_non_finite_value);

namespace {
void round_f16_values(float* row, std::size_t count) {
  constexpr std::size_t kPiece = 512;
  std::byte halves[2 * kPiece];
  for (std::size_t begin = 0; begin < count; begin += kPiece) {
    const std::size_t length = count - begin < kPiece ? count - begin : kPiece;
    encode_f16(row + begin, halves, length);
    decode_f16(halves, row + begin, length);
  }
}
}  // namespace

void round_activations(ActivationRounding rounding, float* row, std::size_t count) {
  switch (rounding) {
    case ActivationRounding::None:
      return;
    case ActivationRounding::F16:
      return round_f16_values(row, count);
    case ActivationRounding::BF16:
      return HWY_DYNAMIC_DISPATCH(round_bf16_values)(row, count);
    case ActivationRounding::Q8_0:
    case ActivationRounding::Q8_1:
      return HWY_DYNAMIC_DISPATCH(round_q8_blocks)(row, count);
    case ActivationRounding::Q8_K:
      return HWY_DYNAMIC_DISPATCH(round_q8_k_blocks)(row, count);
  }
}

std::size_t find_non_finite(const float* values, std::size_t count) {
  return HWY_DYNAMIC_DISPATCH(find_non_finite_value)(values, count);
}

}  // namespace bitlens::kernels
#endif  // HWY_ONCE
