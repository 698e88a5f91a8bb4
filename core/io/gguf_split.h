// Split GGUF files: `<prefix>-00001-of-00003.gguf` and so on; the first shard holds the metadata, every shard
// its own tensor infos and data. Keys: split.no (from 0), split.count, split.tensors.count (as llama.cpp's
// gguf-split).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/io/gguf_header.h"

namespace bitlens::io {

/// The parts of a shard's name. Other shards are only ever looked for under names made from the opened path.
struct ShardName {
  std::string prefix;        ///< path up to "-00001-of-00003.gguf"
  std::uint32_t number = 0;  ///< from 1
  std::uint32_t count = 0;
};
[[nodiscard]] std::optional<ShardName> parse_shard_name(const std::string& path);
[[nodiscard]] std::string shard_path(const std::string& prefix, std::uint64_t number, std::uint64_t count);

/// Number of shards the file says it is one of. 1 for a single file: no split.count, or 1, or 0, which
/// gguf-split leaves behind when it merges shards.
[[nodiscard]] Result<std::uint64_t> shard_count(const GgufHeader& header, const std::string& path);
/// Is this header that of shard `number` (from 1) of `count`?
[[nodiscard]] Status check_shard(const GgufHeader& header, std::uint64_t number, std::uint64_t count,
                                 const std::string& path);
/// Does shard `header` belong to the same model as the first one?
[[nodiscard]] Status check_same_model(const GgufHeader& first, const GgufHeader& header,
                                      const std::string& path);
/// Compares split.tensors.count of the first shard with what was found; a missing key is a warning.
[[nodiscard]] Status check_tensor_count(const GgufHeader& first, std::uint64_t found, const std::string& path,
                                        std::vector<std::string>& warnings);

}  // namespace bitlens::io
