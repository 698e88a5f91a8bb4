#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "core/quantize/checked_json.h"
#include "core/quantize/scheme.h"

namespace bitlens::quantize {

namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxNumber = 1'000'000;

/// Takes `word` off the front of `text`.
bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

bool take_number(std::string_view& text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number > kMaxNumber) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_fraction(std::string_view& text, std::uint64_t& top, std::uint64_t& bottom) {
  return take_number(text, top) && take(text, "/") && take_number(text, bottom) && bottom > 0;
}

std::optional<LayerCondition> layers_of(std::string_view text) {
  LayerCondition out;
  if (text == "more_bits") {
    out.kind = LayerCondition::Kind::MoreBits;
    return out;
  }
  if (take(text, "first ")) {
    std::string_view whole = text;
    if (take_number(whole, out.count) && whole.empty()) {
      out.kind = LayerCondition::Kind::FirstCount;
      return out;
    }
    out.kind = LayerCondition::Kind::Range;
    if (take_fraction(text, out.to, out.to_of) && text.empty()) return out;
    return std::nullopt;
  }
  out.kind = LayerCondition::Kind::Range;
  if (take(text, "from ") && take_fraction(text, out.from, out.from_of) && take(text, " to ") &&
      take_fraction(text, out.to, out.to_of) && text.empty())
    return out;
  return std::nullopt;
}

class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  Result<Scheme> scheme(const json& root) const {
    if (!root.is_object()) return bad("scheme", "expected an object");
    Scheme out;
    for (const auto& [key, value] : root.items()) {
      Status read;
      if (key == "bitlens_scheme")
        read = version(value, key);
      else if (key == "name")
        read = text(value, key, out.name);
      else if (key == "about")
        read = text(value, key, out.about);
      else if (key == "default")
        read = format(value, key, out.base);
      else if (key == "rules")
        read = rules(value, out.rules);
      else if (key == "does_not_fit")
        read = fallbacks(value, out);
      else
        read =
            bad("scheme", fmt::format("unknown key \"{}\"; known: name, about, default, rules, does_not_fit",
                                      printable(key, 80)));
      if (!read) return pass(read);
    }
    if (root.find("default") == root.end()) return bad("scheme", "\"default\" is missing");
    return out;
  }

