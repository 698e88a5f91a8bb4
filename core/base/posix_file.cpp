#include "core/base/posix_file.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace bitlens {

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) ::close(fd_);
}

bool UniqueFd::close() {
  // Never retried: on Linux the descriptor is gone even if close() reports an error.
  return ::close(std::exchange(fd_, -1)) == 0;
}

FileIdentity identity_of(const struct stat& status) {
  return {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

Result<OpenedFile> open_regular_file(const std::string& path) {
  const auto refuse = [&](const char* why) { return fail(ErrorCode::InvalidArgument, why, {path, {}, {}}); };
  if (path.empty()) return fail(ErrorCode::InvalidArgument, "the file name is empty");
  if (path.find('\0') != std::string::npos) return refuse("the file name contains a NUL byte");
  // O_NONBLOCK: opening a FIFO nobody writes to would wait for ever. No meaning for regular files.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) {
    if (errno == ENXIO) return refuse("is a socket or a device, not a regular file");
    return fail_errno(errno, "open the file", path);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail_errno(errno, "examine the file", path);
  if (S_ISDIR(status.st_mode)) return refuse("is a directory, not a file");
  if (S_ISFIFO(status.st_mode)) return refuse("is a FIFO, not a regular file");
  if (!S_ISREG(status.st_mode)) return refuse("is a device, not a regular file");
  return OpenedFile{std::move(fd), identity_of(status)};
}

std::int64_t pread_full(int fd, std::span<std::byte> target, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < target.size()) {
    // One call moves at most 0x7ffff000 bytes; asking for 1 GiB keeps clear of every such limit.
    const std::size_t piece = std::min<std::size_t>(target.size() - done, std::size_t{1} << 30);
    const ssize_t got = ::pread(fd, target.data() + done, piece, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<std::int64_t>(done);
}

bool pwrite_full(int fd, std::span<const std::byte> source, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < source.size()) {
    const std::size_t piece = std::min<std::size_t>(source.size() - done, std::size_t{1} << 30);
    const ssize_t put = ::pwrite(fd, source.data() + done, piece, static_cast<off_t>(offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    if (put == 0) {
      errno = EIO;
      return false;
    }
    done += static_cast<std::size_t>(put);
  }
  return true;
}

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

tl::unexpected<Error> fail_errno(int error, const std::string& what, const std::string& path) {
  ErrorCode code = ErrorCode::Io;
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) code = ErrorCode::OutOfSpace;
  if (error == ENOENT || error == ENOTDIR) code = ErrorCode::NotFound;
  return fail(code, "cannot " + what + ": " + errno_text(error), {path, {}, {}});
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string follow_links(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return path;
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;  // dangling: the link itself will be replaced
  std::string out(resolved);
  std::free(resolved);
  return out;
}

}  // namespace bitlens
