// Reading and checking the hyperparameters of the llama family. Everything a header can claim is checked
// here, so that the executor can trust LlamaParameters and the shapes of the tensors it names.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/io/model_file.h"
#include "core/model/model.h"

namespace bitlens::model {

/// Hyperparameters and tensor shapes of an architecture-"llama" file. BadFile: the file contradicts itself.
/// Unsupported: it is well-formed but uses something the executor does not do. Tensors that play no part are
/// added to `warnings`.
[[nodiscard]] Result<LlamaParameters> read_llama(const io::ModelFile& file,
                                                 std::vector<std::string>& warnings);

/// An integer key, or an array of integers that are all equal; nullopt if absent or of another kind. For
/// display.
[[nodiscard]] std::optional<std::uint64_t> find_uint(const io::Metadata& metadata, const std::string& key);

}  // namespace bitlens::model
