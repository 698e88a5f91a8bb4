#include "core/io/part_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace bitlens::io {

namespace {

enum class Leftover { Ours, InUse, Foreign };

/// May the existing file be used again?
Leftover examine(int fd, const std::string& path, std::string_view finished_header) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1) return Leftover::Foreign;
  // File systems without locks (some network ones) give other errors; there the content alone decides.
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return Leftover::InUse;
  if (!names_same_file(fd, path)) return Leftover::InUse;  // published or removed a moment ago
  if (status.st_size == 0) return Leftover::Ours;
  std::string head(std::max(finished_header.size(), part_marker.size()), '\0');
  const auto got = pread_full(fd, std::as_writable_bytes(std::span(head)), 0);
  if (got < 0) return Leftover::Foreign;
  head.resize(static_cast<std::size_t>(got));
  if (head.starts_with(part_marker) || head.starts_with(finished_header)) return Leftover::Ours;
  // Killed between reserving the space and writing the marker.
  const bool zeros = head.find_first_not_of('\0') == std::string::npos;
  return zeros ? Leftover::Ours : Leftover::Foreign;
}

}  // namespace

bool names_same_file(int fd, const std::string& path) {
  struct stat opened {
  }, named{};
  return ::fstat(fd, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

Result<PartFile> create_part_file(const std::string& target, std::string_view finished_header) {
  // A foreign file (a browser's unfinished download has the same ending) keeps its name; the next one is
  // tried.
  for (int attempt = 0; attempt < 10; ++attempt) {
    std::string path = target + ".part" + (attempt == 0 ? "" : std::to_string(attempt));
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666));
    if (fd.valid()) {
      if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return fail(ErrorCode::Exists, "another process is writing this file", {path, {}, {}});
      return PartFile{std::move(fd), std::move(path)};
    }
    if (errno != EEXIST) return fail_errno(errno, "create a file in the folder", path);
    fd = UniqueFd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    if (!fd.valid()) continue;
    const Leftover leftover = examine(fd.get(), path, finished_header);
    if (leftover == Leftover::InUse)
      return fail(ErrorCode::Exists, "another process is writing this file", {path, {}, {}});
    if (leftover == Leftover::Foreign) continue;
    if (::ftruncate(fd.get(), 0) != 0) return fail_errno(errno, "empty a leftover of an earlier run", path);
    return PartFile{std::move(fd), std::move(path)};
  }
  return fail(ErrorCode::Exists,
              "too many files named like unfinished outputs (.part) are in the way; remove them",
              {target + ".part", {}, {}});
}

Status reserve_space(const PartFile& part, std::uint64_t bytes) {
  const auto no_space = [&](std::string message) {
    return fail(ErrorCode::OutOfSpace, std::move(message), {part.path, {}, {}});
  };
  // Exceeding this limit would not only fail: the system sends SIGXFSZ, which ends the process.
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && bytes > limit.rlim_cur)
    return no_space(fmt::format("needs a file of {} bytes, this process may write files of {} bytes at most",
                                bytes, limit.rlim_cur));
  struct statvfs disk {};
  const bool known = ::fstatvfs(part.fd.get(), &disk) == 0;
  const std::uint64_t free_bytes = known ? std::uint64_t{disk.f_bavail} * disk.f_frsize : 0;
  if (known && bytes > free_bytes)
    return no_space(fmt::format("needs {} bytes of disk space, {} are free", bytes, free_bytes));
  if (bytes == 0) return {};
  // Not posix_fallocate(): where the file system cannot reserve, that writes into every block, which takes as
  // long as writing the file.
  int error = 0;
  do error = ::fallocate(part.fd.get(), 0, 0, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
  while (error == EINTR);
  if (error == 0) return {};
  if (error == ENOSPC || error == EDQUOT)
    return no_space(
        fmt::format("needs {} bytes of disk space, {} are free: {}", bytes, free_bytes, errno_text(error)));
  if (error == EFBIG) return no_space(fmt::format("the file system cannot hold a file of {} bytes", bytes));
  if (::ftruncate(part.fd.get(), static_cast<off_t>(bytes)) == 0) return {};
  if (errno == EFBIG) return no_space(fmt::format("the file system cannot hold a file of {} bytes", bytes));
  return fail_errno(errno, "set the size of the file", part.path);
}

}  // namespace bitlens::io
