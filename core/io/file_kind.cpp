#include "core/io/file_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "core/io/gguf_limits.h"
#include "core/io/part_file.h"

namespace bitlens::io {

namespace {

using namespace std::string_view_literals;

struct Signature {
  std::string_view bytes;
  const char* message;
};
constexpr std::array signatures = {
    Signature{"PK\x03\x04"sv, "this is a ZIP archive (a PyTorch checkpoint?), not a GGUF file"},
    Signature{"\x89HDF\r\n\x1a\n"sv, "this is an HDF5 file, not a GGUF file"},
    Signature{"\x80\x02"sv, "this is a Python pickle (a PyTorch checkpoint?), not a GGUF file"},
    Signature{"\x80\x04"sv, "this is a Python pickle (a PyTorch checkpoint?), not a GGUF file"},
    Signature{"\x1f\x8b"sv, "this file is compressed with gzip; unpack it first"},
    Signature{"\x28\xb5\x2f\xfd"sv, "this file is compressed with zstd; unpack it first"},
};

// The formats before GGUF began with a 32-bit number that spells the name backwards in the file.
constexpr std::array old_formats = {std::pair{"lmgg"sv, "GGML"}, std::pair{"fmgg"sv, "GGMF"},
                                    std::pair{"tjgg"sv, "GGJT"}, std::pair{"algg"sv, "GGLA"},
                                    std::pair{"ggml"sv, "GGML"}, std::pair{"ggmf"sv, "GGMF"},
                                    std::pair{"ggjt"sv, "GGJT"}, std::pair{"ggla"sv, "GGLA"}};

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool looks_like_safetensors(std::string_view head, std::uint64_t file_bytes) {
  std::uint64_t length = 0;
  if (head.size() < 9 || head[8] != '{') return false;
  std::memcpy(&length, head.data(), 8);
  return length >= 2 && length <= 100'000'000 && length <= file_bytes - 8;
}

/// Value of a line "name value" of a Git LFS pointer.
std::string lfs_field(std::string_view text, std::string_view name) {
  const std::size_t start = text.find(name);
  if (start == std::string_view::npos) return "unknown";
  const std::string_view rest = text.substr(start + name.size());
  return std::string(rest.substr(0, rest.find_first_of("\r\n")));
}

std::string first_bytes(std::string_view head) {
  std::string out;
  for (const char c : head.substr(0, 4)) out += fmt::format("{:02X} ", static_cast<unsigned char>(c));
  return out.substr(0, out.size() - 1);
}

}  // namespace

tl::unexpected<Error> fail_not_gguf(std::span<const std::byte> bytes, std::uint64_t file_bytes,
                                    const std::string& path) {
  const std::string_view head(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto bad = [&](std::string message) {
    return fail(ErrorCode::BadFile, std::move(message), {path, {}, 0});
  };
  const auto other = [&](std::string message) {
    return fail(ErrorCode::Unsupported, std::move(message), {path, {}, 0});
  };
  if (file_bytes == 0 || head.empty()) return bad("the file is empty");
  if (file_bytes < 4)
    return bad(fmt::format("the file is {} bytes long; too short for a GGUF header ({} bytes)", file_bytes,
                           fixed_header_bytes));
  if (head.starts_with("GGUF"))
    return bad(
        fmt::format("the file ends inside the header ({} of {} bytes)", file_bytes, fixed_header_bytes));

  for (const auto& [magic, name] : old_formats)
    if (lower_case(head.substr(0, 4)) == magic)
      return other(fmt::format(
          "this is a file of the old {} format, which is not supported; convert it to GGUF", name));
  for (const Signature& signature : signatures)
    if (head.starts_with(signature.bytes)) return other(signature.message);
  if (head.starts_with("version https://git-lfs"))
    return bad(fmt::format(
        "this is a Git LFS pointer ({} bytes); the real file (oid {}, {} bytes) has not been "
        "downloaded",
        file_bytes, printable(lfs_field(head, "\noid "), 80), printable(lfs_field(head, "\nsize "), 24)));
  if (head.starts_with(part_marker))
    return bad("this is an unfinished output of Bitlens; the run that wrote it was interrupted");
  if (looks_like_safetensors(head, file_bytes))
    return other("this looks like a safetensors file, not a GGUF file");

  std::string_view text = head;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  const std::string start = lower_case(text.substr(0, 16));
  if (start.starts_with("<!") || start.starts_with("<html") || start.starts_with("<head") ||
      start.starts_with("<?xml"))
    return bad("this is a web page, not a model; the download probably failed");
  if (text.starts_with("{") || text.starts_with("[{"))
    return bad("this is JSON text, not a model; the download probably failed");
  if (std::all_of(head.begin(),
                  head.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(head.size(), 24)),
                  [](char c) { return c == 0; }))
    return bad("the header is all zeros; the program that wrote the file was probably interrupted");
  return bad(
      fmt::format("not a GGUF file (first bytes {}, expected 47 47 55 46: \"GGUF\")", first_bytes(head)));
}

}  // namespace bitlens::io
