// A validated model file: metadata and a table of tensors whose bytes are known to lie inside the file.
// The table can only be obtained from open_gguf(), which has checked everything a header can lie about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/io/metadata.h"
#include "kernels/formats/format.h"

namespace bitlens::io {

struct TensorInfo {
  std::string name;
  std::vector<std::uint64_t> shape;  ///< innermost (row length) first, 1 to 4 dimensions
  kernels::Format format = kernels::Format::F32;
  std::uint64_t bytes = 0;        ///< size of the data, padding excluded
  std::uint32_t shard = 0;        ///< index into ModelFile::shard_paths()
  std::uint64_t file_offset = 0;  ///< absolute byte offset in that shard

  [[nodiscard]] std::uint64_t row_length() const { return shape.empty() ? 0 : shape[0]; }
  [[nodiscard]] std::uint64_t elements() const;
  [[nodiscard]] std::uint64_t rows() const;  ///< elements / row_length, 0 for empty tensors
  [[nodiscard]] std::uint64_t row_bytes() const;
};

class ModelFile {
 public:
  virtual ~ModelFile() = default;

  [[nodiscard]] virtual const std::string& path() const = 0;
  [[nodiscard]] virtual const std::vector<std::string>& shard_paths() const = 0;
  [[nodiscard]] virtual std::uint32_t version() const = 0;     ///< GGUF version, 2 or 3
  [[nodiscard]] virtual std::uint64_t alignment() const = 0;   ///< bytes
  [[nodiscard]] virtual std::uint64_t file_bytes() const = 0;  ///< all shards
  [[nodiscard]] virtual const Metadata& metadata() const = 0;
  [[nodiscard]] virtual const std::vector<TensorInfo>& tensors() const = 0;
  /// Things worth telling that did not prevent opening (trailing bytes, odd but legal values, ...).
  [[nodiscard]] virtual const std::vector<std::string>& warnings() const = 0;

  /// Index of a tensor by exact name.
  [[nodiscard]] virtual std::optional<std::size_t> find_tensor(std::string_view name) const = 0;

  /// Reads bytes [begin, begin + target.size()) of a tensor's data. Thread-safe. Rechecks bounds against the
  /// tensor and the file as it is now: a file that shrank or was replaced gives Changed, never a signal.
  [[nodiscard]] virtual Status read(std::size_t tensor, std::uint64_t begin,
                                    std::span<std::byte> target) const = 0;
  /// Changed if any shard differs (device, inode, size, modification time) from when it was opened.
  [[nodiscard]] virtual Status check_unchanged() const = 0;
  /// Does `path` name the same file (device and inode) as one of the shards?
  [[nodiscard]] virtual bool is_same_file(const std::string& path) const = 0;
  /// SHA-256 of all shards' bytes in order, lower-case hex. Reads everything once; the result is kept.
  [[nodiscard]] virtual Result<std::string> sha256(const WorkContext& work) const = 0;
};

/// Opens a GGUF file (version 2 or 3, single or split: any shard of a split opens the whole).
/// Reads headers only. Bounded time and memory whatever the file holds; errors name file, tensor or key,
/// offset.
[[nodiscard]] Result<std::shared_ptr<const ModelFile>> open_gguf(const std::string& path);

/// Decodes rows [first_row, first_row + rows) of a tensor into `target` (rows * row_length floats).
/// Unsupported if the format cannot be decoded.
[[nodiscard]] Status decode_rows(const ModelFile& file, std::size_t tensor, std::uint64_t first_row,
                                 std::uint64_t rows, float* target);

}  // namespace bitlens::io
