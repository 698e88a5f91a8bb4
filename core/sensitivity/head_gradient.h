// The top of the backward pass: at every scored position labels are drawn from the model's own prediction,
// and the gradient of their summed log-probability with respect to the hidden states after the last block is
// formed. With p the prediction and W the output matrix it is W[label] - sum_v p_v W[v], taken back through
// the last norm; the second term does not depend on the draw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/sensitivity/base_run.h"
#include "core/sensitivity/changes.h"
#include "kernels/dense/product.h"

namespace bitlens::sensitivity {

/// Some windows and some draws, done together. Gradients are laid out [draws (+ text) * windows * context x
/// width]; the text's own labels, when asked for, are one more draw behind the others.
struct Chunk {
  std::size_t first_window = 0, windows = 0;
  std::size_t first_draw = 0, draws = 0;
  bool text = false;
  [[nodiscard]] std::size_t all_draws() const { return draws + (text ? 1 : 0); }
};

/// Responses of one change in one chunk, [all_draws * windows], draw by draw.
using ChunkResponses = std::vector<double>;

class HeadGradient {
 public:
  /// `changes`: of products with changes. `memory_budget`: for keeping the output matrix packed both ways.
  HeadGradient(BaseRun& base, std::uint64_t seed, kernels::Compute changes, std::uint64_t memory_budget);

  /// Fills `gradient`, and `responses[i]` with what `changes[i]`, which must be of the output matrix, does.
  [[nodiscard]] Status run(const Chunk& chunk, float* gradient, std::span<const Change> changes,
                           std::vector<ChunkResponses>& responses, const WorkContext& work);
  /// Of the last run(): what went into the output matrix [windows * scored x width], and the gradient at its
  /// output for one draw and window [scored x vocabulary], into `target`.
  [[nodiscard]] const float* inputs() const { return inputs_.data(); }
  void output_gradient(const Chunk& chunk, std::size_t draw, std::size_t window, float* target) const;
  /// Windows whose logits fit `bytes`.
  [[nodiscard]] std::size_t windows_within(std::uint64_t bytes) const;

 private:
  struct Slab {
    run::Linear plain;
    kernels::PackedMatrix transposed;
    bool loaded = false;
  };
  [[nodiscard]] std::size_t slabs() const;
  [[nodiscard]] Result<const Slab*> slab(std::size_t index, const WorkContext& work);
  [[nodiscard]] Status predict(const Chunk& chunk, const WorkContext& work);
  [[nodiscard]] Status draw(const Chunk& chunk, const WorkContext& work);
  [[nodiscard]] Status form_gradient(const Chunk& chunk, const float* hidden, float* gradient,
                                     const WorkContext& work);
  [[nodiscard]] Status respond(const Chunk& chunk, const Change& change, ChunkResponses& responses,
                               const WorkContext& work);

  BaseRun& base_;
  std::uint64_t seed_;
  kernels::Compute changes_compute_;
  bool keep_ = false;
  std::uint64_t slab_rows_ = 0;
  std::vector<Slab> slabs_;
  std::size_t passing_ = 0;
  kernels::FloatBuffer inputs_;         // [rows x width] what goes into the output matrix
  kernels::FloatBuffer probabilities_;  // [rows x vocabulary]
  kernels::FloatBuffer mean_;           // [rows x width] sum_v p_v W[v]
  std::size_t predicted_first_ = 0, predicted_windows_ = 0;  // that the two above are of
  std::vector<std::int32_t> labels_;                         // [all_draws x rows]
  kernels::FloatBuffer room_;
  std::vector<float> norm_;
};

/// Sum of a[i] * b[i]; the order of sums depends on `count` alone.
[[nodiscard]] double dot(const float* a, const float* b, std::size_t count);

}  // namespace bitlens::sensitivity
