// How byte-level BPE vocabularies spell bytes: each byte is one printable character (Radford et al. 2019).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bitlens::tokenizer {

/// The character byte-level vocabularies write for `byte`: itself where Latin-1 prints it, U+0100..
/// otherwise.
[[nodiscard]] std::uint32_t byte_character(std::uint8_t byte);

/// `bytes` in that spelling, as UTF-8.
[[nodiscard]] std::string spell_bytes(std::string_view bytes);

/// The bytes a spelling stands for; nullopt if a character of it is not of the alphabet.
[[nodiscard]] std::optional<std::string> unspell_bytes(std::string_view spelling);

}  // namespace bitlens::tokenizer
