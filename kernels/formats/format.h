// The number formats a tensor can be stored in: name, block shape, bytes, what can be done with each.
// Ids and sizes are facts of the GGUF format (ggml type numbers).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace bitlens::kernels {

/// ggml type number of a format. Every type GGUF names is listed, also those that cannot be decoded yet.
enum class Format : std::uint32_t {
  F32 = 0,
  F16 = 1,
  Q4_0 = 2,
  Q4_1 = 3,
  Q5_0 = 6,
  Q5_1 = 7,
  Q8_0 = 8,
  Q8_1 = 9,
  Q2_K = 10,
  Q3_K = 11,
  Q4_K = 12,
  Q5_K = 13,
  Q6_K = 14,
  Q8_K = 15,
  IQ2_XXS = 16,
  IQ2_XS = 17,
  IQ3_XXS = 18,
  IQ1_S = 19,
  IQ4_NL = 20,
  IQ3_S = 21,
  IQ2_S = 22,
  IQ4_XS = 23,
  I8 = 24,
  I16 = 25,
  I32 = 26,
  I64 = 27,
  F64 = 28,
  IQ1_M = 29,
  BF16 = 30,
  TQ1_0 = 34,
  TQ2_0 = 35,
  MXFP4 = 39,
  NVFP4 = 40,
  Q1_0 = 41,
  Q2_0 = 42
};

/// How a runtime that computes like llama.cpp's CPU code rounds the *input* of a product with weights of
/// a format (ggml-cpu type traits, vec_dot_type).
enum class ActivationRounding { None, F16, BF16, Q8_0, Q8_1, Q8_K };

struct FormatInfo {
  Format format;
  std::string_view name;      ///< "Q4_0", "F16", ...
  std::uint32_t block_size;   ///< weights per block; a row must be a whole number of blocks
  std::uint32_t block_bytes;  ///< bytes per block, scales included
  bool decodes;               ///< decode() works
  bool encodes;               ///< encode() works and the format may be chosen in a recipe
  ActivationRounding activation;
  /// Poor without an importance matrix, so that the field's tools refuse to write it without one.
  bool wants_importance = false;

  /// 8 * block_bytes / block_size.
  [[nodiscard]] double bits_per_weight() const {
    return 8.0 * static_cast<double>(block_bytes) / static_cast<double>(block_size);
  }
};

/// All formats, ascending by id.
[[nodiscard]] std::span<const FormatInfo> all_formats();
/// nullptr for an id that names no format (or one that was removed from GGUF).
[[nodiscard]] const FormatInfo* find_format(std::uint32_t ggml_type);
/// By name, case-insensitive ("q4_0", "Q4_0"); nullptr if unknown.
[[nodiscard]] const FormatInfo* find_format(std::string_view name);
/// Always valid for an enumerator.
[[nodiscard]] const FormatInfo& info(Format format);
/// "Q4_2", ... for the ids 4, 5, 31-33, 36-38 that GGUF once had; empty otherwise.
[[nodiscard]] std::string_view removed_format_name(std::uint32_t ggml_type);

}  // namespace bitlens::kernels
