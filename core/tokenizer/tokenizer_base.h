// What both kinds of tokenizer share: the vocabulary, user-defined tokens, and the walk over a text.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/tokenizer/tokenizer.h"
#include "core/tokenizer/user_tokens.h"
#include "core/tokenizer/vocabulary.h"

namespace bitlens::tokenizer {

class TokenizerBase : public Tokenizer {
 public:
  [[nodiscard]] std::string_view spelling(TokenId id) const override;
  [[nodiscard]] std::string decode(TokenId id) const override;
  [[nodiscard]] std::size_t size() const override { return vocabulary_.size(); }
  [[nodiscard]] std::optional<TokenId> bos() const override { return vocabulary_.bos; }
  [[nodiscard]] bool adds_bos() const override { return adds_bos_; }
  [[nodiscard]] const std::string& description() const override { return description_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const override { return vocabulary_.warnings; }
  [[nodiscard]] Result<std::vector<TokenId>> encode(std::string_view text) const final;

 protected:
  TokenizerBase(Vocabulary vocabulary, bool adds_bos, std::string description);

  /// Tokens of the fragments of `text` (shorter than 2 GiB), appended to `out`. May throw std::bad_alloc.
  [[nodiscard]] virtual Status encode_fragments(std::string_view text, const std::vector<Fragment>& fragments,
                                                std::vector<TokenId>& out) const = 0;
  /// Bytes of a token that ordinary text can become.
  [[nodiscard]] virtual std::string decode_text(std::string_view spelling) const = 0;
  /// The error for a byte of the text that the vocabulary cannot express.
  [[nodiscard]] static tl::unexpected<Error> not_covered(std::string_view text, std::size_t offset);

  Vocabulary vocabulary_;

 private:
  UserTokens user_tokens_;
  bool adds_bos_;
  std::string description_;
};

}  // namespace bitlens::tokenizer
