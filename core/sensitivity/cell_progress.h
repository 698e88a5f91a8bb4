// How far a sweep over measured cells is: what every cell and the base take, by kind of work.
#pragma once

#include <cstddef>

#include "core/base/parallel.h"
#include "core/sensitivity/costs.h"
#include "core/sensitivity/pace.h"

namespace bitlens::sensitivity {

class CellProgress {
 public:
  CellProgress(const Costs& costs, const model::Model& model, int layers)
      : costs_(costs), model_(model), layers_(layers) {}

  /// A cell to come, on all windows but the first `known`.
  void plan(const Cell& cell, std::size_t windows, std::size_t known);
  /// Time counts from now on; the base has `open` windows to go through.
  void start(std::size_t open);

  // What was done since the last call. All but the making of weights is reported, as stage "measure".
  void base_block(std::size_t windows, const WorkContext& work);
  void base_head(std::size_t windows, const WorkContext& work);
  void prepared(const Cell& cell);  ///< a cell's weights in a block
  void entered(const Cell& cell, std::size_t windows, const WorkContext& work);
  void crossed(int layer, std::size_t windows, const WorkContext& work);
  /// Of a cell whose change is in no block: its weights are made by what is told of next.
  void prepared_outside(const Cell& cell) { beside_ += costs_.prepare(model_, cell); }
  void scored(std::size_t windows, const WorkContext& work);
  /// Windows that a cell turned out not to need.
  void spare(const Cell& cell, std::size_t windows, const WorkContext& work);

 private:
  enum Work : std::size_t { kBaseBlocks, kBaseHead, kPrepare, kEnter, kCross, kScore, kKinds };
  void done(Work kind, double cost, const WorkContext& work);
  void report(const WorkContext& work) const;

  const Costs& costs_;
  const model::Model& model_;
  int layers_;
  Pace pace_{kKinds};
  double beside_ = 0;
};

}  // namespace bitlens::sensitivity
