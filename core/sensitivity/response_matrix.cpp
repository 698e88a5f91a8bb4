#include "core/sensitivity/response_matrix.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bitlens::sensitivity {

namespace {

struct MeanAndError {
  double mean = std::numeric_limits<double>::quiet_NaN(), error = std::numeric_limits<double>::quiet_NaN();
};

template <typename Value>
MeanAndError mean_and_error(std::size_t count, const Value& value) {
  if (count == 0) return {};
  const auto n = static_cast<double>(count);
  double sum = 0.0;
  for (std::size_t i = 0; i < count; ++i) sum += value(i);
  const double mean = sum / n;
  double squares = 0.0;
  for (std::size_t i = 0; i < count; ++i) squares += (value(i) - mean) * (value(i) - mean);
  if (count < 2) return {mean, std::numeric_limits<double>::quiet_NaN()};
  return {mean, std::sqrt(squares / (n - 1.0) / n)};
}

}  // namespace

ResponseMatrix::ResponseMatrix(std::vector<Cell> cells, std::size_t windows, std::size_t draws,
                               std::uint64_t positions, std::uint64_t seed)
    : cells_(std::move(cells)),
      windows_(windows),
      draws_(draws),
      positions_(positions),
      seed_(seed),
      known_(cells_.size(), 0),
      has_text_(cells_.size(), false),
      values_(cells_.size() * windows * draws),
      text_(cells_.size() * windows),
      fisher_(cells_.size(), std::numeric_limits<double>::quiet_NaN()) {}

Prediction predict_from(std::span<const double> responses, std::span<const double> text,
                        std::uint64_t positions) {
  const auto scored = static_cast<double>(positions);
  const MeanAndError kl = mean_and_error(
      responses.size(), [&](std::size_t i) { return responses[i] * responses[i] / (2.0 * scored); });
  Prediction out;
  out.samples = responses.size();
  out.kl_mean = kl.mean;
  out.kl_se = kl.error;
  // The loss on the text changes by minus its own response to first order; the second order is, in
  // expectation, the divergence.
  const MeanAndError slope = mean_and_error(text.size(), [&](std::size_t i) { return -text[i] / scored; });
  out.dnll_mean = slope.mean + kl.mean;
  out.dnll_se = std::hypot(slope.error, kl.error);
  return out;
}

Prediction ResponseMatrix::predict(std::size_t cell) const {
  return predict(std::span(&cell, 1));
}

Prediction ResponseMatrix::predict(std::span<const std::size_t> cells) const {
  std::size_t samples = capacity();
  bool text = true;
  for (const std::size_t cell : cells) {
    samples = std::min(samples, known_[cell]);
    text = text && has_text_[cell];
  }
  std::vector<double> sum(samples, 0.0), text_sum(text ? windows_ : 0, 0.0);
  for (const std::size_t cell : cells) {
    const auto values = row(cell);
    for (std::size_t s = 0; s < samples; ++s) sum[s] += static_cast<double>(values[s]);
    if (!text) continue;
    const auto slopes = text_row(cell);
    for (std::size_t w = 0; w < windows_; ++w) text_sum[w] += static_cast<double>(slopes[w]);
  }
  return predict_from(sum, text_sum, positions_);
}

JointPrediction::JointPrediction(const ResponseMatrix& matrix) : matrix_(&matrix) {
  std::size_t samples = matrix.capacity();
  bool text = true;
  for (std::size_t cell = 0; cell < matrix.cells().size(); ++cell) {
    samples = std::min(samples, matrix.known(cell));
    text = text && !matrix.text_row(cell).empty();
  }
  sum_.assign(samples, 0.0);
  text_.assign(text ? matrix.windows() : 0, 0.0);
}

void JointPrediction::change(std::size_t cell, double sign) {
  const auto values = matrix_->row(cell);
  double squares = 0.0;
  for (std::size_t s = 0; s < sum_.size(); ++s) {
    const double value = static_cast<double>(values[s]);
    sum_[s] += sign * value;
    squares += value * value;
  }
  if (!sum_.empty())
    singles_ += sign * squares / (2.0 * static_cast<double>(matrix_->positions() * sum_.size()));
  const auto slopes = matrix_->text_row(cell);
  for (std::size_t w = 0; w < text_.size(); ++w) text_[w] += sign * static_cast<double>(slopes[w]);
}

Prediction JointPrediction::predict() const {
  return predict_from(sum_, text_, matrix_->positions());
}

}  // namespace bitlens::sensitivity
