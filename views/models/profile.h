// A metric of the map summed up by layer and by kind of module, and two metrics side by side over cells.
#pragma once

#include <QString>
#include <vector>

#include "views/models/map_metric.h"

namespace bitlens::views {

struct ProfileEntry {
  QString label;
  std::vector<std::size_t> tensors;  ///< matrices, in file order
  double value = 0;        ///< sum over the tensors of what adds up, else the mean; NaN while none is known
  double error = 0;        ///< of a sum of divergences: sqrt(sum of squares); else 0
  bool predicted = false;  ///< at least one of its divergences is predicted
  std::size_t unknown = 0;
};

/// Losses and bytes add up; shares and ratios do not.
[[nodiscard]] bool metric_adds_up(Metric metric);
[[nodiscard]] std::vector<ProfileEntry> layer_profile(const Document& document, Metric metric,
                                                      kernels::Format format);
[[nodiscard]] std::vector<ProfileEntry> module_profile(const Document& document, Metric metric,
                                                       kernels::Format format);

struct MetricPair {
  std::size_t tensor = 0;
  kernels::Format format = kernels::Format::F32;
  double x = 0, y = 0, x_error = 0, y_error = 0;
};
/// Cells of matrices where both are known.
[[nodiscard]] std::vector<MetricPair> metric_pairs(const Document& document, Metric x, Metric y,
                                                   const std::vector<kernels::Format>& formats);
/// Spearman's rank correlation of the pairs; NaN with fewer than two.
[[nodiscard]] double rank_agreement(const std::vector<MetricPair>& pairs);

}  // namespace bitlens::views
