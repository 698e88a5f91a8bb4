// Byte-level byte-pair encoding ("gpt2"): cut into words by a pattern, merge inside each word by rank.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/io/metadata.h"
#include "core/tokenizer/tokenizer.h"

namespace bitlens::tokenizer {

/// Unsupported names an unknown pre-tokenizer; BadFile the key and what is wrong with it.
[[nodiscard]] Result<std::shared_ptr<const Tokenizer>> make_byte_bpe(const io::Metadata& metadata,
                                                                     const std::string& file);

}  // namespace bitlens::tokenizer
