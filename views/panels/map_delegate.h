// Draws a cell of the map: colour for the metric, letters for the precision, a corner mark for "changed",
// hatching for "unknown" and for "cannot take what is being dragged".
#pragma once

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
};

}  // namespace bitlens::views
