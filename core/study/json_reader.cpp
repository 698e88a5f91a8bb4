#include "core/study/json_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace bitlens::study {

namespace {

using nlohmann::json;

const json kNothing;

/// Checks syntax, depth and duplicate keys without building a tree.
class Checker final : public json::json_sax_t {
 public:
  explicit Checker(std::size_t max_depth) : max_depth_(max_depth) {}
  std::string problem;
  std::optional<std::uint64_t> offset;

  bool null() override { return true; }
  bool boolean(bool /*value*/) override { return true; }
  bool number_integer(number_integer_t /*value*/) override { return true; }
  bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
  bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
  bool string(string_t& /*value*/) override { return true; }
  bool binary(binary_t& /*value*/) override { return true; }
  bool start_object(std::size_t /*size*/) override { return enter(); }
  bool start_array(std::size_t /*size*/) override { return enter(); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    problem = fmt::format("key \"{}\" appears twice in one object", printable(name, 80));
    return false;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const json::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: <what>"
    std::string_view text = error.what();
    if (const auto end = text.find("] "); end != std::string_view::npos) text.remove_prefix(end + 2);
    problem = printable(text, 200);
    offset = position;
    return false;
  }

 private:
  bool enter() {
    keys_.emplace_back();
    if (keys_.size() <= max_depth_) return true;
    problem = fmt::format("nested deeper than {} levels", max_depth_);
    return false;
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }
  std::size_t max_depth_;
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

Result<json> parse_json(std::string_view text, const std::string& file, std::string_view what,
                        std::size_t max_depth) {
  try {
    Checker checker(max_depth);
    if (!json::sax_parse(text, &checker)) {
      const std::string position =
          checker.offset ? fmt::format(" at byte {}", *checker.offset) : std::string();
      return fail(ErrorCode::BadFile, fmt::format("{} is damaged{}: {}", what, position, checker.problem),
                  {file, "", {}});
    }
    return json::parse(text);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, fmt::format("not enough memory to read the {}", what), {file, "", {}});
  } catch (const std::exception& error) {
    return fail(ErrorCode::BadFile, fmt::format("{} is damaged: {}", what, error.what()), {file, "", {}});
  }
}

void JsonDocument::fail_at(const std::string& path, std::string message) {
  if (!error) error = Error{ErrorCode::BadFile, std::move(message), {file, path, {}}, nullptr};
}

ObjectReader::ObjectReader(const json& value, std::string path, JsonDocument& document)
    : value_(&value), path_(std::move(path)), document_(&document) {
  if (value_->is_object()) return;
  document_->fail_at(path_.empty() ? "top level" : path_,
                     fmt::format("expected an object, found {}", value_->type_name()));
  value_ = &kNothing;
}

std::string ObjectReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

bool ObjectReader::has(const char* key) const {
  return value_->is_object() && value_->contains(key);
}

const json& ObjectReader::any(const char* key) {
  asked_.emplace_back(key);
  if (value_->is_object())
    if (const auto found = value_->find(key); found != value_->end()) return *found;
  document_->fail_at(path_of(key), "missing");
  return kNothing;
}

const json& ObjectReader::find(const char* key, const char* type, bool (*is_type)(const json&)) {
  const json& value = any(key);
  if (is_type(value)) return value;
  document_->fail_at(path_of(key), fmt::format("expected {}, found {}", type, value.type_name()));
  return kNothing;
}

std::string ObjectReader::string(const char* key) {
  const json& value = find(key, "a string", [](const json& v) { return v.is_string(); });
  return value.is_string() ? value.get<std::string>() : std::string();
}

double ObjectReader::number(const char* key) {
  const json& value = find(key, "a number", [](const json& v) { return v.is_number() || v.is_null(); });
  return value.is_number() ? value.get<double>() : std::nan("");
}

std::uint64_t ObjectReader::unsigned_number(const char* key, std::uint64_t max) {
  const json& value =
      find(key, "a whole number, 0 or more", [](const json& v) { return v.is_number_unsigned(); });
  const std::uint64_t found = value.is_number_unsigned() ? value.get<std::uint64_t>() : 0;
  if (found <= max) return found;
  document_->fail_at(path_of(key), fmt::format("{} is too large; at most {}", found, max));
  return 0;
}

ObjectReader ObjectReader::object(const char* key) {
  return {any(key), path_of(key), *document_};
}

void ObjectReader::array(const char* key,
                         const std::function<void(const json& item, const std::string& path)>& each) {
  const json& value = find(key, "an array", [](const json& v) { return v.is_array(); });
  std::size_t i = 0;
  for (const json& item : value) {
    if (document_->error) return;
    each(item, fmt::format("{}[{}]", path_of(key), i++));
  }
}

std::vector<std::string> ObjectReader::strings(const char* key) {
  std::vector<std::string> out;
  array(key, [&](const json& item, const std::string& path) {
    if (item.is_string())
      out.push_back(item.get<std::string>());
    else
      document_->fail_at(path, fmt::format("expected a string, found {}", item.type_name()));
  });
  return out;
}

void ObjectReader::end() {
  if (!value_->is_object()) return;
  for (const auto& item : value_->items())
    if (std::find(asked_.begin(), asked_.end(), item.key()) == asked_.end())
      document_->fail_at(path_of(printable(item.key(), 80)), "unknown key");
}

}  // namespace bitlens::study
