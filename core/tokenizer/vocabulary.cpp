#include "core/tokenizer/vocabulary.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

namespace bitlens::tokenizer {

namespace {

constexpr const char* kTokens = "tokenizer.ggml.tokens";
constexpr const char* kTypes = "tokenizer.ggml.token_type";
constexpr const char* kScores = "tokenizer.ggml.scores";
constexpr const char* kBos = "tokenizer.ggml.bos_token_id";

/// User-defined tokens are searched for in texts by an automaton with a state per byte of theirs; real
/// vocabularies have some kilobytes of them.
constexpr std::size_t kMostUserDefinedBytes = std::size_t{4} << 20;

/// "31999 entries of i8" for an array, "a value of type u32" for anything else.
std::string describe_value(const io::MetadataValue& value) {
  if (const auto* array = std::get_if<io::MetadataArray>(&value))
    return fmt::format("{} entries of {}", io::length_of(*array),
                       io::metadata_type_name(io::element_type_of(*array)));
  return fmt::format("a value of type {}", io::metadata_type_name(io::type_of(value)));
}

/// The array under `key` if it holds exactly `count` elements of type T.
template <typename T>
Result<const std::vector<T>*> array_of(const io::MetadataValue& value, const std::string& file,
                                       const char* key, std::size_t count, io::MetadataType element) {
  if (const auto* array = std::get_if<io::MetadataArray>(&value))
    if (const auto* elements = std::get_if<std::vector<T>>(array); elements && elements->size() == count)
      return elements;
  return fail(
      ErrorCode::BadFile,
      fmt::format("has {}, expected {} of {}", describe_value(value), count, io::metadata_type_name(element)),
      {file, key, {}});
}

/// Collects occurrences of one kind of oddity, to tell once how many there are and which was the first.
struct Oddity {
  std::size_t count = 0;
  std::size_t first = 0;
  void add(std::size_t id) {
    if (count++ == 0) first = id;
  }
};

void index_spellings(Vocabulary& vocabulary) {
  Oddity empty, duplicate, not_a_byte;
  vocabulary.ids.reserve(vocabulary.size());
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const std::string& spelling = vocabulary.tokens[i];
    const auto id = static_cast<TokenId>(i);
    if (spelling.empty()) {
      empty.add(i);
      continue;
    }
    if (vocabulary.types[i] == TokenType::Byte && !byte_spelled(spelling)) not_a_byte.add(i);
    const auto [place, added] = vocabulary.ids.emplace(spelling, id);
    if (added) continue;
    duplicate.add(i);
    // The lowest id stands for a spelling, but what text can become goes before what it cannot.
    if (!vocabulary.is_text(place->second) && vocabulary.is_text(id)) place->second = id;
  }
  const auto warn = [&](const Oddity& odd, std::string_view what) {
    if (odd.count == 0) return;
    vocabulary.warnings.push_back(fmt::format("{}: {}: {} (the first: id {}, \"{}\")", kTokens, what,
                                              odd.count, odd.first,
                                              printable(vocabulary.tokens[odd.first], 40)));
  };
  warn(empty, "empty tokens, never produced");
  warn(duplicate, "tokens that repeat an earlier spelling, for which the lowest id is used");
  warn(not_a_byte, "tokens that are marked as bytes but not spelled <0xHH>, ignored as bytes");
}

Result<std::vector<TokenType>> read_types(const io::Metadata& metadata, const std::string& file,
                                          Vocabulary& vocabulary) {
  std::vector<TokenType> types(vocabulary.size(), TokenType::Normal);
  const io::MetadataValue* value = metadata.find(kTypes);
  if (value == nullptr) {
    vocabulary.warnings.push_back(
        fmt::format("{} is missing: control tokens cannot be told from text", kTypes));
    return types;
  }
  const auto numbers = array_of<std::int32_t>(*value, file, kTypes, vocabulary.size(), io::MetadataType::I32);
  if (!numbers) return pass(numbers);
  Oddity unknown;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const std::int32_t number = (**numbers)[i];
    if (number >= 1 && number <= 6)
      types[i] = static_cast<TokenType>(number);
    else
      unknown.add(i);
  }
  if (unknown.count > 0)
    vocabulary.warnings.push_back(
        fmt::format("{}: entries outside 1..6, taken as normal: {} (the first: {} for id {})", kTypes,
                    unknown.count, (**numbers)[unknown.first], unknown.first));
  return types;
}

