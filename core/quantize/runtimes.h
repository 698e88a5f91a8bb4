// Which programs read a format in a GGUF file.
#pragma once

#include <string_view>

#include "kernels/formats/format.h"

namespace bitlens::quantize {

/// "llama.cpp, vLLM", "llama.cpp", or "llama.cpp (2026 or later)" for types added lately. vLLM's GGUF support
/// is experimental and covers the older types (its list: vllm, layers/quantization/gguf.py).
[[nodiscard]] constexpr std::string_view runtimes_that_read(kernels::Format format) {
  using kernels::Format;
  switch (format) {
    case Format::TQ1_0:
    case Format::TQ2_0:
    case Format::MXFP4:
      return "llama.cpp";
    case Format::NVFP4:
    case Format::Q1_0:
    case Format::Q2_0:
      return "llama.cpp (2026 or later)";
    default:
      return "llama.cpp, vLLM";
  }
}

}  // namespace bitlens::quantize
