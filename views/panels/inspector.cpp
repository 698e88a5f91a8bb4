#include "views/panels/inspector.h"

#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QTabBar>
#include <QTabWidget>
#include <QVBoxLayout>

#include "views/bridge/errors.h"
#include "views/document/document.h"
#include "views/panels/statistics_table.h"
#include "views/panels/table_export.h"
#include "views/panels/why_page.h"
#include "views/plots/channel_plot.h"
#include "views/plots/histogram_plot.h"
#include "views/text/units.h"

namespace bitlens::views {

namespace {

QWidget* side_by_side(QWidget* plot, QWidget* numbers) {
  auto* page = new QWidget;
  auto* line = new QHBoxLayout(page);
  line->setContentsMargins(4, 4, 4, 4);
  line->addWidget(plot, 1);
  line->addWidget(numbers);
  return page;
}

constexpr double kInt8Threshold = 6.0;

}  // namespace

Inspector::Inspector(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      heading_(new QLabel(this)),
      tabs_(new QTabWidget(this)),
      view_(new QComboBox(this)),
      grid_(new QComboBox(this)),
      channel_(new QComboBox(this)),
      weights_(new HistogramPlot(this)),
      inputs_(new HistogramPlot(this)),
      channels_(new ChannelPlot(this)),
      weight_numbers_(make_numbers_table("weightNumbers", this)),
      input_numbers_(make_numbers_table("inputNumbers", this)),
      errors_(new QTableWidget(this)),
      why_(new WhyPage(document, this)) {
  setObjectName(QStringLiteral("inspector"));
  heading_->setObjectName(QStringLiteral("inspectorHeading"));
  heading_->setTextFormat(Qt::PlainText);
  tabs_->setObjectName(QStringLiteral("inspectorTabs"));
  view_->setObjectName(QStringLiteral("histogramView"));
  grid_->setObjectName(QStringLiteral("gridFormat"));
  channel_->setObjectName(QStringLiteral("channelKind"));
  weights_->setObjectName(QStringLiteral("weightHistogram"));
  inputs_->setObjectName(QStringLiteral("inputHistogram"));
  channels_->setObjectName(QStringLiteral("channelPlot"));
  errors_->setObjectName(QStringLiteral("errorTable"));
  errors_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  errors_->setSelectionBehavior(QAbstractItemView::SelectRows);
  errors_->setAlternatingRowColors(true);
  errors_->setTabKeyNavigation(false);
  errors_->verticalHeader()->setDefaultSectionSize(errors_->fontMetrics().height() + 6);
  add_table_menu(*errors_);
  grid_->addItem(QString(), -1);  // follow the recipe
  for (const kernels::Format f : choosable_formats())
    grid_->addItem(shown(kernels::info(f).name), static_cast<int>(f));
  for (int i = 0; i < 3; ++i) view_->addItem(QString());
  for (int i = 0; i < 3; ++i) channel_->addItem(QString());

  tabs_->addTab(side_by_side(weights_, weight_numbers_), QString());
  tabs_->addTab(side_by_side(inputs_, input_numbers_), QString());
  tabs_->addTab(channels_, QString());
  tabs_->addTab(errors_, QString());
  tabs_->addTab(why_, QString());
  tabs_->setDocumentMode(true);
  auto* top = new QHBoxLayout;
  top->addWidget(heading_, 1);
  top->addWidget(channel_);
  top->addWidget(view_);
  top->addWidget(grid_);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(8, 4, 8, 4);
  all->addLayout(top);
  all->addWidget(tabs_, 1);

  connect(&document_.selection(), &Selection::changed, this, &Inspector::refresh);
  connect(&document_, &Document::state_changed, this, &Inspector::refresh);
  connect(&document_, &Document::resolved_changed, this, &Inspector::refresh);
  const auto if_current = [this](int changed) {
    if (tensor() == static_cast<std::size_t>(changed)) refresh();
  };
  connect(&document_.analysis(), &Analysis::weights_known, this, if_current);
  connect(&document_.analysis(), &Analysis::rounding_known, this, if_current);
  connect(&document_.analysis(), &Analysis::grid_known, this, if_current);
  connect(&document_.analysis(), &Analysis::inputs_known, this, &Inspector::refresh);
  connect(grid_, &QComboBox::currentIndexChanged, this, &Inspector::refresh);
  connect(channel_, &QComboBox::currentIndexChanged, this, &Inspector::refresh);
  connect(tabs_, &QTabWidget::currentChanged, this, &Inspector::refresh);
  connect(view_, &QComboBox::currentIndexChanged, this, [this](int index) {
    weights_->set_view(static_cast<HistogramPlot::View>(index));
    inputs_->set_view(static_cast<HistogramPlot::View>(index));
  });
  retranslate();
}

std::optional<std::size_t> Inspector::tensor() const {
  return document_.session() ? document_.selection().current() : std::nullopt;
}

kernels::Format Inspector::grid_format() const {
  const int chosen = grid_->currentData().toInt();
  return chosen >= 0 ? static_cast<kernels::Format>(chosen) : document_.format_of(*tensor());
}

void Inspector::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  refresh();
}

void Inspector::refresh() {
  show_heading();
  const int tab = tabs_->currentIndex();
  view_->setVisible(tab <= 1);
  grid_->setVisible(tab == 0);
  channel_->setVisible(tab == 2);
  if (!isVisible()) return;
  want();
  switch (tab) {
    case 0:
      return show_weights();
    case 1:
      return show_inputs();
    case 2:
      return show_channels();
    case 4:
      return why_->show_tensor(tensor());
    default:
      return show_errors();
  }
}

/// Asks for what the visible page needs and does not have.
void Inspector::want() {
  const auto t = tensor();
  if (!t) return;
  Analysis& analysis = document_.analysis();
  if (!analysis.weights(*t) && !analysis.weights_error(*t)) analysis.want_weights(*t);
  if (tabs_->currentIndex() == 0 && kernels::info(grid_format()).encodes)
    analysis.want_grid(*t, grid_format());
  if (tabs_->currentIndex() == 3)
    analysis.want_rounding(*t, choosable_formats(), document_.measurements().quantizer());
}

void Inspector::show_heading() {
  const auto t = tensor();
  if (!t) {
    heading_->setText(document_.session() ? tr("Select a cell of the map to look inside.")
                                          : tr("No model is open."));
    return;
  }
  const io::TensorInfo& info = document_.session()->file().tensors()[*t];
  QString text =
      tr("%1   %2   %3")
          .arg(shown(info.name), shape_text(info.shape), shown(kernels::info(document_.format_of(*t)).name));
  const std::size_t count = document_.selection().tensors().size();
  if (count > 1) text += QStringLiteral("   ") + tr("(%n selected)", nullptr, static_cast<int>(count));
  heading_->setText(text);
}

void Inspector::show_weights() {
  const auto t = tensor();
  const analyze::WeightStatistics* weights = t ? document_.analysis().weights(*t) : nullptr;
  if (!weights) {
    weights_->clear();
    const Error* error = t ? document_.analysis().weights_error(*t) : nullptr;
    weights_->set_empty_text(error ? error_text(*error)
                             : t   ? tr("being worked out…")
                                   : tr("The weights of the selected tensor appear here."));
    weight_numbers_->setRowCount(0);
    return;
  }
  weights_->set_data(tr("weight"), weights->histogram, weights->log_histogram, weights->all.mean,
                     weights->all.sigma);
  show_statistics(*weight_numbers_, weights->all, -1);
  const QuantizationGrid* grid = document_.analysis().grid(*t, grid_format());
  const QString name = shown(kernels::info(grid_format()).name);
  if (!grid || grid->levels.empty())
    weights_->set_grid({}, {});
  else
    weights_->set_grid(grid->levels, tr("%1: the %n value(s) of a typical block (largest |w| %2)", nullptr,
                                        static_cast<int>(grid->count))
                                         .arg(name, number_text(grid->block_abs_max, 3)));
}

void Inspector::show_inputs() {
  const auto t = tensor();
  const analyze::ActivationStatistics* inputs = t ? document_.analysis().inputs(*t) : nullptr;
  if (!inputs) {
    inputs_->clear();
    inputs_->set_empty_text(document_.analysis().calibrated()
                                ? tr("This tensor is no linear layer: it has no input of its own.")
                                : tr("Calibrate to see the inputs of this layer (Measure menu)."));
    input_numbers_->setRowCount(0);
    return;
  }
  inputs_->set_data(tr("input value over %1").arg(document_.analysis().calibration_text()), inputs->histogram,
                    inputs->log_histogram, inputs->all.mean, inputs->all.sigma);
  show_statistics(*input_numbers_, inputs->all, inputs->outliers_llm_int8);
}

void Inspector::show_channels() {
  const auto t = tensor();
  const analyze::WeightStatistics* weights = t ? document_.analysis().weights(*t) : nullptr;
  const analyze::ActivationStatistics* inputs = t ? document_.analysis().inputs(*t) : nullptr;
  const int kind = channel_->currentIndex();
  const std::vector<float> none;
  if (kind == 2)
    channels_->set_data(tr("input channel"), tr("largest |input|"),
                        inputs ? inputs->channels.input_abs_max : none, kInt8Threshold,
                        document_.analysis().calibrated()
                            ? tr("This tensor is no linear layer.")
                            : tr("Calibrate to see the inputs of this layer (Measure menu)."));
  else
    channels_->set_data(kind == 0 ? tr("input channel (column)") : tr("output channel (row)"),
                        tr("largest |weight|"),
                        !weights    ? none
                        : kind == 0 ? weights->channels.input_abs_max
                                    : weights->channels.output_abs_max,
                        0, t ? tr("being worked out…") : tr("Select a cell of the map to look inside."));
}

void Inspector::show_errors() {
  const auto t = tensor();
  const std::vector<kernels::Format> formats = choosable_formats();
  const QStringList heads{tr("Format"),    tr("bpw"),    tr("MSE"),           tr("Relative RMSE"),
                          tr("SQNR (dB)"), tr("Cosine"), tr("Largest error"), tr("Input-weighted RMSE")};
  const QStringList formulas{
      QString(),
      tr("bits per weight, block scales included"),
      tr("mean (w − w′)²"),
      tr("√MSE / √(mean w²)"),
      tr("10 log₁₀(mean w² / MSE)"),
      tr("w · w′ / (|w| |w′|)"),
      tr("max |w − w′|"),
      tr("√(Σ e (w − w′)² / Σ e w²), e = mean squared input of the channel; needs a calibration")};
  errors_->setColumnCount(static_cast<int>(heads.size()));
  errors_->setHorizontalHeaderLabels(heads);
  for (int c = 0; c < static_cast<int>(heads.size()); ++c)
    errors_->horizontalHeaderItem(c)->setToolTip(formulas[c]);
  errors_->verticalHeader()->setVisible(false);
  errors_->setRowCount(t ? static_cast<int>(formats.size()) : 0);
  for (int r = 0; t && r < errors_->rowCount(); ++r) {
    const kernels::Format f = formats[static_cast<std::size_t>(r)];
    const io::TensorInfo& info = document_.session()->file().tensors()[*t];
    const auto refusal = refusal_of(document_.model(), *t, f);
    const auto* e = document_.analysis().rounding(*t, f, document_.measurements().quantizer());
    QStringList cells{shown(kernels::info(f).name), bpw_text(kernels::info(f).bits_per_weight())};
    if (e)
      cells << number_text(e->mse) << share_text(e->relative_rmse) << number_text(e->sqnr_db)
            << number_text(e->cosine, 7) << number_text(e->max_abs)
            << (document_.analysis().inputs(*t) ? share_text(e->energy_weighted_rmse) : QStringLiteral("—"));
    else
      cells << (refusal ? refusal_text(*refusal, info) : tr("being worked out…"));
    for (int c = 0; c < errors_->columnCount(); ++c) {
      auto* item = new QTableWidgetItem(c < cells.size() ? cells[c] : QString());
      item->setToolTip(formulas[c]);
      item->setTextAlignment((c == 0 || !e ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
      if (f == document_.format_of(*t)) {
        QFont bold = errors_->font();
        bold.setBold(true);
        item->setFont(bold);
      }
      errors_->setItem(r, c, item);
    }
  }
  errors_->resizeColumnsToContents();
}

void Inspector::retranslate() {
  tabs_->setTabText(0, tr("Weights"));
  tabs_->setTabText(1, tr("Inputs"));
  tabs_->setTabText(2, tr("Channels"));
  tabs_->setTabText(3, tr("Rounding error"));
  tabs_->setTabText(4, tr("Why"));
  tabs_->setAccessibleName(tr("Inspector pages"));
  tabs_->tabBar()->setAccessibleName(tr("Inspector pages"));
  view_->setItemText(0, tr("Linear"));
  view_->setItemText(1, tr("Logarithmic counts"));
  view_->setItemText(2, tr("Magnitudes"));
  grid_->setItemText(0, tr("Grid of the recipe"));
  channel_->setItemText(0, tr("Weights by input channel"));
  channel_->setItemText(1, tr("Weights by output channel"));
  channel_->setItemText(2, tr("Inputs by channel"));
  view_->setAccessibleName(tr("Scale of the histogram"));
  grid_->setAccessibleName(tr("Format whose grid is drawn"));
  grid_->setToolTip(tr("The values this format could store in a typical block are drawn over the histogram"));
  channel_->setAccessibleName(tr("What the channels show"));
  weight_numbers_->setAccessibleName(tr("Statistics of the weights"));
  input_numbers_->setAccessibleName(tr("Statistics of the inputs"));
  errors_->setAccessibleName(tr("Rounding error of every format"));
  why_->retranslate();
  refresh();
}

void Inspector::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QWidget::changeEvent(event);
}

}  // namespace bitlens::views
