#include "core/io/metadata.h"

#include <fmt/format.h>

#include <array>
#include <limits>
#include <type_traits>

namespace bitlens::io {

namespace {

// Alternatives of the two variants, in order, as GGUF type numbers.
constexpr std::array value_types = {
    MetadataType::U8,  MetadataType::I8,  MetadataType::U16,  MetadataType::I16,    MetadataType::U32,
    MetadataType::I32, MetadataType::F32, MetadataType::Bool, MetadataType::String, MetadataType::Array,
    MetadataType::U64, MetadataType::I64, MetadataType::F64};
constexpr std::array element_types = {MetadataType::U8,  MetadataType::I8,   MetadataType::U16,
                                      MetadataType::I16, MetadataType::U32,  MetadataType::I32,
                                      MetadataType::F32, MetadataType::Bool, MetadataType::String,
                                      MetadataType::U64, MetadataType::I64,  MetadataType::F64};
static_assert(value_types.size() == std::variant_size_v<MetadataValue>);
static_assert(element_types.size() == std::variant_size_v<MetadataArray>);

std::string describe_type(const MetadataValue& value) {
  const auto* array = std::get_if<MetadataArray>(&value);
  if (array == nullptr) return metadata_type_name(type_of(value));
  return fmt::format("array of {}", metadata_type_name(element_type_of(*array)));
}

tl::unexpected<Error> fail_missing(std::string_view key) {
  return fail(ErrorCode::NotFound, fmt::format("key {} is missing", printable(key)),
              {{}, std::string(key), {}});
}

tl::unexpected<Error> fail_type(std::string_view key, const MetadataValue& value, std::string_view expected) {
  return fail(ErrorCode::BadFile, fmt::format("has type {}, expected {}", describe_type(value), expected),
              {{}, std::string(key), {}});
}

}  // namespace

const char* metadata_type_name(MetadataType type) {
  switch (type) {
    case MetadataType::U8:
      return "uint8";
    case MetadataType::I8:
      return "int8";
    case MetadataType::U16:
      return "uint16";
    case MetadataType::I16:
      return "int16";
    case MetadataType::U32:
      return "uint32";
    case MetadataType::I32:
      return "int32";
    case MetadataType::F32:
      return "float32";
    case MetadataType::Bool:
      return "bool";
    case MetadataType::String:
      return "string";
    case MetadataType::Array:
      return "array";
    case MetadataType::U64:
      return "uint64";
    case MetadataType::I64:
      return "int64";
    case MetadataType::F64:
      return "float64";
  }
  return "unknown";
}

MetadataType type_of(const MetadataValue& value) {
  return value_types[value.index()];
}

MetadataType element_type_of(const MetadataArray& array) {
  return element_types[array.index()];
}

std::size_t length_of(const MetadataArray& array) {
  return std::visit(
      [](const auto& elements) -> std::size_t {
        if constexpr (std::is_same_v<std::decay_t<decltype(elements)>, BoolArray>)
          return elements.values.size();
        else
          return elements.size();
      },
      array);
}

std::optional<std::size_t> Metadata::position(std::string_view key) const {
  return index_.find(key, key_of());
}

const MetadataValue* Metadata::find(std::string_view key) const {
  const auto found = position(key);
  return found ? &entries_[*found].value : nullptr;
}

Result<std::uint64_t> Metadata::get_uint(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return fail_missing(key);
  return std::visit(
      [&](const auto& held) -> Result<std::uint64_t> {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_integral_v<Held> && !std::is_same_v<Held, bool>) {
          if constexpr (std::is_signed_v<Held>)
            if (held < 0)
              return fail(ErrorCode::BadFile, fmt::format("is {}, must not be negative", held),
                          {{}, std::string(key), {}});
          return static_cast<std::uint64_t>(+held);
        } else {
          return fail_type(key, *value, "an integer");
        }
      },
      *value);
}

Result<double> Metadata::get_float(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return fail_missing(key);
  if (const auto* single = std::get_if<float>(value)) return double{*single};
  if (const auto* wide = std::get_if<double>(value)) return *wide;
  return fail_type(key, *value, "a floating-point number");
}

Result<bool> Metadata::get_bool(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return fail_missing(key);
  if (const auto* held = std::get_if<bool>(value)) return *held;
  return fail_type(key, *value, "bool");
}

Result<std::string> Metadata::get_string(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return fail_missing(key);
  if (const auto* held = std::get_if<std::string>(value)) return *held;
  return fail_type(key, *value, "string");
}

Result<const MetadataArray*> Metadata::find_array(std::string_view key, MetadataType element) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return fail_missing(key);
  const auto* array = std::get_if<MetadataArray>(value);
  if (array == nullptr || element_type_of(*array) != element)
    return fail_type(key, *value, fmt::format("array of {}", metadata_type_name(element)));
  return array;
}

void Metadata::set(std::string key, MetadataValue value) {
  if (const auto existing = position(key)) {
    entries_[*existing].value = std::move(value);
    return;
  }
  entries_.push_back({std::move(key), std::move(value)});
  index_.insert(entries_.size() - 1, key_of());
}

void Metadata::erase(std::string_view key) {
  const auto found = position(key);
  if (!found) return;
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(*found));
  index_.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i) index_.insert(i, key_of());
}

}  // namespace bitlens::io
