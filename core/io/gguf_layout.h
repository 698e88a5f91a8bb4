// The header of a GGUF v3 file as bytes.
#pragma once

#include <string>
#include <vector>

#include "core/io/gguf_writer.h"

namespace bitlens::io {

/// Exactly layout.header_bytes bytes. `layout` is what plan_gguf() gave for the same metadata and tensors.
[[nodiscard]] std::string serialize_header(const Metadata& metadata, const std::vector<TensorPlan>& tensors,
                                           const GgufLayout& layout);

}  // namespace bitlens::io
