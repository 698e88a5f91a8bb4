#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/quantize/tensor_types.h"

#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>

#include "core/quantize/tensor_kind.h"

namespace bitlens::quantize {

namespace {

constexpr std::size_t kMaxText = 4U << 20U;
constexpr std::size_t kMaxPattern = 1024;
constexpr std::string_view kSpace = " \t\r\n\v\f";
constexpr std::string_view kRegexCharacters = "\\^$.|?*+()[]{}";

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatch {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

/// A regular expression that is searched for in names, with bounds on its work.
class Pattern {
 public:
  static Result<Pattern> compile(const std::string& text) {
    int error = 0;
    PCRE2_SIZE at = 0;
    Pattern out;
    const auto* characters = reinterpret_cast<PCRE2_SPTR>(text.data());
    out.code_.reset(pcre2_compile(characters, text.size(), PCRE2_NEVER_UTF, &error, &at, nullptr));
    if (!out.code_) return fail(ErrorCode::InvalidArgument, message(error));
    out.data_.reset(pcre2_match_data_create_from_pattern(out.code_.get(), nullptr));
    out.context_.reset(pcre2_match_context_create(nullptr));
    if (!out.data_ || !out.context_) return fail(ErrorCode::Memory, "not enough memory for a pattern");
    pcre2_set_match_limit(out.context_.get(), 100'000);
    pcre2_set_depth_limit(out.context_.get(), 1000);
    pcre2_set_heap_limit(out.context_.get(), 1024);  // KiB
    return out;
  }

  [[nodiscard]] Result<bool> found_in(const std::string& name) const {
    const auto* characters = reinterpret_cast<PCRE2_SPTR>(name.data());
    const int found = pcre2_match(code_.get(), characters, name.size(), 0, 0, data_.get(), context_.get());
    if (found >= 0) return true;
    if (found == PCRE2_ERROR_NOMATCH) return false;
    return fail(ErrorCode::InvalidArgument, "matching takes too long: " + message(found));
  }

 private:
  static std::string message(int code) {
    std::array<PCRE2_UCHAR, 160> buffer{};
    pcre2_get_error_message(code, buffer.data(), buffer.size());
    return {reinterpret_cast<const char*>(buffer.data())};
  }
  std::unique_ptr<pcre2_code, FreeCode> code_;
  std::unique_ptr<pcre2_match_data, FreeMatch> data_;
  std::unique_ptr<pcre2_match_context, FreeContext> context_;
};

/// A glob that looks as if it meant the same as a simple pattern; empty if there is none.
std::string glob_like(std::string_view pattern) {
  std::string glob;
  const bool from_start = pattern.starts_with('^');
  if (from_start) pattern.remove_prefix(1);
  const bool to_end = pattern.ends_with('$') && !pattern.ends_with("\\$");
  if (to_end) pattern.remove_suffix(1);
  if (!from_start) glob += '*';
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size() &&
        kRegexCharacters.find(pattern[i + 1]) != std::string_view::npos) {
      const char literal = pattern[++i];
      if (literal == '*' || literal == '?') return {};
      glob += literal;
    } else if (pattern.substr(i).starts_with(".*")) {
      glob += '*';
      ++i;
    } else if (pattern.substr(i).starts_with("[0-9]+")) {
      glob += '*';
      i += 5;
    } else if (pattern.substr(i).starts_with("\\d+")) {
      glob += '*';
      i += 2;
    } else if (c == '.') {
      glob += '?';
    } else if (kRegexCharacters.find(c) != std::string_view::npos) {
      return {};
    } else {
      glob += c;
    }
  }
  if (!to_end) glob += '*';
  return glob;
}

/// May an item change this tensor?
bool is_choosable(const io::TensorInfo& tensor) {
  return !is_norm_or_vector(tensor) && !is_integer(tensor.format) && tensor.name.ends_with(".weight");
}

struct Item {
  std::string pattern;
  Format format = Format::F32;
};

Result<Item> item_of(std::string_view text, const std::string& source) {
  const auto bad = [&](std::string message) {
    return fail(ErrorCode::InvalidArgument, std::move(message), {source, std::string(text), {}});
  };
  const auto equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0) return bad("expected PATTERN=TYPE");
  if (equals > kMaxPattern) return bad(fmt::format("the pattern is longer than {} bytes", kMaxPattern));
  const kernels::FormatInfo* format = kernels::find_format(text.substr(equals + 1));
  if (format == nullptr)
    return bad(fmt::format("unknown type \"{}\"", printable(text.substr(equals + 1), 80)));
  if (!format->encodes) return bad(fmt::format("{} cannot be written by this program", format->name));
  Item item{std::string(text.substr(0, equals)), format->format};
  return item;
}

/// llama-quantize's name of a format: "q4_K", "iq4_nl", "f16".
std::string type_name(Format format) {
  std::string name(kernels::info(format).name);
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (name.ends_with("_k")) name.back() = 'K';
  return name;
}

std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (kRegexCharacters.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

Result<TensorTypes> parse_tensor_types(std::string_view text, const io::ModelFile& file,
                                       const std::string& source) {
  if (text.size() > kMaxText)
    return fail(ErrorCode::InvalidArgument, fmt::format("more than {} bytes of tensor types", kMaxText),
                {source, {}, {}});
  TensorTypes out;
  std::set<std::size_t> taken;
  for (std::size_t at = text.find_first_not_of(kSpace); at != std::string_view::npos;
       at = text.find_first_not_of(kSpace, at)) {
    const auto end = std::min(text.find_first_of(kSpace, at), text.size());
    const std::string_view word = text.substr(at, end - at);
    at = end;
    const auto item = item_of(word, source);
    if (!item) return pass(item);
    const Where where{source, printable(word, 200), {}};
    const auto pattern = Pattern::compile(item->pattern);
    if (!pattern)
      return fail(ErrorCode::InvalidArgument, "no regular expression: " + pattern.error().message, where);
    const std::string glob = glob_like(item->pattern);
    bool glob_is_same = !glob.empty();
    std::vector<std::string> names;
    std::size_t matched = 0;
    for (std::size_t t = 0; t < file.tensors().size(); ++t) {
      const io::TensorInfo& tensor = file.tensors()[t];
      const auto found = pattern->found_in(tensor.name);
      if (!found) return fail(ErrorCode::InvalidArgument, found.error().message, where);
      const bool reached = *found && is_choosable(tensor);
      // A glob reaches norms only if it names them after its last wildcard.
      glob_is_same = glob_is_same && (!is_choosable(tensor) || glob_matches(glob, tensor.name) == *found) &&
                     (is_choosable(tensor) || !glob_matches(glob, tensor.name) || !asks_by_name(glob));
      if (!reached) continue;
      ++matched;
      if (taken.insert(t).second) names.push_back(tensor.name);
    }
    if (names.empty()) {
      out.warnings.push_back(
          matched == 0 ? fmt::format("{}: matches no matrix of this model and changes nothing", where.object)
                       : fmt::format("{}: earlier items decide everything it matches", where.object));
      continue;
    }
    if (glob_is_same && names.size() > 1)
      out.rules.push_back({glob, item->format, std::nullopt, std::string(word)});
    else
      for (const std::string& name : names)
        out.rules.push_back({name, item->format, std::nullopt, std::string(word)});
  }
  return out;
}

std::string tensor_types_text(const ResolvedRecipe& resolved, const io::ModelFile& file) {
  std::string out;
  for (std::size_t t = 0; t < file.tensors().size(); ++t) {
    const io::TensorInfo& tensor = file.tensors()[t];
    if (!is_choosable(tensor) || tensor.name.find_first_of(kSpace) != std::string::npos) continue;
    out += fmt::format("^{}$={}\n", escaped(tensor.name), type_name(resolved.tensors[t].format));
  }
  return out;
}

}  // namespace bitlens::quantize
