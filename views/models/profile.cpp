#include "views/models/profile.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/sensitivity/agreement.h"
#include "views/document/document.h"
#include "views/models/map_model.h"
#include "views/text/units.h"

namespace bitlens::views {

namespace {

void finish(const Document& document, Metric metric, kernels::Format format, ProfileEntry& entry) {
  double sum = 0, squares = 0;
  std::size_t known = 0;
  for (const std::size_t t : entry.tensors) {
    const double value = metric_value(document, metric, t, format);
    if (std::isnan(value)) {
      ++entry.unknown;
      continue;
    }
    ++known;
    sum += value;
    if (!metric_in_nats(metric)) continue;
    const sensitivity::CellRecord* record = metric_record(document, metric, t, format);
    if (std::isfinite(record->kl_se)) squares += record->kl_se * record->kl_se;
    entry.predicted = entry.predicted || record->method != sensitivity::Method::Measured;
  }
  entry.value = known == 0               ? sensitivity::kUnknown
                : metric_adds_up(metric) ? sum
                                         : sum / static_cast<double>(known);
  entry.error = std::sqrt(squares);
}

}  // namespace

bool metric_adds_up(Metric metric) {
  switch (metric) {
    case Metric::Bytes:
    case Metric::Sensitivity:
    case Metric::Measured:
    case Metric::Predicted:
    case Metric::Fisher:
    case Metric::Energy:
    case Metric::EnergyShift:
    case Metric::HessianTrace:
      return true;
    default:
      return false;
  }
}

std::vector<ProfileEntry> layer_profile(const Document& document, Metric metric, kernels::Format format) {
  std::map<int, ProfileEntry> layers;
  if (!document.session()) return {};
  const model::Model& model = document.model();
  for (std::size_t t = 0; t < model.file().tensors().size(); ++t)
    if (model.role(t).layer >= 0 && model.role(t).is_matrix) layers[model.role(t).layer].tensors.push_back(t);
  std::vector<ProfileEntry> out;
  for (auto& [layer, entry] : layers) {
    entry.label = QString::number(layer);
    finish(document, metric, format, entry);
    out.push_back(std::move(entry));
  }
  return out;
}

std::vector<ProfileEntry> module_profile(const Document& document, Metric metric, kernels::Format format) {
  if (!document.session()) return {};
  const model::Model& model = document.model();
  std::map<std::pair<int, std::string>, ProfileEntry> modules;  // in the order of the map's columns
  for (std::size_t t = 0; t < model.file().tensors().size(); ++t) {
    const model::TensorRole& role = model.role(t);
    if (!role.is_matrix) continue;
    const std::string key(column_key(model.file().tensors()[t].name));
    modules[{static_cast<int>(role.module), key}].tensors.push_back(t);
  }
  std::vector<ProfileEntry> out;
  for (auto& [key, entry] : modules) {
    entry.label = column_title(shown(key.second, 24));
    finish(document, metric, format, entry);
    out.push_back(std::move(entry));
  }
  return out;
}

std::vector<MetricPair> metric_pairs(const Document& document, Metric x, Metric y,
                                     const std::vector<kernels::Format>& formats) {
  std::vector<MetricPair> out;
  if (!document.session()) return out;
  const model::Model& model = document.model();
  const auto error = [&](Metric metric, std::size_t tensor, kernels::Format format) {
    const sensitivity::CellRecord* record =
        metric_in_nats(metric) ? metric_record(document, metric, tensor, format) : nullptr;
    return record && std::isfinite(record->kl_se) ? record->kl_se : 0.0;
  };
  for (std::size_t t = 0; t < model.file().tensors().size(); ++t) {
    if (!model.role(t).is_matrix) continue;
    for (const kernels::Format format : formats) {
      MetricPair pair{t, format, metric_value(document, x, t, format), metric_value(document, y, t, format)};
      if (!std::isfinite(pair.x) || !std::isfinite(pair.y)) continue;
      pair.x_error = error(x, t, format);
      pair.y_error = error(y, t, format);
      out.push_back(pair);
    }
  }
  return out;
}

double rank_agreement(const std::vector<MetricPair>& pairs) {
  std::vector<double> x, y;
  for (const MetricPair& pair : pairs) {
    x.push_back(pair.x);
    y.push_back(pair.y);
  }
  return sensitivity::spearman(x, y);
}

}  // namespace bitlens::views
