#include "views/plots/scatter_plot.h"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>

#include "views/theme/theme.h"

namespace bitlens::views {

ScatterPlot::ScatterPlot(QWidget* parent) : Plot(parent) {
  QCustomPlot& p = plot();
  dots_ = p.addGraph();
  predicted_ = p.addGraph();
  marked_ = p.addGraph();
  bars_ = new QCPErrorBars(p.xAxis, p.yAxis);
  bars_->setDataPlottable(dots_);
  predicted_bars_ = new QCPErrorBars(p.xAxis, p.yAxis);
  predicted_bars_->setDataPlottable(predicted_);
  for (QCPGraph* graph : {dots_, predicted_, marked_}) graph->setLineStyle(QCPGraph::lsNone);
  connect(&p, &QCustomPlot::mousePress, this, [this](QMouseEvent* event) {
    int nearest = -1;
    double best = 14 * 14;  // pixels, squared
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const double dx = plot().xAxis->coordToPixel(points_[i].x) - event->pos().x();
      const double dy = plot().yAxis->coordToPixel(points_[i].y) - event->pos().y();
      if (dx * dx + dy * dy > best) continue;
      best = dx * dx + dy * dy;
      nearest = static_cast<int>(i);
    }
    if (nearest >= 0) emit point_clicked(nearest);
  });
  apply_palette();
}

void ScatterPlot::set_empty_text(const QString& text) {
  empty_text_ = text;
  rebuild();
}

void ScatterPlot::set_data(const QString& x_title, const QString& y_title,
                           const std::vector<ScatterPoint>& points) {
  x_title_ = x_title;
  y_title_ = y_title;
  points_ = points;
  rebuild();
}

void ScatterPlot::rebuild() {
  QCustomPlot& p = plot();
  p.clearItems();
  for (QCPAxis* axis : {p.xAxis, p.yAxis}) axis->setVisible(!points_.empty());
  QVector<double> x[2], y[2], error[2], mx, my;  // measured, predicted
  for (const ScatterPoint& point : points_) {
    const int kind = point.predicted ? 1 : 0;
    x[kind].push_back(point.x);
    y[kind].push_back(point.y);
    error[kind].push_back(point.error);
    if (point.marked) {
      mx.push_back(point.x);
      my.push_back(point.y);
    }
  }
  dots_->setData(x[0], y[0], false);
  bars_->setData(error[0]);
  predicted_->setData(x[1], y[1], false);
  predicted_bars_->setData(error[1]);
  marked_->setData(mx, my, false);
  const QColor ink = palette().color(points_.empty() ? QPalette::PlaceholderText : QPalette::Text);
  if (points_.empty()) {
    auto* text = new QCPItemText(&p);
    text->setText(empty_text_);
    text->setColor(ink);
    text->position->setType(QCPItemPosition::ptAxisRectRatio);
    text->position->setCoords(0.5, 0.5);
    p.replot(QCustomPlot::rpQueuedReplot);
    return;
  }
  double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
  for (const ScatterPoint& point : points_) {
    x_low = std::min(x_low, point.x);
    x_high = std::max(x_high, point.x);
    y_low = std::min(y_low, point.y - point.error);
    y_high = std::max(y_high, point.y + point.error);
  }
  for (const ScatterPoint& point : points_) {
    if (!point.named) continue;
    auto* label = new QCPItemText(&p);
    label->setText(point.label);
    label->setFont(font());
    label->setColor(ink);
    // Towards the middle, so that the edge cuts no name off.
    const bool right_half = x_high > x_low && point.x > (x_low + x_high) / 2;
    label->setPositionAlignment((right_half ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignBottom);
    label->setPadding(QMargins(6, 0, 6, 3));
    label->position->setCoords(point.x, point.y);
  }
  const double x_room = std::max((x_high - x_low) * 0.2, x_high * 0.05),
               y_room = std::max((y_high - y_low) * 0.2, 1e-9);
  p.xAxis->setRange(x_low - x_room, x_high + x_room);
  p.yAxis->setRange(y_low - y_room, y_high + y_room);
  retranslate();
}

void ScatterPlot::recolor() {
  const Accents a = accents(palette());
  dots_->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDisc, a.series, a.series, 8));
  predicted_->setScatterStyle(
      QCPScatterStyle(QCPScatterStyle::ssDiamond, QPen(a.series, 1.5), Qt::NoBrush, 9));
  marked_->setScatterStyle(
      QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(a.series_two, 2.5), Qt::NoBrush, 14));
  for (QCPErrorBars* bars : {bars_, predicted_bars_}) bars->setPen(QPen(a.series, 1));
  rebuild();
}

void ScatterPlot::retranslate() {
  plot().xAxis->setLabel(x_title_);
  plot().yAxis->setLabel(y_title_);
  plot().replot(QCustomPlot::rpQueuedReplot);
}

QString ScatterPlot::csv() const {
  QString out = QStringLiteral("name,size_mb,value,standard_error,source\n");
  for (const ScatterPoint& p : points_) {
    QString name = p.label;
    out += QStringLiteral("\"%1\",%2,%3,%4,%5\n")
               .arg(name.replace(QLatin1Char('"'), QStringLiteral("\"\"")))
               .arg(p.x, 0, 'g', 9)
               .arg(p.y, 0, 'g', 9)
               .arg(p.error, 0, 'g', 9)
               .arg(p.predicted ? QStringLiteral("predicted") : QStringLiteral("measured"));
  }
  return out;
}

}  // namespace bitlens::views
