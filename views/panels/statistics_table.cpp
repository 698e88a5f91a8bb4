#include "views/panels/statistics_table.h"

#include <QCoreApplication>
#include <QHeaderView>

#include "views/panels/table_export.h"
#include "views/text/units.h"

namespace bitlens::views {

namespace {
struct Tr {
  Q_DECLARE_TR_FUNCTIONS(bitlens::views::Statistics)
};
}  // namespace

QTableWidget* make_numbers_table(const char* name, QWidget* parent) {
  auto* table = new QTableWidget(0, 2, parent);
  table->setObjectName(QString::fromLatin1(name));
  table->horizontalHeader()->setVisible(false);
  table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
  table->horizontalHeader()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
  table->verticalHeader()->setVisible(false);
  table->verticalHeader()->setDefaultSectionSize(table->fontMetrics().height() + 5);
  table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table->setSelectionBehavior(QAbstractItemView::SelectRows);
  table->setShowGrid(false);
  table->setAlternatingRowColors(true);
  table->setTabKeyNavigation(false);
  table->setFixedWidth(270);
  add_table_menu(*table);
  return table;
}

void set_rows(QTableWidget& table, const QList<QStringList>& rows) {
  table.setRowCount(static_cast<int>(rows.size()));
  for (int r = 0; r < static_cast<int>(rows.size()); ++r) {
    for (int c = 0; c < 2; ++c) {
      auto* item = table.item(r, c);
      if (!item) {
        item = new QTableWidgetItem;
        table.setItem(r, c, item);
      }
      item->setText(rows[r][c]);
      item->setToolTip(rows[r][2]);
      item->setTextAlignment((c == 1 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    }
  }
}

void show_statistics(QTableWidget& table, const analyze::Statistics& s, double int8_outliers) {
  QList<QStringList> rows{
      {Tr::tr("Values"), count_text(s.count), Tr::tr("finite values")},
      {Tr::tr("Mean"), number_text(s.mean), Tr::tr("Σx / n")},
      {Tr::tr("σ"), number_text(s.sigma), Tr::tr("population: √(Σ(x − mean)² / n)")},
      {Tr::tr("Smallest"), number_text(s.min), QString()},
      {Tr::tr("Largest"), number_text(s.max), QString()},
      {Tr::tr("Largest magnitude"), number_text(s.abs_max), Tr::tr("max |x|")},
      {Tr::tr("Dynamic range"), number_text(s.dynamic_range),
       Tr::tr("max |x| / median of the non-zero |x|. Rule of thumb from the literature: above 100, keep 16 "
              "bit.")},
      {Tr::tr("Excess kurtosis"), number_text(s.excess_kurtosis),
       Tr::tr("mean (x − mean)⁴ / σ⁴ − 3; 0 for a normal distribution")},
      {Tr::tr("Outliers (6σ)"), share_text(s.outliers_6sigma),
       Tr::tr("share of |x − mean| > 6σ. Rule of thumb from the literature: above 1 %, keep 16 bit.")}};
  if (int8_outliers >= 0)
    rows << QStringList{Tr::tr("Outliers (LLM.int8)"), share_text(int8_outliers),
                        Tr::tr("share of input channels with any |x| ≥ 6.0")};
  rows << QStringList{Tr::tr("Zeros"), share_text(s.zero_share), Tr::tr("share of exact zeros")};
  if (s.non_finite > 0)
    rows << QStringList{Tr::tr("NaN or infinite"), count_text(s.non_finite),
                        Tr::tr("left out of all other numbers")};
  set_rows(table, rows);
}

}  // namespace bitlens::views
