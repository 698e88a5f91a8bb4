// Any table as CSV: to the clipboard or into a file, by a menu every table has.
#pragma once

#include <QString>

class QAbstractItemModel;
class QTableView;

namespace bitlens::views {

/// RFC 4180: comma separated, quoted where needed, header line first, what the cells show.
[[nodiscard]] QString table_csv(const QAbstractItemModel& model);
/// Adds the context menu "Copy table", "Save table as CSV…".
void add_table_menu(QTableView& table);

}  // namespace bitlens::views
