#include "views/panels/map_panel.h"

#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>
#include <algorithm>

#include "views/document/document.h"
#include "views/models/map_model.h"
#include "views/panels/map_legend.h"
#include "views/panels/map_view.h"
#include "views/text/units.h"

namespace bitlens::views {

MapPanel::MapPanel(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      model_(new MapModel(document, this)),
      view_(new MapView(document, *model_, this)),
      legend_(new MapLegend(*model_, this)),
      title_(new QLabel(this)),
      metric_label_(new QLabel(this)),
      hint_(new QLabel(this)),
      metric_(new QComboBox(this)),
      format_(new QComboBox(this)),
      act_(new QPushButton(this)) {
  setObjectName(QStringLiteral("mapPanel"));
  metric_->setObjectName(QStringLiteral("metricCombo"));
  format_->setObjectName(QStringLiteral("metricFormatCombo"));
  act_->setObjectName(QStringLiteral("metricButton"));
  hint_->setObjectName(QStringLiteral("metricHint"));
  hint_->setTextFormat(Qt::PlainText);
  QFont bold = title_->font();
  bold.setBold(true);
  title_->setFont(bold);
  metric_label_->setBuddy(metric_);
  for (const Metric metric : kMetrics) metric_->addItem(QString(), metric_key(metric));
  for (const kernels::Format f : choosable_formats())
    format_->addItem(shown(kernels::info(f).name), static_cast<int>(f));
  format_->setCurrentText(QStringLiteral("Q4_0"));

  auto* top = new QHBoxLayout;
  top->addWidget(title_);
  top->addStretch(1);
  top->addWidget(metric_label_);
  top->addWidget(metric_);
  top->addWidget(format_);
  auto* bottom = new QHBoxLayout;
  bottom->addWidget(legend_, 1);
  bottom->addWidget(hint_);
  bottom->addWidget(act_);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(8, 8, 8, 6);
  all->addLayout(top);
  all->addWidget(view_, 1);
  all->addLayout(bottom);

  connect(metric_, &QComboBox::currentIndexChanged, this, &MapPanel::metric_chosen);
  connect(format_, &QComboBox::currentIndexChanged, this, &MapPanel::metric_chosen);
  connect(act_, &QPushButton::clicked, this, [this] {
    if (metric_needs_calibration(model_->metric()) && !document_.analysis().calibrated())
      document_.calibrate();
    else if (metric_method(model_->metric()))
      document_.find_sensitivity();
    else
      document_.analysis().go_on();
  });
  connect(model_, &MapModel::scale_changed, this, &MapPanel::update_hint);
  connect(&document_.analysis(), &Analysis::running_changed, this, &MapPanel::update_hint);
  connect(&document_.analysis(), &Analysis::inputs_known, this, [this] {
    metric_chosen();  // rounding errors were forgotten: ask again if they are shown
  });
  connect(&document_.sensitivity(), &Sensitivity::cells_changed, this, &MapPanel::update_hint);
  connect(&document_.sensitivity(), &Sensitivity::state_changed, this, &MapPanel::follow_run);
  connect(&document_.measurements(), &Measurements::options_changed, this, &MapPanel::metric_chosen);
  connect(&document_, &Document::state_changed, this, &MapPanel::metric_chosen);
  retranslate();
  metric_chosen();
}

void MapPanel::set_metric(Metric metric) {
  metric_->setCurrentIndex(metric_->findData(metric_key(metric)));
}

void MapPanel::set_format(kernels::Format format) {
  format_->setCurrentIndex(format_->findData(static_cast<int>(format)));
}

void MapPanel::metric_chosen() {
  const Metric metric = kMetrics[static_cast<std::size_t>(std::max(0, metric_->currentIndex()))];
  const auto format = static_cast<kernels::Format>(format_->currentData().toUInt());
  format_->setVisible(metric_of_format(metric));
  model_->set_metric(metric, format);
  if (metric == Metric::RoundingError && document_.session())
    document_.analysis().want_all_rounding(format, document_.measurements().quantizer());
  update_hint();
}

/// When a run begins the map shows what it is about.
void MapPanel::follow_run() {
  const Sensitivity& sensitivity = document_.sensitivity();
  const auto& formats = sensitivity.plan().formats;
  if (sensitivity.state() == Sensitivity::State::Running && !metric_method(model_->metric()) &&
      !formats.empty() && !sensitivity.known()) {
    if (std::ranges::find(formats, model_->metric_format()) == formats.end()) set_format(formats.back());
    set_metric(Metric::Sensitivity);
  }
  update_hint();
}

void MapPanel::update_hint() {
  QString text, action;
  if (document_.session()) {
    const Analysis& analysis = document_.analysis();
    if (metric_needs_calibration(model_->metric())) {
      if (!analysis.calibrated()) {
        text = tr("Needs the layers' inputs over a calibration text.");
        action = tr("Calibrate");
      } else {
        text = tr("over %1").arg(analysis.calibration_text());
      }
    } else if (metric_method(model_->metric())) {
      const Sensitivity& sensitivity = document_.sensitivity();
      const bool any = model_->scale().valid();
      if (!any && sensitivity.busy())
        text = tr("being worked out…");
      else if (!any)
        text = sensitivity.known() ? tr("Nothing is known at this format.") : tr("Needs a sensitivity run.");
      if (!any && !sensitivity.busy()) action = tr("Find sensitivity");
    } else if (analysis.incomplete() && !analysis.running() && model_->unknown_cells() > 0) {
      text = tr("Some cells are not worked out.");
      action = tr("Go on");
    }
  }
  hint_->setText(text);
  hint_->setVisible(!text.isEmpty());
  act_->setText(action);
  act_->setVisible(!action.isEmpty());
}

void MapPanel::retranslate() {
  title_->setText(tr("Map: layers × modules"));
  metric_label_->setText(tr("&Metric"));
  for (int i = 0; i < metric_->count(); ++i) {
    metric_->setItemText(i, metric_title(kMetrics[i]));
    metric_->setItemData(i, metric_formula(kMetrics[i]), Qt::ToolTipRole);
  }
  metric_->setAccessibleName(tr("Metric of the map"));
  format_->setAccessibleName(tr("Format the metric is about"));
  view_->setAccessibleName(tr("Map of layers and modules"));
  view_->horizontalHeader()->setAccessibleName(tr("Modules"));
  view_->verticalHeader()->setAccessibleName(tr("Layers"));
  update_hint();
}

void MapPanel::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QWidget::changeEvent(event);
}

}  // namespace bitlens::views
