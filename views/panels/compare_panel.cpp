#include "views/panels/compare_panel.h"

#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QTableView>
#include <QVBoxLayout>

#include "views/document/document.h"
#include "views/models/compare_model.h"
#include "views/panels/table_export.h"
#include "views/plots/scatter_plot.h"
#include "views/text/units.h"

namespace bitlens::views {

ComparePanel::ComparePanel(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      model_(new CompareModel(document, this)),
      sorted_(new QSortFilterProxyModel(this)),
      table_(new QTableView(this)),
      plot_(new ScatterPlot(this)),
      empty_(new QLabel(this)),
      note_(new QLabel(this)),
      loss_(new QComboBox(this)),
      apply_(new QPushButton(this)),
      remove_(new QPushButton(this)),
      other_(new QPushButton(this)) {
  setObjectName(QStringLiteral("comparePanel"));
  table_->setObjectName(QStringLiteral("compareTable"));
  plot_->setObjectName(QStringLiteral("comparePlot"));
  empty_->setObjectName(QStringLiteral("compareEmpty"));
  note_->setObjectName(QStringLiteral("compareNote"));
  loss_->setObjectName(QStringLiteral("compareLoss"));
  apply_->setObjectName(QStringLiteral("compareApply"));
  remove_->setObjectName(QStringLiteral("compareRemove"));
  other_->setObjectName(QStringLiteral("compareOther"));
  empty_->setWordWrap(true);
  empty_->setForegroundRole(QPalette::PlaceholderText);
  note_->setForegroundRole(QPalette::PlaceholderText);
  note_->setTextFormat(Qt::PlainText);
  note_->setWordWrap(true);  // the choice beside it keeps its width
  note_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  sorted_->setSourceModel(model_);
  sorted_->setSortRole(CompareModel::SortRole);
  table_->setModel(sorted_);
  table_->setSortingEnabled(true);
  table_->sortByColumn(-1, Qt::AscendingOrder);  // in the order of measuring
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table_->setAlternatingRowColors(true);
  table_->setShowGrid(false);
  table_->setTabKeyNavigation(false);
  table_->setWordWrap(false);
  table_->verticalHeader()->setVisible(false);
  table_->verticalHeader()->setDefaultSectionSize(table_->fontMetrics().height() + 8);
  table_->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  table_->setHorizontalScrollMode(QAbstractItemView::ScrollPerPixel);
  add_table_menu(*table_);
  for (int i = 0; i < 2; ++i) loss_->addItem(QString());

  auto* left = new QWidget(this);
  auto* left_lines = new QVBoxLayout(left);
  left_lines->setContentsMargins(0, 0, 0, 0);
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(apply_);
  buttons->addWidget(remove_);
  buttons->addWidget(other_);
  buttons->addStretch(1);
  left_lines->addWidget(empty_);
  left_lines->addWidget(table_, 1);
  left_lines->addLayout(buttons);
  auto* right = new QWidget(this);
  auto* right_lines = new QVBoxLayout(right);
  right_lines->setContentsMargins(0, 0, 0, 0);
  auto* top = new QHBoxLayout;
  top->addWidget(note_, 1);
  top->addWidget(loss_);
  right_lines->addLayout(top);
  right_lines->addWidget(plot_, 1);
  auto* split = new QSplitter(this);
  split->setObjectName(QStringLiteral("compareSplit"));
  split->addWidget(left);
  split->addWidget(right);
  split->setStretchFactor(0, 4);
  split->setStretchFactor(1, 3);
  split->setSizes({480, 360});
  split->setChildrenCollapsible(false);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(8, 6, 8, 6);
  all->addWidget(split);

  connect(apply_, &QPushButton::clicked, this, [this] {
    const int row = current_result();
    if (row < 0) return;
    const study::MeasuredResult& result = document_.measurements().results()[static_cast<std::size_t>(row)];
    quantize::Recipe recipe = result.recipe.value_or(quantize::Recipe{});
    document_.replace_recipe(recipe, tr("Apply recipe %1").arg(shown(result.name, 60)));
  });
  connect(remove_, &QPushButton::clicked, this, [this] {
    if (const int row = current_result(); row >= 0)
      document_.measurements().remove(static_cast<std::size_t>(row));
  });
  connect(other_, &QPushButton::clicked, this, &ComparePanel::compare_file_clicked);
  connect(loss_, &QComboBox::currentIndexChanged, this, &ComparePanel::update_plot);
  connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this] {
    update_state();
    update_plot();
  });
  connect(plot_, &ScatterPlot::point_clicked, this, [this](int point) {
    if (static_cast<std::size_t>(point) >= plotted_.size()) return;  // a prediction
    const QModelIndex row = model_->index(plotted_[static_cast<std::size_t>(point)], 0);
    table_->setCurrentIndex(sorted_->mapFromSource(row));
  });
  const auto both = [this] {
    update_state();
    update_plot();
  };
  connect(&document_.measurements(), &Measurements::results_changed, this, both);
  connect(&document_, &Document::state_changed, this, both);
  connect(&document_, &Document::prediction_changed, this, &ComparePanel::update_plot);
  connect(model_, &QAbstractItemModel::dataChanged, this, &ComparePanel::update_plot);
  retranslate();
}

