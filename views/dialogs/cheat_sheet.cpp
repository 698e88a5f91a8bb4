#include "views/dialogs/cheat_sheet.h"

#include <QDialogButtonBox>
#include <QGridLayout>
#include <QLabel>
#include <QRegularExpression>
#include <QVBoxLayout>

namespace bitlens::views {

CheatSheet::CheatSheet(const std::map<QString, QAction*>& actions, QWidget* parent) : QDialog(parent) {
  setObjectName(QStringLiteral("cheatSheet"));
  setWindowTitle(tr("Keys"));
  QList<std::pair<QString, QString>> keys{
      {tr("1 … 9"), tr("assign the precision with this number to the selection")},
      {tr("Delete"), tr("selection back to the file's precision")},
      {tr("Arrows"), tr("move on the map; with Shift: extend the selection")},
      {tr("Ctrl+click"), tr("add or remove a cell, a row or a column")},
      {tr("Ctrl+A"), tr("select the whole map")},
      {tr("Drag a precision"), tr("onto a cell, a row or column heading, a selection, or the tree")},
      {tr("Drag over cells"), tr("select them with a rubber band")},
      {tr("Double click in a plot"), tr("show all of it again; the wheel zooms")}};
  for (const auto& [name, action] : actions) {
    if (action->shortcut().isEmpty() || name == QLatin1String("resetSelection")) continue;
    static const QRegularExpression mnemonic(
        QStringLiteral("\\(&.\\)|&"));  // "(&O)" in Chinese, "&" elsewhere
    keys << std::pair(action->shortcut().toString(QKeySequence::NativeText), action->text().remove(mnemonic));
  }
  auto* grid = new QGridLayout;
  grid->setHorizontalSpacing(24);
  grid->setVerticalSpacing(6);
  const int rows = static_cast<int>((keys.size() + 1) / 2);
  for (int i = 0; i < static_cast<int>(keys.size()); ++i) {
    const int row = i % rows, column = i / rows * 2;
    auto* key = new QLabel(keys[i].first, this);
    QFont bold = key->font();
    bold.setBold(true);
    key->setFont(bold);
    grid->addWidget(key, row, column);
    grid->addWidget(new QLabel(keys[i].second, this), row, column + 1);
  }
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  auto* all = new QVBoxLayout(this);
  all->addLayout(grid);
  all->addSpacing(8);
  all->addWidget(buttons);
}

}  // namespace bitlens::views
