// Draws a cell of the map: colour for the metric, letters for the precision, a corner mark for "changed",
// hatching for "unknown" and for "cannot take what is being dragged".
#pragma once

#include <QFont>
#include <QStyledItemDelegate>

namespace bitlens::views {

class MapView;

class MapDelegate : public QStyledItemDelegate {
  Q_OBJECT
 public:
  explicit MapDelegate(MapView& view);
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;

 private:
  MapView& view_;
  mutable QFont print_font_;  ///< what print_size_ was found for
  mutable int print_width_ = -1;
  mutable double print_size_ = 0;  ///< points, of numbers that share a line with their error
};

}  // namespace bitlens::views
