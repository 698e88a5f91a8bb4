#include "views/panels/table_export.h"

#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QMenu>
#include <QTableView>
#include <algorithm>

#include "views/dialogs/file_choice.h"

namespace bitlens::views {

namespace {

struct Tr {
  Q_DECLARE_TR_FUNCTIONS(bitlens::views::Table)
};

QString quoted(QString text) {
  static const QString special = QStringLiteral(",\"\n\r");
  const bool needed = std::any_of(text.cbegin(), text.cend(), [](QChar c) { return special.contains(c); });
  if (!needed) return text;
  return QLatin1Char('"') + text.replace(QLatin1Char('"'), QStringLiteral("\"\"")) + QLatin1Char('"');
}

void save(QTableView& table) {
  const QString path =
      choose_target(&table, Tr::tr("Save table"), {}, Tr::tr("CSV table (*.csv)"), QStringLiteral(".csv"));
  if (!path.isEmpty()) write_file(&table, path, table_csv(*table.model()).toUtf8());
}

}  // namespace

QString table_csv(const QAbstractItemModel& model) {
  QString out;
  QStringList line;
  const QString corner = model.headerData(0, Qt::Vertical).toString();
  const bool rows_named = !corner.isEmpty() && corner != QLatin1String("1");
  if (rows_named) line << QString();
  for (int c = 0; c < model.columnCount(); ++c)
    line << quoted(model.headerData(c, Qt::Horizontal).toString());
  out += line.join(QLatin1Char(',')) + QStringLiteral("\r\n");
  for (int r = 0; r < model.rowCount(); ++r) {
    line.clear();
    if (rows_named) line << quoted(model.headerData(r, Qt::Vertical).toString());
    for (int c = 0; c < model.columnCount(); ++c) line << quoted(model.index(r, c).data().toString());
    out += line.join(QLatin1Char(',')) + QStringLiteral("\r\n");
  }
  return out;
}

void set_up_table(QTableView& table) {
  table.setSelectionBehavior(QAbstractItemView::SelectRows);
  table.setSelectionMode(QAbstractItemView::SingleSelection);
  table.setEditTriggers(QAbstractItemView::NoEditTriggers);
  table.setAlternatingRowColors(true);
  table.setShowGrid(false);
  table.setTabKeyNavigation(false);
  table.verticalHeader()->setVisible(false);
  table.verticalHeader()->setDefaultSectionSize(table.fontMetrics().height() + 6);
  table.horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  add_table_menu(table);
}

void add_table_menu(QTableView& table) {
  table.setContextMenuPolicy(Qt::CustomContextMenu);
  QObject::connect(&table, &QWidget::customContextMenuRequested, &table, [&table](const QPoint& position) {
    QMenu menu(&table);
    menu.addActions(table.actions());
    if (!table.actions().isEmpty()) menu.addSeparator();
    menu.addAction(Tr::tr("Copy table"), &table,
                   [&table] { QApplication::clipboard()->setText(table_csv(*table.model())); });
    menu.addAction(Tr::tr("Save table as CSV…"), &table, [&table] { save(table); });
    menu.exec(table.viewport()->mapToGlobal(position));
  });
}

}  // namespace bitlens::views
