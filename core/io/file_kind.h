// What a file that is not GGUF probably is, in words that help.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/base/result.h"

namespace bitlens::io {

/// The error for a file whose first bytes (as many as there are, up to 512) are not those of a GGUF header.
[[nodiscard]] tl::unexpected<Error> fail_not_gguf(std::span<const std::byte> head, std::uint64_t file_bytes,
                                                  const std::string& path);

}  // namespace bitlens::io
