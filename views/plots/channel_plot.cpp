#include "views/plots/channel_plot.h"

#include <qcustomplot.h>

#include <algorithm>

#include "views/theme/theme.h"

namespace bitlens::views {

ChannelPlot::ChannelPlot(QWidget* parent) : Plot(parent) {
  QCustomPlot& p = plot();
  line_ = p.addGraph();
  limit_ = p.addGraph();
  line_->setLineStyle(QCPGraph::lsImpulse);
  p.setInteraction(QCP::iRangeDrag);
  p.setInteraction(QCP::iRangeZoom);
  p.axisRect()->setRangeZoom(Qt::Horizontal);
  p.axisRect()->setRangeDrag(Qt::Horizontal);
  apply_palette();
}

void ChannelPlot::set_data(const QString& channel, const QString& what, const std::vector<float>& values,
                           double threshold, const QString& empty_text) {
  channel_ = channel;
  what_ = what;
  values_ = values;
  threshold_ = threshold;
  empty_text_ = empty_text;
  QCustomPlot& p = plot();
  p.clearItems();
  QVector<double> x(static_cast<qsizetype>(values.size())), y(x.size());
  double highest = threshold > 0 ? threshold * 1.1 : 0;
  for (qsizetype i = 0; i < x.size(); ++i) {
    x[i] = static_cast<double>(i);
    y[i] = static_cast<double>(values[static_cast<std::size_t>(i)]);
    highest = std::max(highest, y[i]);
  }
  line_->setData(x, y, true);
  limit_->setData({0, static_cast<double>(x.size())}, {threshold, threshold}, true);
  limit_->setVisible(threshold > 0 && !values.empty());
  for (QCPAxis* axis : {p.xAxis, p.yAxis}) axis->setVisible(!values.empty());
  p.xAxis->setRange(-0.5, static_cast<double>(std::max<qsizetype>(1, x.size())) - 0.5);
  p.yAxis->setRange(0, highest > 0 ? highest * 1.05 : 1);
  if (values.empty()) {
    auto* text = new QCPItemText(&p);
    text->setText(empty_text_);
    text->setColor(palette().color(QPalette::PlaceholderText));
    text->position->setType(QCPItemPosition::ptAxisRectRatio);
    text->position->setCoords(0.5, 0.5);
  }
  retranslate();
}

void ChannelPlot::recolor() {
  const Accents a = accents(palette());
  line_->setPen(QPen(a.series, 1));
  limit_->setPen(QPen(a.bad, 1, Qt::DashLine));
}

void ChannelPlot::retranslate() {
  plot().xAxis->setLabel(channel_);
  plot().yAxis->setLabel(what_);
  plot().replot(QCustomPlot::rpQueuedReplot);
}

QString ChannelPlot::csv() const {
  QString out = QStringLiteral("channel,abs_max\n");
  for (std::size_t i = 0; i < values_.size(); ++i)
    out += QStringLiteral("%1,%2\n").arg(i).arg(static_cast<double>(values_[i]), 0, 'g', 9);
  return out;
}

}  // namespace bitlens::views
