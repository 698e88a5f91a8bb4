#include "views/panels/agreement_page.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLocale>
#include <QTableWidget>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "views/document/document.h"
#include "views/models/map_model.h"
#include "views/panels/table_export.h"
#include "views/plots/agreement_plot.h"
#include "views/text/units.h"

namespace bitlens::views {

namespace {
/// Precision and bytes are choices, not findings.
bool compared(Metric metric) {
  return metric != Metric::Precision && metric != Metric::Bytes;
}
constexpr std::size_t kEnoughMeasured = 3;

QString correlation_text(double value) {
  return std::isnan(value) ? QStringLiteral("—") : QLocale().toString(value, 'f', 3);
}
}  // namespace

AgreementPage::AgreementPage(Document& document, MapModel& map, QWidget* parent)
    : LazyPage(parent),
      document_(document),
      map_(map),
      x_(new QComboBox(this)),
      y_(new QComboBox(this)),
      format_(new QComboBox(this)),
      table_(new QTableWidget(this)),
      plot_(new AgreementPlot(this)),
      spearman_(new QLabel(this)) {
  setObjectName(QStringLiteral("agreementPage"));
  x_->setObjectName(QStringLiteral("agreementX"));
  y_->setObjectName(QStringLiteral("agreementY"));
  format_->setObjectName(QStringLiteral("agreementFormat"));
  table_->setObjectName(QStringLiteral("agreementTable"));
  plot_->setObjectName(QStringLiteral("agreementPlot"));
  spearman_->setObjectName(QStringLiteral("agreementSpearman"));
  for (const Metric metric : kMetrics) {
    if (!compared(metric)) continue;
    for (QComboBox* box : {x_, y_}) box->addItem(QString(), static_cast<int>(metric));
  }
  for (QComboBox* box : {x_, y_, format_}) {
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    box->setMinimumContentsLength(9);
  }
  x_->setCurrentIndex(x_->findData(static_cast<int>(Metric::RoundingError)));
  y_->setCurrentIndex(y_->findData(static_cast<int>(Metric::Predicted)));
  table_->setColumnCount(3);
  set_up_table(*table_);
  table_->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);

  auto* left = new QVBoxLayout;
  left->addWidget(table_, 1);
  auto* top = new QHBoxLayout;
  top->addWidget(x_, 1);
  top->addWidget(y_, 1);
  top->addWidget(format_, 1);
  auto* right = new QVBoxLayout;
  right->addLayout(top);
  right->addWidget(plot_, 1);
  right->addWidget(spearman_);
  auto* all = new QHBoxLayout(this);
  all->setContentsMargins(0, 4, 0, 0);
  all->addLayout(left, 2);
  all->addLayout(right, 3);

  connect(x_, &QComboBox::currentIndexChanged, this, &LazyPage::fill_soon);
  connect(format_, &QComboBox::currentIndexChanged, this, &LazyPage::fill_soon);
  connect(y_, &QComboBox::currentIndexChanged, this, &LazyPage::fill_soon);
  connect(y_, &QComboBox::activated, this, [this] { chosen_ = true; });
  connect(table_, &QTableWidget::currentCellChanged, this, [this](int row) {
    if (row < 0 || filling_) return;
    x_->setCurrentIndex(x_->findData(table_->item(row, 0)->data(Qt::UserRole)));
  });
  connect(plot_, &AgreementPlot::point_clicked, this, [this](int point) {
    document_.selection().set({pairs_[static_cast<std::size_t>(point)].tensor}, std::nullopt);
  });
  connect(&map_, &MapModel::metric_changed, this, &LazyPage::fill_soon);
  connect(&document_.sensitivity(), &Sensitivity::cells_changed, this, &LazyPage::fill_soon);
  connect(&document_.analysis(), &Analysis::rounding_known, this, &LazyPage::fill_soon);
  connect(&document_.analysis(), &Analysis::inputs_known, this, &LazyPage::fill_soon);
  connect(&document_.selection(), &Selection::changed, this, &LazyPage::fill_soon);
  connect(&document_, &Document::state_changed, this, [this] {
    chosen_ = false;
    fill_soon();
  });
  retranslate();
}

std::vector<kernels::Format> AgreementPage::formats() const {
  const int chosen = format_->currentData().toInt();
  if (chosen >= 0 && format_->currentIndex() > 1) return {static_cast<kernels::Format>(chosen)};
  if (format_->currentIndex() == 1 && document_.sensitivity().known())
    return document_.sensitivity().known()->cells.formats();
  return {map_.metric_format()};
}

