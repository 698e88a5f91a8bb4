// The tensors' data on its way from the source file to the output: read, decoded, encoded (or copied) in
// pieces by all threads, while one of them sums and writes the chunk before, of whichever tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/io/model_file.h"
#include "core/quantize/recipe.h"

namespace bitlens::exporter {

/// Takes the bytes of all tensors in order.
using Sink = std::function<Status(std::size_t tensor, std::span<const std::byte>)>;

/// Sends the data of every tensor, as its choice wants it, to `sink` and returns their checksums. `advance`
/// is told of the bytes sent, on the calling thread.
[[nodiscard]] Result<std::vector<std::uint64_t>> stream_tensors(
    const io::ModelFile& source, const quantize::ResolvedRecipe& resolved, const WorkContext& work,
    const Sink& sink, const std::function<void(std::uint64_t bytes)>& advance);

}  // namespace bitlens::exporter
