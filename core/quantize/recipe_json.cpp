// Recipes as JSON. Parsed in two steps: a SAX pass that refuses what a document tree would hide or choke on
// (depth, duplicate keys), then the tree, read key by key.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/quantize/recipe.h"

namespace bitlens::quantize {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxBytes = 4U << 20U;  // a rule per tensor of the largest models is a tenth of this
constexpr std::size_t kMaxDepth = 8;
constexpr std::size_t kMaxGlob = 1024;  // bytes; bounds the work of matching

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

/// One recipe document being read; every error names `object`, the part of the recipe it is about.
class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  Result<Recipe> recipe(const json& root) const {
    if (!root.is_object())
      return bad("recipe", fmt::format("expected an object, found {}", root.type_name()));
    if (const auto known = check_keys(root, {"bitlens_recipe", "name", "rules", "default"}, "recipe"); !known)
      return pass(known);
    const auto version = root.find("bitlens_recipe");
    if (version == root.end()) return bad("bitlens_recipe", "missing; not a Bitlens recipe");
    if (!version->is_number_integer() || *version != 1)
      return fail(
          ErrorCode::Unsupported,
          fmt::format("version {} found; this program reads version 1", printable(version->dump(), 40)),
          {file_, "bitlens_recipe", {}});
    Recipe out;
    if (const auto name = root.find("name"); name != root.end()) {
      if (!name->is_string())
        return bad("name", fmt::format("expected a string, found {}", name->type_name()));
      out.name = name->get<std::string>();
    }
    if (const auto choice = root.find("default"); choice != root.end()) {
      auto format = format_choice(*choice, "default");
      if (!format) return pass(format);
      out.fallback = *format;
    }
    if (const auto rules = root.find("rules"); rules != root.end()) {
      if (!rules->is_array())
        return bad("rules", fmt::format("expected an array, found {}", rules->type_name()));
      for (const json& value : *rules) {
        auto parsed = rule(value, fmt::format("rule {}", out.rules.size() + 1));
        if (!parsed) return pass(parsed);
        out.rules.push_back(std::move(*parsed));
      }
    }
    return out;
  }

 private:
  [[nodiscard]] tl::unexpected<Error> bad(const std::string& object, std::string message) const {
    return fail(ErrorCode::InvalidArgument, std::move(message), {file_, object, {}});
  }

  Status check_keys(const json& object, std::initializer_list<std::string_view> known,
                    const std::string& where) const {
    for (const auto& item : object.items()) {
      if (std::find(known.begin(), known.end(), item.key()) != known.end()) continue;
      return bad(where, fmt::format("unknown key \"{}\"; known: {}", printable(item.key(), 80),
                                    fmt::join(known, ", ")));
    }
    return {};
  }

  Result<FormatChoice> format_choice(const json& value, const std::string& where) const {
    if (!value.is_string())
      return bad(where, fmt::format("expected the name of a format, found {}", value.type_name()));
    const auto& name = value.get_ref<const std::string&>();
    if (name == "keep") return FormatChoice{};
    const kernels::FormatInfo* format = kernels::find_format(std::string_view(name));
    if (format != nullptr) return FormatChoice{format->format};
    std::vector<std::string_view> names;
    for (const auto& known : kernels::all_formats())
      if (known.encodes) names.push_back(known.name);
    return bad(where, fmt::format("unknown format \"{}\"; known: keep, {}", printable(name, 80),
                                  fmt::join(names, ", ")));
  }

  Result<Rule> rule(const json& value, const std::string& position) const {
    if (!value.is_object())
      return bad(position, fmt::format("expected an object, found {}", value.type_name()));
    const auto glob = value.find("tensor");
    if (glob == value.end()) return bad(position, "\"tensor\" is missing");
    if (!glob->is_string())
      return bad(position, fmt::format("\"tensor\": expected a string, found {}", glob->type_name()));
    Rule out;
    out.tensor = glob->get<std::string>();
    const std::string where = fmt::format("{} (\"{}\")", position, out.tensor);
    if (out.tensor.empty()) return bad(where, "\"tensor\" is empty");
    if (out.tensor.size() > kMaxGlob)
      return bad(where, fmt::format("\"tensor\" is longer than {} bytes", kMaxGlob));
    if (const auto known = check_keys(value, {"tensor", "format", "quantizer"}, where); !known)
      return pass(known);
    const auto format = value.find("format");
    if (format == value.end()) return bad(where, "\"format\" is missing");
    auto choice = format_choice(*format, where);
    if (!choice) return pass(choice);
    out.format = *choice;
    if (const auto quantizer = value.find("quantizer"); quantizer != value.end()) {
      if (!quantizer->is_string())
        return bad(where, fmt::format("\"quantizer\": expected a string, found {}", quantizer->type_name()));
      out.quantizer = quantizer_from_name(quantizer->get_ref<const std::string&>());
      if (!out.quantizer)
        return bad(where, fmt::format("unknown quantizer \"{}\"; known: rtn, search",
                                      printable(quantizer->get_ref<const std::string&>(), 80)));
    }
    return out;
  }

  const std::string& file_;
};

std::string quoted(const std::string& text) {
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string choice_name(FormatChoice choice) {
  return choice ? std::string(kernels::info(*choice).name) : std::string("keep");
}

}  // namespace

Result<Recipe> parse_recipe(std::string_view text, const std::string& file) {
  const Where where{file, "recipe", {}};
  if (text.size() > kMaxBytes)
    return fail(ErrorCode::InvalidArgument,
                fmt::format("recipe of {} bytes; at most {} are read", text.size(), kMaxBytes), where);
  try {
    Checker checker;
    if (!json::sax_parse(text, &checker))
      return fail(
          ErrorCode::InvalidArgument, checker.problem,
          {file, "recipe", checker.offset > 0 ? std::optional<std::uint64_t>(checker.offset) : std::nullopt});
    return Reader(file).recipe(json::parse(text));
  } catch (const std::exception& error) {
    return fail(ErrorCode::InvalidArgument, fmt::format("cannot be read: {}", error.what()), where);
  }
}

std::string recipe_to_json(const Recipe& recipe) {
  std::string out =
      fmt::format("{{\n  \"bitlens_recipe\": 1,\n  \"name\": {},\n  \"rules\": [", quoted(recipe.name));
  bool first = true;
  for (const Rule& rule : recipe.rules) {
    out += fmt::format("{}\n    {{\"tensor\": {}, \"format\": \"{}\"", first ? "" : ",", quoted(rule.tensor),
                       choice_name(rule.format));
    if (rule.quantizer) out += fmt::format(", \"quantizer\": \"{}\"", quantizer_name(*rule.quantizer));
    out += "}";
    first = false;
  }
  out += fmt::format("{}],\n  \"default\": \"{}\"\n}}\n", first ? "" : "\n  ", choice_name(recipe.fallback));
  return out;
}

const char* quantizer_name(Quantizer quantizer) {
  return quantizer == Quantizer::Rtn ? "rtn" : "search";
}

std::optional<Quantizer> quantizer_from_name(std::string_view name) {
  for (const Quantizer quantizer : {Quantizer::Rtn, Quantizer::Search})
    if (name == quantizer_name(quantizer)) return quantizer;
  return std::nullopt;
}

}  // namespace bitlens::quantize
