// What is known about cells of single tensors, found by tensor, format and method, whichever result it stands
// in. Immutable: built on the engine's threads, read by the window.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "core/study/sensitivity.h"
#include "views/document/snapshots.h"

namespace bitlens::views {

class CellTable {
 public:
  CellTable(const study::ModelSession& session, const std::vector<SweepPtr>& results);

  /// Null while unknown.
  [[nodiscard]] const sensitivity::CellRecord* find(std::size_t tensor, kernels::Format format,
                                                    sensitivity::Method method) const;
  /// The divergence in nats: measured, else predicted from responses.
  [[nodiscard]] const sensitivity::CellRecord* best(std::size_t tensor, kernels::Format format) const;
  /// Formats any tensor's divergence is known at, most bits first.
  [[nodiscard]] const std::vector<kernels::Format>& formats() const { return formats_; }
  /// Below this an error of a cell does not matter (docs/numbers.md).
  [[nodiscard]] double error_that_matters(kernels::Format format) const;
  [[nodiscard]] bool needs_more_tokens(const sensitivity::CellRecord& record) const;

  /// Where a tensor stands among all tensors by the values of a method: 1 is the largest. `best`: by
  /// best() instead. Place 0 while unknown.
  struct Rank {
    int place = 0, of = 0;
  };
  [[nodiscard]] Rank rank(std::size_t tensor, kernels::Format format, sensitivity::Method method) const;
  [[nodiscard]] Rank rank_of_best(std::size_t tensor, kernels::Format format) const;

 private:
  using Row = std::array<const sensitivity::CellRecord*, std::size(sensitivity::kMethods)>;
  [[nodiscard]] const Row* row(std::size_t tensor, kernels::Format format) const;

  std::vector<SweepPtr> results_;  // own the records
  std::vector<std::vector<std::pair<kernels::Format, Row>>> tensors_;
  std::vector<kernels::Format> formats_;
  std::map<kernels::Format, double> matters_;
};

/// Everything the window knows of a model's cells at one moment.
struct SensitivitySnapshot {
  std::vector<SweepPtr> results;
  CellTable cells;
  study::Predictor predictor;

  SensitivitySnapshot(const SessionPtr& session, std::vector<SweepPtr> of)
      : results(std::move(of)), cells(*session, results), predictor(session, results) {}
};
using SensitivityPtr = std::shared_ptr<const SensitivitySnapshot>;

/// Nothing when nothing is known of the tensors the recipe changes.
[[nodiscard]] std::optional<study::RecipePrediction> predict(const SensitivityPtr& known,
                                                             const quantize::ResolvedRecipe& recipe);

}  // namespace bitlens::views
