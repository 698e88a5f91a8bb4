#include "views/plots/agreement_plot.h"

#include <qcustomplot.h>

#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "views/text/units.h"
#include "views/theme/theme.h"

namespace bitlens::views {

namespace {

/// An axis' range over its values, and whether it can be logarithmic.
struct Span {
  double low = INFINITY, high = -INFINITY, smallest_positive = INFINITY;
  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
    if (value > 0) smallest_positive = std::min(smallest_positive, value);
  }
  [[nodiscard]] bool logarithmic() const { return low > 0; }
};

void set_axis(QCPAxis& axis, const Span& span) {
  const bool logarithmic = span.logarithmic();
  axis.setScaleType(logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
  axis.setTicker(logarithmic ? QSharedPointer<QCPAxisTicker>(new QCPAxisTickerLog)
                             : QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
  const bool decades = logarithmic && span.high / span.low > 10;
  axis.setNumberFormat(decades ? QStringLiteral("eb") : QStringLiteral("gb"));
  axis.setNumberPrecision(decades ? 0 : 3);
  if (logarithmic) {
    axis.setRange(span.low / 1.4, span.high * 1.4);
  } else {
    const double room = std::max((span.high - span.low) * 0.06, 1e-12);
    axis.setRange(span.low - room, span.high + room);
  }
}

}  // namespace

AgreementPlot::AgreementPlot(QWidget* parent) : Plot(parent) {
  QCustomPlot& p = plot();
  equal_ = p.addGraph();
  dots_ = p.addGraph();
  marked_ = p.addGraph();
  x_bars_ = new QCPErrorBars(p.xAxis, p.yAxis);
  y_bars_ = new QCPErrorBars(p.xAxis, p.yAxis);
  x_bars_->setErrorType(QCPErrorBars::etKeyError);
  for (QCPErrorBars* bars : {x_bars_, y_bars_}) {
    bars->setDataPlottable(dots_);
    bars->setWhiskerWidth(0);
    bars->setSymbolGap(0);
  }
  for (QCPGraph* graph : {dots_, marked_}) graph->setLineStyle(QCPGraph::lsNone);
  connect(&p, &QCustomPlot::mousePress, this, [this](QMouseEvent* event) {
    if (const int point = nearest(event->position()); point >= 0) emit point_clicked(point);
  });
  connect(&p, &QCustomPlot::mouseMove, this, [this](QMouseEvent* event) {
    const int point = nearest(event->position());
    if (point < 0) return;
    const AgreementPoint& at = points_[static_cast<std::size_t>(point)];
    QToolTip::showText(
        event->globalPosition().toPoint(),
        QStringLiteral("%1\n%2: %3\n%4: %5")
            .arg(at.label, x_title_, value_text(at.x, at.x_error), y_title_, value_text(at.y, at.y_error)),
        this);
  });
  apply_palette();
}

void AgreementPlot::set_empty_text(const QString& text) {
  empty_text_ = text;
  if (points_.empty()) rebuild();
}

void AgreementPlot::set_data(const QString& x_title, const QString& y_title,
                             std::vector<AgreementPoint> points, bool same_unit) {
  x_title_ = x_title;
  y_title_ = y_title;
  points_ = std::move(points);
  same_unit_ = same_unit;
  rebuild();
}

int AgreementPlot::nearest(const QPointF& position) const {
  int found = -1;
  double best = 10 * 10;  // pixels, squared
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const double dx = plot().xAxis->coordToPixel(points_[i].x) - position.x();
    const double dy = plot().yAxis->coordToPixel(points_[i].y) - position.y();
    if (dx * dx + dy * dy > best) continue;
    best = dx * dx + dy * dy;
    found = static_cast<int>(i);
  }
  return found;
}

void AgreementPlot::rebuild() {
  QCustomPlot& p = plot();
  p.clearItems();
  for (QCPAxis* axis : {p.xAxis, p.yAxis}) axis->setVisible(!points_.empty());
  for (QCPGraph* graph : {equal_, dots_, marked_}) graph->data()->clear();
  for (QCPErrorBars* bars : {x_bars_, y_bars_}) bars->data()->clear();
  if (points_.empty()) {
    auto* text = new QCPItemText(&p);
    text->setText(empty_text_);
    text->setColor(palette().color(QPalette::PlaceholderText));
    text->position->setType(QCPItemPosition::ptAxisRectRatio);
    text->position->setCoords(0.5, 0.5);
    p.replot(QCustomPlot::rpQueuedReplot);
    return;
  }
  // The graph's data are sorted by x: error bars go by the same order.
  std::vector<const AgreementPoint*> order;
  for (const AgreementPoint& point : points_) order.push_back(&point);
  std::ranges::stable_sort(order, {}, [](const AgreementPoint* point) { return point->x; });
  QVector<double> x, y, x_error, y_error, mx, my;
  Span across, up;
  for (const AgreementPoint* point : order) {
    x.push_back(point->x);
    y.push_back(point->y);
    x_error.push_back(point->x_error);
    y_error.push_back(point->y_error);
    across.add(point->x);
    up.add(point->y);
    if (!point->marked) continue;
    mx.push_back(point->x);
    my.push_back(point->y);
  }
  set_axis(*p.xAxis, across);
  set_axis(*p.yAxis, up);
  dots_->setData(x, y, true);
  marked_->setData(mx, my, true);
  x_bars_->setData(x_error);
  y_bars_->setData(y_error);
  if (same_unit_) {
    const double from = std::min(p.xAxis->range().lower, p.yAxis->range().lower),
                 to = std::max(p.xAxis->range().upper, p.yAxis->range().upper);
    equal_->setData({from, to}, {from, to}, true);
  }
  retranslate();
}

void AgreementPlot::recolor() {
  const Accents a = accents(palette());
  QColor dot = a.series;
  dot.setAlpha(180);
  dots_->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDisc, dot, dot, 6));
  marked_->setScatterStyle(
      QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(a.series_two, 2.5), Qt::NoBrush, 13));
  equal_->setPen(QPen(palette().color(QPalette::PlaceholderText), 1, Qt::DashLine));
  QColor line = a.series;
  line.setAlpha(90);
  for (QCPErrorBars* bars : {x_bars_, y_bars_}) bars->setPen(QPen(line, 1));
  rebuild();
}

void AgreementPlot::retranslate() {
  plot().xAxis->setLabel(x_title_);
  plot().yAxis->setLabel(y_title_);
  plot().replot(QCustomPlot::rpQueuedReplot);
}

QString AgreementPlot::csv() const {
  QString out = QStringLiteral("cell,x,x_error,y,y_error\n");
  for (const AgreementPoint& p : points_) {
    QString name = p.label;
    out += QStringLiteral("\"%1\",%2,%3,%4,%5\n")
               .arg(name.replace(QLatin1Char('"'), QStringLiteral("\"\"")))
               .arg(p.x, 0, 'g', 9)
               .arg(p.x_error, 0, 'g', 9)
               .arg(p.y, 0, 'g', 9)
               .arg(p.y_error, 0, 'g', 9);
  }
  return out;
}

}  // namespace bitlens::views
