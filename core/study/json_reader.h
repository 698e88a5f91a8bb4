// Reading JSON that strangers may have written: bounded size and depth, no duplicate keys, and every value
// checked for presence, type and range with an error that names its path inside the file
// ("results[3].file_bytes").
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace bitlens::study {

/// BadFile with the byte where `text` stops making sense. `what` names the kind of file in messages.
[[nodiscard]] Result<nlohmann::json> parse_json(std::string_view text, const std::string& file,
                                                std::string_view what, std::size_t max_depth = 32);

/// The document being read: the first error is kept, later ones are ignored, so that a reader can ask for
/// everything in a row and look once at the end.
struct JsonDocument {
  std::string file;
  std::optional<Error> error;
  void fail_at(const std::string& path, std::string message);
};

class ObjectReader {
 public:
  ObjectReader(const nlohmann::json& value, std::string path, JsonDocument& document);

  [[nodiscard]] std::string string(const char* key);
  /// JSON null stands for NaN (JSON has no other way to write it).
  [[nodiscard]] double number(const char* key);
  [[nodiscard]] std::uint64_t unsigned_number(const char* key,
                                              std::uint64_t max = std::numeric_limits<std::uint64_t>::max());
  [[nodiscard]] ObjectReader object(const char* key);
  [[nodiscard]] bool has(const char* key) const;
  /// Any value; null JSON if absent (and an error is kept).
  [[nodiscard]] const nlohmann::json& any(const char* key);
  void array(const char* key,
             const std::function<void(const nlohmann::json& item, const std::string& path)>& each);
  [[nodiscard]] std::vector<std::string> strings(const char* key);
  /// One of the names `name_of` gives to `values`.
  template <typename Enum, typename NameOf>
  [[nodiscard]] Enum one_of(const char* key, std::initializer_list<Enum> values, NameOf name_of) {
    const std::string found = string(key);
    std::string known;
    for (const Enum value : values) {
      if (found == name_of(value)) return value;
      known += (known.empty() ? "" : ", ") + std::string(name_of(value));
    }
    document_->fail_at(path_of(key), "unknown value \"" + printable(found, 80) + "\"; known: " + known);
    return *values.begin();
  }
  /// Keys nobody asked for are an error: they would be lost when the file is written again.
  void end();

  [[nodiscard]] std::string path_of(std::string_view key) const;
  [[nodiscard]] JsonDocument& document() { return *document_; }

 private:
  const nlohmann::json& find(const char* key, const char* type, bool (*is_type)(const nlohmann::json&));

  const nlohmann::json* value_;
  std::string path_;
  JsonDocument* document_;
  std::vector<std::string> asked_;
};

}  // namespace bitlens::study
