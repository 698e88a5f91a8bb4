#include "core/io/model_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <new>

#include "core/base/checked.h"
#include "core/base/hash.h"
#include "core/base/name_index.h"
#include "core/base/posix_file.h"
#include "core/io/gguf_header.h"
#include "core/io/gguf_limits.h"
#include "core/io/gguf_split.h"

namespace bitlens::io {

std::uint64_t TensorInfo::elements() const {
  if (shape.empty()) return 0;
  std::uint64_t product = 1;
  for (const std::uint64_t dimension : shape) product *= dimension;
  return product;
}

std::uint64_t TensorInfo::rows() const {
  return row_length() == 0 ? 0 : elements() / row_length();
}

std::uint64_t TensorInfo::row_bytes() const {
  const kernels::FormatInfo& format_info = kernels::info(format);
  return row_length() / format_info.block_size * format_info.block_bytes;
}

namespace {

struct Shard {
  OpenedFile file;
  std::string path;

  [[nodiscard]] tl::unexpected<Error> changed(std::string_view how) const {
    return fail(ErrorCode::Changed, fmt::format("the file changed on disk while in use: {}", how),
                {path, {}, {}});
  }
  /// Compares the open file and the one of that name now with the file as it was when opened.
  [[nodiscard]] Status check_unchanged() const {
    struct stat open_now {
    }, named_now{};
    if (::fstat(file.fd.get(), &open_now) != 0) return fail_errno(errno, "examine the file", path);
    const FileIdentity now = identity_of(open_now);
    if (now.size != file.identity.size)
      return changed(fmt::format("it had {} bytes and has {}", file.identity.size, now.size));
    if (now != file.identity) return changed("its modification time is another");
    if (::stat(path.c_str(), &named_now) != 0) return changed("it was moved or deleted");
    const FileIdentity named = identity_of(named_now);
    if (named.device != now.device || named.inode != now.inode) return changed("another file has its name");
    return {};
  }
};

class GgufModelFile final : public ModelFile {
  [[nodiscard]] auto name_of() const {
    return [this](std::size_t i) -> std::string_view { return tensors_[i].name; };
  }

 public:
  static Result<std::shared_ptr<const ModelFile>> open(const std::string& path);

  const std::string& path() const override { return path_; }
  const std::vector<std::string>& shard_paths() const override { return shard_paths_; }
  std::uint32_t version() const override { return version_; }
  std::uint64_t alignment() const override { return alignment_; }
  std::uint64_t file_bytes() const override { return file_bytes_; }
  const Metadata& metadata() const override { return metadata_; }
  const std::vector<TensorInfo>& tensors() const override { return tensors_; }
  const std::vector<std::string>& warnings() const override { return warnings_; }

  std::optional<std::size_t> find_tensor(std::string_view name) const override {
    return names_.find(name, name_of());
  }
  Status read(std::size_t tensor, std::uint64_t begin, std::span<std::byte> target) const override;
  Status check_unchanged() const override {
    for (const Shard& shard : shards_)
      if (auto s = shard.check_unchanged(); !s) return s;
    return {};
  }
  bool is_same_file(const std::string& path) const override {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return false;
    const FileIdentity other = identity_of(status);
    return std::any_of(shards_.begin(), shards_.end(), [&](const Shard& shard) {
      return shard.file.identity.device == other.device && shard.file.identity.inode == other.inode;
    });
  }
  Result<std::string> sha256(const WorkContext& work) const override;

 private:
  Status open_split(std::uint64_t count, const std::string& path);
  Result<GgufHeader> open_shard(const std::string& path);
  Status adopt(GgufHeader header);

