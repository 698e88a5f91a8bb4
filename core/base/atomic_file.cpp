#include "core/base/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <span>

#include "core/base/posix_file.h"

namespace bitlens {

namespace {

Status sync_folder(const std::string& path) {
  const std::string folder = folder_of(path);
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno(errno, "open the folder to make the new name durable", folder);
  // Some file systems cannot sync a folder and say EINVAL; there is nothing more to be done on those.
  if (::fsync(fd.get()) != 0 && errno != EINVAL)
    return fail_errno(errno, "make the new name durable", folder);
  return {};
}

tl::unexpected<Error> fail_exists(const std::string& path) {
  return fail(ErrorCode::Exists, "the file exists already and may not be overwritten", {path, {}, {}});
}

/// Renames without ever replacing a file that appeared in the meantime.
Status rename_to_new_name(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno == EEXIST) return fail_exists(to);
  if (errno != EINVAL && errno != ENOSYS) return fail_errno(errno, "give the finished file its name", to);
  // The file system cannot do that in one step (NFS for one): a hard link fails just as safely.
  if (::link(from.c_str(), to.c_str()) != 0) {
    if (errno == EEXIST) return fail_exists(to);
    return fail_errno(errno, "give the finished file its name", to);
  }
  if (::unlink(from.c_str()) != 0) return fail_errno(errno, "remove the temporary name", from);
  return {};
}

/// A file of a name nobody has, beside `path`.
Result<std::pair<UniqueFd, std::string>> create_beside(const std::string& path) {
  std::random_device random;
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::string name = fmt::format("{}.tmp-{:08x}", path, random());
    UniqueFd fd(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (fd.valid()) return std::pair(std::move(fd), std::move(name));
    if (errno != EEXIST) return fail_errno(errno, "create a file in the folder", path);
  }
  return fail(ErrorCode::Io, "cannot find a free temporary name", {path, {}, {}});
}

Status fill(UniqueFd fd, std::string_view content, const std::string& path, const std::string& target) {
  struct stat old {};
  if (::stat(target.c_str(), &old) == 0 && ::fchmod(fd.get(), old.st_mode & 0777) != 0)
    return fail_errno(errno, "keep the permissions of the file", path);
  if (!pwrite_full(fd.get(), std::as_bytes(std::span(content)), 0)) return fail_errno(errno, "write", path);
  if (::fsync(fd.get()) != 0) return fail_errno(errno, "write to the disk", path);
  if (!fd.close()) return fail_errno(errno, "write", path);
  return {};
}

}  // namespace

Status publish_file(const std::string& temporary, const std::string& path, bool overwrite) {
  {
    const UniqueFd fd(::open(temporary.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd.valid()) return fail_errno(errno, "open the finished file", temporary);
    // An error here is final: the kernel may have dropped the pages, so a second fsync could lie.
    if (::fsync(fd.get()) != 0) return fail_errno(errno, "write to the disk", temporary);
  }
  if (!overwrite) {
    if (auto renamed = rename_to_new_name(temporary, path); !renamed) return renamed;
  } else if (::rename(temporary.c_str(), path.c_str()) != 0) {
    return fail_errno(errno, "give the finished file its name", path);
  }
  return sync_folder(path);
}

Status write_file_atomically(const std::string& path, std::string_view content, bool overwrite) {
  const std::string target = follow_links(path);
  struct stat status {};
  if (::lstat(target.c_str(), &status) == 0) {
    if (!overwrite) return fail_exists(path);
    if (S_ISDIR(status.st_mode))
      return fail(ErrorCode::InvalidArgument, "is a directory, not a file", {path, {}, {}});
    // Renaming onto a device or FIFO would replace the device itself.
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
      return fail(ErrorCode::InvalidArgument, "is not a regular file", {path, {}, {}});
  }
  auto created = create_beside(target);
  if (!created) return pass(created);
  Status done = fill(std::move(created->first), content, path, target);
  if (done) done = publish_file(created->second, target, overwrite);
  if (!done) ::unlink(created->second.c_str());
  return done;
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  auto opened = open_regular_file(path);
  if (!opened) return pass(opened);
  const auto too_large = [&] {
    return fail(ErrorCode::BadFile, fmt::format("the file is larger than the limit of {} bytes", limit),
                {path, {}, {}});
  };
  if (opened->identity.size > limit) return too_large();
  // Read to the end rather than to the size: files of /proc say 0, and a file may grow meanwhile.
  std::string content;
  std::array<char, 65536> piece{};
  for (;;) {
    const auto got = pread_full(opened->fd.get(), std::as_writable_bytes(std::span(piece)), content.size());
    if (got < 0) return fail_errno(errno, "read", path);
    if (static_cast<std::size_t>(got) > limit - content.size()) return too_large();
    content.append(piece.data(), static_cast<std::size_t>(got));
    if (static_cast<std::size_t>(got) < piece.size()) return content;
  }
}

}  // namespace bitlens