void AgreementPage::fill_formats() {
  const QVariant before = format_->currentData();
  format_->clear();
  format_->addItem(tr("the map's format"), -2);
  format_->addItem(tr("all formats"), -1);
  if (const SensitivityPtr& known = document_.sensitivity().known())
    for (const kernels::Format f : known->cells.formats())
      format_->addItem(shown(kernels::info(f).name), static_cast<int>(f));
  format_->setCurrentIndex(std::max(0, format_->findData(before)));
}

void AgreementPage::fill() {
  filling_ = true;
  const QSignalBlocker quiet_format(format_), quiet_y(y_);
  fill_formats();
  // The truth as soon as there is some of it.
  if (!chosen_) {
    const auto measured = metric_pairs(document_, Metric::Measured, Metric::Measured, formats());
    y_->setCurrentIndex(y_->findData(
        static_cast<int>(measured.size() >= kEnoughMeasured ? Metric::Measured : Metric::Predicted)));
  }
  fill_table(formats());
  fill_plot(formats());
  filling_ = false;
}

void AgreementPage::fill_table(const std::vector<kernels::Format>& formats) {
  const auto reference = static_cast<Metric>(y_->currentData().toInt());
  table_->setHorizontalHeaderLabels({tr("Metric"), tr("Spearman"), tr("Cells")});
  table_->setRowCount(0);
  for (const Metric metric : kMetrics) {
    if (!compared(metric) || metric == reference || metric == Metric::Sensitivity) continue;
    const auto pairs = metric_pairs(document_, metric, reference, formats);
    const double agreement = rank_agreement(pairs);
    const int row = table_->rowCount();
    table_->insertRow(row);
    const QString texts[] = {metric_title(metric), correlation_text(agreement),
                             count_text(static_cast<quint64>(pairs.size()))};
    for (int c = 0; c < 3; ++c) {
      auto* item = new QTableWidgetItem(texts[c]);
      item->setTextAlignment((c == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
      item->setToolTip(c == 0 ? metric_formula(metric)
                              : tr("Rank correlation with %1").arg(metric_title(reference)));
      if (c == 0) item->setData(Qt::UserRole, static_cast<int>(metric));
      table_->setItem(row, c, item);
    }
    if (metric == static_cast<Metric>(x_->currentData().toInt())) table_->selectRow(row);
  }
}

void AgreementPage::fill_plot(const std::vector<kernels::Format>& formats) {
  const auto x = static_cast<Metric>(x_->currentData().toInt()),
             y = static_cast<Metric>(y_->currentData().toInt());
  if (x == Metric::RoundingError && document_.session() && formats.size() == 1)
    document_.analysis().want_all_rounding(formats.front(), document_.measurements().quantizer());
  pairs_ = metric_pairs(document_, x, y, formats);
  const auto current = document_.selection().current();
  std::vector<AgreementPoint> points;
  for (const MetricPair& pair : pairs_) {
    const std::string& name = document_.session()->file().tensors()[pair.tensor].name;
    points.push_back({pair.x, pair.y, pair.x_error, pair.y_error,
                      QStringLiteral("%1 %2").arg(shown(name, 80), shown(kernels::info(pair.format).name)),
                      current && pair.tensor == *current});
  }
  const auto title = [](Metric metric) { return metric_title(metric); };
  plot_->set_data(title(x), title(y), std::move(points), metric_in_nats(x) && metric_in_nats(y));
  const double agreement = rank_agreement(pairs_);
  spearman_->setText(std::isnan(agreement)
                         ? QString()
                         : tr("Spearman %1 over %n cell(s)", nullptr, static_cast<int>(pairs_.size()))
                               .arg(correlation_text(agreement)));
}

void AgreementPage::retranslate() {
  for (QComboBox* box : {x_, y_})
    for (int i = 0; i < box->count(); ++i) {
      const auto metric = static_cast<Metric>(box->itemData(i).toInt());
      box->setItemText(i, metric_title(metric));
      box->setItemData(i, metric_formula(metric), Qt::ToolTipRole);
    }
  x_->setAccessibleName(tr("Metric across"));
  y_->setAccessibleName(tr("Metric upwards, the one to agree with"));
  x_->setToolTip(x_->accessibleName());
  y_->setToolTip(y_->accessibleName());
  format_->setAccessibleName(tr("Formats of the cells"));
  table_->setAccessibleName(tr("Agreement of every metric"));
  table_->horizontalHeader()->setAccessibleName(tr("Columns of the agreement"));
  plot_->set_empty_text(tr("no cell with both metrics known"));
}

}  // namespace bitlens::views
