// Rules of the GGUF format that reading and writing share; what they refuse, they refuse with a reason.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <tl/expected.hpp>

#include "core/io/metadata.h"
#include "kernels/formats/format.h"

namespace bitlens::io {

/// Bytes of a tensor. `shape` innermost first. A dimension of 0 makes an empty tensor; the other dimensions
/// must still be such that no product of some of them overflows, so that nobody downstream has to check
/// again.
[[nodiscard]] tl::expected<std::uint64_t, std::string> tensor_bytes(std::span<const std::uint64_t> shape,
                                                                    const kernels::FormatInfo& format);

/// general.alignment, default 32. ggml: uint32, a power of two. The specification also wants a multiple of 8,
/// but ggml opens 1, 2 and 4, and nothing depends on it: whoever wants may warn.
[[nodiscard]] tl::expected<std::uint64_t, std::string> alignment_of(const Metadata& metadata);
inline constexpr const char* alignment_key = "general.alignment";

}  // namespace bitlens::io
