#include "core/sensitivity/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/base/atomic_file.h"
#include "core/base/hash.h"

namespace bitlens::sensitivity {

namespace {

constexpr std::string_view kMagic = "bitlens-journal 1 ";
constexpr std::size_t kChecksumDigits = 16;
constexpr std::size_t kLargest = std::size_t{1} << 30;

std::string checksum(std::string_view payload) {
  return sha256_hex(payload).substr(0, kChecksumDigits);
}

std::string line_of(std::string_view payload) {
  return fmt::format("{} {}\n", checksum(payload), payload);
}

struct Parsed {
  JournalContent content;
  std::size_t complete = 0;  ///< bytes up to the end of the last whole line
};
Result<Parsed> parse(std::string_view text, const std::string& path) {
  const auto bad = [&](std::string message) {
    return fail(ErrorCode::BadFile, std::move(message), {path, {}, {}});
  };
  if (!is_journal(text)) return bad("not a journal");
  const std::size_t first = text.find('\n');
  if (first == std::string_view::npos) return bad("the journal has no complete first line");
  Parsed parsed;
  parsed.content.key = text.substr(kMagic.size(), first - kMagic.size());
  std::size_t at = parsed.complete = first + 1;
  while (at < text.size()) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) {
      ++parsed.content.damaged;
      break;
    }
    const std::string_view line = text.substr(at, end - at);
    const bool whole = line.size() > kChecksumDigits && line[kChecksumDigits] == ' ';
    const std::string_view payload = whole ? line.substr(kChecksumDigits + 1) : std::string_view{};
    if (whole && checksum(payload) == line.substr(0, kChecksumDigits))
      parsed.content.payloads.emplace_back(payload);
    else
      ++parsed.content.damaged;
    at = parsed.complete = end + 1;
  }
  return parsed;
}

}  // namespace

bool is_journal(std::string_view text) {
  return text.substr(0, kMagic.size()) == kMagic;
}

Result<JournalContent> read_journal(const std::string& path) {
  auto text = read_file(path, kLargest);
  if (!text) return pass(text);
  auto parsed = parse(*text, path);
  if (!parsed) return pass(parsed);
  return std::move(parsed->content);
}

Result<Journal> Journal::open(const std::string& path, const std::string& key, bool resume,
                              JournalContent& content) {
  Journal journal;
  journal.path_ = path;
  content = {};
  content.key = key;
  journal.file_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666));
  if (!journal.file_.valid()) return fail_errno(errno, "open the journal", path);
  struct stat status {};
  if (::fstat(journal.file_.get(), &status) != 0) return fail_errno(errno, "look at the journal", path);
  if (!S_ISREG(status.st_mode)) return fail(ErrorCode::InvalidArgument, "not a regular file", {path, {}, {}});
  if (::flock(journal.file_.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(ErrorCode::Exists, "another program is writing this journal", {path, {}, {}});
  if (status.st_size > 0) {
    auto text = read_file(path, kLargest);
    if (!text) return pass(text);
    // A kill may have come before the first line was complete.
    const bool unborn = kMagic.substr(0, text->size()) == *text ||
                        (is_journal(*text) && text->find('\n') == std::string::npos);
    if (!unborn && !is_journal(*text))
      return fail(ErrorCode::Exists, "exists and is no journal", {path, {}, {}});
    if (resume && !unborn) {
      auto parsed = parse(*text, path);
      if (!parsed) return pass(parsed);
      if (parsed->content.key != key)
        return fail(ErrorCode::InvalidArgument,
                    "the journal is of another model, text or setting; start without --resume",
                    {path, {}, {}});
      content = std::move(parsed->content);
      journal.end_ = parsed->complete;
    }
  }
  if (::ftruncate(journal.file_.get(), static_cast<off_t>(journal.end_)) != 0)
    return fail_errno(errno, "shorten the journal", path);
  if (journal.end_ == 0) {
    const std::string head = fmt::format("{}{}\n", kMagic, key);
    if (!pwrite_full(journal.file_.get(), std::as_bytes(std::span(head)), 0))
      return fail_errno(errno, "write the journal", path);
    journal.end_ = head.size();
  }
  return journal;
}

Status Journal::append(std::span<const std::string> payloads) {
  std::string text;
  for (const std::string& payload : payloads) text += line_of(payload);
  if (!pwrite_full(file_.get(), std::as_bytes(std::span(text)), end_)) {
    const int error = errno;
    // What was written of it is a torn tail; the next open cuts it off.
    return fail_errno(error, "write the journal", path_);
  }
  if (::fdatasync(file_.get()) != 0) return fail_errno(errno, "write the journal", path_);
  end_ += text.size();
  return {};
}

Status Journal::remove() {
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT) return fail_errno(errno, "remove the journal", path_);
  if (!file_.close()) return fail_errno(errno, "close the journal", path_);
  return {};
}

}  // namespace bitlens::sensitivity
