// GGUF metadata: an ordered list of key -> typed value, all 13 value types, kept as they are on rewrite.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/name_index.h"
#include "core/base/result.h"

namespace bitlens::io {

/// GGUF value type numbers.
enum class MetadataType : std::uint32_t {
  U8 = 0,
  I8 = 1,
  U16 = 2,
  I16 = 3,
  U32 = 4,
  I32 = 5,
  F32 = 6,
  Bool = 7,
  String = 8,
  Array = 9,
  U64 = 10,
  I64 = 11,
  F64 = 12
};
[[nodiscard]] const char* metadata_type_name(MetadataType type);

/// A one-dimensional array; the alternative held is the element type. Bools are bytes 0 or 1 (BoolArray).
struct BoolArray {
  std::vector<std::uint8_t> values;
  bool operator==(const BoolArray&) const = default;
};
using MetadataArray =
    std::variant<std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::uint16_t>,
                 std::vector<std::int16_t>, std::vector<std::uint32_t>, std::vector<std::int32_t>,
                 std::vector<float>, BoolArray, std::vector<std::string>, std::vector<std::uint64_t>,
                 std::vector<std::int64_t>, std::vector<double>>;

using MetadataValue =
    std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t, std::uint32_t, std::int32_t, float,
                 bool, std::string, MetadataArray, std::uint64_t, std::int64_t, double>;

[[nodiscard]] MetadataType type_of(const MetadataValue& value);
[[nodiscard]] MetadataType element_type_of(const MetadataArray& array);
[[nodiscard]] std::size_t length_of(const MetadataArray& array);

struct MetadataEntry {
  std::string key;
  MetadataValue value;
};

class Metadata {
 public:
  [[nodiscard]] const std::vector<MetadataEntry>& entries() const { return entries_; }
  /// nullptr if absent.
  [[nodiscard]] const MetadataValue* find(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  /// Index into entries().
  [[nodiscard]] std::optional<std::size_t> position(std::string_view key) const;

  // Typed getters. Missing key: NotFound. Wrong type: BadFile, with both types in the message. Integers of
  // any width and signedness are accepted where the value fits; negative values are BadFile.
  [[nodiscard]] Result<std::uint64_t> get_uint(std::string_view key) const;
  [[nodiscard]] Result<double> get_float(std::string_view key) const;
  [[nodiscard]] Result<bool> get_bool(std::string_view key) const;
  [[nodiscard]] Result<std::string> get_string(std::string_view key) const;
  /// Typed arrays by reference; the element type must be exactly T's.
  template <typename T>
  [[nodiscard]] Result<const std::vector<T>*> get_array(std::string_view key) const {
    auto array = find_array(key, element_type_of(MetadataArray(std::vector<T>())));
    if (!array) return pass(array);
    return &std::get<std::vector<T>>(**array);
  }

  /// Sets or replaces a value (keeps the position of an existing key).
  void set(std::string key, MetadataValue value);
  void erase(std::string_view key);

 private:
  [[nodiscard]] Result<const MetadataArray*> find_array(std::string_view key, MetadataType element) const;
  [[nodiscard]] auto key_of() const {
    return [this](std::size_t i) -> std::string_view { return entries_[i].key; };
  }

  std::vector<MetadataEntry> entries_;
  NameIndex index_;  // positions in entries_ by key
};

}  // namespace bitlens::io
