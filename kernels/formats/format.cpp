// The table of formats: ids, block shapes and activation rounding are facts of GGUF and of ggml's CPU code.
#include "kernels/formats/format.h"

#include <algorithm>
#include <array>

namespace bitlens::kernels {
namespace {

using enum ActivationRounding;

constexpr FormatInfo kFormats[] = {
    // format, name, weights per block, bytes per block, decodes, encodes, activation rounding,
    // poor without importance
    {Format::F32, "F32", 1, 4, true, true, None},
    {Format::F16, "F16", 1, 2, true, true, F16},
    {Format::Q4_0, "Q4_0", 32, 18, true, true, Q8_0},
    {Format::Q4_1, "Q4_1", 32, 20, true, true, Q8_1},
    {Format::Q5_0, "Q5_0", 32, 22, true, true, Q8_0},
    {Format::Q5_1, "Q5_1", 32, 24, true, true, Q8_1},
    {Format::Q8_0, "Q8_0", 32, 34, true, true, Q8_0},
    {Format::Q8_1, "Q8_1", 32, 36, false, false, Q8_1},
    {Format::Q2_K, "Q2_K", 256, 84, true, true, Q8_K},
    {Format::Q3_K, "Q3_K", 256, 110, true, true, Q8_K},
    {Format::Q4_K, "Q4_K", 256, 144, true, true, Q8_K},
    {Format::Q5_K, "Q5_K", 256, 176, true, true, Q8_K},
    {Format::Q6_K, "Q6_K", 256, 210, true, true, Q8_K},
    {Format::Q8_K, "Q8_K", 256, 292, false, false, Q8_K},
    {Format::IQ2_XXS, "IQ2_XXS", 256, 66, true, true, Q8_K, true},
    {Format::IQ2_XS, "IQ2_XS", 256, 74, true, true, Q8_K, true},
    {Format::IQ3_XXS, "IQ3_XXS", 256, 98, true, true, Q8_K, true},
    {Format::IQ1_S, "IQ1_S", 256, 50, true, true, Q8_K, true},
    {Format::IQ4_NL, "IQ4_NL", 32, 18, true, true, Q8_0},
    {Format::IQ3_S, "IQ3_S", 256, 110, true, true, Q8_K},
    {Format::IQ2_S, "IQ2_S", 256, 82, true, true, Q8_K, true},
    {Format::IQ4_XS, "IQ4_XS", 256, 136, true, true, Q8_K},
    {Format::I8, "I8", 1, 1, false, false, None},
    {Format::I16, "I16", 1, 2, false, false, None},
    {Format::I32, "I32", 1, 4, false, false, None},
    {Format::I64, "I64", 1, 8, false, false, None},
    {Format::F64, "F64", 1, 8, false, false, None},
    {Format::IQ1_M, "IQ1_M", 256, 56, true, true, Q8_K, true},
    {Format::BF16, "BF16", 1, 2, true, true, BF16},
    {Format::TQ1_0, "TQ1_0", 256, 54, true, true, Q8_K},
    {Format::TQ2_0, "TQ2_0", 256, 66, true, true, Q8_K},
    {Format::MXFP4, "MXFP4", 32, 17, true, true, Q8_0},
    {Format::NVFP4, "NVFP4", 64, 36, true, true, Q8_0},
    {Format::Q1_0, "Q1_0", 128, 18, true, true, Q8_0},
    {Format::Q2_0, "Q2_0", 64, 18, true, true, Q8_0},
};

constexpr char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

std::span<const FormatInfo> all_formats() {
  return kFormats;
}

const FormatInfo* find_format(std::uint32_t ggml_type) {
  const auto* found = std::ranges::lower_bound(kFormats, ggml_type, {}, [](const FormatInfo& entry) {
    return static_cast<std::uint32_t>(entry.format);
  });
  return found != std::end(kFormats) && static_cast<std::uint32_t>(found->format) == ggml_type ? found
                                                                                               : nullptr;
}

const FormatInfo* find_format(std::string_view name) {
  const auto same = [name](const FormatInfo& entry) {
    return std::ranges::equal(entry.name, name, {}, upper, upper);
  };
  const auto* found = std::ranges::find_if(kFormats, same);
  return found != std::end(kFormats) ? found : nullptr;
}

const FormatInfo& info(Format format) {
  return *find_format(static_cast<std::uint32_t>(format));
}

std::string_view removed_format_name(std::uint32_t ggml_type) {
  switch (ggml_type) {
    case 4:
      return "Q4_2";
    case 5:
      return "Q4_3";
    case 31:
      return "Q4_0_4_4";
    case 32:
      return "Q4_0_4_8";
    case 33:
      return "Q4_0_8_8";
    case 36:
      return "IQ4_NL_4_4";
    case 37:
      return "IQ4_NL_4_8";
    case 38:
      return "IQ4_NL_8_8";
    default:
      return {};
  }
}

}  // namespace bitlens::kernels