 private:
  [[nodiscard]] tl::unexpected<Error> bad(const std::string& object, std::string message) const {
    return fail(ErrorCode::InvalidArgument, std::move(message), {file_, object, {}});
  }
  Status text(const json& value, const std::string& where, std::string& out) const {
    if (!value.is_string()) return bad(where, fmt::format("expected a string, found {}", value.type_name()));
    out = value.get<std::string>();
    return {};
  }
  Status format(const json& value, const std::string& where, Format& out) const {
    std::string name;
    if (auto read = text(value, where, name); !read) return read;
    const kernels::FormatInfo* found = kernels::find_format(std::string_view(name));
    if (found == nullptr) return bad(where, fmt::format("unknown format \"{}\"", printable(name, 80)));
    out = found->format;
    return {};
  }
  Status number(const json& value, const std::string& where, std::optional<std::uint64_t>& out) const {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kMaxNumber)
      return bad(where, "expected a number, not negative");
    out = value.get<std::uint64_t>();
    return {};
  }
  Status flag(const json& value, const std::string& where, std::optional<bool>& out) const {
    if (!value.is_boolean()) return bad(where, "expected true or false");
    out = value.get<bool>();
    return {};
  }

  Status version(const json& value, const std::string& where) const {
    std::optional<std::uint64_t> found;
    if (auto read = number(value, where, found); !read) return read;
    if (found.value_or(0) != 1) return bad(where, "this program reads version 1");
    return {};
  }

  Status globs(const json& value, const std::string& where, std::vector<std::string>& out) const {
    if (value.is_array()) {
      for (const json& one : value)
        if (auto read = glob(one, where, out); !read) return read;
    } else if (auto read = glob(value, where, out); !read) {
      return read;
    }
    if (out.empty()) return bad(where, "\"tensor\" is empty");
    return {};
  }
  Status glob(const json& value, const std::string& where, std::vector<std::string>& out) const {
    std::string pattern;
    if (auto read = text(value, where, pattern); !read) return read;
    if (pattern.empty() || pattern.size() > 1024)
      return bad(where, "a glob is empty or longer than 1024 bytes");
    out.push_back(std::move(pattern));
    return {};
  }

  Status conditions(const json& value, const std::string& where, SchemeRule& out) const {
    if (!value.is_object()) return bad(where, "\"when\": expected an object");
    for (const auto& [key, one] : value.items()) {
      const std::string place = where + ", when " + printable(key, 80);
      Status read;
      if (key == "tied")
        read = flag(one, place, out.tied);
      else if (key == "importance")
        read = flag(one, place, out.importance);
      else if (key == "gqa_at_least")
        read = number(one, place, out.gqa_at_least);
      else if (key == "experts")
        read = number(one, place, out.experts);
      else if (key == "layer_count")
        read = number(one, place, out.layer_count);
      else
        read = bad(place, "unknown condition; known: tied, importance, gqa_at_least, experts, layer_count");
      if (!read) return read;
    }
    return {};
  }

  Status rules(const json& value, std::vector<SchemeRule>& out) const {
    if (!value.is_array()) return bad("rules", "expected an array");
    for (const json& one : value) {
      const std::string where = fmt::format("rule {}", out.size() + 1);
      if (!one.is_object()) return bad(where, "expected an object");
      SchemeRule rule;
      for (const auto& [key, part] : one.items()) {
        Status read;
        if (key == "tensor") {
          read = globs(part, where, rule.tensors);
        } else if (key == "layers") {
          std::string layers;
          read = text(part, where, layers);
          const auto known = layers_of(layers);
          if (read && !known)
            read = bad(where, fmt::format("\"layers\": \"{}\" is not understood; known: more_bits, first N, "
                                          "first A/B, from A/B to C/D",
                                          printable(layers, 80)));
          if (known) rule.layers = *known;
        } else if (key == "when") {
          read = conditions(part, where, rule);
        } else if (key == "format") {
          Format format{};
          if (!part.is_string() || part.get_ref<const std::string&>() != "keep") {
            read = this->format(part, where, format);
            rule.format = format;
          }
        } else if (key == "why") {
          read = text(part, where, rule.why);
        } else {
          read = bad(where, fmt::format("unknown key \"{}\"; known: tensor, layers, when, format, why",
                                        printable(key, 80)));
        }
        if (!read) return read;
      }
      if (rule.tensors.empty()) return bad(where, "\"tensor\" is missing");
      if (one.find("format") == one.end()) return bad(where, "\"format\" is missing");
      out.push_back(std::move(rule));
    }
    return {};
  }

  Status fallbacks(const json& value, Scheme& out) const {
    if (!value.is_object()) return bad("does_not_fit", "expected an object");
    for (const auto& [key, one] : value.items()) {
      Format to{};
      if (auto read = format(one, "does_not_fit", to); !read) return read;
      if (key == "else") {
        out.does_not_fit_else = to;
        continue;
      }
      const kernels::FormatInfo* known = kernels::find_format(std::string_view(key));
      if (known == nullptr)
        return bad("does_not_fit", fmt::format("unknown format \"{}\"", printable(key, 80)));
      out.does_not_fit.emplace_back(known->format, to);
    }
    return {};
  }

  const std::string& file_;
};

}  // namespace

Result<Scheme> parse_scheme(std::string_view text, const std::string& file) {
  const auto root = parse_checked_json(text, file, "scheme");
  if (!root) return pass(root);
  try {
    return Reader(file).scheme(*root);
  } catch (const std::exception& error) {
    return fail(ErrorCode::InvalidArgument, fmt::format("cannot be read: {}", error.what()),
                {file, "scheme", {}});
  }
}

bool is_scheme(std::string_view text) {
  constexpr std::string_view kKey = "\"bitlens_scheme\"";
  return text.find(kKey) != std::string_view::npos;
}

const SchemeText* find_included_scheme(std::string_view name) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  const auto schemes = included_schemes();
  const auto found = std::find_if(schemes.begin(), schemes.end(), [&](const SchemeText& scheme) {
    return std::ranges::equal(scheme.name, name, {}, lower, lower);
  });
  return found == schemes.end() ? nullptr : &*found;
}

}  // namespace bitlens::quantize
