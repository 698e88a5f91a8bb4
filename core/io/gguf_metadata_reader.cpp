// The key-value part of a GGUF header.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "core/io/gguf_header.h"
#include "core/io/gguf_limits.h"

namespace bitlens::io {

namespace {

class MetadataReader {
 public:
  explicit MetadataReader(HeaderReader& header) : header_(header), in_(header.in) {}

  Result<std::string> key(std::uint64_t index) {
    const std::uint64_t offset = in_.position();
    const auto length = in_.number<std::uint64_t>();
    if (!in_.ok()) return header_.ended(fmt::format("the length of key {}", index), {});
    if (length > header_.left())
      return header_.bad(
          fmt::format("key {}: length {} exceeds the {} bytes left", index, length, header_.left()), {},
          offset);
    if (length > max_key_bytes)
      return header_.bad(
          fmt::format("key {} is {} bytes long, longer than {} bytes", index, length, max_key_bytes), {},
          offset);
    if (length == 0) return header_.bad(fmt::format("key {} is empty", index), {}, offset);
    std::string text = in_.text(length);
    if (!in_.ok()) return header_.ended(fmt::format("key {}", index), {});
    // Programs that use C strings would see another, shorter key.
    if (text.find('\0') != std::string::npos)
      return header_.bad(fmt::format("key {} contains a NUL byte", index), text, offset);
    return text;
  }

  Result<MetadataValue> value(const std::string& key) {
    key_ = key;
    const std::uint64_t offset = in_.position();
    const auto type = in_.number<std::uint32_t>();
    if (!in_.ok()) return header_.ended("the value type", key_);
    switch (MetadataType{type}) {
      case MetadataType::U8:
        return scalar<std::uint8_t>();
      case MetadataType::I8:
        return scalar<std::int8_t>();
      case MetadataType::U16:
        return scalar<std::uint16_t>();
      case MetadataType::I16:
        return scalar<std::int16_t>();
      case MetadataType::U32:
        return scalar<std::uint32_t>();
      case MetadataType::I32:
        return scalar<std::int32_t>();
      case MetadataType::F32:
        return scalar<float>();
      case MetadataType::U64:
        return scalar<std::uint64_t>();
      case MetadataType::I64:
        return scalar<std::int64_t>();
      case MetadataType::F64:
        return scalar<double>();
      case MetadataType::Bool: {
        const auto byte = in_.number<std::uint8_t>();
        if (!in_.ok()) return header_.ended("the value", key_);
        if (byte > 1)
          return header_.bad(fmt::format("boolean value is {}, must be 0 or 1", byte), key_,
                             in_.position() - 1);
        return byte == 1;
      }
      case MetadataType::String:
        return string("the value");
      case MetadataType::Array:
        return array();
    }
    return header_.bad(fmt::format("unknown value type {}", type), key_, offset);
  }

 private:
  template <typename T>
  Result<MetadataValue> scalar() {
    const T number = in_.number<T>();
    if (!in_.ok()) return header_.ended("the value", key_);
    return number;
  }

  Result<std::string> string(std::string_view what) {
    const std::uint64_t offset = in_.position();
    const auto length = in_.number<std::uint64_t>();
    if (!in_.ok()) return header_.ended(what, key_);
    if (length > header_.left())
      return header_.bad(fmt::format("{}: the file ends inside it: length {} exceeds the {} bytes left", what,
                                     length, header_.left()),
                         key_, offset);
    if (length > max_string_bytes)
      return header_.bad(fmt::format("{} is too long: {} bytes (limit {})", what, length, max_string_bytes),
                         key_, offset);
    std::string text = in_.text(length);
    if (!in_.ok()) return header_.ended(what, key_);
    return text;
  }

  Result<MetadataValue> array() {
    const std::uint64_t offset = in_.position();
    const auto type = in_.number<std::uint32_t>();
    if (!in_.ok()) return header_.ended("the array's element type", key_);
    switch (MetadataType{type}) {
      case MetadataType::U8:
        return numbers<std::uint8_t>();
      case MetadataType::I8:
        return numbers<std::int8_t>();
      case MetadataType::U16:
        return numbers<std::uint16_t>();
      case MetadataType::I16:
        return numbers<std::int16_t>();
      case MetadataType::U32:
        return numbers<std::uint32_t>();
      case MetadataType::I32:
        return numbers<std::int32_t>();
      case MetadataType::F32:
        return numbers<float>();
      case MetadataType::U64:
        return numbers<std::uint64_t>();
      case MetadataType::I64:
        return numbers<std::int64_t>();
      case MetadataType::F64:
        return numbers<double>();
      case MetadataType::Bool:
        return booleans();
      case MetadataType::String:
        return strings();
      // The specification allows them, ggml refuses them and no model uses them.
      case MetadataType::Array:
        return header_.bad("nested arrays are not supported", key_, offset);
    }
    return header_.bad(fmt::format("unknown array element type {}", type), key_, offset);
  }

