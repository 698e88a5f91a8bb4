#include "views/panels/groups_page.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QTableWidget>
#include <QVBoxLayout>

#include "views/document/document.h"
#include "views/models/map_model.h"
#include "views/panels/table_export.h"
#include "views/text/cell_text.h"
#include "views/text/units.h"

namespace bitlens::views {

using sensitivity::Grouping;

namespace {

constexpr Grouping kGroupings[] = {Grouping::Fused, Grouping::Module, Grouping::Layer, Grouping::All};

const sensitivity::CellRecord* measured_group(const SensitivityPtr& known, Grouping grouping,
                                              const sensitivity::Cell& cell) {
  if (!known) return nullptr;
  for (const SweepPtr& result : known->results) {
    if (result->grouping != grouping) continue;
    for (const sensitivity::CellRecord& record : result->cells)
      if (record.tensor == cell.name && record.format == cell.format &&
          record.method == sensitivity::Method::Measured)
        return &record;
  }
  return nullptr;
}

}  // namespace

GroupsPage::GroupsPage(Document& document, MapModel& map, QWidget* parent)
    : LazyPage(parent),
      document_(document),
      map_(map),
      grouping_(new QComboBox(this)),
      note_(new QLabel(this)),
      measure_(new QPushButton(this)),
      table_(new QTableWidget(this)) {
  setObjectName(QStringLiteral("groupsPage"));
  grouping_->setObjectName(QStringLiteral("groupsGrouping"));
  note_->setObjectName(QStringLiteral("groupsNote"));
  measure_->setObjectName(QStringLiteral("groupsMeasure"));
  table_->setObjectName(QStringLiteral("groupsTable"));
  note_->setForegroundRole(QPalette::PlaceholderText);
  for (std::size_t i = 0; i < std::size(kGroupings); ++i) grouping_->addItem(QString());
  set_up_table(*table_);
  auto* top = new QHBoxLayout;
  top->addWidget(grouping_);
  top->addWidget(measure_);
  top->addWidget(note_, 1);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(0, 4, 0, 0);
  all->addLayout(top);
  all->addWidget(table_, 1);
  connect(grouping_, &QComboBox::currentIndexChanged, this, &LazyPage::fill_soon);
  connect(measure_, &QPushButton::clicked, this, [this] { document_.find_sensitivity(grouping()); });
  connect(table_, &QTableWidget::itemSelectionChanged, this, [this] {
    const auto row = static_cast<std::size_t>(table_->currentRow());
    if (table_->currentRow() >= 0 && row < tensors_.size() && table_->hasFocus())
      document_.selection().set(tensors_[row], std::nullopt);
  });
  connect(&map_, &MapModel::metric_changed, this, &LazyPage::fill_soon);
  connect(&document_.sensitivity(), &Sensitivity::cells_changed, this, &LazyPage::fill_soon);
  connect(&document_.sensitivity(), &Sensitivity::state_changed, this, &GroupsPage::update_button);
  connect(&document_, &Document::state_changed, this, &LazyPage::fill_soon);
  retranslate();
}

Grouping GroupsPage::grouping() const {
  return kGroupings[static_cast<std::size_t>(std::max(0, grouping_->currentIndex()))];
}

void GroupsPage::update_button() {
  measure_->setEnabled(document_.session() && !document_.sensitivity().busy());
}

void GroupsPage::fill() {
  update_button();
  const kernels::Format format = map_.metric_format();
  note_->setText(tr("at %1, the map's format").arg(shown(kernels::info(format).name)));
  const QStringList heads{tr("Group"),
                          tr("Tensors"),
                          tr("Predicted together"),
                          tr("Sum of single KL"),
                          tr("Measured together"),
                          tr("Measured / sum")};
  table_->setColumnCount(static_cast<int>(heads.size()));
  table_->setHorizontalHeaderLabels(heads);
  table_->setRowCount(0);
  tensors_.clear();
  if (!document_.session()) return;
  const auto plan = sensitivity::plan_cells(document_.model(), "*", {format},
                                            document_.measurements().quantizer(), grouping());
  if (!plan) return;
  const SensitivityPtr& known = document_.sensitivity().known();
  const QString none = QStringLiteral("—");
  for (const sensitivity::Cell& cell : plan->cells) {
    QStringList texts{cell.name == "*" ? tr("all matrices") : shown(cell.name, 60),
                      count_text(cell.tensors.size()),
                      none,
                      none,
                      none,
                      none};
    QString tip;
    double sum = sensitivity::kUnknown;
    if (known) {
      if (const auto predicted = known->predictor.predict(cell.tensors, format);
          predicted && predicted->missing.empty()) {
        if (predicted->joint) texts[2] = value_text(predicted->kl_mean, predicted->kl_se);
        sum = predicted->sum_of_single_kl;
        texts[3] = number_text(sum);
      }
    }
    if (const auto* record = measured_group(known, grouping(), cell)) {
      texts[4] = value_text(record->kl_mean, record->kl_se);
      if (sum > 0) texts[5] = number_text(record->kl_mean / sum, 3);
      tip = source_text(*record);
    }
    const int row = table_->rowCount();
    table_->insertRow(row);
    for (int c = 0; c < static_cast<int>(texts.size()); ++c) {
      auto* item = new QTableWidgetItem(texts[c]);
      item->setTextAlignment((c == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
      item->setToolTip(c == 4 ? tip : QString());
      table_->setItem(row, c, item);
    }
    tensors_.push_back(cell.tensors);
  }
}

void GroupsPage::retranslate() {
  grouping_->setItemText(0, tr("Fused q/k/v and gate/up"));
  grouping_->setItemText(1, tr("A kind of module in all layers"));
  grouping_->setItemText(2, tr("A layer"));
  grouping_->setItemText(3, tr("All matrices"));
  grouping_->setAccessibleName(tr("What is changed together"));
  measure_->setText(tr("Measure groups"));
  measure_->setToolTip(tr("Measures every group in the chosen formats, on all windows"));
  table_->setAccessibleName(tr("Losses of groups"));
  table_->horizontalHeader()->setAccessibleName(tr("Columns of the groups"));
}

}  // namespace bitlens::views
