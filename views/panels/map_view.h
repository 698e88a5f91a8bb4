// The map on screen: a table view whose cells and headers take precision chips. Selects by click, shift and
// control, arrows, header, and by dragging a rubber band.
#pragma once

#include <QHeaderView>
#include <QTableView>
#include <functional>
#include <optional>
#include <vector>

#include "views/document/recipe_edit.h"

class QRubberBand;

namespace bitlens::views {

class Document;
class MapModel;

/// A header that takes chips: the drop goes to everything the section stands for.
class MapHeader : public QHeaderView {
  Q_OBJECT
 public:
  MapHeader(Qt::Orientation orientation, QWidget* parent);

 signals:
  void chip_over(int section, bitlens::quantize::FormatChoice choice);
  void chip_left();
  void chip_dropped(int section, bitlens::quantize::FormatChoice choice);

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dragMoveEvent(QDragMoveEvent* event) override;
  void dragLeaveEvent(QDragLeaveEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  [[nodiscard]] int section_at(const QPoint& position) const;
};

class MapView : public QTableView {
  Q_OBJECT
 public:
  MapView(Document& document, MapModel& model, QWidget* parent = nullptr);

  /// Is this tensor among those the hovering chip would change?
  [[nodiscard]] bool is_drop_target(std::size_t tensor) const;
  /// Selects a whole column's cells in the layers.
  void select_column(int column, Qt::KeyboardModifiers modifiers);

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dragMoveEvent(QDragMoveEvent* event) override;
  void dragLeaveEvent(QDragLeaveEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void selectionChanged(const QItemSelection& selected, const QItemSelection& deselected) override;
  void currentChanged(const QModelIndex& current, const QModelIndex& previous) override;

 private:
  void connect_header(MapHeader* header, const std::function<std::vector<std::size_t>(int)>& tensors);
  void show_target(std::vector<std::size_t> tensors, quantize::FormatChoice choice);
  void end_target();
  [[nodiscard]] std::vector<std::size_t> targets_at(const QPoint& position) const;
  void publish_selection();
  void follow_selection();
  void lay_out();
  void fit_rows();

  Document& document_;
  MapModel& map_;
  QRubberBand* band_;
  QPoint band_origin_;
  std::vector<std::size_t> target_;  // ascending
  bool following_ = false;
};

}  // namespace bitlens::views
