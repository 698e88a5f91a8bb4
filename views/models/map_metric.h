// What the map can show: one number per tensor, its name, unit and formula, and the scale its colours run on.
#pragma once

#include <QString>
#include <cstddef>
#include <optional>

#include "core/quantize/recipe.h"

namespace bitlens::views {

class Document;

enum class Metric {
  Precision,
  Bytes,
  WeightOutliers,
  DynamicRange,
  RoundingError,
  InputOutliersSigma,
  InputOutliersInt8
};
inline constexpr Metric kMetrics[] = {Metric::Precision,        Metric::Bytes,
                                      Metric::WeightOutliers,   Metric::DynamicRange,
                                      Metric::RoundingError,    Metric::InputOutliersSigma,
                                      Metric::InputOutliersInt8};

[[nodiscard]] QString metric_key(Metric metric);  ///< stable English identifier: "rounding_error"
[[nodiscard]] QString metric_title(Metric metric);
[[nodiscard]] QString metric_unit(Metric metric);
[[nodiscard]] QString metric_formula(Metric metric);
/// The metric's number as shown in a cell or tooltip.
[[nodiscard]] QString metric_text(Metric metric, double value);
/// The same in two digits, for a narrow cell; empty while unknown.
[[nodiscard]] QString metric_short_text(Metric metric, double value);
[[nodiscard]] bool metric_needs_calibration(Metric metric);

/// NaN while unknown or where it does not apply. `format` is the chosen one of RoundingError.
[[nodiscard]] double metric_value(const Document& document, Metric metric, std::size_t tensor,
                                  kernels::Format format);

/// Maps values to [0, 1]; logarithmic where they span more than two decades.
class MetricScale {
 public:
  MetricScale() = default;
  MetricScale(Metric metric, double low, double high);
  [[nodiscard]] double position(double value) const;
  [[nodiscard]] double value_at(double position) const;
  [[nodiscard]] double low() const { return low_; }
  [[nodiscard]] double high() const { return high_; }
  [[nodiscard]] bool logarithmic() const { return logarithmic_; }
  [[nodiscard]] bool valid() const { return valid_; }
  bool operator==(const MetricScale&) const = default;

 private:
  double low_ = 0, high_ = 0;
  bool logarithmic_ = false, valid_ = false;
};

}  // namespace bitlens::views
