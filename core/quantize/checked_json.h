// JSON text of a recipe or a scheme as a tree, refusing what a tree would hide or choke on.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace bitlens::quantize {

/// InvalidArgument, naming `object` and the byte, for bad syntax, a key that appears twice in an object,
/// nesting deeper than 8 levels, or more than 4 MiB.
[[nodiscard]] Result<nlohmann::json> parse_checked_json(std::string_view text, const std::string& file,
                                                        const std::string& object);

}  // namespace bitlens::quantize
