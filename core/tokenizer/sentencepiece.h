// SentencePiece-style BPE ("llama"): spaces become U+2581, characters merge by score, the rest falls back to
// bytes.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/io/metadata.h"
#include "core/tokenizer/tokenizer.h"

namespace bitlens::tokenizer {

/// BadFile names the key and what is wrong with it.
[[nodiscard]] Result<std::shared_ptr<const Tokenizer>> make_sentencepiece(const io::Metadata& metadata,
                                                                          const std::string& file);

}  // namespace bitlens::tokenizer
