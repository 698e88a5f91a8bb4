#include "core/quantize/encode_rows.h"

#include <fmt/format.h>

#include <cstring>

#include "kernels/formats/format.h"

namespace bitlens::quantize {

namespace {

/// Index of the first 16-bit code whose exponent bits are all ones, or `count`.
std::size_t find_infinite_code(const std::byte* codes, std::size_t count, unsigned exponent_mask) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t code = 0;
    std::memcpy(&code, codes + 2 * i, sizeof code);
    if ((code & exponent_mask) == exponent_mask) return i;
  }
  return count;
}

}  // namespace

Status encode_values(kernels::Format format, kernels::Quantizer quantizer, std::span<const float> values,
                     const float* importance, std::byte* target, const EncodeContext& context) {
  const std::size_t bad = kernels::find_non_finite(values.data(), values.size());
  if (bad < values.size())
    return fail(ErrorCode::Numeric,
                fmt::format("element {} is {}; only finite weights can be quantized",
                            context.first_element + bad, values[bad]),
                {context.file, context.tensor, {}});
  kernels::encode(format, quantizer, values.data(), importance, target, values.size());
  const bool f16 = format == kernels::Format::F16;
  if (!f16 && format != kernels::Format::BF16) return {};  // block formats keep their scales finite
  const std::size_t large = find_infinite_code(target, values.size(), f16 ? 0x7C00U : 0x7F80U);
  if (large < values.size())
    return fail(ErrorCode::Numeric,
                fmt::format("element {} is {}, beyond the largest {} value", context.first_element + large,
                            values[large], kernels::info(format).name),
                {context.file, context.tensor, {}});
  return {};
}

}  // namespace bitlens::quantize
