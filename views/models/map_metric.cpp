#include "views/models/map_metric.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>
#include <limits>

#include "views/document/document.h"
#include "views/text/units.h"

namespace bitlens::views {

namespace {
struct Tr {
  Q_DECLARE_TR_FUNCTIONS(bitlens::views::Metric)
};
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
}  // namespace

QString metric_key(Metric metric) {
  switch (metric) {
    case Metric::Precision:
      return QStringLiteral("precision");
    case Metric::Bytes:
      return QStringLiteral("bytes");
    case Metric::WeightOutliers:
      return QStringLiteral("weight_outliers");
    case Metric::DynamicRange:
      return QStringLiteral("dynamic_range");
    case Metric::RoundingError:
      return QStringLiteral("rounding_error");
    case Metric::InputOutliersSigma:
      return QStringLiteral("input_outliers_6sigma");
    case Metric::InputOutliersInt8:
      return QStringLiteral("input_outliers_int8");
    case Metric::Sensitivity:
      return QStringLiteral("sensitivity");
    case Metric::Measured:
      return QStringLiteral("measured_kl");
    case Metric::Predicted:
      return QStringLiteral("predicted_kl");
    case Metric::Fisher:
      return QStringLiteral("fisher");
    case Metric::Energy:
      return QStringLiteral("energy_error");
    case Metric::EnergyShift:
      return QStringLiteral("energy_shift_error");
    case Metric::ActivationRule:
      return QStringLiteral("activation_rule");
    case Metric::HessianTrace:
      return QStringLiteral("hessian_trace");
  }
  return {};
}

QString metric_title(Metric metric) {
  switch (metric) {
    case Metric::Precision:
      return Tr::tr("Precision");
    case Metric::Bytes:
      return Tr::tr("Bytes");
    case Metric::WeightOutliers:
      return Tr::tr("Weight outliers (6σ)");
    case Metric::DynamicRange:
      return Tr::tr("Dynamic range");
    case Metric::RoundingError:
      return Tr::tr("Rounding error");
    case Metric::InputOutliersSigma:
      return Tr::tr("Input outliers (6σ)");
    case Metric::InputOutliersInt8:
      return Tr::tr("Input outliers (LLM.int8)");
    case Metric::Sensitivity:
      return Tr::tr("Sensitivity (KL)");
    case Metric::Measured:
      return Tr::tr("Measured KL");
    case Metric::Predicted:
      return Tr::tr("Predicted KL");
    case Metric::Fisher:
      return Tr::tr("Fisher score");
    case Metric::Energy:
      return Tr::tr("Input-weighted error");
    case Metric::EnergyShift:
      return Tr::tr("Input-weighted error with shift");
    case Metric::ActivationRule:
      return Tr::tr("Activation rule");
    case Metric::HessianTrace:
      return Tr::tr("Hessian trace");
  }
  return {};
}

QString metric_unit(Metric metric) {
  switch (metric) {
    case Metric::Precision:
      return Tr::tr("bits per weight");
    case Metric::Bytes:
      return Tr::tr("bytes in the file");
    case Metric::WeightOutliers:
      return Tr::tr("share of weights");
    case Metric::DynamicRange:
      return Tr::tr("ratio");
    case Metric::RoundingError:
      return Tr::tr("relative RMSE");
    case Metric::InputOutliersSigma:
      return Tr::tr("share of values");
    case Metric::InputOutliersInt8:
      return Tr::tr("share of channels");
    case Metric::Sensitivity:
    case Metric::Measured:
    case Metric::Predicted:
    case Metric::Fisher:
      return Tr::tr("nats per token");
    case Metric::Energy:
    case Metric::EnergyShift:
      return Tr::tr("squared output change");
    case Metric::ActivationRule:
      return Tr::tr("1 and more: keep 16 bit");
    case Metric::HessianTrace:
      return Tr::tr("no unit, only the order counts");
  }
  return {};
}

QString metric_formula(Metric metric) {
  switch (metric) {
    case Metric::Precision:
      return Tr::tr("bits per weight = 8 × bytes / weights, block scales included");
    case Metric::Bytes:
      return Tr::tr("bytes of the tensor as it will stand in the file, block scales included");
    case Metric::WeightOutliers:
      return Tr::tr("share of weights with |w − mean| > 6σ (population σ)");
    case Metric::DynamicRange:
      return Tr::tr("max |w| / median of the non-zero |w|");
    case Metric::RoundingError:
      return Tr::tr("√(mean (w − w′)²) / √(mean w²), w′ = the weight after rounding");
    case Metric::InputOutliersSigma:
      return Tr::tr("share of the layer's input values with |x − mean| > 6σ over the calibration text");
    case Metric::InputOutliersInt8:
      return Tr::tr("share of the layer's input channels with any |x| ≥ 6.0 over the calibration text");
    case Metric::Sensitivity:
      return Tr::tr(
          "KL(model as in file ‖ this tensor alone at the format), mean per token; measured where measured, "
          "else predicted (≈)");
    case Metric::Measured:
      return Tr::tr("KL(model as in file ‖ this tensor alone at the format), mean per token, measured");
    case Metric::Predicted:
      return Tr::tr(
          "mean of a² / (2 × positions), a = ⟨ΔW, gradient of log p of labels the model itself drew⟩");
    case Metric::Fisher:
      return Tr::tr("½ Σ Fᵢⱼ ΔWᵢⱼ², F = the diagonal of the Fisher matrix, sampled");
    case Metric::Energy:
      return Tr::tr("Σ ΔWᵢⱼ² E[xⱼ²] over the text");
    case Metric::EnergyShift:
      return Tr::tr("Σ ΔWᵢⱼ² Var[xⱼ] + Σᵢ (Σⱼ ΔWᵢⱼ E[xⱼ])² over the text");
    case Metric::ActivationRule:
      return Tr::tr("the larger of 6σ share / 0.01 and dynamic range / 100 of the layer's input");
    case Metric::HessianTrace:
      return Tr::tr("tr(2 E[x xᵀ]) / inputs × Σ ΔW²");
  }
  return {};
}

QString metric_text(Metric metric, double value) {
  if (std::isnan(value)) return QStringLiteral("—");
  switch (metric) {
    case Metric::Precision:
      return bpw_text(value);
    case Metric::Bytes:
      return bytes_text(static_cast<quint64>(value));
    case Metric::WeightOutliers:
    case Metric::InputOutliersSigma:
    case Metric::InputOutliersInt8:
    case Metric::RoundingError:
      return share_text(value);
    case Metric::DynamicRange:
    case Metric::Energy:
    case Metric::EnergyShift:
    case Metric::ActivationRule:
    case Metric::HessianTrace:
      return number_text(value, 3);
    case Metric::Sensitivity:
    case Metric::Measured:
    case Metric::Predicted:
    case Metric::Fisher:
      return short_number_text(value, 3);
  }
  return {};
}

QString metric_short_text(Metric metric, double value) {
  if (std::isnan(value)) return {};
  if (metric == Metric::Bytes) return bytes_text(static_cast<quint64>(value));
  if (metric == Metric::Precision) return bpw_text(value);
  if (metric == Metric::DynamicRange) return number_text(value, 2);
  if (metric_method(metric)) return short_number_text(value, 2);
  return share_text(value, 2).remove(QChar(0x00A0));
}

bool metric_needs_calibration(Metric metric) {
  return metric == Metric::InputOutliersSigma || metric == Metric::InputOutliersInt8;
}

bool metric_of_format(Metric metric) {
  return metric == Metric::RoundingError || metric_method(metric).has_value();
}

std::optional<sensitivity::Method> metric_method(Metric metric) {
  using sensitivity::Method;
  switch (metric) {
    case Metric::Sensitivity:
    case Metric::Measured:
      return Method::Measured;
    case Metric::Predicted:
      return Method::Response;
    case Metric::Fisher:
      return Method::Fisher;
    case Metric::Energy:
      return Method::Energy;
    case Metric::EnergyShift:
      return Method::EnergyShift;
    case Metric::ActivationRule:
      return Method::ActivationRule;
    case Metric::HessianTrace:
      return Method::HessianTrace;
    default:
      return std::nullopt;
  }
}

bool metric_in_nats(Metric metric) {
  return metric == Metric::Sensitivity || metric == Metric::Measured || metric == Metric::Predicted;
}

const sensitivity::CellRecord* metric_record(const Document& document, Metric metric, std::size_t tensor,
                                             kernels::Format format) {
  const auto method = metric_method(metric);
  const SensitivityPtr& known = document.sensitivity().known();
  if (!method || !known) return nullptr;
  return metric == Metric::Sensitivity ? known->cells.best(tensor, format)
                                       : known->cells.find(tensor, format, *method);
}

double metric_value(const Document& document, Metric metric, std::size_t tensor, kernels::Format format) {
  switch (metric) {
    case Metric::Precision:
      return kernels::info(document.format_of(tensor)).bits_per_weight();
    case Metric::Bytes:
      return static_cast<double>(document.resolved() ? document.resolved()->tensors[tensor].bytes
                                                     : document.session()->file().tensors()[tensor].bytes);
    case Metric::WeightOutliers:
    case Metric::DynamicRange: {
      const analyze::WeightStatistics* weights = document.analysis().weights(tensor);
      if (!weights) return kUnknown;
      return metric == Metric::WeightOutliers ? weights->all.outliers_6sigma : weights->all.dynamic_range;
    }
    case Metric::RoundingError: {
      const auto* error = document.analysis().rounding(tensor, format, document.measurements().quantizer());
      return error ? error->relative_rmse : kUnknown;
    }
    case Metric::InputOutliersSigma:
    case Metric::InputOutliersInt8: {
      const analyze::ActivationStatistics* inputs = document.analysis().inputs(tensor);
      if (!inputs) return kUnknown;
      return metric == Metric::InputOutliersSigma ? inputs->all.outliers_6sigma : inputs->outliers_llm_int8;
    }
    default: {
      const sensitivity::CellRecord* record = metric_record(document, metric, tensor, format);
      return record ? record->kl_mean : kUnknown;
    }
  }
}

MetricScale::MetricScale(Metric metric, double low, double high) : low_(low), high_(high), valid_(true) {
  if (metric == Metric::Precision) {
    // The same colour for the same precision in every model: 2 to 32 bits, logarithmic.
    low_ = 2;
    high_ = 32;
    logarithmic_ = true;
    return;
  }
  const bool spread = metric_method(metric).has_value() || high_ / low_ > 100;
  logarithmic_ = low_ > 0 && spread;
}

double MetricScale::position(double value) const {
  if (!valid_ || std::isnan(value)) return 0;
  if (high_ <= low_) return 0.5;
  const double t = logarithmic_ ? std::log(std::max(value, low_) / low_) / std::log(high_ / low_)
                                : (value - low_) / (high_ - low_);
  return std::clamp(t, 0.0, 1.0);
}

double MetricScale::value_at(double position) const {
  if (logarithmic_) return low_ * std::pow(high_ / low_, position);
  return low_ + (high_ - low_) * position;
}

}  // namespace bitlens::views
