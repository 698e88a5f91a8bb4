// File descriptors that close themselves, and reads and writes that do all or say why not.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/base/result.h"

namespace bitlens {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  /// Closes now; false (and errno) if the system reports that data may be lost.
  [[nodiscard]] bool close();

 private:
  int fd_ = -1;
};

/// What tells one state of a file from another.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified_ns = 0;
  bool operator==(const FileIdentity&) const = default;
};
[[nodiscard]] FileIdentity identity_of(const struct stat& status);

struct OpenedFile {
  UniqueFd fd;
  FileIdentity identity;
};
/// Opens a regular file for reading. Directories, FIFOs, sockets and devices are refused without blocking.
[[nodiscard]] Result<OpenedFile> open_regular_file(const std::string& path);

/// Reads at `offset` until `target` is full or the file ends; the number of bytes read, or -1 and errno.
[[nodiscard]] std::int64_t pread_full(int fd, std::span<std::byte> target, std::uint64_t offset);
/// Writes everything at `offset`; false and errno if the system does not take it all.
[[nodiscard]] bool pwrite_full(int fd, std::span<const std::byte> source, std::uint64_t offset);

/// "No space left on device", ... for an errno value.
[[nodiscard]] std::string errno_text(int error);
/// Error for a failed call: OutOfSpace for a full disk or quota, NotFound, Io, with "cannot <what>:
/// <reason>".
[[nodiscard]] tl::unexpected<Error> fail_errno(int error, const std::string& what, const std::string& path);

/// Folder part of a path, "." if it has none.
[[nodiscard]] std::string folder_of(const std::string& path);
/// Where a write to `path` ends up: the file a symbolic link leads to, or `path` itself.
[[nodiscard]] std::string follow_links(const std::string& path);

}  // namespace bitlens
