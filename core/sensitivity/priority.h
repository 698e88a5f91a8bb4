// Which cells to measure first, and when a cell is known well enough.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/model/model.h"
#include "core/sensitivity/cell.h"
#include "core/sensitivity/measured.h"

namespace bitlens::sensitivity {

/// What is thought of a cell before it is measured.
struct Estimate {
  double kl_mean = 0, kl_se = 0;  ///< nats per scored token; NaN: nothing is known
  bool near_decision = false;     ///< the recipe being edited takes it, or one step up or down from there
};

/// Order in which cells are worth measuring: large and uncertain ones (by kl_mean + 2 kl_se) first, twice as
/// much weight where a decision is near, and more the more cells of the same format they cannot be told from
/// within two standard errors. Cells nothing is known about come first. `batch` neighbours in the order are
/// put together by the block they start in, so that they share work.
[[nodiscard]] std::vector<std::size_t> most_informative_first(const model::Model& model,
                                                              std::span<const Cell> cells,
                                                              std::span<const Estimate> estimates,
                                                              std::size_t batch = 16);

/// An error below this does not matter for a format: 1 % of the divergence of all cells together, shared
/// among so many independent errors. 0 for no cells; NaN values are left out.
[[nodiscard]] double error_that_matters(std::span<const double> kl_of_format);

/// A cell whose error is above both a tenth of its value and what matters needs more tokens.
[[nodiscard]] bool needs_more_tokens(double kl_mean, double kl_se, double error_that_matters);

/// The predicted KL of each window, for using a prediction as a control variate: what the windows measured
/// so far lack or have too much of is made up for by how the predictions of the others differ.
struct WindowPrediction {
  std::vector<double> kl;  ///< by window, nats per token
  double noise = 0;        ///< mean variance of such a value from its draws
};
/// From a response row, draw by draw.
[[nodiscard]] WindowPrediction predict_windows(std::span<const float> response, std::size_t windows,
                                               std::uint64_t positions);

struct AdaptiveValue {
  double kl_mean = 0, kl_se = 0;
};
/// What the first windows of a cell say about all of them. Its error holds the spread over tokens of those
/// measured and, with a prediction of all windows, the spread between windows it cannot explain. Without a
/// prediction (null) at least two windows are needed: kl_se is infinite with fewer.
[[nodiscard]] AdaptiveValue extrapolate(const MeasuredCell& so_far, std::size_t windows,
                                        const WindowPrediction* prediction);

}  // namespace bitlens::sensitivity
