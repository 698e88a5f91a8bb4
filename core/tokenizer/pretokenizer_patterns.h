// The pre-tokenizers that model files name in tokenizer.ggml.pre: how byte-level BPE cuts a text into words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitlens::tokenizer {

struct PretokenizerKind {
  std::string_view name;
  /// Regular expressions, applied one after the other inside the pieces of the one before. What a stage does
  /// not match stays a piece of its own. `\s` is Unicode's White_Space (see Pretokenizer).
  std::vector<std::string_view> stages;
  bool ignore_merges = false;  ///< a piece that is a token is that token, whatever the merges make of it
  bool adds_bos = false;       ///< when the file does not say
};

/// nullptr for a name that is not known. Aliases of one kind give equal stages.
[[nodiscard]] const PretokenizerKind* find_pretokenizer(std::string_view name);

/// What files without tokenizer.ggml.pre are read with: a guess, to be shown as such.
[[nodiscard]] const PretokenizerKind& default_pretokenizer();

/// All names, for messages: "gpt-2, mpt, ...".
[[nodiscard]] std::string pretokenizer_names();

}  // namespace bitlens::tokenizer
