#include "core/io/gguf_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/base/posix_file.h"
#include "core/io/file_kind.h"
#include "core/io/gguf_limits.h"
#include "core/io/gguf_rules.h"

namespace bitlens::io {

namespace {

Status check_version(const HeaderReader& header, std::uint32_t version) {
  const auto unsupported = [&](std::string message) {
    return fail(ErrorCode::Unsupported, std::move(message), {header.path(), {}, 4});
  };
  if (version == 2 || version == 3) return {};
  if (version == 0) return header.bad("invalid GGUF version 0", {}, 4);
  if (version == 1) return unsupported("GGUF version 1 is not supported; convert the model again");
  // The format has no byte-order mark; ggml tells by the version number, which is small.
  if ((version & 0xFFFF) == 0)
    return unsupported("this is a big-endian GGUF file; not supported on this machine");
  return unsupported(fmt::format("GGUF version {} is newer than this program supports (2 and 3)", version));
}

Status check_count(const HeaderReader& header, std::uint64_t count, std::string_view what,
                   std::uint64_t record_bytes, std::uint64_t limit, std::uint64_t offset) {
  const std::uint64_t possible = (header.file_bytes() - fixed_header_bytes) / record_bytes;
  if (count > possible)
    return header.bad(fmt::format("the header declares {} {}; a file of {} bytes can hold at most {}", count,
                                  what, header.file_bytes(), possible),
                      {}, offset);
  if (count > limit)
    return header.bad(fmt::format("the header declares {} {}; at most {} are supported", count, what, limit),
                      {}, offset);
  return {};
}

Status read_alignment(const HeaderReader& header, GgufHeader& out) {
  const auto alignment = alignment_of(out.metadata);
  if (!alignment) return fail(ErrorCode::BadFile, alignment.error(), {header.path(), alignment_key, {}});
  out.alignment = *alignment;
  if (out.alignment < 8)
    out.warnings.push_back(
        fmt::format("{} is {}; the GGUF specification wants a multiple of 8", alignment_key, out.alignment));
  return {};
}

/// The one key the specification requires of every model. Its absence does not keep the file from being
/// looked at.
Status check_architecture(const HeaderReader& header, GgufHeader& out) {
  constexpr std::string_view key = "general.architecture";
  const MetadataValue* value = out.metadata.find(key);
  if (value == nullptr) return {};
  const auto bad = [&](std::string message) {
    return fail(ErrorCode::BadFile, std::move(message), {header.path(), std::string(key), {}});
  };
  const auto* text = std::get_if<std::string>(value);
  if (text == nullptr)
    return bad(fmt::format("has type {}, expected string", metadata_type_name(type_of(*value))));
  if (text->empty()) return bad("is empty");
  if (text->size() > max_key_bytes)
    return bad(fmt::format("is {} bytes long (limit {})", text->size(), max_key_bytes));
  return {};
}

}  // namespace

HeaderReader::HeaderReader(int fd, const std::string& path, std::uint64_t file_bytes)
    : in(fd, std::min(file_bytes, max_header_bytes)), path_(path), file_bytes_(file_bytes) {}

tl::unexpected<Error> HeaderReader::bad(std::string message, std::string_view object,
                                        std::uint64_t offset) const {
  return fail(ErrorCode::BadFile, std::move(message), {path_, std::string(object), offset});
}

tl::unexpected<Error> HeaderReader::ended(std::string_view what, std::string_view object) const {
  const Where where{path_, std::string(object), in.position()};
  if (in.lost_data() && in.system_error() != 0)
    return fail(ErrorCode::Io, "read error: " + errno_text(in.system_error()), where);
  if (in.lost_data()) return fail(ErrorCode::Changed, "the file became shorter while it was read", where);
  if (file_bytes_ > max_header_bytes)
    return fail(ErrorCode::BadFile,
                fmt::format("the header is larger than the limit of {} bytes", max_header_bytes), where);
  return fail(ErrorCode::BadFile, fmt::format("the file ends inside {}", what), where);
}

bool is_plain_text(std::string_view text) {
  const auto ascii = [](char c) { return c >= 0x20 && c < 0x7F; };
  return std::all_of(text.begin(), text.end(), ascii) || printable(text, text.size()) == text;
}

Result<GgufHeader> read_gguf_header(int fd, const std::string& path, std::uint64_t file_bytes) {
  std::array<std::byte, 512> head{};
  const auto got = pread_full(fd, std::span(head).first(std::min<std::uint64_t>(head.size(), file_bytes)), 0);
  if (got < 0) return fail_errno(errno, "read the file", path);
  const auto start = std::span(head).first(static_cast<std::size_t>(got));
  constexpr std::array magic = {std::byte{'G'}, std::byte{'G'}, std::byte{'U'}, std::byte{'F'}};
  if (start.size() < fixed_header_bytes || !std::equal(magic.begin(), magic.end(), start.begin()))
    return fail_not_gguf(start, file_bytes, path);

  HeaderReader header(fd, path, file_bytes);
  GgufHeader out;
  static_cast<void>(header.in.number<std::uint32_t>());  // the magic
  out.version = header.in.number<std::uint32_t>();
  const auto tensors = header.in.number<std::uint64_t>();
  const auto entries = header.in.number<std::uint64_t>();
  if (!header.in.ok()) return header.ended("the header", {});
  if (auto s = check_version(header, out.version); !s) return pass(s);
  if (auto s = check_count(header, tensors, "tensors", min_tensor_bytes, max_tensors, 8); !s) return pass(s);
  if (auto s = check_count(header, entries, "metadata entries", min_entry_bytes, max_metadata_entries, 16);
      !s)
    return pass(s);

  if (auto s = read_metadata(header, entries, out); !s) return pass(s);
  if (auto s = read_alignment(header, out); !s) return pass(s);
  if (auto s = check_architecture(header, out); !s) return pass(s);
  if (auto s = read_tensor_infos(header, tensors, out); !s) return pass(s);
  if (auto s = place_tensors(header, out); !s) return pass(s);
  if (tensors == 0 && entries == 0)
    out.warnings.emplace_back("the file is valid but empty: no metadata and no tensors");
  return out;
}

}  // namespace bitlens::io
