#include "core/io/gguf_writer.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>

#include "core/base/atomic_file.h"
#include "core/base/posix_file.h"
#include "core/io/gguf_layout.h"
#include "core/io/part_file.h"

namespace bitlens::io {

namespace {

class PartWriter final : public GgufWriter {
 public:
  static Result<std::unique_ptr<GgufWriter>> open(const std::string& path, const Metadata& metadata,
                                                  const std::vector<TensorPlan>& tensors, bool overwrite);
  ~PartWriter() override { remove_part(); }
  PartWriter() = default;
  PartWriter(const PartWriter&) = delete;
  PartWriter& operator=(const PartWriter&) = delete;

  Status write(std::size_t index, std::span<const std::byte> data) override;
  Status finish() override;
  const std::string& temporary_path() const override { return part_.path; }
  const GgufLayout& layout() const override { return layout_; }
  Status publish() override;

 private:
  enum class Stage { Writing, Finished, Published, Failed };

  /// A failed write or fsync cannot be repeated: the writer gives up, and says so when used again.
  Status give_up(Status error) {
    stage_ = Stage::Failed;
    return error;
  }
  [[nodiscard]] tl::unexpected<Error> misuse(std::string message) const {
    return fail(ErrorCode::InvalidArgument, std::move(message), {part_.path, {}, {}});
  }
  /// Tensor `index` is complete: is there one after it that needs data?
  void skip_complete_tensors() {
    while (current_ < tensors_.size() && written_ == layout_.tensor_bytes[current_]) {
      ++current_;
      written_ = 0;
    }
  }
  void remove_part() {
    if (stage_ != Stage::Published && part_.fd.valid() && names_same_file(part_.fd.get(), part_.path))
      ::unlink(part_.path.c_str());
  }

