#include "core/tokenizer/tokenizer_base.h"

#include <fmt/format.h>

#include <limits>
#include <new>

namespace bitlens::tokenizer {

namespace {

std::vector<std::pair<std::string_view, TokenId>> user_defined(const Vocabulary& vocabulary) {
  std::vector<std::pair<std::string_view, TokenId>> out;
  for (const auto& [spelling, id] : vocabulary.ids)
    if (vocabulary.type(id) == TokenType::UserDefined) out.emplace_back(spelling, id);
  return out;
}

}  // namespace

TokenizerBase::TokenizerBase(Vocabulary vocabulary, bool adds_bos, std::string description)
    : vocabulary_(std::move(vocabulary)),
      user_tokens_(user_defined(vocabulary_)),
      adds_bos_(adds_bos),
      description_(std::move(description)) {}

std::string_view TokenizerBase::spelling(TokenId id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= vocabulary_.size()) return {};
  return vocabulary_.tokens[static_cast<std::size_t>(id)];
}

std::string TokenizerBase::decode(TokenId id) const {
  const std::string_view written = spelling(id);
  if (written.empty()) return {};
  switch (vocabulary_.type(id)) {
    case TokenType::Normal:
    case TokenType::Unused:
      return decode_text(written);
    case TokenType::Byte:
      if (const auto byte = byte_spelled(written)) return std::string(1, static_cast<char>(*byte));
      break;
    case TokenType::Unknown:
    case TokenType::Control:
    case TokenType::UserDefined:
      break;
  }
  return std::string(written);
}

Result<std::vector<TokenId>> TokenizerBase::encode(std::string_view text) const {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    return fail(
        ErrorCode::InvalidArgument,
        fmt::format("a text of {} bytes is too long to be tokenized at once (at most 2 GiB)", text.size()));
  try {
    std::vector<TokenId> out;
    out.reserve(text.size() / 4 + 16);
    if (const Status status = encode_fragments(text, user_tokens_.split(text), out); !status)
      return pass(status);
    return out;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, fmt::format("not enough memory to tokenize {} bytes", text.size()));
  }
}

tl::unexpected<Error> TokenizerBase::not_covered(std::string_view text, std::size_t offset) {
  return fail(ErrorCode::Unsupported,
              fmt::format("no token of the vocabulary covers byte 0x{:02X} of the text",
                          static_cast<unsigned char>(text[offset])),
              {"", "", offset});
}

}  // namespace bitlens::tokenizer
