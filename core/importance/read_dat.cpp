// The older form: i32 number of entries; per entry i32 length, name, i32 calls, i32 values, f32 values that
// are the mean squares times `calls`; then, in newer files, i32 chunks, i32 length, name of the text.
#include <fmt/format.h>

#include <cerrno>
#include <span>

#include "core/base/name_index.h"
#include "core/base/posix_file.h"
#include "core/importance/read.h"
#include "core/io/byte_reader.h"

namespace bitlens::importance {

namespace {

class Reader {
 public:
  Reader(const std::string& path, int fd, std::uint64_t bytes) : path_(path), in_(fd, bytes) {}

  Result<Imatrix> run() {
    const auto declared = in_.number<std::int32_t>();
    // An entry is at least three lengths, one character and one value.
    constexpr std::uint64_t kSmallestEntry = 17;
    if (!in_.ok() || declared < 1 || static_cast<std::uint64_t>(declared) > kMaxEntries ||
        static_cast<std::uint64_t>(declared) > in_.remaining() / kSmallestEntry)
      return damaged("file", "this is no importance matrix: neither GGUF nor the older .dat", 0);
    for (std::int32_t e = 0; e < declared; ++e)
      if (auto status = entry(e); !status) return pass(status);
    if (in_.remaining() > 0) trailer();
    return std::move(out_);
  }

 private:
  [[nodiscard]] tl::unexpected<Error> damaged(const std::string& object, std::string message,
                                              std::uint64_t offset) const {
    if (in_.lost_data() && in_.system_error() != 0)
      return fail_errno(in_.system_error(), "read the importance matrix", path_);
    return fail(ErrorCode::BadFile, std::move(message), {path_, object, offset});
  }

  Status entry(std::int32_t number) {
    const std::string position = fmt::format("entry {}", number + 1);
    std::uint64_t at = in_.position();
    const auto length = in_.number<std::int32_t>();
    if (!in_.ok()) return damaged(position, "the file ends here", at);
    if (length < 1 || static_cast<std::uint64_t>(length) > kMaxName ||
        static_cast<std::uint64_t>(length) > in_.remaining())
      return damaged(position, fmt::format("the length of its name is {}", length), at);
    ImatrixEntry entry;
    entry.tensor = in_.text(static_cast<std::uint64_t>(length));
    at = in_.position();
    const auto calls = in_.number<std::int32_t>();
    const std::uint64_t values_at = in_.position();
    const auto values = in_.number<std::int32_t>();
    if (!in_.ok()) return damaged(entry.tensor, "the file ends inside this entry", at);
    if (calls < 1)
      return damaged(entry.tensor, fmt::format("its count is {}; a positive number is needed", calls), at);
    if (values < 1) return damaged(entry.tensor, fmt::format("it has {} values", values), values_at);
    const auto count = static_cast<std::uint64_t>(values);
    if (count > in_.remaining() / sizeof(float) || (total_ += count) > kMaxValues)
      return damaged(entry.tensor, fmt::format("{} values do not fit the file", count), values_at);
    entry.columns = count;
    entry.counts = {static_cast<float>(calls)};
    entry.sums.resize(count);
    const std::uint64_t sums_at = in_.position();
    in_.bytes(std::as_writable_bytes(std::span(entry.sums)));
    if (!in_.ok()) return damaged(entry.tensor, "the file ends inside this entry", sums_at);
    if (auto status = check_entry(entry, path_, sums_at, at); !status) return status;
    out_.entries.push_back(std::move(entry));
    const auto name_of = [this](std::size_t i) -> std::string_view { return out_.entries[i].tensor; };
    if (names_.insert(out_.entries.size() - 1, name_of))
      return damaged(out_.entries.back().tensor, "this tensor has two entries", at);
    return {};
  }

  /// What follows the entries is only told to people: if it is not as expected, a warning is enough.
  void trailer() {
    const std::uint64_t at = in_.position();
    const auto chunks = in_.number<std::int32_t>();
    const auto length = in_.number<std::int32_t>();
    const bool fits =
        in_.ok() && chunks >= 0 && length >= 0 && static_cast<std::uint64_t>(length) == in_.remaining();
    if (!fits) {
      out_.warnings.push_back(
          fmt::format("what follows the last entry (byte {}) is not understood and is ignored", at));
      return;
    }
    out_.chunk_count = static_cast<std::uint32_t>(chunks);
    if (length > 0 && static_cast<std::uint64_t>(length) <= 64 * kMaxName)
      out_.datasets.push_back(printable(in_.text(static_cast<std::uint64_t>(length)), 1000));
  }

  const std::string& path_;
  io::ByteReader in_;
  Imatrix out_;
  NameIndex names_;
  std::uint64_t total_ = 0;
};

}  // namespace

Result<Imatrix> read_imatrix_dat(const std::string& path) {
  const auto file = open_regular_file(path);
  if (!file) return pass(file);
  return Reader(path, file->fd.get(), file->identity.size).run();
}

}  // namespace bitlens::importance
