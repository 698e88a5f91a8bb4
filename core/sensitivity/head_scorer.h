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

/// What goes into the output matrix at the scored positions, and the view it belongs to.
struct HeadInput {
  const run::Forward* forward = nullptr;
  kernels::FloatBuffer inputs;  ///< [rows x width]
};

class HeadScorer {
 public:
  HeadScorer(const run::Forward& base, std::vector<std::int32_t> targets)
      : base_(&base), targets_(std::move(targets)) {}

  /// Rows that are scored.
  [[nodiscard]] std::size_t rows() const { return targets_.size(); }
  /// Takes the base's inputs [rows x width] and computes its log-likelihoods. `memory_budget`: for keeping
  /// the packed output matrix and the base's logits.
  [[nodiscard]] Status set_base(kernels::FloatBuffer inputs, std::uint64_t memory_budget,
                                const WorkContext& work);
  /// Per scored token of the base: nll and base_nll are the same.
  [[nodiscard]] const std::vector<evaluate::TokenResult>& base() const { return base_tokens_; }

  /// Results of rows [first_row, first_row + rows) for every cell; cells[i].inputs holds those rows.
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
  std::vector<evaluate::TokenResult> base_tokens_;
  std::vector<std::uint64_t> base_best_;
};

/// Copies the scored rows out of hidden states [windows * context x width], normalizes them and rounds them
/// as the view asks.
[[nodiscard]] Status head_inputs(const run::Forward& forward, const float* hidden, std::size_t windows,
                                 std::size_t first_scored, std::size_t scored, kernels::FloatBuffer& inputs,
                                 const WorkContext& work);

}  // namespace bitlens::sensitivity
