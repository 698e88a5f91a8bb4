// The tokens of a model file, validated: what every kind of tokenizer starts from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/name_index.h"
#include "core/base/result.h"
#include "core/io/metadata.h"
#include "core/tokenizer/tokenizer.h"

namespace bitlens::tokenizer {

/// Values of tokenizer.ggml.token_type.
enum class TokenType : std::uint8_t {
  Normal = 1,
  Unknown = 2,
  Control = 3,
  UserDefined = 4,
  Unused = 5,
  Byte = 6
};

/// Spellings come from strangers' files: hashed so that none can be made to collide.
struct SpellingHash {
  std::size_t operator()(std::string_view spelling) const { return hash_name(spelling); }
};

/// Move-only: `ids` refers to the strings in `tokens`.
struct Vocabulary {
  Vocabulary() = default;
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;
  Vocabulary(const Vocabulary&) = delete;
  Vocabulary& operator=(const Vocabulary&) = delete;

  std::vector<std::string> tokens;
  std::vector<TokenType> types;
  std::unordered_map<std::string_view, TokenId, SpellingHash>
      ids;  ///< spelling -> id, empty spellings left out
  std::optional<TokenId> bos;
  std::vector<std::string> warnings;

  [[nodiscard]] std::size_t size() const { return tokens.size(); }
  [[nodiscard]] std::optional<TokenId> find(std::string_view spelling) const {
    const auto found = ids.find(spelling);
    if (found == ids.end()) return std::nullopt;
    return found->second;
  }
  [[nodiscard]] TokenType type(TokenId id) const { return types[static_cast<std::size_t>(id)]; }
  /// May plain text become this token? Control, unknown and byte tokens are not written out in texts.
  [[nodiscard]] bool is_text(TokenId id) const {
    const TokenType t = type(id);
    return t == TokenType::Normal || t == TokenType::UserDefined || t == TokenType::Unused;
  }
};

/// Reads tokens, types and the ids of special tokens. BadFile names the key and what is wrong with it; what
/// does not stop a tokenizer (duplicates, empty tokens, ids outside the vocabulary) becomes a warning.
/// `default_bos`: the id a file of this kind means when it has no tokenizer.ggml.bos_token_id.
[[nodiscard]] Result<Vocabulary> read_vocabulary(const io::Metadata& metadata, const std::string& file,
                                                 std::optional<TokenId> default_bos);

/// tokenizer.ggml.scores: one finite score per token. BadFile otherwise.
[[nodiscard]] Result<std::vector<float>> read_scores(const io::Metadata& metadata, const std::string& file,
                                                     std::size_t tokens);

/// A boolean setting, `fallback` if absent. BadFile if it is of another type.
[[nodiscard]] Result<bool> read_flag(const io::Metadata& metadata, const std::string& file,
                                     const std::string& key, bool fallback);

/// Does the model start a text with BOS? A file that asks for it without naming a BOS gets a warning and no.
[[nodiscard]] Result<bool> read_adds_bos(const io::Metadata& metadata, const std::string& file,
                                         Vocabulary& vocabulary, bool fallback);

/// The byte a token spelled `<0xHH>` stands for.
[[nodiscard]] std::optional<std::uint8_t> byte_spelled(std::string_view spelling);

}  // namespace bitlens::tokenizer