  std::string path_;
  std::vector<std::string> shard_paths_;
  std::uint32_t version_ = 0;
  std::uint64_t alignment_ = default_alignment;
  std::uint64_t file_bytes_ = 0;
  Metadata metadata_;
  std::vector<TensorInfo> tensors_;
  NameIndex names_;
  std::vector<std::string> warnings_;
  std::vector<Shard> shards_;
  mutable std::mutex hash_mutex_;
  mutable std::string hash_;
};

Result<GgufHeader> GgufModelFile::open_shard(const std::string& path) {
  auto file = open_regular_file(path);
  if (!file) return pass(file);
  auto header = read_gguf_header(file->fd.get(), path, file->identity.size);
  if (!header) return pass(header);
  shards_.push_back({*std::move(file), path});
  return header;
}

/// Takes over the tensors and warnings of the shard opened last.
Status GgufModelFile::adopt(GgufHeader header) {
  const auto shard = static_cast<std::uint32_t>(shards_.size() - 1);
  const std::string& path = shards_.back().path;
  file_bytes_ += shards_.back().file.identity.size;
  shard_paths_.push_back(path);
  if (shard == 0) {
    tensors_ = std::move(header.tensors);
    names_ = std::move(header.names);
  } else {
    for (TensorInfo& tensor : header.tensors) {
      tensor.shard = shard;
      tensors_.push_back(std::move(tensor));
      if (const auto first = names_.insert(tensors_.size() - 1, name_of()))
        return fail(
            ErrorCode::BadFile,
            fmt::format("tensor is in shard {} and in shard {}", tensors_[*first].shard + 1, shard + 1),
            {path, tensors_.back().name, {}});
    }
  }
  if (tensors_.size() > max_tensors)
    return fail(ErrorCode::BadFile, fmt::format("the shards have more than {} tensors", max_tensors),
                {path, {}, {}});
  for (std::string& warning : header.warnings)
    warnings_.push_back(shard == 0 ? std::move(warning) : fmt::format("shard {}: {}", shard + 1, warning));
  return {};
}

Status GgufModelFile::open_split(std::uint64_t count, const std::string& path) {
  const auto name = parse_shard_name(path);
  if (!name)
    return fail(ErrorCode::BadFile,
                fmt::format("cannot find the other shards of {}: the file's name does not end in "
                            "-NNNNN-of-{:05}.gguf (was it renamed?)",
                            count, count),
                {path, {}, {}});
  if (name->count != count)
    return fail(ErrorCode::BadFile,
                fmt::format("the file says it is one of {} shards, its name says {}", count, name->count),
                {path, "split.count", {}});
  GgufHeader first;
  std::uint64_t found = 0;
  for (std::uint64_t number = 1; number <= count; ++number) {
    const std::string shard = shard_path(name->prefix, number, count);
    auto header = open_shard(shard);
    if (!header && header.error().code == ErrorCode::NotFound)
      return fail(ErrorCode::NotFound, fmt::format("shard {} of {} is missing", number, count),
                  {shard, {}, {}});
    if (!header) return pass(header);
    if (auto s = check_shard(*header, number, count, shard); !s) return s;
    if (number == 1) {
      first.metadata = header->metadata;
      version_ = header->version;
      alignment_ = header->alignment;
    } else if (auto s = check_same_model(first, *header, shard); !s) {
      return s;
    }
    found += header->tensors.size();
    if (auto s = adopt(*std::move(header)); !s) return s;
  }
  if (auto s = check_tensor_count(first, found, shard_paths_.front(), warnings_); !s) return s;
  metadata_ = std::move(first.metadata);
  return {};
}

Result<std::shared_ptr<const ModelFile>> GgufModelFile::open(const std::string& path) {
  auto file = std::make_shared<GgufModelFile>();
  file->path_ = path;
  auto header = file->open_shard(path);
  if (!header) return pass(header);
  const auto count = shard_count(*header, path);
  if (!count) return pass(count);
  if (*count > 1) {
    file->shards_.clear();
    if (auto s = file->open_split(*count, path); !s) return pass(s);
  } else {
    file->version_ = header->version;
    file->alignment_ = header->alignment;
    file->metadata_ = std::move(header->metadata);
    if (auto s = file->adopt(*std::move(header)); !s) return pass(s);
  }
  for (const char* ending : {".part", ".download", ".crdownload", ".incomplete", ".tmp"})
    if (std::string_view(path).ends_with(ending))
      file->warnings_.push_back(
          fmt::format("the name ends in {}: looks like an unfinished download", ending));
  return file;
}

Status GgufModelFile::read(std::size_t tensor, std::uint64_t begin, std::span<std::byte> target) const {
  if (tensor >= tensors_.size())
    return fail(ErrorCode::InvalidArgument, fmt::format("there is no tensor {}", tensor), {path_, {}, {}});
  const TensorInfo& info = tensors_[tensor];
  const Shard& shard = shards_[info.shard];
  const auto end = checked_add(begin, target.size());
  if (!end || *end > info.bytes)
    return fail(ErrorCode::InvalidArgument,
                fmt::format("bytes {} to {} + {} are outside the tensor's {}", begin, begin, target.size(),
                            info.bytes),
                {shard.path, info.name, info.file_offset});
  if (auto s = shard.check_unchanged(); !s) return s;
  const std::uint64_t offset = info.file_offset + begin;  // inside the file: checked when it was opened
  const auto got = pread_full(shard.file.fd.get(), target, offset);
  if (got < 0)
    return fail(ErrorCode::Io, "read error: " + errno_text(errno), {shard.path, info.name, offset});
  if (static_cast<std::size_t>(got) < target.size())
    return fail(ErrorCode::Changed, "the file changed on disk while in use: it became shorter",
                {shard.path, info.name, offset + static_cast<std::uint64_t>(got)});
  return {};
}

Result<std::string> GgufModelFile::sha256(const WorkContext& work) const {
  const std::lock_guard lock(hash_mutex_);
  if (!hash_.empty()) return hash_;
  Sha256 hash;
  std::vector<std::byte> buffer(std::size_t{4} << 20);
  std::uint64_t done = 0;
  for (const Shard& shard : shards_) {
    for (std::uint64_t offset = 0; offset < shard.file.identity.size;) {
      if (work.stopped()) return WorkContext::cancelled();
      const auto piece =
          std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), shard.file.identity.size - offset));
      const auto got = pread_full(shard.file.fd.get(), piece, offset);
      if (got < 0) return fail(ErrorCode::Io, "read error: " + errno_text(errno), {shard.path, {}, offset});
      if (static_cast<std::size_t>(got) < piece.size()) return shard.changed("it became shorter");
      hash.update(piece);
      offset += piece.size();
      done += piece.size();
      work.report("hash", done, file_bytes_);
    }
  }
  if (auto s = check_unchanged(); !s) return pass(s);
  hash_ = hash.finish();
  return hash_;
}

}  // namespace

Result<std::shared_ptr<const ModelFile>> open_gguf(const std::string& path) {
  try {
    return GgufModelFile::open(path);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory to hold the header", {path, {}, {}});
  }
}

}  // namespace bitlens::io
