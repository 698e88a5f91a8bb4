#include "views/panels/map_delegate.h"

#include <QPainter>
#include <cmath>

#include "views/models/map_model.h"
#include "views/panels/map_view.h"
#include "views/theme/color_map.h"
#include "views/theme/theme.h"

namespace bitlens::views {

MapDelegate::MapDelegate(MapView& view) : QStyledItemDelegate(&view), view_(view) {}

void MapDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                        const QModelIndex& index) const {
  const int tensor = index.data(MapModel::TensorRole).toInt();
  if (tensor < 0) return;
  const double value = index.data(MapModel::ValueRole).toDouble();
  const bool known = !std::isnan(value);
  const bool coloured =
      known && !index.data(MapModel::VectorRole).toBool();  // norms are no part of the scale
  const bool fits = index.data(MapModel::FitsRole).toBool();
  const bool selected = option.state & QStyle::State_Selected;
  const QPalette& palette = option.palette;
  const Accents accent = accents(palette);

  painter->save();
  const QRect cell = option.rect.adjusted(1, 1, -1, -1);
  const QColor ground = coloured ? ColorMap::cividis().at(index.data(MapModel::PositionRole).toDouble())
                                 : palette.color(QPalette::Button);
  const QColor ink = coloured ? text_on(ground) : palette.color(QPalette::WindowText);
  painter->fillRect(cell, ground);
  if (!known || !fits) {
    QColor lines = ink;
    lines.setAlpha(fits ? 40 : 120);
    painter->fillRect(cell, QBrush(lines, fits ? Qt::BDiagPattern : Qt::DiagCrossPattern));
  }

  const bool target = view_.is_drop_target(static_cast<std::size_t>(tensor)) && fits;
  if (target || selected) {
    // Two lines of opposite lightness stay visible on every colour of the scale. The letters go on top.
    painter->setBrush(Qt::NoBrush);
    painter->setPen(QPen(target ? accent.drop : palette.color(QPalette::Highlight), 2));
    painter->drawRect(cell.adjusted(1, 1, -1, -1));
    painter->setPen(QPen(Qt::white, 1));
    painter->drawRect(cell.adjusted(2, 2, -3, -3));
  }

  QFont font = option.font;
  const bool changed = index.data(MapModel::ChangedRole).toBool();
  font.setBold(changed);
  font.setStrikeOut(!fits);
  painter->setFont(font);
  painter->setPen(ink);
  const QString letters = index.data(Qt::DisplayRole).toString();
  const auto* map = static_cast<const MapModel*>(index.model());
  QString number =
      map->metric() == Metric::Precision ? QString() : index.data(MapModel::ValueTextRole).toString();
  const QRect inner = cell.adjusted(5, 0, -5, 0);
  const QFontMetrics metrics(font);
  QFont small = font;
  small.setBold(false);
  if (small.pointSizeF() > 0) small.setPointSizeF(small.pointSizeF() * 0.85);
  const QFontMetrics small_metrics(small);
  if (!number.isEmpty() &&
      metrics.horizontalAdvance(letters) + small_metrics.horizontalAdvance(number) + 4 > inner.width())
    number.clear();
  const bool wide = map->is_global_row(index.row());
  if (wide) {
    const QString line = number.isEmpty() ? letters : letters + QStringLiteral("   ") + number;
    painter->drawText(inner, Qt::AlignCenter, line);
  } else if (number.isEmpty()) {
    painter->drawText(inner, Qt::AlignCenter, metrics.elidedText(letters, Qt::ElideRight, inner.width() + 8));
  } else {
    painter->drawText(inner, Qt::AlignLeft | Qt::AlignVCenter, letters);
    painter->setFont(small);
    painter->drawText(inner, Qt::AlignRight | Qt::AlignVCenter, number);
  }

  if (changed) {
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    painter->setBrush(ink);
    const QPoint corner = cell.topRight() + QPoint(1, 0);
    const QPoint mark[] = {corner, corner - QPoint(6, 0), corner + QPoint(0, 6)};
    painter->drawPolygon(mark, 3);
    painter->setRenderHint(QPainter::Antialiasing, false);
  }
  if (option.state & QStyle::State_HasFocus) {
    painter->setBrush(Qt::NoBrush);
    painter->setPen(QPen(ink, 1, Qt::DotLine));
    painter->drawRect(cell.adjusted(4, 4, -5, -5));
  }
  painter->restore();
}

}  // namespace bitlens::views
