#include "core/tokenizer/byte_alphabet.h"

#include <array>

#include "core/tokenizer/utf8.h"

namespace bitlens::tokenizer {

namespace {

constexpr bool prints_itself(std::uint32_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/// The bytes that do not print get U+0100, U+0101, ... in ascending order.
constexpr std::array<std::uint32_t, 256> make_characters() {
  std::array<std::uint32_t, 256> out{};
  std::uint32_t next = 0x100;
  for (std::uint32_t byte = 0; byte < 256; ++byte) out[byte] = prints_itself(byte) ? byte : next++;
  return out;
}
constexpr auto kCharacters = make_characters();

constexpr std::uint32_t kEnd = 0x100 + 68;  ///< one past the last character of the alphabet
constexpr std::array<std::int16_t, kEnd> make_bytes() {
  std::array<std::int16_t, kEnd> out{};
  out.fill(-1);
  for (std::uint32_t byte = 0; byte < 256; ++byte) out[kCharacters[byte]] = static_cast<std::int16_t>(byte);
  return out;
}
constexpr auto kBytes = make_bytes();

}  // namespace

std::uint32_t byte_character(std::uint8_t byte) {
  return kCharacters[byte];
}

std::string spell_bytes(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) append_utf8(out, kCharacters[static_cast<unsigned char>(c)]);
  return out;
}

std::optional<std::string> unspell_bytes(std::string_view spelling) {
  std::string out;
  for (std::size_t i = 0; i < spelling.size();) {
    const std::size_t length = utf8_sequence_length(spelling, i);
    if (length == 0) return std::nullopt;
    const std::uint32_t character = utf8_code_point(spelling, i, length);
    if (character >= kEnd || kBytes[character] < 0) return std::nullopt;
    out.push_back(static_cast<char>(kBytes[character]));
    i += length;
  }
  return out;
}

}  // namespace bitlens::tokenizer
