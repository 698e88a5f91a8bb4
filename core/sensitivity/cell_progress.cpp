#include "core/sensitivity/cell_progress.h"

#include <utility>

namespace bitlens::sensitivity {

void CellProgress::plan(const Cell& cell, std::size_t windows, std::size_t known) {
  const auto left = static_cast<double>(windows - known);
  pace_.know(static_cast<double>(known) * costs_.cell(model_, cell));
  // What changes no block is made when it is scored.
  const int first = first_layer(model_, cell);
  pace_.plan(first >= 0 && first < layers_ ? kPrepare : kScore, costs_.prepare(model_, cell));
  pace_.plan(kEnter, left * costs_.enter(model_, cell));
  pace_.plan(kCross, left * costs_.behind(model_, cell));
  pace_.plan(kScore, left * costs_.head());
}

void CellProgress::start(std::size_t open) {
  pace_.plan(kBaseBlocks, static_cast<double>(open) * costs_.block() * layers_);
  pace_.plan(kBaseHead, static_cast<double>(open) * costs_.head());
  pace_.start();
}

void CellProgress::base_block(std::size_t windows, const WorkContext& work) {
  done(kBaseBlocks, costs_.block() * static_cast<double>(windows), work);
}

void CellProgress::base_head(std::size_t windows, const WorkContext& work) {
  done(kBaseHead, costs_.head() * static_cast<double>(windows), work);
}

void CellProgress::prepared(const Cell& cell) {
  pace_.done(kPrepare, costs_.prepare(model_, cell));
}

void CellProgress::entered(const Cell& cell, std::size_t windows, const WorkContext& work) {
  done(kEnter, costs_.enter(model_, cell) * static_cast<double>(windows), work);
}

void CellProgress::crossed(int layer, std::size_t windows, const WorkContext& work) {
  done(kCross, costs_.cross(layer) * static_cast<double>(windows), work);
}

void CellProgress::scored(std::size_t windows, const WorkContext& work) {
  done(kScore, costs_.head() * static_cast<double>(windows) + std::exchange(beside_, 0.0), work);
}

void CellProgress::spare(const Cell& cell, std::size_t windows, const WorkContext& work) {
  const auto some = static_cast<double>(windows);
  pace_.spare(kEnter, some * costs_.enter(model_, cell));
  pace_.spare(kCross, some * costs_.behind(model_, cell));
  pace_.spare(kScore, some * costs_.head());
  report(work);
}

void CellProgress::done(Work kind, double cost, const WorkContext& work) {
  pace_.done(kind, cost);
  report(work);
}

void CellProgress::report(const WorkContext& work) const {
  constexpr double kUnits = 1e6;
  work.report("measure", static_cast<std::uint64_t>(pace_.share() * kUnits),
              static_cast<std::uint64_t>(kUnits));
}

}  // namespace bitlens::sensitivity
