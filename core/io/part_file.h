// The unfinished file beside an output: `<target>.part`. Only one program at a time writes it (flock), a
// leftover of a dead run is used again, and a file that is not ours is never touched.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/posix_file.h"
#include "core/base/result.h"

namespace bitlens::io {

/// First bytes of a file that is still being written, until the header takes their place.
inline constexpr std::string_view part_marker = "bitlens-unfinished\n";

struct PartFile {
  UniqueFd fd;  ///< locked, empty, open for reading and writing
  std::string path;
};

/// `finished_header`: a leftover that begins with these bytes is an earlier run's output that was not
/// published. Exists if another process is writing to the same target now.
[[nodiscard]] Result<PartFile> create_part_file(const std::string& target, std::string_view finished_header);

/// Sets aside `bytes` for the empty file, so that a full disk shows now and not in hours. OutOfSpace with
/// needed and free bytes. Where the file system cannot reserve, only the free space is compared.
[[nodiscard]] Status reserve_space(const PartFile& part, std::uint64_t bytes);

/// Does `path` still name the file that `fd` has open?
[[nodiscard]] bool names_same_file(int fd, const std::string& path);

}  // namespace bitlens::io
