// From hidden states after the last block to divergences from the base, for several cells at once: a tile of
// the base's logits is compared with the same tile of every cell, and kept for later cells if memory allows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/evaluate/paired.h"
#include "core/run/forward.h"
#include "kernels/dense/buffer.h"
#include "kernels/dense/logits.h"

namespace bitlens::sensitivity {

/// A view's own output matrix, kept from one call to the next; by slab, empty before the first.
using OwnOutput = std::vector<run::Linear>;

/// What goes into the output matrix at the scored positions, and the view it belongs to.
struct HeadInput {
  const run::Forward* forward = nullptr;
  kernels::FloatBuffer inputs;  ///< [rows x width]
  OwnOutput* own = nullptr;     ///< null: an output matrix of its own is made anew
};

class HeadScorer {
 public:
  HeadScorer(const run::Forward& base, std::vector<std::int32_t> targets)
      : base_(&base), targets_(std::move(targets)) {}

  /// Rows that are scored.
  [[nodiscard]] std::size_t rows() const { return targets_.size(); }
  /// `memory_budget`: for keeping the packed output matrix and the base's logits.
  [[nodiscard]] Status prepare(std::uint64_t memory_budget);
  /// Takes the base's inputs [rows x width] of the next rows and computes their log-likelihoods.
  [[nodiscard]] Status add_base(const float* inputs, std::size_t rows, const WorkContext& work);
  /// Rows of the base so far.
  [[nodiscard]] std::size_t base_rows() const { return base_nll_.size(); }

  /// Results of rows [first_row, first_row + rows), which the base has, for every cell; cells[i].inputs holds
  /// those rows.
  /// `advance(share)` is told how far it is, 0..1.
  [[nodiscard]] Result<std::vector<std::vector<evaluate::TokenResult>>> score(
      std::span<const HeadInput> cells, std::size_t first_row, std::size_t rows, const WorkContext& work,
      const std::function<void(double)>& advance);

 private:
  [[nodiscard]] Result<const run::Linear*> base_slab(std::size_t index, const WorkContext& work);

  const run::Forward* base_;
  std::vector<std::int32_t> targets_;
  kernels::FloatBuffer inputs_;  // [rows x width] of the base
  kernels::FloatBuffer logits_;  // [rows x vocabulary] of the base, or empty
  bool keep_matrix_ = false;
  std::vector<run::Linear> slabs_;  // kept, or one
  std::vector<bool> loaded_;
  std::vector<double> base_nll_;
  std::vector<std::uint64_t> base_best_;
};

/// Copies the scored rows out of hidden states [windows * context x width], normalizes them and rounds them
/// as the view asks.
[[nodiscard]] Status head_inputs(const run::Forward& forward, const float* hidden, std::size_t windows,
                                 std::size_t first_scored, std::size_t scored, kernels::FloatBuffer& inputs,
                                 const WorkContext& work);

}  // namespace bitlens::sensitivity