  /// Number of elements of at least `element_bytes`, known to fit the file and the limit.
  Result<std::uint64_t> count(std::uint64_t element_bytes) {
    const std::uint64_t offset = in_.position();
    const auto length = in_.number<std::uint64_t>();
    if (!in_.ok()) return header_.ended("the array's length", key_);
    if (length > header_.left() / element_bytes)
      return header_.bad(fmt::format("an array of {} elements of {} bytes or more exceeds the {} bytes left",
                                     length, element_bytes, header_.left()),
                         key_, offset);
    if (length > in_.remaining() / element_bytes)
      return header_.bad(fmt::format("the header is larger than the limit of {} bytes", max_header_bytes),
                         key_, offset);
    return length;
  }

  template <typename T>
  Result<MetadataValue> numbers() {
    auto elements = raw<T>();
    if (!elements) return pass(elements);
    return MetadataArray(*std::move(elements));
  }

  template <typename T>
  Result<std::vector<T>> raw() {
    const auto length = count(sizeof(T));
    if (!length) return pass(length);
    std::vector<T> elements(*length);
    in_.bytes(std::as_writable_bytes(std::span(elements)));
    if (!in_.ok()) return header_.ended("the array", key_);
    return elements;
  }

  Result<MetadataValue> booleans() {
    const std::uint64_t offset = in_.position() + 8;
    auto elements = raw<std::uint8_t>();
    if (!elements) return pass(elements);
    const auto wrong = std::find_if(elements->begin(), elements->end(), [](std::uint8_t b) { return b > 1; });
    if (wrong != elements->end()) {
      const auto index = static_cast<std::uint64_t>(wrong - elements->begin());
      return header_.bad(fmt::format("boolean value of element {} is {}, must be 0 or 1", index, *wrong),
                         key_, offset + index);
    }
    return MetadataArray(BoolArray{*std::move(elements)});
  }

  Result<MetadataValue> strings() {
    const std::uint64_t offset = in_.position();
    const auto length = count(sizeof(std::uint64_t));
    if (!length) return pass(length);
    if (*length > max_array_strings - strings_)
      return header_.bad(
          fmt::format("an array of {} strings is too long (limit {} in a file)", *length, max_array_strings),
          key_, offset);
    strings_ += *length;
    std::vector<std::string> elements;
    elements.reserve(*length);
    for (std::uint64_t i = 0; i < *length; ++i) {
      const auto bytes = in_.number<std::uint64_t>();
      // Short strings take no part in messages: the words for them are only put together on failure.
      if (in_.ok() && bytes <= std::min(header_.left(), max_string_bytes))
        elements.push_back(in_.text(bytes));
      else if (in_.ok())
        return header_.bad(fmt::format("element {}: length {} exceeds the {} bytes left (limit {})", i, bytes,
                                       header_.left(), max_string_bytes),
                           key_, in_.position() - 8);
      if (!in_.ok()) return header_.ended(fmt::format("element {}", i), key_);
    }
    return MetadataArray(std::move(elements));
  }

  HeaderReader& header_;
  ByteReader& in_;
  std::string_view key_;
  std::uint64_t strings_ = 0;
};

}  // namespace

Status read_metadata(HeaderReader& header, std::uint64_t count, GgufHeader& out) {
  MetadataReader reader(header);
  std::size_t odd_keys = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t offset = header.in.position();
    auto key = reader.key(i);
    if (!key) return pass(key);
    if (const auto first = out.metadata.position(*key))
      return header.bad(fmt::format("key appears twice (entries {} and {})", *first, i), *key, offset);
    auto value = reader.value(*key);
    if (!value) return pass(value);
    // Legal bytes, wrong characters: kept, because a rewrite keeps everything; shown escaped.
    if (!is_plain_text(*key)) ++odd_keys;
    out.metadata.set(*std::move(key), *std::move(value));
  }
  if (odd_keys > 0)
    out.warnings.push_back(fmt::format("{} keys contain control characters or invalid UTF-8", odd_keys));
  return {};
}

}  // namespace bitlens::io
