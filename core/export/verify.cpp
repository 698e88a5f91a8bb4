#include "core/export/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <new>

#include "core/base/checksum.h"
#include "core/base/hash.h"
#include "core/base/posix_file.h"
#include "core/io/model_file.h"

namespace bitlens::exporter {

namespace {

constexpr std::size_t kPiece = 1U << 20U;  // bytes read at once

tl::unexpected<Error> differs(const std::string& path, const std::string& object, const std::string& how) {
  return fail(ErrorCode::Io, "verification failed, the file is not published: " + how, {path, object, {}});
}

Status compare_headers(const io::ModelFile& file, const io::Metadata& metadata,
                       const std::vector<WrittenTensor>& tensors) {
  const auto& found = file.metadata().entries();
  const auto& expected = metadata.entries();
  if (!std::equal(found.begin(), found.end(), expected.begin(), expected.end(),
                  [](const auto& a, const auto& b) {
                    return a.key == b.key && io::type_of(a.value) == io::type_of(b.value);
                  }))
    return differs(file.path(), "metadata", "its keys are not those written");
  if (file.tensors().size() != tensors.size())
    return differs(file.path(), "tensor table",
                   fmt::format("{} tensors found, {} written", file.tensors().size(), tensors.size()));
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const io::TensorInfo& tensor = file.tensors()[t];
    const io::TensorPlan& plan = tensors[t].plan;
    if (tensor.name != plan.name || tensor.shape != plan.shape || tensor.format != plan.format)
      return differs(file.path(), plan.name, "its name, shape or format is not as written");
  }
  return {};
}

/// Feeds `hash` with `bytes` bytes that `read(offset, target)` gives.
template <typename Hash, typename Read>
Status hash_bytes(Hash& hash, std::uint64_t bytes, const WorkContext& work, const Read& read) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(kPiece, bytes));
  for (std::uint64_t offset = 0; offset < bytes; offset += kPiece) {
    if (work.stopped()) return WorkContext::cancelled();
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(kPiece, bytes - offset));
    if (Status status = read(offset, piece); !status) return pass(status);
    hash.update(piece);
  }
  return {};
}

}  // namespace

Result<std::string> verify_file(const std::string& path, const io::Metadata& metadata,
                                const std::vector<WrittenTensor>& tensors, const WorkContext& work) {
  const auto file = io::open_gguf(path);
  if (!file) return pass(file);
  if (auto status = compare_headers(**file, metadata, tensors); !status) return pass(status);
  const auto raw = open_regular_file(path);
  if (!raw) return pass(raw);

  // Task 0 hashes the whole file in order, task t + 1 sums the data of tensor t.
  const std::uint64_t file_bytes = raw->identity.size;
  std::uint64_t total = file_bytes;
  for (const io::TensorInfo& tensor : (*file)->tensors()) total += tensor.bytes;
  std::atomic<std::uint64_t> done{0};
  Sha256 hash;
  std::vector<Checksum> checksums(tensors.size());
  std::vector<Status> results(tensors.size() + 1);
  work.pool.run(results.size(), [&](std::size_t task, int worker) {
    const auto advance = [&](std::uint64_t bytes) {
      const std::uint64_t now = done += bytes;
      if (worker == 0) work.report("verify", now, total);  // worker 0 is the calling thread
    };
    try {
      if (task == 0)
        results[0] = hash_bytes(
            hash, file_bytes, work, [&](std::uint64_t offset, std::span<std::byte> target) -> Status {
              const std::int64_t got = pread_full(raw->fd.get(), target, offset);
              if (got < 0) return fail_errno(errno, "read", path);
              if (static_cast<std::uint64_t>(got) != target.size())
                return differs(path, "data", fmt::format("it ends before byte {}", offset + target.size()));
              advance(target.size());
              return {};
            });
      else
        results[task] = hash_bytes(checksums[task - 1], (*file)->tensors()[task - 1].bytes, work,
                                   [&](std::uint64_t offset, std::span<std::byte> target) -> Status {
                                     advance(target.size());
                                     return (*file)->read(task - 1, offset, target);
                                   });
    } catch (const std::bad_alloc&) {
      results[task] = fail(ErrorCode::Memory, "not enough memory to verify the file");
    }
  });
  if (work.stopped()) return WorkContext::cancelled();
  for (const Status& result : results)
    if (!result) return pass(result);
  for (std::size_t t = 0; t < tensors.size(); ++t)
    if (checksums[t].finish() != tensors[t].checksum)
      return differs(path, tensors[t].plan.name, "its data read back is not what was written");
  return hash.finish();
}

}  // namespace bitlens::exporter
