// Reading a written file back and comparing it with what was meant to be written.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/io/gguf_writer.h"
#include "core/io/metadata.h"

namespace bitlens::exporter {

struct WrittenTensor {
  io::TensorPlan plan;
  std::uint64_t checksum = 0;  ///< of its data as handed to the writer (core/base/checksum.h)
};

/// Opens `path` as any reader would and compares metadata keys, every tensor's name, shape and format, and
/// the checksum of its data. Returns the SHA-256 of the whole file. Io, naming the tensor, if anything
/// differs. Progress "verify" in bytes of the file.
[[nodiscard]] Result<std::string> verify_file(const std::string& path, const io::Metadata& metadata,
                                              const std::vector<WrittenTensor>& tensors,
                                              const WorkContext& work);

}  // namespace bitlens::exporter
