// Encoding values of a tensor with the checks every user of an encoder needs: finite in, finite out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/base/result.h"
#include "core/io/model_file.h"
#include "kernels/formats/codec.h"

namespace bitlens::quantize {

/// Which values of which tensor: for messages.
struct EncodeContext {
  const std::string& file;
  const std::string& tensor;
  std::uint64_t first_element = 0;  ///< index in the tensor of values[0]
};

/// Encodes whole blocks of one or several rows; `importance` is null or holds one weight per value; `target`
/// holds values.size() / block_size * block_bytes bytes. Numeric, naming tensor and element, at a NaN or
/// infinity, or at a value beyond the largest the format can hold (65504 for F16).
[[nodiscard]] Status encode_values(kernels::Format format, kernels::Quantizer quantizer,
                                   std::span<const float> values, const float* importance, std::byte* target,
                                   const EncodeContext& context);

}  // namespace bitlens::quantize
