#include "core/io/gguf_split.h"

#include <fmt/format.h>

#include <charconv>

namespace bitlens::io {

namespace {

constexpr std::string_view key_number = "split.no", key_count = "split.count",
                           key_tensors = "split.tensors.count";

/// Reads five digits at text[at].
std::optional<std::uint32_t> five_digits(std::string_view text, std::size_t at) {
  const std::string_view digits = text.substr(at, 5);
  if (digits.size() != 5 || digits.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  std::uint32_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

tl::unexpected<Error> bad(std::string message, std::string_view key, const std::string& path) {
  return fail(ErrorCode::BadFile, std::move(message), {path, std::string(key), {}});
}

/// An error of a metadata getter, with the file's name.
tl::unexpected<Error> in_file(Error error, const std::string& path) {
  error.where.file = path;
  return tl::unexpected(std::move(error));
}

}  // namespace

std::optional<ShardName> parse_shard_name(const std::string& path) {
  constexpr std::string_view pattern = "-00001-of-00003.gguf";
  if (path.size() < pattern.size()) return std::nullopt;
  const std::size_t start = path.size() - pattern.size();
  const std::string_view tail = std::string_view(path).substr(start);
  if (tail[0] != '-' || tail.substr(6, 4) != "-of-" || tail.substr(15) != ".gguf") return std::nullopt;
  const auto number = five_digits(tail, 1), count = five_digits(tail, 10);
  if (!number || !count) return std::nullopt;
  return ShardName{path.substr(0, start), *number, *count};
}

std::string shard_path(const std::string& prefix, std::uint64_t number, std::uint64_t count) {
  return fmt::format("{}-{:05}-of-{:05}.gguf", prefix, number, count);
}

Result<std::uint64_t> shard_count(const GgufHeader& header, const std::string& path) {
  if (!header.metadata.has(key_count)) return 1;
  auto count = header.metadata.get_uint(key_count);
  if (!count) return in_file(count.error(), path);
  if (*count == 0) return 1;
  if (*count > 99999)
    return bad(fmt::format("{} shards; their numbers have five digits", *count), key_count, path);
  const auto number = header.metadata.get_uint(key_number);
  if (!number) return in_file(number.error(), path);
  if (*number >= *count)
    return bad(fmt::format("shard number {} (from 0), but there are {} shards", *number, *count), key_number,
               path);
  return *count;
}

Status check_shard(const GgufHeader& header, std::uint64_t number, std::uint64_t count,
                   const std::string& path) {
  const auto stated_count = header.metadata.get_uint(key_count);
  if (!stated_count) return in_file(stated_count.error(), path);
  if (*stated_count != count)
    return bad(fmt::format("the shard says it is one of {}, expected {}", *stated_count, count), key_count,
               path);
  const auto stated_number = header.metadata.get_uint(key_number);
  if (!stated_number) return in_file(stated_number.error(), path);
  if (*stated_number != number - 1)
    return bad(fmt::format("the shard says it is number {} of {}, its name says {}", *stated_number + 1,
                           count, number),
               key_number, path);
  return {};
}

Status check_same_model(const GgufHeader& first, const GgufHeader& header, const std::string& path) {
  // Later shards normally carry only the split keys; what they do repeat must agree.
  for (const char* key : {"general.architecture", "general.name", "split.tensors.count"}) {
    const MetadataValue* here = header.metadata.find(key);
    const MetadataValue* there = first.metadata.find(key);
    if (here != nullptr && there != nullptr && *here != *there)
      return bad("differs from the first shard: the shards are of different models", key, path);
  }
  return {};
}

Status check_tensor_count(const GgufHeader& first, std::uint64_t found, const std::string& path,
                          std::vector<std::string>& warnings) {
  if (!first.metadata.has(key_tensors)) {
    warnings.push_back(fmt::format("{} is missing: cannot check that all tensors are there", key_tensors));
    return {};
  }
  const auto expected = first.metadata.get_uint(key_tensors);
  if (!expected) return in_file(expected.error(), path);
  if (*expected != found)
    return bad(fmt::format("{} tensors expected, {} found in all shards", *expected, found), key_tensors,
               path);
  return {};
}

}  // namespace bitlens::io
