#include "core/sensitivity/boundary_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <span>

namespace bitlens::sensitivity {

namespace {

/// A new file without a name. Where the file system cannot make one, a named one is made and unlinked.
Result<UniqueFd> nameless_file(const std::string& folder) {
  UniqueFd file(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file.valid()) return file;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)
    return fail_errno(errno, "make a temporary file", folder);
  std::string name = folder + "/bitlens-states-XXXXXX";
  UniqueFd named(::mkostemp(name.data(), O_CLOEXEC));
  if (!named.valid()) return fail_errno(errno, "make a temporary file", folder);
  if (::unlink(name.c_str()) != 0) return fail_errno(errno, "unlink", name);
  return named;
}

}  // namespace

Result<BoundaryStore> BoundaryStore::create(std::size_t boundaries, std::size_t floats,
                                            std::uint64_t memory_budget, const std::string& folder) {
  BoundaryStore store;
  store.floats_ = floats;
  if (std::uint64_t{boundaries} * floats * sizeof(float) <= memory_budget) {
    store.memory_.resize(boundaries);
    for (kernels::FloatBuffer& buffer : store.memory_)
      if (!buffer.resize(floats)) return fail(ErrorCode::Memory, "not enough memory for the hidden states");
    return store;
  }
  store.folder_ = folder;
  if (store.folder_.empty()) {
    std::error_code error;
    store.folder_ = std::filesystem::temp_directory_path(error).string();
    if (error) return fail(ErrorCode::Io, fmt::format("no folder for temporary files: {}", error.message()));
  }
  auto file = nameless_file(store.folder_);
  if (!file) return pass(file);
  const auto bytes = static_cast<off_t>(std::uint64_t{boundaries} * floats * sizeof(float));
  if (const int error = ::posix_fallocate(file->get(), 0, bytes); error != 0)
    return fail_errno(error, fmt::format("reserve {} bytes for hidden states", bytes), store.folder_);
  store.file_ = std::move(*file);
  return store;
}

Status BoundaryStore::put(std::size_t boundary, std::size_t first, std::size_t count, const float* values) {
  if (!spilled()) {
    std::copy_n(values, count, memory_[boundary].data() + first);
    return {};
  }
  const std::uint64_t at = (std::uint64_t{boundary} * floats_ + first) * sizeof(float);
  if (!pwrite_full(file_.get(), std::as_bytes(std::span(values, count)), at))
    return fail_errno(errno, "write hidden states", folder_);
  return {};
}

Result<const float*> BoundaryStore::get(std::size_t boundary, std::size_t first, std::size_t count,
                                        kernels::FloatBuffer& room) const {
  if (!spilled()) return memory_[boundary].data() + first;
  if (!room.resize(count)) return fail(ErrorCode::Memory, "not enough memory for the hidden states");
  const std::uint64_t at = (std::uint64_t{boundary} * floats_ + first) * sizeof(float);
  const auto target = std::as_writable_bytes(std::span(room.data(), count));
  const std::int64_t got = pread_full(file_.get(), target, at);
  if (got < 0) return fail_errno(errno, "read hidden states", folder_);
  if (static_cast<std::size_t>(got) != target.size())
    return fail(ErrorCode::Io, "the file of hidden states became shorter", {folder_, {}, {}});
  return room.data();
}

std::uint64_t BoundaryStore::memory_bytes() const {
  return spilled() ? 0 : std::uint64_t{memory_.size()} * floats_ * sizeof(float);
}

}  // namespace bitlens::sensitivity
