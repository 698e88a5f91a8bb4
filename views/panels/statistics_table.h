// A two-column table of statistics, each with its formula as a tooltip.
#pragma once

#include <QTableWidget>

#include "core/analyze/statistics.h"

namespace bitlens::views {

[[nodiscard]] QTableWidget* make_numbers_table(const char* name, QWidget* parent);
/// `int8_outliers` < 0: weights, which have no such number.
void show_statistics(QTableWidget& table, const analyze::Statistics& statistics, double int8_outliers);
void set_rows(QTableWidget& table, const QList<QStringList>& rows);  ///< name, value, formula

}  // namespace bitlens::views
