// The diagonal of the Fisher matrix of one weight matrix, sampled: F_ij = mean over samples of G_ij^2, with G
// the gradient of a window's drawn labels' log-probability. 1/2 sum F_ij dW_ij^2 / positions estimates the KL
// of a change as if weights did not interact.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/sensitivity/changes.h"
#include "kernels/dense/buffer.h"
#include "kernels/dense/product.h"

namespace bitlens::sensitivity {

class SquaredGradients {
 public:
  /// Starts anew for a matrix [outputs x inputs]. Memory if it does not fit.
  [[nodiscard]] Status reset(std::size_t outputs, std::size_t inputs);
  /// The inputs of one window [tokens x inputs]; gradients added next belong to it.
  [[nodiscard]] Status set_inputs(const float* x, std::size_t tokens, const WorkContext& work);
  /// One sample: gradients at the matrix's output [tokens x outputs].
  [[nodiscard]] Status add(const float* gradient, const WorkContext& work);
  /// sum over ij of (sum over samples of G_ij^2) * dW_ij^2.
  [[nodiscard]] Result<double> weigh(const ChangeReader& change, const WorkContext& work) const;
  [[nodiscard]] std::size_t samples() const { return samples_; }

 private:
  std::size_t outputs_ = 0, inputs_ = 0, samples_ = 0;
  std::vector<float> sums_;       // [outputs x inputs]
  kernels::PackedMatrix packed_;  // x transposed: [inputs x tokens]
};

}  // namespace bitlens::sensitivity