int ComparePanel::current_result() const {
  const QModelIndex index = sorted_->mapToSource(table_->currentIndex());
  return index.isValid() ? index.row() : -1;
}

void ComparePanel::update_state() {
  const bool any = !document_.measurements().results().empty();
  const int row = current_result();
  empty_->setVisible(!any);
  table_->setVisible(any);
  const bool of_other_file =
      row >= 0 && !document_.measurements().results()[static_cast<std::size_t>(row)].recipe &&
      document_.measurements().results()[static_cast<std::size_t>(row)].measurement.comparison;
  apply_->setEnabled(row >= 0 && !of_other_file);
  remove_->setEnabled(row >= 0);
  other_->setEnabled(document_.session() != nullptr);
}

void ComparePanel::update_plot() {
  const auto& results = document_.measurements().results();
  const bool kl = loss_->currentIndex() == 1;
  const int current = current_result();
  plotted_.clear();
  std::vector<ScatterPoint> points;
  if (!results.empty()) {
    // Only rows measured in the same way stand on one plot.
    const study::MeasuredResult& like =
        current >= 0 ? results[static_cast<std::size_t>(current)] : results.back();
    for (std::size_t i = 0; i < results.size(); ++i) {
      const study::MeasuredResult& r = results[i];
      if (!comparable(r, like) || (kl && !r.measurement.comparison)) continue;
      const evaluate::Perplexity& p = r.measurement.perplexity;
      plotted_.push_back(static_cast<int>(i));
      points.push_back({static_cast<double>(r.file_bytes) / 1e6,
                        kl ? r.measurement.comparison->kl_mean : p.ppl,
                        kl ? r.measurement.comparison->kl_se : p.ppl_se, shown(r.name, 40),
                        static_cast<int>(i) == current});
    }
    if (kl) add_predictions(points);
    note_->setText(tr("%1 of %2, %3 × %4")
                       .arg(kl ? tr("KL") : tr("perplexity"), shown(like.provenance.text_name, 60))
                       .arg(like.provenance.context)
                       .arg(like.provenance.windows) +
                   (plotted_.size() < points.size() ? tr("; open marks: predicted") : QString()));
  } else {
    note_->setText(QString());
  }
  plot_->set_data(tr("file size (MB)"), kl ? tr("KL per token (nats)") : tr("perplexity"), points);
}

/// Beside the rows plotted what their recipes were predicted to cost, and the recipe at hand if it was not
/// measured yet.
void ComparePanel::add_predictions(std::vector<ScatterPoint>& points) const {
  const auto add = [&](double megabytes, const study::RecipePrediction& p, const QString& label, bool named) {
    points.push_back({megabytes, p.kl_mean, p.kl_se, label, false, true, named});
  };
  for (std::size_t i = 0; i < plotted_.size(); ++i) {
    const study::RecipePrediction* predicted =
        model_->whole_prediction(static_cast<std::size_t>(plotted_[i]));
    if (predicted) add(points[i].x, *predicted, points[i].label, false);
  }
  const auto& now = document_.prediction();
  if (!now || !now->missing.empty() || now->changed == 0 ||
      document_.measurements().find(document_.effective_recipe()))
    return;
  add(static_cast<double>(now->file_bytes) / 1e6, *now, shown(document_.recipe_name().toStdString(), 40),
      true);
}

void ComparePanel::retranslate() {
  empty_->setText(
      tr("Every recipe you measure becomes a row here, with its size and what it cost. Set precisions on "
         "the map and press F5."));
  plot_->set_empty_text(tr("size against loss"));
  loss_->setItemText(0, tr("Perplexity"));
  loss_->setItemText(1, tr("KL"));
  loss_->setAccessibleName(tr("Loss shown in the plot"));
  apply_->setText(tr("Use this recipe"));
  remove_->setText(tr("Remove row"));
  other_->setText(tr("Compare with another file…"));
  table_->setAccessibleName(tr("Measured recipes"));
  table_->horizontalHeader()->setAccessibleName(tr("Columns of the measured recipes"));
  update_state();
  update_plot();
}

void ComparePanel::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) {
    emit model_->headerDataChanged(Qt::Horizontal, 0, CompareModel::ColumnCount - 1);
    retranslate();
  }
  QWidget::changeEvent(event);
}

}  // namespace bitlens::views
