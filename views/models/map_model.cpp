#include "views/models/map_model.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "views/bridge/errors.h"
#include "views/document/document.h"
#include "views/text/cell_text.h"
#include "views/text/units.h"

namespace bitlens::views {

QString column_title(const QString& key) {
  static const std::map<QString, QString> short_names = {
      {"attn_q", "q"},       {"attn_k", "k"},      {"attn_v", "v"},  {"attn_output", "o"},
      {"attn_qkv", "qkv"},   {"ffn_gate", "gate"}, {"ffn_up", "up"}, {"ffn_down", "down"},
      {"token_embd", "emb"}, {"output", "out"},
  };
  const auto it = short_names.find(key);
  QString title = it == short_names.end() ? key : it->second;
  return title.replace('_', ' ');
}

MapModel::MapModel(Document& document, QObject* parent) : QAbstractTableModel(parent), document_(document) {
  connect(&document_, &Document::state_changed, this, &MapModel::rebuild);
  connect(&document_, &Document::resolved_changed, this, [this] { refresh(true); });
  connect(&document_.analysis(), &Analysis::weights_known, this, &MapModel::refresh_tensor);
  connect(&document_.analysis(), &Analysis::rounding_known, this, &MapModel::refresh_tensor);
  connect(&document_.analysis(), &Analysis::inputs_known, this, [this] { refresh(true); });
  connect(&document_.sensitivity(), &Sensitivity::cells_changed, this, [this] {
    if (metric_method(metric_)) refresh(true);
  });
  rebuild();
}

void MapModel::rebuild() {
  beginResetModel();
  rows_.clear();
  columns_.clear();
  cells_.clear();
  places_.clear();
  first_vector_column_ = 0;
  if (document_.session()) {
    const model::Model& model = document_.model();
    const auto& tensors = model.file().tensors();
    // Columns in the order of the modules, matrices before norms; then by name.
    struct Column {
      bool vector;
      int module;
      std::string key;
      auto operator<=>(const Column&) const = default;
    };
    std::map<std::string, Column> found;
    int layers = 0;
    std::vector<int> above, below;
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      const model::TensorRole& role = model.role(t);
      if (!role.is_weight) continue;
      const int index = static_cast<int>(t);
      if (role.layer < 0) {
        const bool first =
            role.module == model::Module::TokenEmbedding || role.module == model::Module::PositionEmbedding;
        (first ? above : below).push_back(index);
        continue;
      }
      layers = std::max(layers, role.layer + 1);
      const std::string key(column_key(tensors[t].name));
      auto [it, fresh] = found.try_emplace(key, Column{!role.is_matrix, static_cast<int>(role.module), key});
      if (!fresh) it->second.vector = it->second.vector && !role.is_matrix;
    }
    std::stable_sort(below.begin(), below.end(), [&](int a, int b) {
      return model.role(static_cast<std::size_t>(a)).module < model.role(static_cast<std::size_t>(b)).module;
    });
    std::vector<Column> columns;
    for (const auto& [key, column] : found) columns.push_back(column);
    std::sort(columns.begin(), columns.end());
    std::map<std::string, int> column_of;
    for (const Column& column : columns) {
      column_of[column.key] = static_cast<int>(columns_.size());
      if (!column.vector) ++first_vector_column_;
      columns_.push_back(shown(column.key, 60));
    }
    if (columns_.empty() && !(above.empty() && below.empty())) columns_.push_back({});
    // Only layers that have a cell: a hostile block index must not make a billion rows.
    std::map<int, int> row_of_layer;
    for (std::size_t t = 0; t < tensors.size(); ++t)
      if (model.role(t).is_weight && model.role(t).layer >= 0) row_of_layer[model.role(t).layer] = 0;
    for (const int t : above) rows_.push_back({-1, t});
    for (auto& [layer, row] : row_of_layer) {
      row = static_cast<int>(rows_.size());
      rows_.push_back({layer, -1});
    }
    for (const int t : below) rows_.push_back({-1, t});

    const std::size_t width = columns_.size();
    cells_.assign(rows_.size() * width, -1);
    places_.assign(tensors.size(), {-1, -1});
    const auto place = [&](int row, int column, int tensor) {
      int& cell = cells_[static_cast<std::size_t>(row) * width + static_cast<std::size_t>(column)];
      if (cell >= 0) return;  // the same name twice: the first keeps the cell
      cell = tensor;
      places_[static_cast<std::size_t>(tensor)] = {row, column};
    };
    for (std::size_t r = 0; r < rows_.size(); ++r)
      if (rows_[r].tensor >= 0) place(static_cast<int>(r), 0, rows_[r].tensor);
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      const model::TensorRole& role = model.role(t);
      if (role.is_weight && role.layer >= 0)
        place(row_of_layer[role.layer], column_of[std::string(column_key(tensors[t].name))],
              static_cast<int>(t));
    }
  }
  scale_ = {};
  endResetModel();
  update_scale();
}

int MapModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(rows_.size());
}

int MapModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(columns_.size());
}

int MapModel::tensor_at(const QModelIndex& index) const {
  if (!index.isValid()) return -1;
  return cells_[static_cast<std::size_t>(index.row()) * columns_.size() +
                static_cast<std::size_t>(index.column())];
}

