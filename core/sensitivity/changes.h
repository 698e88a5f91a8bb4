// Changes of weights: what a format makes of a tensor, minus the tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/sensitivity/cell.h"
#include "kernels/dense/product.h"

namespace bitlens::sensitivity {

/// One tensor in one format; cells are made of them, and several may share one.
struct Change {
  std::size_t tensor = 0;
  kernels::Format format = kernels::Format::F16;
  kernels::Quantizer quantizer = kernels::Quantizer::Search;
  std::vector<std::size_t> cells;  ///< positions in the list of cells
  quantize::ImportancePtr importance{};
  bool operator==(const Change&) const = default;
};
/// The distinct changes of a list of cells, in file order of the tensors.
[[nodiscard]] std::vector<Change> distinct_changes(std::span<const Cell> cells);

/// Reads changes: rows of decode(encode(W)) - W.
class ChangeReader {
 public:
  [[nodiscard]] static Result<ChangeReader> create(const std::shared_ptr<const model::Model>& model,
                                                   const Change& change);
  /// Rows [first, first + rows), row-major. Any number of threads.
  [[nodiscard]] Status rows(std::uint64_t first, std::uint64_t rows, float* target) const;
  /// The same, packed for products with the tensor's inputs.
  [[nodiscard]] Status pack(std::uint64_t first, std::uint64_t rows, kernels::Compute compute,
                            kernels::PackedMatrix& packed, const WorkContext& work) const;

 private:
  std::size_t tensor_ = 0;
  std::unique_ptr<run::WeightSource> base_, changed_;
};

}  // namespace bitlens::sensitivity
