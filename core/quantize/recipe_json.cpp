// Recipes as JSON, read key by key.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/quantize/checked_json.h"
#include "core/quantize/recipe.h"

namespace bitlens::quantize {

namespace {

using nlohmann::json;

constexpr std::size_t kMaxGlob = 1024;  // bytes; bounds the work of matching

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
    if (const auto known = check_keys(value, {"tensor", "format", "quantizer", "why"}, where); !known)
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
    if (const auto why = value.find("why"); why != value.end()) {
      if (!why->is_string())
        return bad(where, fmt::format("\"why\": expected a string, found {}", why->type_name()));
      out.why = why->get<std::string>();
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
  const auto root = parse_checked_json(text, file, "recipe");
  if (!root) return pass(root);
  try {
    return Reader(file).recipe(*root);
  } catch (const std::exception& error) {
    return fail(ErrorCode::InvalidArgument, fmt::format("cannot be read: {}", error.what()),
                {file, "recipe", {}});
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
    if (!rule.why.empty()) out += fmt::format(", \"why\": {}", quoted(rule.why));
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