/// A special token's id; a value that is no id of this vocabulary is a warning and counts as absent.
std::optional<TokenId> read_special(const io::Metadata& metadata, const std::string& key,
                                    Vocabulary& vocabulary, std::optional<TokenId> fallback) {
  if (!metadata.has(key)) {
    if (fallback && static_cast<std::size_t>(*fallback) >= vocabulary.size()) return std::nullopt;
    return fallback;
  }
  const auto id = metadata.get_uint(key);
  if (!id) {
    vocabulary.warnings.push_back(fmt::format("{}: {}; ignored", key, id.error().message));
    return std::nullopt;
  }
  if (*id >= vocabulary.size()) {
    vocabulary.warnings.push_back(
        fmt::format("{}: id {} is outside the vocabulary ({} tokens); ignored", key, *id, vocabulary.size()));
    return std::nullopt;
  }
  return static_cast<TokenId>(*id);
}

}  // namespace

std::optional<std::uint8_t> byte_spelled(std::string_view spelling) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  if (spelling.size() != 6 || !spelling.starts_with("<0x") || spelling[5] != '>') return std::nullopt;
  const int high = digit(spelling[3]), low = digit(spelling[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<std::uint8_t>(high * 16 + low);
}

Result<Vocabulary> read_vocabulary(const io::Metadata& metadata, const std::string& file,
                                   std::optional<TokenId> default_bos) {
  Vocabulary vocabulary;
  const io::MetadataValue* value = metadata.find(kTokens);
  if (value == nullptr)
    return fail(ErrorCode::BadFile, "is missing: the file has no vocabulary", {file, kTokens, {}});
  const auto* array = std::get_if<io::MetadataArray>(value);
  const auto* tokens = array ? std::get_if<std::vector<std::string>>(array) : nullptr;
  if (tokens == nullptr)
    return fail(ErrorCode::BadFile,
                fmt::format("has {}, expected an array of strings", describe_value(*value)),
                {file, kTokens, {}});
  if (tokens->empty())
    return fail(ErrorCode::BadFile, "is empty: a vocabulary needs tokens", {file, kTokens, {}});
  if (tokens->size() > static_cast<std::size_t>(std::numeric_limits<TokenId>::max()))
    return fail(ErrorCode::BadFile,
                fmt::format("has {} entries, more than token ids can count", tokens->size()),
                {file, kTokens, {}});
  vocabulary.tokens = *tokens;

  auto types = read_types(metadata, file, vocabulary);
  if (!types) return pass(types);
  vocabulary.types = std::move(*types);
  std::size_t user_defined = 0;
  for (std::size_t i = 0; i < vocabulary.size(); ++i)
    if (vocabulary.types[i] == TokenType::UserDefined) user_defined += vocabulary.tokens[i].size();
  if (user_defined > kMostUserDefinedBytes)
    return fail(ErrorCode::BadFile,
                fmt::format("holds {} bytes of user-defined tokens, at most {} are accepted", user_defined,
                            kMostUserDefinedBytes),
                {file, kTokens, {}});
  index_spellings(vocabulary);

  vocabulary.bos = read_special(metadata, kBos, vocabulary, default_bos);
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.unknown_token_id"})
    static_cast<void>(read_special(metadata, key, vocabulary, std::nullopt));
  return vocabulary;
}

Result<std::vector<float>> read_scores(const io::Metadata& metadata, const std::string& file,
                                       std::size_t tokens) {
  const io::MetadataValue* value = metadata.find(kScores);
  if (value == nullptr)
    return fail(ErrorCode::BadFile, "is missing: a SentencePiece vocabulary needs scores",
                {file, kScores, {}});
  const auto scores = array_of<float>(*value, file, kScores, tokens, io::MetadataType::F32);
  if (!scores) return pass(scores);
  for (std::size_t i = 0; i < tokens; ++i)
    if (!std::isfinite((**scores)[i]))
      return fail(ErrorCode::BadFile,
                  fmt::format("entry {} is {}, expected a finite score", i, (**scores)[i]),
                  {file, kScores, {}});
  return **scores;
}

Result<bool> read_flag(const io::Metadata& metadata, const std::string& file, const std::string& key,
                       bool fallback) {
  if (!metadata.has(key)) return fallback;
  const auto flag = metadata.get_bool(key);
  if (!flag) return fail(ErrorCode::BadFile, flag.error().message, {file, key, {}});
  return *flag;
}

Result<bool> read_adds_bos(const io::Metadata& metadata, const std::string& file, Vocabulary& vocabulary,
                           bool fallback) {
  const std::string key = "tokenizer.ggml.add_bos_token";
  const auto wanted = read_flag(metadata, file, key, fallback);
  if (!wanted) return pass(wanted);
  if (*wanted && !vocabulary.bos) {
    vocabulary.warnings.push_back(
        fmt::format("{}: the model starts texts with BOS, but the file names no BOS token: none is added",
                    metadata.has(key) ? key : std::string(kBos)));
    return false;
  }
  return *wanted;
}

}  // namespace bitlens::tokenizer
