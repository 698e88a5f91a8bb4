// Response vectors of cells by backward passes through the model (see response_matrix.h for what they are).
// With x_t a matrix's input and g_t the gradient at its output, a = sum over t of g_t . (dW x_t): dW x_t is
// computed once per window and format, every further draw costs the backward pass and dot products.
//
// Draws come in rounds, few at first, so that every cell has an estimate early and all of them sharpen (the
// text's own labels, for dNLL, come with the second); inside a round results arrive layer by layer, the last
// first. The same bits at any thread count, in any rounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/evaluate/perplexity.h"
#include "core/sensitivity/cell.h"
#include "core/sensitivity/response_matrix.h"
#include "core/sensitivity/state_file.h"

namespace bitlens::sensitivity {

struct ResponseOptions {
  std::size_t samples = 224;  ///< at least so many; whole draws of all windows
  std::uint64_t seed = 1;
  bool one_round = false;  ///< all samples at once instead of early estimates
  bool text_slope = true;  ///< also respond to the text's own labels, for dNLL
  /// Also the diagonal Fisher score, from the draws of the first round; of a tied embedding the product's and
  /// the look-up's parts are added as if they were two matrices.
  bool diagonal_fisher = false;
  evaluate::Compute compute = evaluate::Compute::Exact;  ///< of the forward pass and the predictions
  /// Of products with changes of weights, and of gradients with weights behind the head: 8 bits move a
  /// response by some thousandths, by hundredths where attention's gradients cancel; their square by less
  /// than samples do, which is a tenth.
  evaluate::Compute changes = evaluate::Compute::Fast, backward = evaluate::Compute::Fast;
  std::uint64_t memory_budget = std::uint64_t{2} << 30;  ///< bytes, for everything that is kept
  std::string spill_folder;  ///< for boundary states that do not fit; empty: the system's temporary folder
  KeepState keep;  ///< the round under way: gone on with from its last chunk saved, to the same bits
};

/// What an earlier run with the same windows and seed has found: it is gone on from there, to the same bits.
struct KnownResponses {
  std::size_t draws = 0;                 ///< of every window and every cell
  std::vector<std::vector<float>> rows;  ///< by cell: at least draws x windows values, draw by draw
  std::vector<std::vector<float>> text;  ///< by cell: one per window, or empty
};

/// Windows that `samples` samples are spread over: fewer when there are more windows than samples.
[[nodiscard]] std::size_t response_windows(std::size_t samples, std::size_t windows);

/// Cells that have more samples now than before. Called on the thread that runs the work; an error ends it.
using ResponseCallback =
    std::function<Status(std::span<const std::size_t> cells, const ResponseMatrix& matrix)>;

/// Progress "response", in units proportional to the arithmetic. InvalidArgument for a cell without tensors.
[[nodiscard]] Result<ResponseMatrix> response_vectors(
    const std::shared_ptr<const model::Model>& model, std::vector<Cell> cells,
    const evaluate::Windows& windows, const ResponseOptions& options, const ResponseCallback& on_update,
    const WorkContext& work, const KnownResponses& known = {});

}  // namespace bitlens::sensitivity
