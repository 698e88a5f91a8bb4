// Two steps: a SAX pass that checks depth and keys without building anything, then the tree.
#include "core/quantize/checked_json.h"

#include <fmt/format.h>

#include <set>

namespace bitlens::quantize {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxBytes = 4U << 20U;  // a rule per tensor of the largest models is a tenth of this
constexpr std::size_t kMaxDepth = 8;

/// Checks the syntax, the depth and that no object has a key twice.
class Checker final : public json::json_sax_t {
 public:
  std::string problem;
  std::size_t offset = 0;

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
    // The library's text is "[json.exception.parse_error.101] parse error at line 1, column 2: <what>".
    std::string_view text = error.what();
    if (const auto end = text.find("] "); end != std::string_view::npos) text.remove_prefix(end + 2);
    problem = "not valid JSON: " + printable(text, 200);
    offset = position;
    return false;
  }

 private:
  bool enter() {
    keys_.emplace_back();
    if (keys_.size() <= kMaxDepth) return true;
    problem = fmt::format("nested deeper than {} levels", kMaxDepth);
    return false;
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

Result<json> parse_checked_json(std::string_view text, const std::string& file, const std::string& object) {
  if (text.size() > kMaxBytes)
    return fail(ErrorCode::InvalidArgument,
                fmt::format("{} of {} bytes; at most {} are read", object, text.size(), kMaxBytes),
                {file, object, {}});
  try {
    Checker checker;
    if (!json::sax_parse(text, &checker))
      return fail(
          ErrorCode::InvalidArgument, checker.problem,
          {file, object, checker.offset > 0 ? std::optional<std::uint64_t>(checker.offset) : std::nullopt});
    return json::parse(text);
  } catch (const std::exception& error) {
    return fail(ErrorCode::InvalidArgument, fmt::format("cannot be read: {}", error.what()),
                {file, object, {}});
  }
}

}  // namespace bitlens::quantize
