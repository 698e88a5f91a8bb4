#include "views/plots/bar_plot.h"

#include <qcustomplot.h>

#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "views/text/units.h"
#include "views/theme/theme.h"

namespace bitlens::views {

namespace {
constexpr double kBarWidth = 0.75;
constexpr double kDecades = 100;  // from here on the scale is logarithmic
constexpr std::size_t kMostLabels = 16;
}  // namespace

BarPlot::BarPlot(QWidget* parent) : Plot(parent) {
  QCustomPlot& p = plot();
  for (QCPBars** bars : {&solid_, &hatched_}) {
    *bars = new QCPBars(p.xAxis, p.yAxis);
    (*bars)->setWidth(kBarWidth);
  }
  for (const auto& [errors, of] :
       {std::pair(&solid_errors_, solid_), std::pair(&hatched_errors_, hatched_)}) {
    *errors = new QCPErrorBars(p.xAxis, p.yAxis);
    (*errors)->setDataPlottable(of);
    (*errors)->setSymbolGap(0);
  }
  p.xAxis->grid()->setVisible(false);
  connect(&p, &QCustomPlot::mouseMove, this, &BarPlot::hover);
  connect(&p, &QCustomPlot::mousePress, this, [this](QMouseEvent* event) {
    if (const int bar = bar_at(event->position()); bar >= 0 && event->button() == Qt::LeftButton)
      emit bar_clicked(bar);
  });
  apply_palette();
}

void BarPlot::set_empty_text(const QString& text) {
  empty_text_ = text;
  if (bars_.empty()) rebuild();
}

void BarPlot::set_data(const QString& x_title, const QString& y_title, const std::vector<Bar>& bars) {
  x_title_ = x_title;
  y_title_ = y_title;
  bars_ = bars;
  rebuild();
}

void BarPlot::rebuild() {
  QCustomPlot& p = plot();
  p.clearItems();
  double low = INFINITY, high = 0;
  for (const Bar& bar : bars_) {
    if (!std::isfinite(bar.value)) continue;
    high = std::max(high, bar.value + bar.error);
    if (bar.value > 0) low = std::min(low, bar.value);
  }
  const bool any = high > 0;
  for (QCPAxis* axis : {p.xAxis, p.yAxis}) axis->setVisible(any);
  for (QCPBars* bars : {solid_, hatched_}) bars->data()->clear();
  for (QCPErrorBars* errors : {solid_errors_, hatched_errors_}) errors->data()->clear();
  if (!any) {
    auto* text = new QCPItemText(&p);
    text->setText(empty_text_);
    text->setColor(palette().color(QPalette::PlaceholderText));
    text->position->setType(QCPItemPosition::ptAxisRectRatio);
    text->position->setCoords(0.5, 0.5);
    p.replot(QCustomPlot::rpQueuedReplot);
    return;
  }
  const bool logarithmic = std::isfinite(low) && high / low > kDecades;
  const double floor = logarithmic ? low / 2 : 0;
  QVector<double> x[2], y[2], error[2];
  auto ticks = QSharedPointer<QCPAxisTickerText>(new QCPAxisTickerText);
  const std::size_t step = (bars_.size() + kMostLabels - 1) / kMostLabels;
  for (std::size_t i = 0; i < bars_.size(); ++i) {
    const Bar& bar = bars_[i];
    if (i % step == 0) ticks->addTick(static_cast<double>(i), bar.label);
    if (!std::isfinite(bar.value)) continue;
    const int kind = bar.predicted ? 1 : 0;
    x[kind].push_back(static_cast<double>(i));
    y[kind].push_back(std::max(bar.value, floor));
    // On a logarithmic scale an error as large as its value reaches below every axis.
    error[kind].push_back(bar.error);
    if (!bar.marked) continue;
    auto* mark = new QCPItemLine(&p);
    mark->setPen(QPen(accents(palette()).series_two, 3));
    mark->start->setTypeX(QCPItemPosition::ptPlotCoords);
    mark->start->setTypeY(QCPItemPosition::ptAxisRectRatio);
    mark->end->setTypeX(QCPItemPosition::ptPlotCoords);
    mark->end->setTypeY(QCPItemPosition::ptAxisRectRatio);
    mark->start->setCoords(static_cast<double>(i) - kBarWidth / 2, 0.995);
    mark->end->setCoords(static_cast<double>(i) + kBarWidth / 2, 0.995);
  }
  QCPBars* const bars[] = {solid_, hatched_};
  QCPErrorBars* const errors[] = {solid_errors_, hatched_errors_};
  for (int kind = 0; kind < 2; ++kind) {
    bars[kind]->setBaseValue(floor);
    bars[kind]->setData(x[kind], y[kind], true);
    errors[kind]->setData(error[kind]);
  }
  p.xAxis->setTicker(ticks);
  // Names that would run into each other stand on a slope.
  int widest = 0;
  for (const Bar& bar : bars_) widest = std::max(widest, QFontMetrics(font()).horizontalAdvance(bar.label));
  const auto labels = static_cast<int>((bars_.size() + step - 1) / step);
  p.xAxis->setTickLabelRotation((widest + 6) * labels > p.width() - 70 ? 45 : 0);
  p.yAxis->setScaleType(logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
  p.yAxis->setTicker(logarithmic ? QSharedPointer<QCPAxisTicker>(new QCPAxisTickerLog)
                                 : QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
  p.yAxis->setNumberFormat(logarithmic ? QStringLiteral("eb") : QStringLiteral("gb"));
  p.yAxis->setNumberPrecision(logarithmic ? 0 : 3);
  p.xAxis->setRange(-0.6, static_cast<double>(bars_.size()) - 0.4);
  p.yAxis->setRange(floor, logarithmic ? high * 1.6 : high * 1.08);
  retranslate();
}

void BarPlot::recolor() {
  const Accents a = accents(palette());
  QColor fill = a.series;
  fill.setAlpha(170);
  solid_->setPen(QPen(a.series, 1));
  solid_->setBrush(fill);
  hatched_->setPen(QPen(a.series, 1));
  hatched_->setBrush(QBrush(a.series, Qt::BDiagPattern));
  const QPen ink(palette().color(QPalette::Text), 1);
  solid_errors_->setPen(ink);
  hatched_errors_->setPen(ink);
  rebuild();
}

void BarPlot::retranslate() {
  plot().xAxis->setLabel(x_title_);
  plot().yAxis->setLabel(y_title_);
  plot().replot(QCustomPlot::rpQueuedReplot);
}

int BarPlot::bar_at(const QPointF& position) const {
  const double x = plot().xAxis->pixelToCoord(position.x());
  const int bar = static_cast<int>(std::lround(x));
  const bool inside = bar >= 0 && bar < static_cast<int>(bars_.size()) && std::abs(x - bar) <= 0.5;
  return inside && plot().xAxis->visible() ? bar : -1;
}

void BarPlot::hover(QMouseEvent* event) {
  const int at = bar_at(event->position());
  if (at < 0) return;
  const Bar& bar = bars_[static_cast<std::size_t>(at)];
  const QString value = value_text(bar.value, bar.error);
  QToolTip::showText(
      event->globalPosition().toPoint(),
      QStringLiteral("%1: %2").arg(bar.label, bar.predicted ? tr("%1, predicted").arg(value) : value), this);
}

QString BarPlot::csv() const {
  QString out = QStringLiteral("name,value,standard_error,source\n");
  for (const Bar& bar : bars_) {
    QString name = bar.label;
    out += QStringLiteral("\"%1\",%2,%3,%4\n")
               .arg(name.replace(QLatin1Char('"'), QStringLiteral("\"\"")))
               .arg(bar.value, 0, 'g', 9)
               .arg(bar.error, 0, 'g', 9)
               .arg(bar.predicted ? QStringLiteral("predicted") : QString());
  }
  return out;
}

}  // namespace bitlens::views
