// What is predicted of cells before they are measured, and what follows from it: which cells are left to
// their predictions, in which order the others are measured, when a cell has enough windows.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "core/sensitivity/priority.h"
#include "core/study/sensitivity.h"

namespace bitlens::study {

class CellEstimates {
 public:
  /// Those the request brings, or else what keep() and replace() are given. The request must outlive this.
  explicit CellEstimates(const SensitivityRequest& request)
      : request_(request), windows_(request.estimate_windows) {}

  /// In place of an earlier one of the same cell.
  void keep(sensitivity::CellRecord record);
  /// All at once, whose samples are spread over so many windows.
  void replace(std::vector<sensitivity::CellRecord> records, std::size_t windows);

  [[nodiscard]] const sensitivity::CellRecord* find(const sensitivity::Cell& cell) const;
  /// Positions of the cells that are to be measured: not those whose prediction has an error below what
  /// matters already, unless a choice hangs on them.
  [[nodiscard]] std::vector<std::size_t> worth_measuring(std::span<const sensitivity::Cell> cells) const;
  /// The most informative first; as they come if nothing is known.
  [[nodiscard]] std::vector<std::size_t> order(std::span<const sensitivity::Cell> cells) const;

  /// When each of these may stop, by the predictions: settled before the first is measured.
  void plan_stops(std::span<const sensitivity::Cell> cells, const evaluate::Windows& windows);
  /// What the windows measured so far of the cell at position `at` of the plan say about all of them.
  [[nodiscard]] sensitivity::AdaptiveValue extrapolated(std::size_t at,
                                                        const sensitivity::MeasuredCell& so_far) const;
  [[nodiscard]] bool enough(std::size_t at, const sensitivity::MeasuredCell& so_far) const;

 private:
  [[nodiscard]] const std::vector<sensitivity::CellRecord>& all() const {
    return request_.estimates.empty() ? own_ : request_.estimates;
  }
  [[nodiscard]] bool near_decision(const sensitivity::Cell& cell) const;
  [[nodiscard]] std::map<kernels::Format, double> errors_that_matter() const;

  const SensitivityRequest& request_;
  std::vector<sensitivity::CellRecord> own_;  // when none were given
  std::size_t windows_ = 0;                   // behind the estimates
  struct Stop {
    double error_that_matters = 0;
    sensitivity::WindowPrediction prediction;
  };
  std::vector<Stop> stops_;      // by position in the plan
  std::size_t all_windows_ = 0;  // of a cell measured whole
};

}  // namespace bitlens::study
