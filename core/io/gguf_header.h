// Reading the header of one GGUF file: the fixed part, the metadata, the tensor infos. Specification: ggml
// docs/gguf.md; where that and ggml's own reader differ, the choice is told at the check.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/name_index.h"
#include "core/base/result.h"
#include "core/io/byte_reader.h"
#include "core/io/model_file.h"

namespace bitlens::io {

/// One file's header, everything in it checked against that file.
struct GgufHeader {
  std::uint32_t version = 0;
  std::uint64_t alignment = 32;
  std::uint64_t data_start = 0;  ///< absolute offset of the data section
  Metadata metadata;
  std::vector<TensorInfo> tensors;  ///< file_offset is absolute; shard is 0
  NameIndex names;                  ///< of the tensors
  std::vector<std::string> warnings;
};

/// `fd` is an open regular file of `file_bytes` bytes; `path` is for messages.
[[nodiscard]] Result<GgufHeader> read_gguf_header(int fd, const std::string& path, std::uint64_t file_bytes);

/// What the steps of reading a header share: the bytes and how to complain about them.
class HeaderReader {
 public:
  HeaderReader(int fd, const std::string& path, std::uint64_t file_bytes);

  ByteReader in;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t file_bytes() const { return file_bytes_; }
  /// Bytes of the file after the current position.
  [[nodiscard]] std::uint64_t left() const { return file_bytes_ - in.position(); }
  /// BadFile at `offset`.
  [[nodiscard]] tl::unexpected<Error> bad(std::string message, std::string_view object,
                                          std::uint64_t offset) const;
  /// The error after in.ok() became false while reading `what`.
  [[nodiscard]] tl::unexpected<Error> ended(std::string_view what, std::string_view object) const;

 private:
  std::string path_;
  std::uint64_t file_bytes_;
};

/// May `text` be shown as it is? (No control characters, valid UTF-8.)
[[nodiscard]] bool is_plain_text(std::string_view text);

/// Reads `count` key-value pairs.
[[nodiscard]] Status read_metadata(HeaderReader& header, std::uint64_t count, GgufHeader& out);
/// Reads `count` tensor infos; leaves offsets relative to the data section.
[[nodiscard]] Status read_tensor_infos(HeaderReader& header, std::uint64_t count, GgufHeader& out);
/// Makes offsets absolute and checks that all data lies in the file, aligned and without overlap.
[[nodiscard]] Status place_tensors(const HeaderReader& header, GgufHeader& out);

}  // namespace bitlens::io
