#include "views/panels/map_delegate.h"

#include <QPainter>
#include <cmath>

#include "views/models/map_model.h"
#include "views/panels/map_view.h"
#include "views/theme/color_map.h"
#include "views/theme/theme.h"

namespace bitlens::views {

namespace {

constexpr int kGap = 4;  ///< pixels between the words of a cell

/// Size of the small print, in points: of the usual sizes the largest at which a number and its error share a
/// line of `width` pixels. One size for all cells; print below 0.7 of the usual size could not be read.
double small_print(const QFont& font, int width) {
  const double usual = font.pointSizeF();
  if (usual <= 0) return usual;
  QFont small = font;
  small.setBold(false);
  small.setItalic(true);
  // Letters come in whole pixels, so sizes are tried.
  for (double size = 0.85 * usual; size > 0.7 * usual; size -= 0.25) {
    small.setPointSizeF(size);
    const QFontMetrics metrics(small);
    if (metrics.horizontalAdvance(QStringLiteral("\u22488.8e-8")) + kGap +
            metrics.horizontalAdvance(QStringLiteral("\u00b188%")) <=
        width)
      return size;
  }
  return 0.7 * usual;
}

/// What there is room for: letters, number and its error; of a divergence rather the error than the letters.
void draw_words(QPainter& painter, const QRect& inner, const QFont& font, double finer,
                const QModelIndex& index, bool wide) {
  const auto* map = static_cast<const MapModel*>(index.model());
  QString letters = index.data(Qt::DisplayRole).toString();
  QString number =
      map->metric() == Metric::Precision ? QString() : index.data(MapModel::ValueTextRole).toString();
  QString error = index.data(MapModel::ErrorTextRole).toString();
  const bool divergence = metric_in_nats(map->metric());
  QFont small = font;
  small.setBold(false);
  if (small.pointSizeF() > 0) small.setPointSizeF(small.pointSizeF() * 0.85);
  if (divergence && index.data(MapModel::PredictedRole).toBool()) {
    number.prepend(QChar(0x2248));  // almost equal
    small.setItalic(true);
  }
  const bool two_lines =
      !wide && inner.height() >= QFontMetrics(font).height() + QFontMetrics(small).height() + 4;
  // Rather finer print than a number without its error.
  if (!wide && !two_lines && !error.isEmpty() && finer > 0) small.setPointSizeF(finer);
  const QFontMetrics metrics(font), small_metrics(small);
  const auto width = [&](const QString& first, const QString& second, const QString& third) {
    return metrics.horizontalAdvance(first) + small_metrics.horizontalAdvance(second) +
           small_metrics.horizontalAdvance(third) + (first.isEmpty() || second.isEmpty() ? 0 : kGap) +
           (third.isEmpty() ? 0 : kGap);
  };
  if (two_lines && !error.isEmpty()) {
    const QRect upper = inner.adjusted(0, 1, 0, -inner.height() / 2),
                lower = inner.adjusted(0, inner.height() / 2, 0, -2);
    if (width(letters, number, {}) <= inner.width())
      painter.drawText(upper, Qt::AlignLeft | Qt::AlignVCenter, letters);
    painter.setFont(small);
    painter.drawText(upper, Qt::AlignRight | Qt::AlignVCenter, number);
    painter.drawText(lower, Qt::AlignRight | Qt::AlignVCenter, error);
    return;
  }
  if (wide) {
    QStringList line{letters, number, error};
    line.removeAll(QString());
    painter.setFont(divergence ? small : font);
    painter.drawText(inner, Qt::AlignCenter, line.join(QStringLiteral("   ")));
    return;
  }
  if (!error.isEmpty() && width(letters, number, error) > inner.width()) {
    if (width({}, number, error) <= inner.width())
      letters.clear();
    else
      error.clear();
  }
  if (!number.isEmpty() && width(letters, number, error) > inner.width()) {
    if (divergence && width({}, number, error) <= inner.width())
      letters.clear();
    else
      number.clear();
  }
  if (number.isEmpty()) {
    painter.drawText(inner, Qt::AlignCenter, metrics.elidedText(letters, Qt::ElideRight, inner.width() + 8));
    return;
  }
  painter.drawText(inner, Qt::AlignLeft | Qt::AlignVCenter, letters);
  painter.setFont(small);
  if (letters.isEmpty() && !error.isEmpty()) {
    painter.drawText(inner, Qt::AlignLeft | Qt::AlignVCenter, number);
    painter.drawText(inner, Qt::AlignRight | Qt::AlignVCenter, error);
    return;
  }
  painter.drawText(inner, Qt::AlignRight | Qt::AlignVCenter,
                   error.isEmpty() ? number : number + QLatin1Char(' ') + error);
}

}  // namespace

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
  const auto* map = static_cast<const MapModel*>(index.model());
  const QRect inner = cell.adjusted(4, 0, -4, 0);
  if (inner.width() != print_width_ || option.font != print_font_) {
    print_width_ = inner.width();
    print_font_ = option.font;
    print_size_ = small_print(option.font, inner.width());
  }
  draw_words(*painter, inner, font, print_size_, index, map->is_global_row(index.row()));
  if (index.data(MapModel::MoreTokensRole).toBool()) {
    painter->setPen(QPen(ink, 1, Qt::DashLine));
    painter->drawLine(cell.bottomLeft() + QPoint(4, -2), cell.bottomRight() + QPoint(-4, -2));
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
