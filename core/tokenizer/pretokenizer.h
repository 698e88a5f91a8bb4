// Cuts a text into the pieces inside which byte-level BPE merges, by the fixed patterns of
// pretokenizer_patterns.h.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/tokenizer/pretokenizer_patterns.h"

namespace bitlens::tokenizer {

/// Immutable after creation; split() may be called from any thread.
class Pretokenizer {
 public:
  /// Compiles the patterns with PCRE2 (UTF, Unicode properties, JIT where the system allows it). Unsupported
  /// if the PCRE2 at hand cannot do that.
  [[nodiscard]] static Result<Pretokenizer> create(const PretokenizerKind& kind);

  Pretokenizer(Pretokenizer&&) noexcept;
  Pretokenizer& operator=(Pretokenizer&&) noexcept;
  ~Pretokenizer();

  /// The ends of the pieces of `text`, ascending; the last is text.size(); no piece is empty. Bytes that are
  /// not UTF-8 belong to pieces as symbols do (neither letter, number, punctuation nor space), each on its
  /// own.
  [[nodiscard]] Result<std::vector<std::size_t>> split(std::string_view text) const;

 private:
  class Pattern;
  explicit Pretokenizer(std::vector<Pattern> patterns);
  std::vector<Pattern> patterns_;
};

/// PCRE2's `\s` takes U+180E for a space, Unicode's White_Space and the models' own engines do not: the
/// pattern with every `\s` and `\S` written out as White_Space.
[[nodiscard]] std::string with_unicode_white_space(std::string_view pattern);

}  // namespace bitlens::tokenizer
