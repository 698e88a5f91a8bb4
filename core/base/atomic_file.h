// Writing a small file so that the target is either the old or the new one, never a mix: temporary file in
// the same directory, every write checked, fsync, rename, fsync of the directory.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace bitlens {

/// Replaces (or, with !overwrite, creates; Exists otherwise) `path` with `content`.
[[nodiscard]] Status write_file_atomically(const std::string& path, std::string_view content,
                                           bool overwrite = true);

/// Publishes `temporary` (already complete) as `path`: fsync, rename, fsync of the directory.
[[nodiscard]] Status publish_file(const std::string& temporary, const std::string& path, bool overwrite);

/// Whole content of a regular file of at most `limit` bytes. Never blocks on a FIFO or device.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit);

}  // namespace bitlens
