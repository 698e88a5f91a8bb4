// What the map can show: one number per tensor, its name, unit and formula, and the scale its colours run on.
#pragma once

#include <QString>
#include <cstddef>
#include <optional>

#include "core/quantize/recipe.h"
#include "core/sensitivity/record.h"

namespace bitlens::views {

class Document;

enum class Metric {
  Precision,
  Bytes,
  WeightOutliers,
  DynamicRange,
  RoundingError,
  InputOutliersSigma,
  InputOutliersInt8,
  Sensitivity,  ///< measured where measured, else predicted
  Measured,
  Predicted,
  Fisher,
  Energy,
  EnergyShift,
  ActivationRule,
  HessianTrace
};
inline constexpr Metric kMetrics[] = {
    Metric::Precision,         Metric::Bytes,          Metric::WeightOutliers,
    Metric::DynamicRange,      Metric::RoundingError,  Metric::InputOutliersSigma,
    Metric::InputOutliersInt8, Metric::Sensitivity,    Metric::Measured,
    Metric::Predicted,         Metric::Fisher,         Metric::Energy,
    Metric::EnergyShift,       Metric::ActivationRule, Metric::HessianTrace};

[[nodiscard]] QString metric_key(Metric metric);  ///< stable English identifier: "rounding_error"
[[nodiscard]] QString metric_title(Metric metric);
[[nodiscard]] QString metric_unit(Metric metric);
[[nodiscard]] QString metric_formula(Metric metric);
/// The metric's number as shown in a cell or tooltip.
[[nodiscard]] QString metric_text(Metric metric, double value);
/// The same in two digits, for a narrow cell; empty while unknown.
[[nodiscard]] QString metric_short_text(Metric metric, double value);
[[nodiscard]] bool metric_needs_calibration(Metric metric);
/// Is it about a chosen format?
[[nodiscard]] bool metric_of_format(Metric metric);
/// The sweep's method behind a metric; nullopt for metrics that need no sweep. Sensitivity: Measured.
[[nodiscard]] std::optional<sensitivity::Method> metric_method(Metric metric);
/// Is it a divergence in nats, with a standard error?
[[nodiscard]] bool metric_in_nats(Metric metric);

/// NaN while unknown or where it does not apply. `format` is the chosen one where the metric is of a format.
[[nodiscard]] double metric_value(const Document& document, Metric metric, std::size_t tensor,
                                  kernels::Format format);
/// The cell behind a sweep's metric; null while unknown, and for other metrics.
[[nodiscard]] const sensitivity::CellRecord* metric_record(const Document& document, Metric metric,
                                                           std::size_t tensor, kernels::Format format);

/// Maps values to [0, 1]; logarithmic where they span more than two decades, and for divergences always.
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
