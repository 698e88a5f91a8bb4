#include "views/panels/map_legend.h"

#include <QEvent>
#include <QLinearGradient>
#include <QPainter>

#include "views/models/map_model.h"
#include "views/theme/color_map.h"

namespace bitlens::views {

MapLegend::MapLegend(const MapModel& model, QWidget* parent) : QWidget(parent), model_(model) {
  setObjectName(QStringLiteral("mapLegend"));
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  connect(&model_, &MapModel::scale_changed, this, &MapLegend::retranslate);
  connect(&model_, &QAbstractItemModel::dataChanged, this, qOverload<>(&QWidget::update));
  retranslate();
}

QSize MapLegend::sizeHint() const {
  return {320, fontMetrics().height() + 8};
}

void MapLegend::retranslate() {
  setToolTip(metric_formula(model_.metric()));
  setAccessibleName(
      tr("Colour scale: %1, %2").arg(metric_title(model_.metric()), metric_unit(model_.metric())));
  update();
}

void MapLegend::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QWidget::changeEvent(event);
}

void MapLegend::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setPen(palette().color(QPalette::WindowText));
  const MetricScale& scale = model_.scale();
  const QString unit = metric_unit(model_.metric());
  if (!scale.valid()) {
    painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter, tr("no values yet"));
    return;
  }
  const QString low = metric_text(model_.metric(), scale.low()),
                high = metric_text(model_.metric(), scale.high());
  const int gap = 8, bar_width = 160;
  int x = 0;
  const auto text = [&](const QString& t) {
    const int width = fontMetrics().horizontalAdvance(t);
    painter.drawText(QRect(x, 0, width + 1, height()), Qt::AlignVCenter, t);
    x += width + gap;
  };
  text(low);
  const QRect bar(x, 4, bar_width, height() - 8);
  QLinearGradient gradient(bar.topLeft(), bar.topRight());
  for (int i = 0; i <= 16; ++i) gradient.setColorAt(i / 16.0, ColorMap::cividis().at(i / 16.0));
  painter.fillRect(bar, gradient);
  painter.setPen(palette().color(QPalette::Mid));
  painter.drawRect(bar.adjusted(0, 0, -1, -1));
  painter.setPen(palette().color(QPalette::WindowText));
  x += bar_width + gap;
  text(high);
  painter.setPen(palette().color(QPalette::PlaceholderText));
  text(scale.logarithmic() ? tr("%1, logarithmic").arg(unit) : unit);
  if (metric_in_nats(model_.metric())) text(tr("≈ predicted · underlined: more tokens needed"));
}

}  // namespace bitlens::views