QModelIndex MapModel::index_of(std::size_t tensor) const {
  if (tensor >= places_.size() || places_[tensor].first < 0) return {};
  return index(places_[tensor].first, places_[tensor].second);
}

bool MapModel::is_global_row(int row) const {
  return rows_[static_cast<std::size_t>(row)].tensor >= 0;
}
int MapModel::layer_of_row(int row) const {
  return rows_[static_cast<std::size_t>(row)].layer;
}

std::vector<std::size_t> MapModel::tensors_of_row(int row) const {
  std::vector<std::size_t> out;
  for (int c = 0; c < columnCount(); ++c)
    if (const int t = tensor_at(index(row, c)); t >= 0) out.push_back(static_cast<std::size_t>(t));
  return out;
}

std::vector<std::size_t> MapModel::tensors_of_column(int column) const {
  std::vector<std::size_t> out;
  for (int r = 0; r < rowCount(); ++r) {
    if (is_global_row(r)) continue;
    if (const int t = tensor_at(index(r, column)); t >= 0) out.push_back(static_cast<std::size_t>(t));
  }
  return out;
}

Qt::ItemFlags MapModel::flags(const QModelIndex& index) const {
  if (tensor_at(index) < 0) return Qt::NoItemFlags;
  return Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsDropEnabled | Qt::ItemNeverHasChildren;
}

QVariant MapModel::data(const QModelIndex& index, int role) const {
  const int cell = tensor_at(index);
  if (role == TensorRole) return cell;
  if (cell < 0 || !document_.session()) return {};
  const auto tensor = static_cast<std::size_t>(cell);
  switch (role) {
    case Qt::DisplayRole:
      return shown(kernels::info(document_.format_of(tensor)).name);
    case Qt::ToolTipRole:
      return tooltip(tensor);
    case Qt::AccessibleTextRole:
      return accessible_text(index, tensor);
    case Qt::TextAlignmentRole:
      return int(Qt::AlignCenter);
    case ValueRole:
      return metric_value(document_, metric_, tensor, format_);
    case PositionRole:
      return scale_.position(metric_value(document_, metric_, tensor, format_));
    case ValueTextRole:
      return metric_short_text(metric_, metric_value(document_, metric_, tensor, format_));
    case ChangedRole:
      return document_.resolved() && document_.resolved()->tensors[tensor].changed;
    case FitsRole:
      return !dragged_ || !refusal_of(document_.model(), tensor, *dragged_);
    case VectorRole:
      return !document_.model().role(tensor).is_matrix;
    case ErrorTextRole:
    case PredictedRole:
    case MoreTokensRole:
      return divergence(role, tensor);
    default:
      return {};
  }
}

/// Metrics without a standard error have nothing to say here.
QVariant MapModel::divergence(int role, std::size_t tensor) const {
  if (!metric_in_nats(metric_)) return {};
  const sensitivity::CellRecord* record = metric_record(document_, metric_, tensor, format_);
  if (!record) return {};
  if (role == ErrorTextRole) return relative_error_text(record->kl_mean, record->kl_se);
  if (role == PredictedRole) return record->method != sensitivity::Method::Measured;
  return document_.sensitivity().known()->cells.needs_more_tokens(*record);
}

QVariant MapModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (!document_.session()) return {};
  if (orientation == Qt::Horizontal) {
    if (section < 0 || section >= columnCount()) return {};
    const QString& key = columns_[static_cast<std::size_t>(section)];
    if (role == Qt::DisplayRole) return column_title(key);
    if (role == Qt::ToolTipRole || role == Qt::AccessibleTextRole) return tr("%1 of every layer").arg(key);
    return {};
  }
  if (section < 0 || section >= rowCount()) return {};
  const Row& row = rows_[static_cast<std::size_t>(section)];
  if (row.tensor < 0) {
    if (role == Qt::DisplayRole) return QString::number(row.layer);
    if (role == Qt::ToolTipRole || role == Qt::AccessibleTextRole) return tr("layer %1").arg(row.layer);
    return {};
  }
  const std::string& name = document_.session()->file().tensors()[static_cast<std::size_t>(row.tensor)].name;
  if (role == Qt::ToolTipRole || role == Qt::AccessibleTextRole) return shown(name);
  if (role != Qt::DisplayRole) return {};
  switch (document_.model().role(static_cast<std::size_t>(row.tensor)).module) {
    case model::Module::TokenEmbedding:
      return tr("embedding");
    case model::Module::OutputNorm:
      return tr("final norm");
    case model::Module::Output:
      return tr("output");
    default:
      return shown(column_key(name), 16);
  }
}

void MapModel::set_metric(Metric metric, kernels::Format format) {
  const bool other = metric != metric_ || format != format_;
  metric_ = metric;
  format_ = format;
  scale_ = {};
  refresh(true);
  if (other) emit metric_changed();
}

void MapModel::set_dragged(std::optional<quantize::FormatChoice> choice) {
  if (dragged_ == choice) return;
  dragged_ = choice;
  refresh(false);
}

