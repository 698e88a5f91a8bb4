// Text to token ids, from a model file's own metadata: SentencePiece-style ("llama") and byte-level BPE
// ("gpt2").
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/io/metadata.h"

namespace bitlens::tokenizer {

using TokenId = std::int32_t;

/// Immutable after creation; encode() may be called from any thread.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Ids of `text`, no BOS added. Control tokens written in the text are not parsed, user-defined ones are.
  /// Text is never silently dropped: a byte that no token covers is an error naming its offset.
  /// Linear time and fixed stack for any input.
  [[nodiscard]] virtual Result<std::vector<TokenId>> encode(std::string_view text) const = 0;
  /// Bytes a token stands for (SentencePiece space marks and byte tokens resolved).
  [[nodiscard]] virtual std::string decode(TokenId id) const = 0;
  /// The token as the vocabulary spells it.
  [[nodiscard]] virtual std::string_view spelling(TokenId id) const = 0;
  [[nodiscard]] virtual std::size_t size() const = 0;

  [[nodiscard]] virtual std::optional<TokenId> bos() const = 0;
  /// Does the model put BOS at the head of a text? (tokenizer.ggml.add_bos_token, else the model kind's
  /// default)
  [[nodiscard]] virtual bool adds_bos() const = 0;
  /// "llama" or "gpt2/smollm": for provenance.
  [[nodiscard]] virtual const std::string& description() const = 0;
  [[nodiscard]] virtual const std::vector<std::string>& warnings() const = 0;
};

/// Builds the tokenizer a file's metadata describes. Unsupported names the unknown model or pre-tokenizer;
/// BadFile names the key and what is wrong with it. `file` is only for messages.
[[nodiscard]] Result<std::shared_ptr<const Tokenizer>> make_tokenizer(const io::Metadata& metadata,
                                                                      const std::string& file);

}  // namespace bitlens::tokenizer
