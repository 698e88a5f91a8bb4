#include "core/tokenizer/sentencepiece.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/tokenizer/piece_cache.h"
#include "core/tokenizer/symbol_merger.h"
#include "core/tokenizer/tokenizer_base.h"
#include "core/tokenizer/utf8.h"

namespace bitlens::tokenizer {

namespace {

constexpr std::string_view kSpace = "\xE2\x96\x81";  // U+2581, how the vocabulary writes a space
constexpr std::uint32_t kSpaceCodePoint = 0x2581;
constexpr TokenId kDefaultBos = 1;

// Symbols are token ids, or a character or stray byte that is no token but may still be part of one.
constexpr SymbolId kCharacter = 0x80000000u;
constexpr SymbolId kStrayByte = 0xC0000000u;

/// Scores as ranks: the highest score is rank 0, equal scores share a rank.
std::vector<std::uint32_t> rank_by_score(const std::vector<float>& scores) {
  std::vector<std::uint32_t> order(scores.size()), ranks(scores.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return scores[a] > scores[b]; });
  std::uint32_t rank = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && scores[order[i]] < scores[order[i - 1]]) ++rank;
    ranks[order[i]] = rank;
  }
  return ranks;
}

/// Does no token hold a space mark behind anything but space marks? Then no merge crosses from a word to the
/// space that follows it, and words can be merged one by one.
bool spaces_only_lead(const Vocabulary& vocabulary) {
  for (const auto& [spelling, id] : vocabulary.ids) {
    if (!vocabulary.is_text(id)) continue;
    std::size_t word = 0;
    while (spelling.substr(word).starts_with(kSpace)) word += kSpace.size();
    if (spelling.find(kSpace, word) != std::string_view::npos) return false;
  }
  return true;
}

class SentencePiece final : public TokenizerBase {
 public:
  SentencePiece(Vocabulary vocabulary, bool adds_bos, const std::vector<float>& scores, bool adds_space)
      : TokenizerBase(std::move(vocabulary), adds_bos, "llama"),
        ranks_(rank_by_score(scores)),
        adds_space_(adds_space),
        cuts_at_spaces_(spaces_only_lead(vocabulary_)) {
    byte_ids_.fill(-1);
    std::size_t missing = 0;
    for (const auto& [spelling, id] : vocabulary_.ids) {
      if (vocabulary_.is_text(id)) longest_ = std::max(longest_, spelling.size());
      if (const auto byte = byte_spelled(spelling)) byte_ids_[*byte] = id;
    }
    for (std::size_t byte = 0; byte < 256; ++byte) {
      if (byte_ids_[byte] >= 0) continue;
      const char raw = static_cast<char>(byte);
      if (const auto id = find_text({&raw, 1})) byte_ids_[byte] = *id;
      if (byte_ids_[byte] < 0) ++missing;
    }
    if (missing > 0)
      vocabulary_.warnings.push_back(fmt::format(
          "tokenizer.ggml.tokens: {} of 256 byte tokens are missing; texts that need them are refused",
          missing));
  }

 private:
  /// What one call of encode() works with.
  struct Session {
    Session(std::string_view all, std::vector<TokenId>& output)
        : text(all), out(output), cache(all, output) {}
    std::string_view text;
    std::vector<TokenId>& out;
    PieceCache cache;
    SymbolMerger merger;
    std::unordered_map<std::uint64_t, Merge> pairs;  ///< looked up before, whether they merge or not
    std::string joined;
  };

  Status encode_fragments(std::string_view text, const std::vector<Fragment>& fragments,
                          std::vector<TokenId>& out) const override {
    Session session(text, out);
    bool after_token = true;  // the head of a text counts as one
    for (const Fragment& fragment : fragments) {
      if (fragment.token >= 0) {
        out.push_back(fragment.token);
        after_token = true;
        continue;
      }
      bool space_first = adds_space_ && after_token;
      after_token = false;
      for (std::size_t begin = fragment.begin; begin < fragment.end; space_first = false) {
        const std::size_t end = cuts_at_spaces_ ? piece_end(text, begin, fragment.end) : fragment.end;
        if (space_first || !session.cache.append(begin, end)) {
          const std::size_t first = out.size();
          if (const Status status = encode_piece(session, begin, end, space_first); !status) return status;
          if (!space_first) session.cache.remember(begin, end, first);
        }
        begin = end;
      }
    }
    return {};
  }

  /// Where the spaces and the word at `begin` end: before the next space that no space precedes.
  static std::size_t piece_end(std::string_view text, std::size_t begin, std::size_t end) {
    std::size_t at = begin;
    while (at < end && text[at] == ' ') ++at;
    while (true) {
      at = std::min(text.find(' ', at), end);
      // A space mark written out in the text joins the spaces that follow it.
      if (at == end || !text.substr(begin, at - begin).ends_with(kSpace)) return at;
      while (at < end && text[at] == ' ') ++at;
    }
  }

