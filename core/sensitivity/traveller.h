// A cell on its way through the model: its own view, its hidden states, what it has measured so far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/evaluate/paired.h"
#include "core/run/forward.h"
#include "core/sensitivity/base_run.h"
#include "core/sensitivity/head_scorer.h"
#include "core/sensitivity/measured.h"

namespace bitlens::sensitivity {

struct Traveller {
  std::size_t index = 0;  ///< in the caller's list
  const Cell* cell = nullptr;
  std::unique_ptr<run::WeightSource> source;
  std::optional<run::Forward> forward;
  std::vector<std::vector<std::size_t>> changed;  ///< by layer: tensors that differ
  kernels::FloatBuffer hidden;                    ///< [group windows * context x width]
  std::vector<evaluate::TokenResult> tokens;      ///< of the first windows
  double cost = 0;                                ///< of one window
  double seconds = 0;                             ///< of work, shared evenly among those that travel together
  bool prepared = false;                          ///< have its weights been made once?
  /// Its changed weights, made when first needed and kept for later windows; null: made anew every time.
  struct OwnWeights {
    std::map<int, run::LayerWeights> layers;
    OwnOutput output;
  };
  std::unique_ptr<OwnWeights> own;

  /// `cost`: of one window; `own_bytes`: what may be taken for keeping changed weights, less what is.
  [[nodiscard]] static Result<Traveller> set_out(std::size_t index, const Cell& cell, const BaseRun& base,
                                                 double cost, std::uint64_t own_bytes);
  /// Packed weights of the tensors that the cell changes.
  [[nodiscard]] std::uint64_t changed_bytes() const;
  /// The changed weights of a layer: kept, or in `room`.
  [[nodiscard]] Result<const run::LayerWeights*> weights(int layer, run::LayerWeights& room,
                                                         const WorkContext& work);
  /// Of the windows so far.
  [[nodiscard]] MeasuredCell result(std::size_t scored_per_window) const;
};

}  // namespace bitlens::sensitivity
