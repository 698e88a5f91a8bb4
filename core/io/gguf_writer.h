// Writes GGUF v3: sizes known exactly before any byte is written, data streamed tensor by tensor, the file
// published atomically (written beside the target, fsynced, verified by the caller, renamed).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/io/metadata.h"
#include "kernels/formats/format.h"

namespace bitlens::io {

struct TensorPlan {
  std::string name;
  std::vector<std::uint64_t> shape;  ///< innermost first
  kernels::Format format = kernels::Format::F32;
};

/// Where everything will stand in the file. Pure arithmetic.
struct GgufLayout {
  std::uint64_t alignment = 32;
  std::uint64_t header_bytes = 0;  ///< up to the data section, padding included
  std::vector<std::uint64_t> tensor_bytes;
  std::vector<std::uint64_t> tensor_offsets;  ///< absolute
  std::uint64_t file_bytes = 0;               ///< exact size of the finished file
};
/// InvalidArgument if a shape does not fit its format, or a name or count is out of range.
[[nodiscard]] Result<GgufLayout> plan_gguf(const Metadata& metadata, const std::vector<TensorPlan>& tensors);

/// Use: create(), write() for every tensor in order (any number of pieces), finish(); then publish().
/// Destroying a writer that was not published removes its temporary file. The target never holds a partial
/// file.
class GgufWriter {
 public:
  /// Creates `<path>.part` beside the target and reserves the space. Exists if `path` exists and !overwrite;
  /// OutOfSpace with needed and free bytes.
  [[nodiscard]] static Result<std::unique_ptr<GgufWriter>> create(const std::string& path, Metadata metadata,
                                                                  std::vector<TensorPlan> tensors,
                                                                  bool overwrite);
  virtual ~GgufWriter() = default;
  /// Appends data of tensor `index`; tensors and pieces in order.
  [[nodiscard]] virtual Status write(std::size_t index, std::span<const std::byte> data) = 0;
  /// Writes the header last and fsyncs. After this temporary_path() can be opened and verified.
  [[nodiscard]] virtual Status finish() = 0;
  [[nodiscard]] virtual const std::string& temporary_path() const = 0;
  [[nodiscard]] virtual const GgufLayout& layout() const = 0;
  /// Renames onto the target and fsyncs the directory.
  [[nodiscard]] virtual Status publish() = 0;
};

}  // namespace bitlens::io
