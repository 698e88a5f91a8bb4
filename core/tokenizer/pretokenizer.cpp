#include "core/tokenizer/pretokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "core/tokenizer/utf8.h"

namespace bitlens::tokenizer {

namespace {

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
struct FreeMatchContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

std::string pcre2_message(int code) {
  std::array<unsigned char, 256> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  return {buffer.begin(), std::find(buffer.begin(), buffer.end(), '\0')};
}

/// `text` with each byte that is not UTF-8 replaced by U+0001, which every pattern here treats as it treats
/// U+FFFD; offsets stay. The copy is made in `storage`, only where it is needed.
std::string_view valid_utf8(std::string_view text, std::string& storage) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_sequence_length(text, i);
    if (length == 0) {
      if (storage.empty()) storage = text;
      storage[i] = '\x01';
    }
    i += std::max<std::size_t>(length, 1);
  }
  return storage.empty() ? text : std::string_view(storage);
}

}  // namespace

class Pretokenizer::Pattern {
 public:
  static Result<Pattern> compile(std::string_view source) {
    const std::string pattern = with_unicode_white_space(source);
    int error = 0;
    PCRE2_SIZE at = 0;
    Pattern out;
    out.code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                  PCRE2_UTF | PCRE2_UCP, &error, &at, nullptr));
    if (!out.code_)
      return fail(ErrorCode::Unsupported,
                  fmt::format("this PCRE2 cannot compile a pre-tokenizer pattern: {} (at {})",
                              pcre2_message(error), at));
    // Where memory may not be made executable the interpreter matches: the same, slower.
    out.jit_ = pcre2_jit_compile(out.code_.get(), PCRE2_JIT_COMPLETE) == 0;
    return out;
  }

  /// Cuts `text` (valid UTF-8) at the matches in every piece given by `ends`.
  Status split(std::string_view text, const std::vector<std::size_t>& ends,
               std::vector<std::size_t>& out) const {
    const std::unique_ptr<pcre2_match_data, FreeMatchData> data(
        pcre2_match_data_create_from_pattern(code_.get(), nullptr));
    const std::unique_ptr<pcre2_match_context, FreeMatchContext> context(pcre2_match_context_create(nullptr));
    if (!data || !context) return fail(ErrorCode::Memory, "not enough memory to match");
    // Every pattern is linear: some steps per byte are plenty, and no text may make it more.
    const std::size_t steps =
        std::min<std::size_t>(10000 + 16 * text.size(), std::numeric_limits<std::uint32_t>::max());
    pcre2_set_match_limit(context.get(), static_cast<std::uint32_t>(steps));
    pcre2_set_depth_limit(context.get(), 1000);
    pcre2_set_heap_limit(context.get(), 1024);  // KiB
    const PCRE2_SIZE* const found = pcre2_get_ovector_pointer(data.get());
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
      const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data() + begin);
      const std::size_t length = end - begin;
      std::size_t at = 0;
      while (at < length) {
        const int matched =
            jit_ ? pcre2_jit_match(code_.get(), subject, length, at, 0, data.get(), context.get())
                 : pcre2_match(code_.get(), subject, length, at, PCRE2_NO_UTF_CHECK, data.get(),
                               context.get());
        if (matched == PCRE2_ERROR_NOMATCH) break;
        if (matched < 0 || found[1] <= at)
          return fail(ErrorCode::Unsupported,
                      fmt::format("the pre-tokenizer gave up: {}", pcre2_message(matched)),
                      {"", "", begin + at});
        if (found[0] > at) out.push_back(begin + found[0]);
        out.push_back(begin + found[1]);
        at = found[1];
      }
      if (at < length) out.push_back(end);
      begin = end;
    }
    return {};
  }

 private:
  std::unique_ptr<pcre2_code, FreeCode> code_;
  bool jit_ = false;
};

Pretokenizer::Pretokenizer(std::vector<Pattern> patterns) : patterns_(std::move(patterns)) {}
Pretokenizer::Pretokenizer(Pretokenizer&&) noexcept = default;
Pretokenizer& Pretokenizer::operator=(Pretokenizer&&) noexcept = default;
Pretokenizer::~Pretokenizer() = default;

Result<Pretokenizer> Pretokenizer::create(const PretokenizerKind& kind) {
  std::vector<Pattern> patterns;
  for (const std::string_view stage : kind.stages) {
    auto pattern = Pattern::compile(stage);
    if (!pattern) return pass(pattern);
    patterns.push_back(std::move(*pattern));
  }
  return Pretokenizer(std::move(patterns));
}

Result<std::vector<std::size_t>> Pretokenizer::split(std::string_view text) const {
  std::vector<std::size_t> ends;
  if (text.empty()) return ends;
  ends.push_back(text.size());
  std::string storage;
  const std::string_view valid = valid_utf8(text, storage);
  for (const Pattern& pattern : patterns_) {
    std::vector<std::size_t> finer;
    finer.reserve(std::max(ends.size(), text.size() / 8));
    if (const Status status = pattern.split(valid, ends, finer); !status) return pass(status);
    ends = std::move(finer);
  }
  return ends;
}

std::string with_unicode_white_space(std::string_view pattern) {
  constexpr std::string_view white_space =
      R"(\x{9}-\x{D}\x{20}\x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000})";
  std::string out;
  bool in_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      const char escaped = pattern[++i];
      if (escaped == 's' && in_class)
        out += white_space;
      else if (escaped == 's')
        out += fmt::format("[{}]", white_space);
      else if (escaped == 'S' && !in_class)
        out += fmt::format("[^{}]", white_space);
      else
        out += {c, escaped};
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    out += c;
  }
  return out;
}

}  // namespace bitlens::tokenizer