  std::string target_;
  bool overwrite_ = false;
  std::vector<TensorPlan> tensors_;
  GgufLayout layout_;
  std::string header_;
  PartFile part_;
  Stage stage_ = Stage::Writing;
  std::size_t current_ = 0;    // tensor being written
  std::uint64_t written_ = 0;  // bytes of it
};

/// May the target be created or replaced? Its permissions, if there is one to replace.
Result<std::optional<mode_t>> check_target(const std::string& target, const std::string& path,
                                           bool overwrite) {
  struct stat status {};
  if (::lstat(target.c_str(), &status) != 0) return std::nullopt;
  if (S_ISDIR(status.st_mode))
    return fail(ErrorCode::InvalidArgument, "is a directory, not a file", {path, {}, {}});
  if (!overwrite)
    return fail(ErrorCode::Exists, "the file exists already and may not be overwritten", {path, {}, {}});
  if (S_ISLNK(status.st_mode)) return std::nullopt;  // leads nowhere: the link itself is replaced
  // Renaming onto a device or FIFO would replace the device itself.
  if (!S_ISREG(status.st_mode))
    return fail(ErrorCode::InvalidArgument, "is not a regular file", {path, {}, {}});
  return status.st_mode & 0777;
}

Result<std::unique_ptr<GgufWriter>> PartWriter::open(const std::string& path, const Metadata& metadata,
                                                     const std::vector<TensorPlan>& tensors, bool overwrite) {
  auto layout = plan_gguf(metadata, tensors);
  if (!layout) return pass(layout);
  if (path.empty() || path.back() == '/')
    return fail(ErrorCode::InvalidArgument, "the output's name is empty", {path, {}, {}});
  auto writer = std::make_unique<PartWriter>();
  writer->target_ = follow_links(path);
  writer->overwrite_ = overwrite;
  writer->tensors_ = tensors;
  writer->layout_ = *std::move(layout);
  writer->header_ = serialize_header(metadata, tensors, writer->layout_);
  const auto mode = check_target(writer->target_, path, overwrite);
  if (!mode) return pass(mode);

  auto part = create_part_file(writer->target_, writer->header_);
  if (!part) return pass(part);
  writer->part_ = *std::move(part);
  if (mode->has_value() && ::fchmod(writer->part_.fd.get(), **mode) != 0)
    return fail_errno(errno, "keep the permissions of the file", path);
  if (auto s = reserve_space(writer->part_, writer->layout_.file_bytes); !s) return pass(s);
  if (!pwrite_full(writer->part_.fd.get(), std::as_bytes(std::span(part_marker)), 0))
    return fail_errno(errno, "write", writer->part_.path);
  writer->skip_complete_tensors();
  return writer;
}

Status PartWriter::write(std::size_t index, std::span<const std::byte> data) {
  if (stage_ != Stage::Writing) return misuse("the output takes no more data");
  if (data.empty()) return {};
  if (index != current_ || index >= tensors_.size())
    return misuse(fmt::format("data of tensor {} given, tensor {} expected", index, current_));
  const std::uint64_t left = layout_.tensor_bytes[index] - written_;
  if (data.size() > left)
    return misuse(fmt::format("{} bytes given for tensor \"{}\", {} expected", data.size(),
                              printable(tensors_[index].name), left));
  const std::uint64_t offset = layout_.tensor_offsets[index] + written_;
  if (!pwrite_full(part_.fd.get(), data, offset)) {
    Error error = fail_errno(errno, "write", part_.path).value();
    error.where.object = tensors_[index].name;
    error.where.offset = offset;
    return give_up(tl::unexpected(std::move(error)));
  }
  written_ += data.size();
  skip_complete_tensors();
  return {};
}

Status PartWriter::finish() {
  if (stage_ != Stage::Writing) return misuse("the output is finished already");
  if (current_ < tensors_.size())
    return misuse(fmt::format("tensor \"{}\" has {} of {} bytes", printable(tensors_[current_].name),
                              written_, layout_.tensor_bytes[current_]));
  // The data first, then the header: a file that begins with GGUF is complete even after a power failure.
  // Padding was never written; it reads as zeros.
  if (::fsync(part_.fd.get()) != 0) return give_up(fail_errno(errno, "write to the disk", part_.path));
  if (!pwrite_full(part_.fd.get(), std::as_bytes(std::span(header_)), 0))
    return give_up(fail_errno(errno, "write", part_.path));
  if (::fsync(part_.fd.get()) != 0) return give_up(fail_errno(errno, "write to the disk", part_.path));
  struct stat status {};
  if (::fstat(part_.fd.get(), &status) != 0)
    return give_up(fail_errno(errno, "examine the file", part_.path));
  if (static_cast<std::uint64_t>(status.st_size) != layout_.file_bytes)
    return give_up(fail(
        ErrorCode::Io,
        fmt::format("the finished file has {} bytes, {} were planned", status.st_size, layout_.file_bytes),
        {part_.path, {}, {}}));
  stage_ = Stage::Finished;
  return {};
}

Status PartWriter::publish() {
  if (stage_ != Stage::Finished) return misuse("the output is not finished");
  if (!names_same_file(part_.fd.get(), part_.path))
    return give_up(fail(ErrorCode::Changed, "the finished file was moved or replaced before it got its name",
                        {part_.path, {}, {}}));
  // The lock is held until the name is final; everything is on the disk, so closing has nothing left to lose.
  if (auto s = publish_file(part_.path, target_, overwrite_); !s) return s;
  stage_ = Stage::Published;
  if (!part_.fd.close()) return fail_errno(errno, "close the file", target_);
  return {};
}

}  // namespace

Result<std::unique_ptr<GgufWriter>> GgufWriter::create(const std::string& path, Metadata metadata,
                                                       std::vector<TensorPlan> tensors, bool overwrite) {
  try {
    return PartWriter::open(path, metadata, tensors, overwrite);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory to build the header", {path, {}, {}});
  }
}

}  // namespace bitlens::io