  Status encode_piece(Session& session, std::size_t begin, std::size_t end, bool space_first) const {
    SymbolMerger& merger = session.merger;
    merger.clear();
    if (space_first) merger.add(character_symbol(kSpace, kSpaceCodePoint), static_cast<std::uint32_t>(begin));
    for (std::size_t i = begin; i < end;) {
      const std::size_t length = utf8_sequence_length(session.text.substr(0, end), i);
      const auto offset = static_cast<std::uint32_t>(i);
      if (session.text[i] == ' ')
        merger.add(character_symbol(kSpace, kSpaceCodePoint), offset);
      else if (length == 0)
        merger.add(stray_byte_symbol(session.text.substr(i, 1)), offset);
      else
        merger.add(character_symbol(session.text.substr(i, length), utf8_code_point(session.text, i, length)),
                   offset);
      i += std::max<std::size_t>(length, 1);
    }
    merger.merge([&](SymbolId left, SymbolId right) { return merged(session, left, right); });
    Status status;
    merger.for_each([&](const Symbol& symbol) {
      if (symbol.id < kCharacter) {
        session.out.push_back(static_cast<TokenId>(symbol.id));
        return true;
      }
      std::string bytes;
      append_spelling(bytes, symbol.id);
      for (std::size_t k = 0; k < bytes.size(); ++k) {
        const TokenId id = byte_ids_[static_cast<unsigned char>(bytes[k])];
        if (id < 0) {
          // A space is spelled with three bytes but is one byte of the text.
          const bool written = session.text.substr(symbol.begin).starts_with(bytes);
          status = not_covered(session.text, symbol.begin + (written ? k : 0));
          return false;
        }
        session.out.push_back(id);
      }
      return true;
    });
    return status;
  }

  Merge merged(Session& session, SymbolId left, SymbolId right) const {
    const std::uint64_t key = (static_cast<std::uint64_t>(left) << 32) | right;
    const auto [place, added] = session.pairs.try_emplace(key);
    if (!added) return place->second;
    session.joined.clear();
    append_spelling(session.joined, left);
    append_spelling(session.joined, right);
    if (session.joined.size() <= longest_)
      if (const auto id = find_text(session.joined))
        place->second = {ranks_[static_cast<std::size_t>(*id)], static_cast<SymbolId>(*id)};
    return place->second;
  }

  [[nodiscard]] std::optional<TokenId> find_text(std::string_view spelling) const {
    const auto id = vocabulary_.find(spelling);
    return id && vocabulary_.is_text(*id) ? id : std::nullopt;
  }
  [[nodiscard]] SymbolId character_symbol(std::string_view spelling, std::uint32_t code_point) const {
    const auto id = find_text(spelling);
    return id ? static_cast<SymbolId>(*id) : kCharacter | code_point;
  }
  [[nodiscard]] SymbolId stray_byte_symbol(std::string_view byte) const {
    const auto id = find_text(byte);
    return id ? static_cast<SymbolId>(*id) : kStrayByte | static_cast<unsigned char>(byte[0]);
  }
  void append_spelling(std::string& out, SymbolId symbol) const {
    if (symbol < kCharacter)
      out += vocabulary_.tokens[symbol];
    else if (symbol >= kStrayByte)
      out.push_back(static_cast<char>(symbol & 0xFF));
    else
      append_utf8(out, symbol & ~kCharacter);
  }

  std::string decode_text(std::string_view spelling) const override {
    std::string out;
    for (std::size_t i = 0; i < spelling.size();) {
      const bool space = spelling.substr(i).starts_with(kSpace);
      out.push_back(space ? ' ' : spelling[i]);
      i += space ? kSpace.size() : 1;
    }
    return out;
  }

  std::vector<std::uint32_t> ranks_;
  bool adds_space_;
  bool cuts_at_spaces_;
  std::size_t longest_ = 0;  ///< of the spellings text can become, in bytes
  std::array<TokenId, 256> byte_ids_{};
};

}  // namespace

Result<std::shared_ptr<const Tokenizer>> make_sentencepiece(const io::Metadata& metadata,
                                                            const std::string& file) {
  auto vocabulary = read_vocabulary(metadata, file, kDefaultBos);
  if (!vocabulary) return pass(vocabulary);
  const auto scores = read_scores(metadata, file, vocabulary->size());
  if (!scores) return pass(scores);
  const auto adds_bos = read_adds_bos(metadata, file, *vocabulary, true);
  if (!adds_bos) return pass(adds_bos);
  const auto adds_space = read_flag(metadata, file, "tokenizer.ggml.add_space_prefix", true);
  if (!adds_space) return pass(adds_space);
  return std::make_shared<SentencePiece>(std::move(*vocabulary), *adds_bos, *scores, *adds_space);
}

}  // namespace bitlens::tokenizer
