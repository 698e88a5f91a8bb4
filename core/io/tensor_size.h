// Bytes of a tensor of a given shape and format, or why there is no such tensor. Shared by reader and writer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <tl/expected.hpp>

#include "kernels/formats/format.h"

namespace bitlens::io {

/// `shape` innermost first. A dimension of 0 makes an empty tensor; the other dimensions must still be such
/// that no product of some of them overflows, so that nobody downstream has to check again.
[[nodiscard]] tl::expected<std::uint64_t, std::string> tensor_bytes(std::span<const std::uint64_t> shape,
                                                                    const kernels::FormatInfo& format);

}  // namespace bitlens::io
