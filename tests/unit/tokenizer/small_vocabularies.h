// Metadata of vocabularies small enough to work out every token by hand.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/io/metadata.h"
#include "core/tokenizer/byte_alphabet.h"

namespace bitlens::test {

constexpr std::int32_t kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6;

struct Piece {
  std::string spelling;
  std::int32_t type = kNormal;
  float score = 0;
};

inline void set_tokens(io::Metadata& metadata, const std::vector<Piece>& pieces, bool with_scores) {
  std::vector<std::string> tokens;
  std::vector<std::int32_t> types;
  std::vector<float> scores;
  for (const Piece& piece : pieces) {
    tokens.push_back(piece.spelling);
    types.push_back(piece.type);
    scores.push_back(piece.score);
  }
  metadata.set("tokenizer.ggml.tokens", io::MetadataArray(std::move(tokens)));
  metadata.set("tokenizer.ggml.token_type", io::MetadataArray(std::move(types)));
  if (with_scores) metadata.set("tokenizer.ggml.scores", io::MetadataArray(std::move(scores)));
}

/// Ids 0..255 are the bytes; then `more`, then the tokens the merges make, in order.
inline io::Metadata byte_bpe(const std::string& pre, const std::vector<Piece>& more = {},
                             const std::vector<std::string>& merges = {}) {
  std::vector<Piece> pieces;
  for (int byte = 0; byte < 256; ++byte) {
    const char raw = static_cast<char>(byte);
    pieces.push_back({tokenizer::spell_bytes({&raw, 1})});
  }
  pieces.insert(pieces.end(), more.begin(), more.end());
  for (const std::string& merge : merges) {
    const std::size_t space = merge.find(' ');
    pieces.push_back({merge.substr(0, space) + merge.substr(space + 1)});
  }
  io::Metadata metadata;
  metadata.set("tokenizer.ggml.model", std::string("gpt2"));
  metadata.set("tokenizer.ggml.pre", pre);
  set_tokens(metadata, pieces, false);
  metadata.set("tokenizer.ggml.merges", io::MetadataArray(merges));
  return metadata;
}

/// Ids 0..2 are <unk>, <s>, </s>, then the 256 byte tokens (id 3 + byte), then `more` from id 259 on.
inline io::Metadata sentencepiece(const std::vector<Piece>& more) {
  std::vector<Piece> pieces = {{"<unk>", kUnknown}, {"<s>", kControl}, {"</s>", kControl}};
  const char* hex = "0123456789ABCDEF";
  for (unsigned byte = 0; byte < 256; ++byte)
    pieces.push_back({std::string("<0x") + hex[byte / 16] + hex[byte % 16] + ">", kByte});
  pieces.insert(pieces.end(), more.begin(), more.end());
  io::Metadata metadata;
  metadata.set("tokenizer.ggml.model", std::string("llama"));
  set_tokens(metadata, pieces, true);
  return metadata;
}

}  // namespace bitlens::test
