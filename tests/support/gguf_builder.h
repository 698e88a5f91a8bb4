// Builds the bytes of GGUF files for tests: valid ones, and ones that lie. Written against the specification
// and independent of the product's writer, so that each checks the other.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/io/metadata.h"
#include "kernels/formats/format.h"

namespace bitlens::test {

/// Little-endian values one after the other.
class Bytes {
 public:
  template <typename T>
  Bytes& number(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    text_.append(raw, sizeof(T));
    return *this;
  }
  Bytes& u8(std::uint8_t value) { return number(value); }
  Bytes& u32(std::uint32_t value) { return number(value); }
  Bytes& u64(std::uint64_t value) { return number(value); }
  /// A GGUF string: length, then the characters.
  Bytes& string(std::string_view text) { return u64(text.size()).raw(text); }
  Bytes& raw(std::string_view bytes) {
    text_.append(bytes);
    return *this;
  }
  [[nodiscard]] const std::string& str() const { return text_; }

 private:
  std::string text_;
};

/// One key-value record.
[[nodiscard]] std::string entry_bytes(std::string_view key, const io::MetadataValue& value);
/// One tensor info record; any numbers.
[[nodiscard]] std::string tensor_bytes(std::string_view name, const std::vector<std::uint64_t>& shape,
                                       std::uint32_t type, std::uint64_t offset);

class GgufBuilder {
 public:
  GgufBuilder& magic(std::string_view four);
  GgufBuilder& version(std::uint32_t number);
  /// Counts other than the true ones.
  GgufBuilder& declare_tensors(std::uint64_t count);
  GgufBuilder& declare_entries(std::uint64_t count);

  GgufBuilder& kv(std::string_view key, const io::MetadataValue& value);
  /// Adds general.alignment and lays the data out accordingly (default 32).
  GgufBuilder& alignment(std::uint32_t bytes);
  /// Any bytes in place of one key-value record.
  GgufBuilder& raw_entry(std::string bytes);

  /// A tensor and its data, padded and placed after the one before.
  GgufBuilder& tensor(std::string_view name, const std::vector<std::uint64_t>& shape, kernels::Format format,
                      std::string_view data);
  GgufBuilder& f32(std::string_view name, const std::vector<std::uint64_t>& shape,
                   const std::vector<float>& values);
  /// A tensor info without data: any shape, type and offset.
  GgufBuilder& info(std::string_view name, const std::vector<std::uint64_t>& shape, std::uint32_t type,
                    std::uint64_t offset);
  /// Any bytes in place of one tensor info.
  GgufBuilder& raw_info(std::string bytes);
  /// Bytes at the end of the data section.
  GgufBuilder& data(std::string_view bytes);
  /// Byte used for the padding after the tensor infos and after each tensor.
  GgufBuilder& padding(char byte);

  /// Everything up to the end of the tensor infos.
  [[nodiscard]] std::string header() const;
  /// The whole file.
  [[nodiscard]] std::string bytes() const;

 private:
  std::string magic_ = "GGUF";
  std::uint32_t version_ = 3;
  std::uint64_t alignment_ = 32;
  char padding_ = 0;
  std::optional<std::uint64_t> declared_tensors_, declared_entries_;
  std::vector<std::string> entries_, infos_;
  std::string data_;
};

/// A small valid model-like file: metadata of all 13 types, three tensors (F32, F16, Q4_0), about 2 KiB.
[[nodiscard]] GgufBuilder sample_gguf();

/// Writes a file, replacing any; false if that fails.
[[nodiscard]] bool write_bytes(const std::string& path, std::string_view bytes);
/// Content of a file, empty if it cannot be read.
[[nodiscard]] std::string read_bytes(const std::string& path);

}  // namespace bitlens::test
