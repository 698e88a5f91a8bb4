// Measured sensitivity: the divergence at the model's output when one cell's tensors are changed and nothing
// else. The base runs forward once and its hidden states are kept at every block boundary; a cell starts at
// the first product it changes and runs only what comes after.
//
// KL is KL(base || cell) in nats per scored token, mean and standard error over tokens; dNLL is the paired
// difference nll - nll_base. In q8 mode the base's inputs are rounded too where its own weights are
// quantized, so that a cell differs from it in the cell's tensors alone. Every number is the same bits at any
// thread count, in any order of cells and under any memory budget.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/evaluate/perplexity.h"
#include "core/model/model.h"
#include "core/sensitivity/cell.h"
#include "core/sensitivity/state_file.h"

namespace bitlens::sensitivity {

struct MeasuredCell {
  double kl_mean = 0, kl_se = 0, kl_median = 0, kl_p99 = 0, kl_max = 0;  ///< nats per scored token
  double dnll_mean = 0, dnll_se = 0;                                     ///< nats per scored token, paired
  double top1_agreement = 1;                                             ///< 0..1
  std::uint64_t scored_tokens = 0;
  double seconds = 0;
  std::vector<float> window_kl;  ///< mean KL of each window measured: where in the text it comes from
};

/// What was found about cell `index` of the list. An error ends the sweep and is passed up.
using CellCallback = std::function<Status(std::size_t index, const MeasuredCell& result)>;

struct MeasureOptions {
  evaluate::Activations activations = evaluate::Activations::Exact;
  /// Of the base and of every cell. Fast products round the inputs anew wherever they have changed a little:
  /// a cell then reads at least what that makes of a model, which is about what Q8_0 makes.
  evaluate::Compute compute = evaluate::Compute::Exact;
  std::uint64_t memory_budget = std::uint64_t{2} << 30;  ///< bytes, for everything that is kept
  std::string spill_folder;  ///< for boundary states that do not fit; empty: the system's temporary folder
  double batch_seconds = 3;  ///< cells are done in batches, and windows in steps, of about so long
  KeepState keep;            ///< what long cells have measured so far; gone on with, to the same bits
  /// Asked after every few windows whether what is known of cell `index` so far is enough; empty: every cell
  /// is measured on all windows. Cells are measured on the same windows in the same order.
  std::function<bool(std::size_t index, const MeasuredCell& so_far)> enough;
  /// Told of cells that are not done: the first as soon as the first windows are measured, long ones from
  /// time to time.
  CellCallback so_far;
};

class CellMeasurer {
 public:
  [[nodiscard]] static Result<std::unique_ptr<CellMeasurer>> create(std::shared_ptr<const model::Model> model,
                                                                    evaluate::Windows windows,
                                                                    const MeasureOptions& options);
  virtual ~CellMeasurer() = default;

  /// Measures cells in the order given; neighbours that start in the same block share work. The base's
  /// forward pass is run over the first windows before the first cell, over the others when a cell comes to
  /// them. Progress "measure", in units proportional to the arithmetic.
  [[nodiscard]] virtual Status measure(std::span<const Cell> cells, const CellCallback& on_cell,
                                       const WorkContext& work) = 0;
  /// Spent on the base so far.
  [[nodiscard]] virtual double base_seconds() const = 0;
  [[nodiscard]] virtual const evaluate::Windows& windows() const = 0;
  /// Did the boundary states go to a file?
  [[nodiscard]] virtual bool spilled() const = 0;
};

}  // namespace bitlens::sensitivity
