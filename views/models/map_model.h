// The map as a table: one row per layer (tensors outside the layers get rows of their own above and below),
// one column per kind of tensor. A cell's text is the precision, its colour the chosen metric.
#pragma once

#include <QAbstractTableModel>
#include <optional>
#include <vector>

#include "views/models/map_metric.h"

namespace bitlens::views {

class Document;

class MapModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Role {
    TensorRole = Qt::UserRole,  ///< tensor index, -1: no cell here
    ValueRole,                  ///< the metric's number, NaN while unknown
    PositionRole,               ///< its place on the colour scale, 0 to 1
    ValueTextRole,              ///< the number, short
    ChangedRole,                ///< the recipe changes this tensor
    FitsRole,                   ///< it can take the format being dragged (true outside a drag)
    VectorRole,                 ///< a norm or 1-D tensor
    ErrorTextRole,              ///< of a divergence: its standard error, relative and short
    PredictedRole,              ///< of a divergence: predicted, not measured
    MoreTokensRole              ///< of a divergence: its error is too large to build on
  };

  explicit MapModel(Document& document, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;

  void set_metric(Metric metric, kernels::Format format);
  [[nodiscard]] Metric metric() const { return metric_; }
  [[nodiscard]] kernels::Format metric_format() const { return format_; }
  [[nodiscard]] const MetricScale& scale() const { return scale_; }
  /// Cells of the current metric that are still unknown though they apply.
  [[nodiscard]] int unknown_cells() const;

  /// Marks the cells that cannot take `choice`; nullopt ends it.
  void set_dragged(std::optional<quantize::FormatChoice> choice);

  [[nodiscard]] int tensor_at(const QModelIndex& index) const;
  [[nodiscard]] QModelIndex index_of(std::size_t tensor) const;
  [[nodiscard]] bool is_global_row(int row) const;
  [[nodiscard]] int layer_of_row(int row) const;  ///< -1 for rows outside the layers
  /// All tensors a header stands for (a layer's matrices and norms, a whole column).
  [[nodiscard]] std::vector<std::size_t> tensors_of_row(int row) const;
  [[nodiscard]] std::vector<std::size_t> tensors_of_column(int column) const;
  /// First column of norms and other 1-D tensors.
  [[nodiscard]] int first_vector_column() const { return first_vector_column_; }

 signals:
  void scale_changed();
  void metric_changed();  ///< another metric or format

 private:
  void rebuild();
  void refresh(bool everything);
  void refresh_tensor(int tensor);
  void update_scale();
  [[nodiscard]] QString tooltip(std::size_t tensor) const;
  [[nodiscard]] QString value_line(std::size_t tensor) const;
  [[nodiscard]] QVariant divergence(int role, std::size_t tensor) const;
  [[nodiscard]] QString accessible_text(const QModelIndex& index, std::size_t tensor) const;

  struct Row {
    int layer = -1;
    int tensor = -1;  ///< rows outside the layers: their one tensor
  };
  Document& document_;
  std::vector<Row> rows_;
  std::vector<QString> columns_;
  int first_vector_column_ = 0;
  std::vector<int> cells_;                   // row-major, tensor index or -1
  std::vector<std::pair<int, int>> places_;  // of each tensor: row, column; -1 without a cell
  Metric metric_ = Metric::Precision;
  kernels::Format format_ = kernels::Format::Q4_0;
  MetricScale scale_;
  std::optional<quantize::FormatChoice> dragged_;
};

/// "q", "gate", "attn norm", ...: short heading for a tensor name without block and suffix.
[[nodiscard]] QString column_title(const QString& key);

}  // namespace bitlens::views
