#include "views/panels/additivity_page.h"

#include <QHeaderView>
#include <QLabel>
#include <QTableWidget>
#include <QVBoxLayout>
#include <cmath>

#include "views/document/document.h"
#include "views/panels/table_export.h"
#include "views/text/units.h"

namespace bitlens::views {

AdditivityPage::AdditivityPage(Document& document, QWidget* parent)
    : LazyPage(parent), document_(document), table_(new QTableWidget(this)), note_(new QLabel(this)) {
  setObjectName(QStringLiteral("additivityPage"));
  table_->setObjectName(QStringLiteral("additivityTable"));
  note_->setObjectName(QStringLiteral("additivityNote"));
  note_->setWordWrap(true);
  note_->setTextFormat(Qt::PlainText);
  note_->setForegroundRole(QPalette::PlaceholderText);
  table_->setColumnCount(3);
  set_up_table(*table_);
  table_->horizontalHeader()->setStretchLastSection(true);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(0, 4, 0, 0);
  all->addWidget(table_, 1);
  all->addWidget(note_);
  connect(&document_, &Document::prediction_changed, this, &LazyPage::fill_soon);
  connect(&document_, &Document::state_changed, this, &LazyPage::fill_soon);
  connect(&document_.measurements(), &Measurements::results_changed, this, &LazyPage::fill_soon);
  retranslate();
}

void AdditivityPage::fill() {
  const auto& predicted = document_.prediction();
  const study::MeasuredResult* result =
      document_.session() ? document_.measurements().find(document_.effective_recipe()) : nullptr;
  const auto* measured =
      result && result->measurement.comparison ? &*result->measurement.comparison : nullptr;
  const QString none = QStringLiteral("—");
  const double sum = predicted ? predicted->sum_of_single_kl : std::nan("");
  const auto share = [&](double kl) {
    return sum > 0 && std::isfinite(kl) ? number_text(kl / sum, 3) : QStringLiteral("—");
  };
  const bool joint = predicted && predicted->joint;
  const QStringList rows[] = {
      {tr("Sum of single KL"), number_text(sum), predicted ? QStringLiteral("1") : none,
       tr("the KL of every changed tensor alone, added: measured where measured, else predicted")},
      {tr("Predicted KL together"), joint ? value_text(predicted->kl_mean, predicted->kl_se) : none,
       joint ? share(predicted->kl_mean) : none,
       tr("responses added sample by sample: interactions between tensors included")},
      {tr("Measured KL"), measured ? value_text(measured->kl_mean, measured->kl_se) : tr("not measured (F5)"),
       measured ? share(measured->kl_mean) : none, tr("KL(model as in file ‖ recipe) per token")},
      {tr("Predicted ln PPL ratio"),
       joint && std::isfinite(predicted->dnll_mean) ? value_text(predicted->dnll_mean, predicted->dnll_se)
                                                    : none,
       none, tr("mean difference per token of the text's own labels, second order included")},
      {tr("Measured ln PPL ratio"), measured ? value_text(measured->ln_ratio, measured->ln_ratio_se) : none,
       none, tr("ln(PPL / PPL of the base) on the same tokens")}};
  table_->setHorizontalHeaderLabels({tr("Of the present recipe"), tr("nats per token"), tr("of the sum")});
  table_->setRowCount(static_cast<int>(std::size(rows)));
  for (int r = 0; r < table_->rowCount(); ++r)
    for (int c = 0; c < 3; ++c) {
      auto* item = new QTableWidgetItem(rows[r][c]);
      item->setToolTip(rows[r][3]);
      item->setTextAlignment((c == 1 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
      table_->setItem(r, c, item);
    }
  QStringList lines;
  if (!document_.sensitivity().known())
    lines << tr("Find the sensitivity (F8) for predictions.");
  else if (!predicted)
    lines << tr("Nothing is known about what this recipe changes.");
  if (predicted && !predicted->missing.empty())
    lines << tr("%n changed tensor(s) unknown and left out: %1", nullptr,
                static_cast<int>(predicted->missing.size()))
                 .arg(shown(predicted->missing.front(), 80));
  if (predicted && measured) {
    const study::SweepPlan& plan = document_.sensitivity().plan();
    if (plan.windows != document_.measurements().options().windows ||
        (plan.context != 0 && plan.context != document_.measurements().options().context))
      lines << tr("Predicted and measured are over different windows of the text.");
  }
  note_->setText(lines.join(QLatin1Char('\n')));
}

void AdditivityPage::retranslate() {
  table_->setAccessibleName(tr("Additivity of the present recipe"));
  table_->horizontalHeader()->setAccessibleName(tr("Columns of the additivity"));
}

}  // namespace bitlens::views
