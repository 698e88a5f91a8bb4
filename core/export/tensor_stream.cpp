#include "core/export/tensor_stream.h"

#include <algorithm>
#include <chrono>
#include <new>

#include "core/base/hash.h"
#include "core/quantize/encode_rows.h"
#include "kernels/formats/codec.h"

namespace bitlens::exporter {

namespace {
// Elements; both multiples of every block size. A piece fits the cache of one core, a chunk keeps many busy.
constexpr std::size_t kPiece = 1U << 16U;
constexpr std::size_t kChunk = 1U << 22U;
}  // namespace

TensorStream::TensorStream(const io::ModelFile& source, const WorkContext& work)
    : source_(source), work_(work), workers_(static_cast<std::size_t>(work.pool.size())) {}

double TensorStream::encode_seconds() const {
  double seconds = 0;
  for (const Worker& worker : workers_) seconds += worker.seconds;
  return seconds / static_cast<double>(workers_.size());
}

Status TensorStream::convert(std::size_t tensor, const quantize::TensorChoice& choice,
                             const quantize::Importance* importance, std::uint64_t first, std::size_t count,
                             std::byte* target, Worker& worker) const {
  const kernels::FormatInfo& from = kernels::info(choice.source);
  const std::uint64_t begin = first / from.block_size * from.block_bytes;
  const std::size_t bytes = count / from.block_size * from.block_bytes;
  if (!choice.changed) return source_.read(tensor, begin, std::span(target, bytes));
  worker.stored.resize(bytes);
  worker.values.resize(count);
  if (auto status = source_.read(tensor, begin, worker.stored); !status) return status;
  kernels::decode(choice.source, worker.stored.data(), worker.values.data(), count);
  const io::TensorInfo& info = source_.tensors()[tensor];
  if (importance != nullptr) {
    worker.importance.resize(count);
    importance->fill(tensor, info, first, worker.importance);
  }
  return quantize::encode_values(choice.format, choice.quantizer, worker.values,
                                 importance != nullptr ? worker.importance.data() : nullptr, target,
                                 {source_.path(), info.name, first});
}

Result<std::string> TensorStream::run(std::size_t tensor, const quantize::TensorChoice& choice,
                                      const quantize::Importance* importance, const Sink& sink,
                                      const std::function<void(std::uint64_t bytes)>& advance) {
  const kernels::FormatInfo& to = kernels::info(choice.format);
  const std::uint64_t elements = source_.tensors()[tensor].elements();
  Sha256 hash;
  std::span<const std::byte> ready;  // of the chunk before
  for (std::uint64_t first = 0; first < elements || !ready.empty(); first += kChunk) {
    const std::size_t count = first < elements ? std::min<std::uint64_t>(kChunk, elements - first) : 0;
    std::vector<std::byte>& chunk = chunks_[(first / kChunk) % 2];
    chunk.resize(count / to.block_size * to.block_bytes);
    const std::size_t pieces = (count + kPiece - 1) / kPiece;
    std::vector<Status> results(pieces + 1);
    // Task 0 passes the last chunk on; the others prepare this one.
    work_.pool.run(pieces + 1, [&](std::size_t task, int worker_index) {
      if (work_.stopped()) {
        results[task] = WorkContext::cancelled();
        return;
      }
      if (task == 0) {
        if (ready.empty()) return;
        hash.update(ready);
        results[0] = sink(ready);
        return;
      }
      Worker& worker = workers_[static_cast<std::size_t>(worker_index)];
      const auto start = std::chrono::steady_clock::now();
      const std::size_t begin = (task - 1) * kPiece;
      try {
        results[task] = convert(tensor, choice, importance, first + begin, std::min(kPiece, count - begin),
                                chunk.data() + begin / to.block_size * to.block_bytes, worker);
      } catch (const std::bad_alloc&) {
        results[task] = fail(ErrorCode::Memory, "not enough memory to convert weights");
      }
      worker.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    });
    if (work_.stopped()) return WorkContext::cancelled();
    for (const Status& result : results)
      if (!result) return pass(result);
    advance(ready.size());
    ready = chunk;
  }
  return hash.finish();
}

}  // namespace bitlens::exporter
