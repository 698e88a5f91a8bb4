// Cheaper scores of a cell, for comparison with what is measured: from its weights and the inputs of its
// matrices alone, over a text. Sums over the cell's tensors. All in double; dW = decode(encode(W)) - W.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/evaluate/perplexity.h"
#include "core/sensitivity/cell.h"
#include "core/sensitivity/record.h"

namespace bitlens::sensitivity {

struct CellScores {
  double rounding = 0;  ///< relative RMSE: sqrt(sum dW^2 / sum W^2)
  double energy = 0;    ///< sum_ij dW_ij^2 E[x_j^2]: squared output change of uncorrelated, centred inputs
  double energy_shift = 0;  ///< sum_ij dW_ij^2 Var[x_j] + sum_i (sum_j dW_ij E[x_j])^2: with the mean shift
  double activation_rule =
      0;  ///< max(6-sigma share / 0.01, range / 100) of the inputs: 1 and more: keep 16 bit
  double hessian_trace = 0;  ///< tr(2 E[x x^T]) / inputs * sum dW^2 (as in HAWQ-V2, Dong et al. 2020)
};

/// The methods cheap_scores() serves, all from one pass.
inline constexpr Method kCheapMethods[] = {Method::Rounding, Method::Energy, Method::EnergyShift,
                                           Method::ActivationRule, Method::HessianTrace};
[[nodiscard]] double score_of(const CellScores& scores, Method method);  ///< NaN for other methods

/// Scores of every cell. The embedding's input is the token: its energies are the tokens' frequencies in the
/// windows. Progress "forward", then "scores" in cells.
[[nodiscard]] Result<std::vector<CellScores>> cheap_scores(const std::shared_ptr<const model::Model>& model,
                                                           std::span<const Cell> cells,
                                                           const evaluate::Windows& windows,
                                                           std::uint64_t memory_budget,
                                                           const WorkContext& work);

}  // namespace bitlens::sensitivity
