#include "views/plots/histogram_plot.h"

#include <qcustomplot.h>

#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "views/text/units.h"
#include "views/theme/theme.h"

namespace bitlens::views {

namespace {

constexpr double kOutlierSigmas = 6;

/// Counts as "1.5 M": a long number would take the room of the plot.
class CountTicker : public QCPAxisTicker {
 protected:
  QString getTickLabel(double tick, const QLocale& locale, QChar, int) override {
    static constexpr std::pair<double, const char*> units[] = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
    for (const auto& [size, letter] : units)
      if (std::abs(tick) >= size)
        return locale.toString(tick / size, 'g', 4) + QChar(0x00A0) + QLatin1String(letter);
    return locale.toString(tick, 'g', 4);
  }
};

/// The more levels, the fainter each line: the histogram stays readable behind them.
int grid_alpha(std::size_t levels) {
  return static_cast<int>(
      std::clamp(170.0 * 40.0 / static_cast<double>(std::max<std::size_t>(levels, 1)), 24.0, 170.0));
}

}  // namespace

HistogramPlot::HistogramPlot(QWidget* parent) : Plot(parent) {
  QCustomPlot& p = plot();
  bars_ = p.addGraph();
  outliers_ = p.addGraph();
  grid_ = p.addGraph();
  bars_->setLineStyle(QCPGraph::lsStepCenter);
  outliers_->setLineStyle(QCPGraph::lsStepCenter);
  grid_->setLineStyle(QCPGraph::lsImpulse);
  p.xAxis->setNumberFormat(QStringLiteral("gb"));
  p.xAxis->setNumberPrecision(3);
  p.setInteraction(QCP::iRangeDrag);
  p.setInteraction(QCP::iRangeZoom);
  p.axisRect()->setRangeZoom(Qt::Horizontal);
  p.axisRect()->setRangeDrag(Qt::Horizontal);
  connect(&p, &QCustomPlot::mouseMove, this, &HistogramPlot::hover);
  connect(&p, &QCustomPlot::mouseDoubleClick, this, &HistogramPlot::rebuild);
  apply_palette();
  rebuild();
}

void HistogramPlot::clear() {
  linear_.reset();
  log_.reset();
  levels_.clear();
  rebuild();
}

void HistogramPlot::set_data(const QString& what, const analyze::Histogram& linear,
                             const analyze::Histogram& log_magnitude, double mean, double sigma) {
  what_ = what;
  linear_ = linear;
  log_ = log_magnitude;
  mean_ = mean;
  sigma_ = sigma;
  rebuild();
}

void HistogramPlot::set_grid(const std::vector<double>& levels, const QString& caption) {
  levels_ = levels;
  grid_caption_ = caption;
  rebuild();
}

void HistogramPlot::set_view(View view) {
  view_ = view;
  rebuild();
}

void HistogramPlot::set_empty_text(const QString& text) {
  empty_text_ = text;
  if (!linear_) rebuild();
}

void HistogramPlot::rebuild() {
  QCustomPlot& p = plot();
  p.clearItems();
  const bool magnitude = view_ == View::LogMagnitude;
  const std::optional<analyze::Histogram>& shown_data = magnitude ? log_ : linear_;
  const bool any = shown_data && !shown_data->counts.empty();
  for (QCPAxis* axis : {p.xAxis, p.yAxis}) axis->setVisible(any);
  for (QCPGraph* graph : {bars_, outliers_, grid_}) graph->data()->clear();
  if (!any) {
    auto* text = new QCPItemText(&p);
    text->setText(empty_text_);
    text->setColor(palette().color(QPalette::PlaceholderText));
    text->position->setType(QCPItemPosition::ptAxisRectRatio);
    text->position->setCoords(0.5, 0.5);
    p.replot(QCustomPlot::rpQueuedReplot);
    return;
  }
  const analyze::Histogram& h = *shown_data;
  const bool log_counts = view_ != View::Linear;
  // Zero counts have no place on a logarithmic axis: they stand below the axis' lower end.
  const double floor = log_counts ? 0.5 : 0.0;
  QVector<double> x, y, x_out, y_out;
  double highest = 1;
  int first = -1, last = 0;
  for (std::size_t i = 0; i < h.counts.size(); ++i) {
    const double centre = (h.edge(i) + h.edge(i + 1)) / 2, count = static_cast<double>(h.counts[i]);
    const bool outlier = !magnitude && std::abs(centre - mean_) > kOutlierSigmas * sigma_ && count > 0;
    x.push_back(centre);
    y.push_back(std::max(count, floor));
    x_out.push_back(centre);
    y_out.push_back(outlier ? std::max(count, floor) : floor);
    highest = std::max(highest, count);
    if (count > 0) {
      if (first < 0) first = static_cast<int>(i);
      last = static_cast<int>(i);
    }
  }
  bars_->setData(x, y, true);
  outliers_->setData(x_out, y_out, true);
  p.yAxis->setScaleType(log_counts ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
  if (log_counts) {
    p.yAxis->setTicker(QSharedPointer<QCPAxisTickerLog>(new QCPAxisTickerLog));
    p.yAxis->setNumberFormat(QStringLiteral("eb"));
    p.yAxis->setNumberPrecision(0);
    p.yAxis->setRange(0.5, highest * 2);
  } else {
    p.yAxis->setTicker(QSharedPointer<QCPAxisTicker>(new CountTicker));
    p.yAxis->setNumberFormat(QStringLiteral("gb"));
    p.yAxis->setNumberPrecision(4);
    p.yAxis->setRange(0, highest * 1.08);
  }
  if (magnitude) {
    const auto low = static_cast<std::size_t>(std::max(0, first - 2));
    const std::size_t high = std::min(h.counts.size(), static_cast<std::size_t>(last) + 3);
    p.xAxis->setRange(h.edge(low), h.edge(high));
  } else {
    p.xAxis->setRange(h.low, h.high);
  }
  if (!magnitude && !levels_.empty()) {
    QColor line = accents(palette()).series_two;
    line.setAlpha(grid_alpha(levels_.size()));
    grid_->setPen(QPen(line, 1));
    QVector<double> grid_x(levels_.begin(), levels_.end());
    grid_->setData(grid_x, QVector<double>(grid_x.size(), highest * (log_counts ? 1.9 : 1.05)), true);
    auto* caption = new QCPItemText(&p);
    caption->setText(grid_caption_);
    caption->setColor(accents(palette()).series_two);
    caption->setFont(font());
    caption->setPositionAlignment(Qt::AlignRight | Qt::AlignTop);
    caption->position->setType(QCPItemPosition::ptAxisRectRatio);
    caption->position->setCoords(0.99, 0.02);
  }
  retranslate();
}

void HistogramPlot::retranslate() {
  QCustomPlot& p = plot();
  p.xAxis->setLabel(view_ == View::LogMagnitude ? tr("log10 |%1|").arg(what_) : what_);
  p.yAxis->setLabel(view_ == View::Linear ? tr("count") : tr("count (log)"));
  p.replot(QCustomPlot::rpQueuedReplot);
}

void HistogramPlot::recolor() {
  const Accents a = accents(palette());
  QColor fill = a.series;
  fill.setAlpha(150);
  bars_->setPen(QPen(a.series, 1));
  bars_->setBrush(fill);
  QColor hot = a.bad;
  hot.setAlpha(200);
  outliers_->setPen(Qt::NoPen);
  outliers_->setBrush(hot);
  if (linear_) rebuild();
}

void HistogramPlot::hover(QMouseEvent* event) {
  const std::optional<analyze::Histogram>& h = view_ == View::LogMagnitude ? log_ : linear_;
  if (!h || h->counts.empty() || h->high <= h->low) return;
  const double x = plot().xAxis->pixelToCoord(event->pos().x());
  const double position = (x - h->low) / (h->high - h->low) * static_cast<double>(h->counts.size());
  if (position < 0 || position >= static_cast<double>(h->counts.size())) return;
  const auto bin = static_cast<std::size_t>(position);
  QToolTip::showText(
      event->globalPosition().toPoint(),
      tr("%1 to %2: %3")
          .arg(number_text(h->edge(bin)), number_text(h->edge(bin + 1)), count_text(h->counts[bin])),
      this);
}

QString HistogramPlot::csv() const {
  const std::optional<analyze::Histogram>& h = view_ == View::LogMagnitude ? log_ : linear_;
  QString out = QStringLiteral("low,high,count\n");
  if (!h) return out;
  for (std::size_t i = 0; i < h->counts.size(); ++i)
    out += QStringLiteral("%1,%2,%3\n")
               .arg(h->edge(i), 0, 'g', 9)
               .arg(h->edge(i + 1), 0, 'g', 9)
               .arg(h->counts[i]);
  return out;
}

}  // namespace bitlens::views
