#include <fmt/format.h>

#include <new>

#include "core/tokenizer/byte_bpe.h"
#include "core/tokenizer/sentencepiece.h"
#include "core/tokenizer/tokenizer.h"

namespace bitlens::tokenizer {

Result<std::shared_ptr<const Tokenizer>> make_tokenizer(const io::Metadata& metadata,
                                                        const std::string& file) {
  const std::string key = "tokenizer.ggml.model";
  if (!metadata.has(key))
    return fail(ErrorCode::BadFile, "is missing: the file has no tokenizer", {file, key, {}});
  const auto model = metadata.get_string(key);
  if (!model) return fail(ErrorCode::BadFile, model.error().message, {file, key, {}});
  try {
    if (*model == "llama") return make_sentencepiece(metadata, file);
    if (*model == "gpt2") return make_byte_bpe(metadata, file);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory for the tokenizer", {file, key, {}});
  }
  return fail(ErrorCode::Unsupported,
              fmt::format("unknown tokenizer \"{}\"; known are llama and gpt2", printable(*model, 60)),
              {file, key, {}});
}

}  // namespace bitlens::tokenizer
