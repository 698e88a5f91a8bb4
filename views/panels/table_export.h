// How tables of results look and behave; and any table as CSV: to the clipboard or into a file, by a menu.
#pragma once

#include <QString>

class QAbstractItemModel;
class QTableView;

namespace bitlens::views {

/// RFC 4180: comma separated, quoted where needed, header line first, what the cells show.
[[nodiscard]] QString table_csv(const QAbstractItemModel& model);
/// A table to read: whole rows, no editing, the tab key leaves it, and the menu below.
void set_up_table(QTableView& table);
/// Adds the context menu "Copy table", "Save table as CSV…".
void add_table_menu(QTableView& table);

}  // namespace bitlens::views
