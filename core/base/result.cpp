#include "core/base/result.h"

#include <fmt/format.h>

#include <algorithm>

namespace bitlens {

namespace {

/// Length of the valid UTF-8 sequence at text[i] (RFC 3629), 0 if there is none.
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
  const unsigned char lead = byte(i);
  if (lead < 0x80) return 1;
  std::size_t length = lead >= 0xF0 && lead <= 0xF4 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (lead > 0xF4 || length == 0 || i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k)
    if ((byte(i + k) & 0xC0) != 0x80) return 0;
  const unsigned char second = byte(i + 1);
  if (lead == 0xE0 && second < 0xA0) return 0;  // overlong
  if (lead == 0xED && second > 0x9F) return 0;  // surrogates
  if (lead == 0xF0 && second < 0x90) return 0;  // overlong
  if (lead == 0xF4 && second > 0x8F) return 0;  // above U+10FFFF
  return length;
}

/// C1 controls and the bidirectional overrides could rewrite a terminal line or a label.
bool is_unsafe(std::string_view sequence) {
  if (sequence.size() == 2 && sequence[0] == '\xC2') return static_cast<unsigned char>(sequence[1]) < 0xA0;
  if (sequence.size() == 3 && sequence[0] == '\xE2') {
    const auto second = static_cast<unsigned char>(sequence[1]);
    const auto third = static_cast<unsigned char>(sequence[2]);
    return (second == 0x80 && (third == 0xA8 || third == 0xA9 || (third >= 0xAA && third <= 0xAE))) ||
           (second == 0x81 && third >= 0xA6 && third <= 0xA9);
  }
  return false;
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (out.size() >= limit) return out + "...";
    const std::size_t length = utf8_length(text, i);
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool control = byte < 0x20 || byte == 0x7F;
    if (length == 0 || control || is_unsafe(text.substr(i, length))) {
      for (std::size_t k = 0; k < std::max<std::size_t>(length, 1); ++k)
        out += fmt::format("\\x{:02X}", static_cast<unsigned char>(text[i + k]));
    } else {
      out.append(text.substr(i, length));
    }
    i += std::max<std::size_t>(length, 1);
  }
  return out;
}

std::string Error::describe() const {
  std::string out;
  if (!where.file.empty()) out += printable(where.file, 1000) + ": ";
  if (!where.object.empty()) out += printable(where.object) + ": ";
  out += printable(message, 2000);
  if (where.offset) out += fmt::format(" (byte {})", *where.offset);
  if (cause) out += ": " + cause->describe();
  return out;
}

tl::unexpected<Error> fail(ErrorCode code, std::string message, Where where) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(where), nullptr});
}

tl::unexpected<Error> pass_with(const Error& cause, std::string message, Where where) {
  return tl::unexpected<Error>(
      Error{cause.code, std::move(message), std::move(where), std::make_shared<const Error>(cause)});
}

const char* error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::InvalidArgument:
      return "invalid_argument";
    case ErrorCode::NotFound:
      return "not_found";
    case ErrorCode::Io:
      return "io";
    case ErrorCode::OutOfSpace:
      return "out_of_space";
    case ErrorCode::BadFile:
      return "bad_file";
    case ErrorCode::Unsupported:
      return "unsupported";
    case ErrorCode::Exists:
      return "exists";
    case ErrorCode::Numeric:
      return "numeric";
    case ErrorCode::Memory:
      return "memory";
    case ErrorCode::Changed:
      return "changed";
    case ErrorCode::Cancelled:
      return "cancelled";
  }
  return "unknown";
}

}  // namespace bitlens
