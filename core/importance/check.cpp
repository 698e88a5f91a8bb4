// Which reader a file needs, and what every entry must be like.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <new>

#include "core/base/hash.h"
#include "core/base/posix_file.h"
#include "core/importance/read.h"

namespace bitlens::importance {

namespace {

/// The file's first four bytes (fewer if it is shorter) and its SHA-256.
Result<std::pair<std::string, std::string>> head_and_hash(const std::string& path) {
  const auto file = open_regular_file(path);
  if (!file) return pass(file);
  Sha256 hash;
  std::string head;
  std::vector<std::byte> buffer(1U << 20U);
  for (std::uint64_t at = 0; at < file->identity.size;) {
    const auto piece =
        std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), file->identity.size - at));
    const std::int64_t got = pread_full(file->fd.get(), piece, at);
    if (got < 0) return fail_errno(errno, "read the importance matrix", path);
    if (got == 0) break;  // became shorter: the reader will say where
    const auto bytes = piece.first(static_cast<std::size_t>(got));
    hash.update(bytes);
    if (at == 0) {
      head.resize(std::min<std::size_t>(4, bytes.size()));
      std::memcpy(head.data(), bytes.data(), head.size());
    }
    at += static_cast<std::uint64_t>(got);
  }
  return std::pair(std::move(head), hash.finish());
}

}  // namespace

ImatrixFormat imatrix_format_of(const std::string& path) {
  return path.ends_with(".dat") ? ImatrixFormat::Dat : ImatrixFormat::Gguf;
}

Status check_entry(const ImatrixEntry& entry, const std::string& path, std::uint64_t sums_at,
                   std::uint64_t counts_at) {
  const auto bad = [&](std::string message, std::uint64_t offset) {
    return fail(ErrorCode::BadFile, std::move(message), {path, entry.tensor, offset});
  };
  for (std::size_t m = 0; m < entry.counts.size(); ++m) {
    const float count = entry.counts[m];
    // An expert that the text never reached has nothing to count; a matrix that is always used has.
    const bool enough = entry.counts.size() > 1 ? count >= 0 : count > 0;
    if (!std::isfinite(count) || !enough)
      return bad(fmt::format("its count is {}; a positive number is needed", count),
                 counts_at + m * sizeof(float));
  }
  float largest = 0;
  for (std::size_t i = 0; i < entry.sums.size(); ++i) {
    const float sum = entry.sums[i];
    if (!std::isfinite(sum) || sum < 0)
      return bad(fmt::format("value {} is {}; a sum of squares is finite and not negative", i, sum),
                 sums_at + i * sizeof(float));
    largest = std::max(largest, sum);
  }
  if (largest == 0) return bad("all its values are zero", sums_at);
  if (std::all_of(entry.counts.begin(), entry.counts.end(), [](float count) { return count == 0; }))
    return bad("all its counts are zero", counts_at);
  return {};
}

Result<Imatrix> read_imatrix(const std::string& path) {
  try {
    auto known = head_and_hash(path);
    if (!known) return pass(known);
    auto imatrix = known->first == "GGUF" ? read_imatrix_gguf(path) : read_imatrix_dat(path);
    if (!imatrix) return imatrix;
    imatrix->path = path;
    imatrix->sha256 = std::move(known->second);
    return imatrix;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory for the importance matrix", {path, {}, {}});
  }
}

}  // namespace bitlens::importance
