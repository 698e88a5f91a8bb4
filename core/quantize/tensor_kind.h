// Which tensors a recipe leaves alone unless it asks for them by name, from name and shape.
#pragma once

#include <string_view>

#include "core/io/model_file.h"

namespace bitlens::quantize {

/// True for tensors with at most one dimension longer than 1, and for norms: "norm" in the last part of the
/// name, the ".weight" or ".bias" suffix apart.
[[nodiscard]] bool is_norm_or_vector(const io::TensorInfo& tensor);

/// Does a glob ask for norms and vectors by name? True when the literal text after its last wildcard is more
/// than (an ending of) ".weight" or ".bias": "*attn_norm.weight" does, "*", "blk.3.*" and "*.weight" do not.
[[nodiscard]] bool asks_by_name(std::string_view glob);

/// Integer tensors (index tables and the like) are no weights and are never converted.
[[nodiscard]] bool is_integer(kernels::Format format);

}  // namespace bitlens::quantize
