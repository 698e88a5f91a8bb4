#include "core/tokenizer/byte_bpe.h"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/merge_table.h"
#include "core/tokenizer/piece_cache.h"
#include "core/tokenizer/pretokenizer.h"
#include "core/tokenizer/symbol_merger.h"
#include "core/tokenizer/tokenizer_base.h"

namespace bitlens::tokenizer {

namespace {

constexpr const char* kPre = "tokenizer.ggml.pre";

class ByteBpe final : public TokenizerBase {
 public:
  ByteBpe(Vocabulary vocabulary, bool adds_bos, std::string description, Pretokenizer pretokenizer,
          MergeTable merges, bool ignore_merges)
      : TokenizerBase(std::move(vocabulary), adds_bos, std::move(description)),
        pretokenizer_(std::move(pretokenizer)),
        merges_(std::move(merges)),
        ignore_merges_(ignore_merges) {
    std::vector<unsigned> missing;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const char raw = static_cast<char>(byte);
      const auto id = vocabulary_.find(spell_bytes({&raw, 1}));
      byte_ids_[byte] = id ? static_cast<SymbolId>(*id) : Merge::kNone;
      if (!id) missing.push_back(byte);
    }
    // 0xC0, 0xC1 and 0xF5 up are in no UTF-8 text, and most vocabularies leave some of them out.
    std::erase_if(missing, [](unsigned byte) { return byte == 0xC0 || byte == 0xC1 || byte >= 0xF5; });
    if (!missing.empty())
      vocabulary_.warnings.push_back(
          fmt::format("tokenizer.ggml.tokens: bytes without a token, texts with them are refused: {} (the "
                      "first: 0x{:02X})",
                      missing.size(), missing.front()));
  }

 private:
  Status encode_fragments(std::string_view text, const std::vector<Fragment>& fragments,
                          std::vector<TokenId>& out) const override {
    PieceCache cache(text, out);
    SymbolMerger merger;
    for (const Fragment& fragment : fragments) {
      if (fragment.token >= 0) {
        out.push_back(fragment.token);
        continue;
      }
      auto ends = pretokenizer_.split(text.substr(fragment.begin, fragment.end - fragment.begin));
      if (!ends) {
        Error error = std::move(ends.error());
        if (error.where.offset) *error.where.offset += fragment.begin;
        return tl::unexpected<Error>(std::move(error));
      }
      std::size_t begin = fragment.begin;
      for (const std::size_t relative_end : *ends) {
        const std::size_t end = fragment.begin + relative_end;
        if (!cache.append(begin, end)) {
          const std::size_t first = out.size();
          if (const Status status = encode_piece(text, begin, end, merger, out); !status) return status;
          cache.remember(begin, end, first);
        }
        begin = end;
      }
    }
    return {};
  }

  Status encode_piece(std::string_view text, std::size_t begin, std::size_t end, SymbolMerger& merger,
                      std::vector<TokenId>& out) const {
    if (ignore_merges_) {
      const auto whole = vocabulary_.find(spell_bytes(text.substr(begin, end - begin)));
      if (whole && vocabulary_.is_text(*whole)) {
        out.push_back(*whole);
        return {};
      }
    }
    merger.clear();
    for (std::size_t i = begin; i < end; ++i) {
      const SymbolId id = byte_ids_[static_cast<unsigned char>(text[i])];
      if (id == Merge::kNone) return not_covered(text, i);
      merger.add(id, static_cast<std::uint32_t>(i));
    }
    merger.merge([this](SymbolId left, SymbolId right) { return merges_.find(left, right); });
    merger.for_each([&](const Symbol& symbol) {
      out.push_back(static_cast<TokenId>(symbol.id));
      return true;
    });
    return {};
  }

  std::string decode_text(std::string_view spelling) const override {
    return unspell_bytes(spelling).value_or(std::string(spelling));
  }

  Pretokenizer pretokenizer_;
  MergeTable merges_;
  bool ignore_merges_;
  std::array<SymbolId, 256> byte_ids_{};
};

}  // namespace

Result<std::shared_ptr<const Tokenizer>> make_byte_bpe(const io::Metadata& metadata,
                                                       const std::string& file) {
  const PretokenizerKind* kind = &default_pretokenizer();
  if (metadata.has(kPre)) {
    const auto name = metadata.get_string(kPre);
    if (!name) return fail(ErrorCode::BadFile, name.error().message, {file, kPre, {}});
    kind = find_pretokenizer(*name);
    if (kind == nullptr)
      return fail(ErrorCode::Unsupported,
                  fmt::format("unknown pre-tokenizer \"{}\"; known are {}", printable(*name, 60),
                              pretokenizer_names()),
                  {file, kPre, {}});
  }
  auto vocabulary = read_vocabulary(metadata, file, std::nullopt);
  if (!vocabulary) return pass(vocabulary);
  if (kind == &default_pretokenizer())
    vocabulary->warnings.push_back(
        fmt::format("{} is {}: words are cut by a default pattern that may not be the model's own, and every "
                    "figure measured on text depends on it",
                    kPre, metadata.has(kPre) ? "\"default\"" : "missing"));
  auto merges = MergeTable::read(metadata, file, *vocabulary);
  if (!merges) return pass(merges);
  const auto adds_bos = read_adds_bos(metadata, file, *vocabulary, kind->adds_bos);
  if (!adds_bos) return pass(adds_bos);
  auto pretokenizer = Pretokenizer::create(*kind);
  if (!pretokenizer) return pass(pretokenizer);
  return std::make_shared<ByteBpe>(std::move(*vocabulary), *adds_bos, fmt::format("gpt2/{}", kind->name),
                                   std::move(*pretokenizer), std::move(*merges), kind->ignore_merges);
}

}  // namespace bitlens::tokenizer
