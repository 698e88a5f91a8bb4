// One tensor's data on its way from the source file to the output: read, decoded, encoded (or copied) in
// pieces by all threads, while one of them hashes and writes the chunk before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/io/model_file.h"
#include "core/quantize/recipe.h"

namespace bitlens::exporter {

/// Takes the bytes of a tensor in order.
using Sink = std::function<Status(std::span<const std::byte>)>;

class TensorStream {
 public:
  TensorStream(const io::ModelFile& source, const WorkContext& work);

  /// Sends the data of a tensor, as its choice wants it, to `sink` and returns its SHA-256. `advance` is told
  /// of the bytes sent, on the calling thread. `importance`: of the source's columns; null where the choice
  /// is not weighted.
  [[nodiscard]] Result<std::string> run(std::size_t tensor, const quantize::TensorChoice& choice,
                                        const quantize::Importance* importance, const Sink& sink,
                                        const std::function<void(std::uint64_t bytes)>& advance);
  /// Time spent reading, decoding and encoding so far, divided by the threads.
  [[nodiscard]] double encode_seconds() const;

 private:
  struct Worker {
    std::vector<float> values, importance;
    std::vector<std::byte> stored;
    double seconds = 0;
  };
  /// Elements [first, first + count) of the tensor, in the output's format.
  [[nodiscard]] Status convert(std::size_t tensor, const quantize::TensorChoice& choice,
                               const quantize::Importance* importance, std::uint64_t first, std::size_t count,
                               std::byte* target, Worker& worker) const;

  const io::ModelFile& source_;
  const WorkContext& work_;
  std::vector<Worker> workers_;
  std::vector<std::byte> chunks_[2];
};

}  // namespace bitlens::exporter
