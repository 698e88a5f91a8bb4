// Response vectors: how the drawn labels' log-probability of each sample changes, to first order, with each
// cell. One number a = <dW, G> per cell and sample; a sample is one window with one draw of labels.
//
// KL(base || changed) per scored token ~ mean over samples of a^2 / (2 * positions), in nats: half the
// quadratic form of the model's own Fisher matrix, sampled. Responses of cells add, so a recipe's response is
// the sum of its cells' and contains their interactions. A local expansion: it holds while the change is
// small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/sensitivity/cell.h"

namespace bitlens::sensitivity {

/// A predicted KL per scored token, nats. Standard error over the samples.
struct Prediction {
  double kl_mean = 0, kl_se = 0;
  double dnll_mean = 0, dnll_se = 0;  ///< NaN without responses to the text's own labels
  std::size_t samples = 0;
};

class ResponseMatrix {
 public:
  ResponseMatrix() = default;
  ResponseMatrix(std::vector<Cell> cells, std::size_t windows, std::size_t draws, std::uint64_t positions,
                 std::uint64_t seed);

  [[nodiscard]] const std::vector<Cell>& cells() const { return cells_; }
  [[nodiscard]] std::size_t windows() const { return windows_; }
  [[nodiscard]] std::size_t draws() const { return draws_; }
  /// Room for so many samples per cell; sample draw * windows() + window.
  [[nodiscard]] std::size_t capacity() const { return windows_ * draws_; }
  [[nodiscard]] std::uint64_t positions() const { return positions_; }  ///< scored, per window
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  /// Samples of a cell that are known: the first so many.
  [[nodiscard]] std::size_t known(std::size_t cell) const { return known_[cell]; }
  void set_known(std::size_t cell, std::size_t samples) { known_[cell] = samples; }
  [[nodiscard]] std::span<const float> row(std::size_t cell) const {
    return std::span(values_).subspan(cell * capacity(), known_[cell]);
  }
  /// To be filled by whoever computes samples.
  [[nodiscard]] std::span<float> full_row(std::size_t cell) {
    return std::span(values_).subspan(cell * capacity(), capacity());
  }
  /// Responses of the text's own labels, one per window; empty when not computed.
  [[nodiscard]] std::span<const float> text_row(std::size_t cell) const {
    return has_text_[cell] ? std::span(text_).subspan(cell * windows_, windows_) : std::span<const float>{};
  }
  [[nodiscard]] std::span<float> full_text_row(std::size_t cell) {
    return std::span(text_).subspan(cell * windows_, windows_);
  }
  void set_text_known(std::size_t cell) { has_text_[cell] = true; }
  /// KL per scored token from the diagonal of the Fisher matrix alone, nats; NaN when not computed.
  [[nodiscard]] double diagonal_fisher(std::size_t cell) const { return fisher_[cell]; }
  void set_diagonal_fisher(std::size_t cell, double kl) { fisher_[cell] = kl; }

  /// Of one cell alone.
  [[nodiscard]] Prediction predict(std::size_t cell) const;
  /// Of several cells together, from the samples all of them have.
  [[nodiscard]] Prediction predict(std::span<const std::size_t> cells) const;

 private:
  std::vector<Cell> cells_;
  std::size_t windows_ = 0, draws_ = 0;
  std::uint64_t positions_ = 0, seed_ = 0;
  std::vector<std::size_t> known_;
  std::vector<bool> has_text_;
  std::vector<float> values_, text_;
  std::vector<double> fisher_;
};

/// From responses (one per sample), and those to the text's own labels (one per window, may be empty).
[[nodiscard]] Prediction predict_from(std::span<const double> responses, std::span<const double> text,
                                      std::uint64_t positions);

/// The joint prediction of a changing set of cells: adding, removing or exchanging a cell costs one pass over
/// the samples. Only samples that every cell of the matrix has are used.
class JointPrediction {
 public:
  explicit JointPrediction(const ResponseMatrix& matrix);
  void add(std::size_t cell) { change(cell, 1.0); }
  void remove(std::size_t cell) { change(cell, -1.0); }
  [[nodiscard]] Prediction predict() const;
  /// Sum of the members' own predicted KL: what the joint one would be if they did not interact.
  [[nodiscard]] double sum_of_single_kl() const { return singles_; }

 private:
  void change(std::size_t cell, double sign);
  const ResponseMatrix* matrix_;
  std::vector<double> sum_, text_;
  double singles_ = 0;
};

}  // namespace bitlens::sensitivity
