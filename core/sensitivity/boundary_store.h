// Hidden states of the base at every layer boundary, for all windows: in memory, or in a temporary file that
// has no name and goes away with the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/posix_file.h"
#include "core/base/result.h"
#include "kernels/dense/buffer.h"

namespace bitlens::sensitivity {

class BoundaryStore {
 public:
  /// Room for `boundaries` times `floats` floats. They are held in memory if that takes at most
  /// `memory_budget` bytes, else in a file in `folder` (empty: the system's folder for temporary files).
  [[nodiscard]] static Result<BoundaryStore> create(std::size_t boundaries, std::size_t floats,
                                                    std::uint64_t memory_budget, const std::string& folder);

  /// Stores floats [first, first + count) of a boundary.
  [[nodiscard]] Status put(std::size_t boundary, std::size_t first, std::size_t count, const float* values);
  /// Floats [first, first + count) of a boundary. From memory: no copy; from the file: read into `room`. The
  /// pointer is valid until `room` changes.
  [[nodiscard]] Result<const float*> get(std::size_t boundary, std::size_t first, std::size_t count,
                                         kernels::FloatBuffer& room) const;
  [[nodiscard]] bool spilled() const { return file_.valid(); }
  [[nodiscard]] std::uint64_t memory_bytes() const;

 private:
  std::size_t floats_ = 0;
  std::vector<kernels::FloatBuffer> memory_;
  UniqueFd file_;
  std::string folder_;
};

}  // namespace bitlens::sensitivity