int MapModel::unknown_cells() const {
  int unknown = 0;
  for (const int cell : cells_) {
    if (cell < 0) continue;
    const auto tensor = static_cast<std::size_t>(cell);
    if (!std::isnan(metric_value(document_, metric_, tensor, format_))) continue;
    if (metric_of_format(metric_) &&
        (!document_.model().role(tensor).is_matrix || refusal_of(document_.model(), tensor, format_)))
      continue;
    if (document_.analysis().weights_error(tensor)) continue;
    ++unknown;
  }
  return unknown;
}

void MapModel::refresh(bool everything) {
  if (rows_.empty() || columns_.empty()) return;
  if (everything) update_scale();
  emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
}

void MapModel::refresh_tensor(int tensor) {
  const QModelIndex at = index_of(static_cast<std::size_t>(tensor));
  if (!at.isValid() || metric_ == Metric::Precision || metric_ == Metric::Bytes || metric_method(metric_))
    return;
  const MetricScale before = scale_;
  update_scale();
  if (scale_ == before)
    emit dataChanged(at, at);
  else
    refresh(false);
}

void MapModel::update_scale() {
  double low = INFINITY, high = -INFINITY, smallest_positive = INFINITY;
  const bool logarithmic = metric_method(metric_).has_value();
  for (const int cell : cells_) {
    // Norms stand aside: 32 bits of a few numbers would take the scale from the matrices.
    if (cell < 0 || !document_.session() || !document_.model().role(static_cast<std::size_t>(cell)).is_matrix)
      continue;
    const double value = metric_value(document_, metric_, static_cast<std::size_t>(cell), format_);
    if (std::isnan(value) || std::isinf(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
    if (value > 0) smallest_positive = std::min(smallest_positive, value);
  }
  // A zero must not hide the spread of the rest on a logarithmic scale.
  if (low <= 0 && std::isfinite(smallest_positive) && (logarithmic || high / smallest_positive > 100))
    low = smallest_positive;
  const MetricScale scale = low <= high ? MetricScale(metric_, low, high) : MetricScale();
  if (scale == scale_) return;
  scale_ = scale;
  emit scale_changed();
}

QString MapModel::tooltip(std::size_t tensor) const {
  const io::TensorInfo& info = document_.session()->file().tensors()[tensor];
  const kernels::Format now = document_.format_of(tensor);
  QStringList lines;
  lines << shown(info.name) << shape_text(info.shape);
  if (now == info.format)
    lines << tr("%1, as in the file").arg(shown(kernels::info(now).name));
  else
    lines << tr("%1 (in the file: %2)")
                 .arg(shown(kernels::info(now).name), shown(kernels::info(info.format).name));
  lines << value_line(tensor);
  if (const sensitivity::CellRecord* record = metric_record(document_, metric_, tensor, format_);
      record && metric_in_nats(metric_)) {
    lines << source_text(*record);
    if (const QString doubt = doubt_text(document_.sensitivity().known()->cells, *record); !doubt.isEmpty())
      lines << doubt;
  }
  lines << metric_formula(metric_);
  if (dragged_)
    if (const auto refusal = refusal_of(document_.model(), tensor, *dragged_))
      lines << refusal_text(*refusal, info);
  return lines.join('\n');
}

/// "Measured KL at Q4_0: 0.0123 ± 0.0011 (nats per token)", or why there is no value.
QString MapModel::value_line(std::size_t tensor) const {
  const double value = metric_value(document_, metric_, tensor, format_);
  const QString format = shown(kernels::info(format_).name);
  QString title = metric_title(metric_);
  if (metric_of_format(metric_)) title += tr(" at %1").arg(format);
  if (!std::isnan(value)) {
    const sensitivity::CellRecord* record = metric_record(document_, metric_, tensor, format_);
    const bool with_error = record && metric_in_nats(metric_);
    return tr("%1: %2 (%3)")
        .arg(title, with_error ? value_text(record->kl_mean, record->kl_se) : metric_text(metric_, value),
             metric_unit(metric_));
  }
  if (const Error* error = document_.analysis().weights_error(tensor)) return error_text(*error);
  const io::TensorInfo& info = document_.session()->file().tensors()[tensor];
  if (metric_of_format(metric_) && info.format == format_)
    return tr("%1: %2 in the file already").arg(title, format);
  if (metric_of_format(metric_))
    if (const auto refusal = refusal_of(document_.model(), tensor, format_))
      return refusal_text(*refusal, info);
  return tr("%1: not known yet").arg(title);
}

QString MapModel::accessible_text(const QModelIndex& index, std::size_t tensor) const {
  QString value = metric_text(metric_, metric_value(document_, metric_, tensor, format_));
  if (const sensitivity::CellRecord* record = metric_record(document_, metric_, tensor, format_);
      record && metric_in_nats(metric_))
    value = QStringLiteral("%1, %2").arg(value_text(record->kl_mean, record->kl_se), source_text(*record));
  return tr("%1: %2, %3 %4")
      .arg(shown(document_.session()->file().tensors()[tensor].name), data(index, Qt::DisplayRole).toString(),
           metric_title(metric_), value);
}

}  // namespace bitlens::views
