// An append-only file of records, each with a checksum: what a long sweep has found so far, safe against a
// kill at any moment. Text, one record a line:
//   bitlens-journal 1 <key>
//   <16 hex digits: start of the SHA-256 of the payload> <payload>
// The key says what the records depend on; a file with another key is not mixed with.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/base/posix_file.h"
#include "core/base/result.h"

namespace bitlens::sensitivity {

/// What a journal holds.
struct JournalContent {
  std::string key;
  std::vector<std::string> payloads;  ///< in order; damaged records are left out
  std::size_t damaged = 0;            ///< records whose checksum does not fit, a torn last line included
};
/// Does the text start like a journal?
[[nodiscard]] bool is_journal(std::string_view text);
/// Reads without changing the file. BadFile if it is no journal.
[[nodiscard]] Result<JournalContent> read_journal(const std::string& path);

class Journal {
 public:
  /// Opens `path` to append to. With `resume`, an existing file's records are kept and returned in `content`
  /// and a torn tail is cut off; it must have the same key (InvalidArgument otherwise). Without, any
  /// existing journal is started anew; a file that is no journal is never touched (Exists). Exists too if
  /// another program has it open. Keys and payloads hold no line breaks.
  [[nodiscard]] static Result<Journal> open(const std::string& path, const std::string& key, bool resume,
                                            JournalContent& content);
  /// Appends records and waits until they are on the disk.
  [[nodiscard]] Status append(std::span<const std::string> payloads);
  /// Closes and removes the file: its content is safe elsewhere.
  [[nodiscard]] Status remove();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  UniqueFd file_;
  std::uint64_t end_ = 0;
};

}  // namespace bitlens::sensitivity
