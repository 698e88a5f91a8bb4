#include "core/export/tensor_stream.h"

#include <algorithm>
#include <new>
#include <optional>

#include "core/base/checksum.h"
#include "core/quantize/encode_rows.h"
#include "kernels/formats/codec.h"

namespace bitlens::exporter {

namespace {

// Elements; both multiples of every block size. A piece fits the cache of one core, a chunk keeps many busy.
constexpr std::size_t kPiece = 1U << 16U;
constexpr std::size_t kChunk = 1U << 22U;

struct Chunk {
  std::size_t tensor = 0;
  std::uint64_t first = 0;  ///< element of the tensor
  std::size_t count = 0;
};

class Stream {
 public:
  Stream(const io::ModelFile& source, const quantize::ResolvedRecipe& resolved, const WorkContext& work)
      : source_(source),
        resolved_(resolved),
        work_(work),
        workers_(static_cast<std::size_t>(work.pool.size())) {}

  Result<std::vector<std::uint64_t>> run(const Sink& sink,
                                         const std::function<void(std::uint64_t bytes)>& advance) {
    std::vector<std::uint64_t> checksums(source_.tensors().size());
    Checksum checksum;
    std::optional<Chunk> ready;  // in buffers_[1 - turn]
    std::size_t turn = 0;
    for (std::optional<Chunk> next = chunk_at(0, 0); next || ready; turn = 1 - turn) {
      std::vector<std::byte>& target = buffers_[turn];
      const std::vector<std::byte>& sending = buffers_[1 - turn];
      if (next) target.resize(bytes_of(*next, next->count));
      const std::size_t pieces = next ? (next->count + kPiece - 1) / kPiece : 0;
      std::vector<Status> results(pieces + 1);
      // Task 0 passes the last chunk on; the others prepare this one.
      work_.pool.run(pieces + 1, [&](std::size_t task, int worker_index) {
        if (work_.stopped()) {
          results[task] = WorkContext::cancelled();
          return;
        }
        if (task == 0) {
          if (!ready) return;
          checksum.update(sending);
          results[0] = sink(ready->tensor, sending);
          return;
        }
        const std::size_t begin = (task - 1) * kPiece;
        const Chunk piece{next->tensor, next->first + begin, std::min(kPiece, next->count - begin)};
        try {
          results[task] = convert(piece, target.data() + bytes_of(*next, begin),
                                  workers_[static_cast<std::size_t>(worker_index)]);
        } catch (const std::bad_alloc&) {
          results[task] = fail(ErrorCode::Memory, "not enough memory to convert weights");
        }
      });
      if (work_.stopped()) return WorkContext::cancelled();
      for (const Status& result : results)
        if (!result) return pass(result);
      if (ready) advance(sending.size());
      if (ready && (!next || next->tensor != ready->tensor)) {
        checksums[ready->tensor] = checksum.finish();
        checksum = Checksum();
      }
      ready = next;
      if (next) next = chunk_after(*next);
    }
    return checksums;
  }

 private:
  struct Worker {
    std::vector<float> values, importance;
    std::vector<std::byte> stored;
  };

  /// The chunk that begins at this element of a tensor; none after the last tensor.
  [[nodiscard]] std::optional<Chunk> chunk_at(std::size_t tensor, std::uint64_t first) const {
    const auto& tensors = source_.tensors();
    if (tensor == tensors.size()) return std::nullopt;
    return Chunk{tensor, first, std::min<std::uint64_t>(kChunk, tensors[tensor].elements() - first)};
  }
  [[nodiscard]] std::optional<Chunk> chunk_after(const Chunk& chunk) const {
    const std::uint64_t end = chunk.first + chunk.count;
    return end < source_.tensors()[chunk.tensor].elements() ? chunk_at(chunk.tensor, end)
                                                            : chunk_at(chunk.tensor + 1, 0);
  }

  /// Of `elements` of the chunk's tensor, in the output.
  [[nodiscard]] std::size_t bytes_of(const Chunk& chunk, std::size_t elements) const {
    const kernels::FormatInfo& to = kernels::info(resolved_.tensors[chunk.tensor].format);
    return elements / to.block_size * to.block_bytes;
  }

  [[nodiscard]] Status convert(const Chunk& piece, std::byte* target, Worker& worker) const {
    const quantize::TensorChoice& choice = resolved_.tensors[piece.tensor];
    const kernels::FormatInfo& from = kernels::info(choice.source);
    const std::uint64_t begin = piece.first / from.block_size * from.block_bytes;
    const std::size_t bytes = piece.count / from.block_size * from.block_bytes;
    if (!choice.changed) return source_.read(piece.tensor, begin, std::span(target, bytes));
    worker.stored.resize(bytes);
    worker.values.resize(piece.count);
    if (auto status = source_.read(piece.tensor, begin, worker.stored); !status) return status;
    kernels::decode(choice.source, worker.stored.data(), worker.values.data(), piece.count);
    const io::TensorInfo& info = source_.tensors()[piece.tensor];
    const float* importance = nullptr;
    if (choice.weighted && resolved_.importance != nullptr) {
      worker.importance.resize(piece.count);
      resolved_.importance->fill(piece.tensor, info, piece.first, worker.importance);
      importance = worker.importance.data();
    }
    return quantize::encode_values(choice.format, choice.quantizer, worker.values, importance, target,
                                   {source_.path(), info.name, piece.first});
  }

  const io::ModelFile& source_;
  const quantize::ResolvedRecipe& resolved_;
  const WorkContext& work_;
  std::vector<Worker> workers_;
  std::vector<std::byte> buffers_[2];
};

}  // namespace

Result<std::vector<std::uint64_t>> stream_tensors(const io::ModelFile& source,
                                                  const quantize::ResolvedRecipe& resolved,
                                                  const WorkContext& work, const Sink& sink,
                                                  const std::function<void(std::uint64_t bytes)>& advance) {
  return Stream(source, resolved, work).run(sink, advance);
}

}  // namespace bitlens::exporter
