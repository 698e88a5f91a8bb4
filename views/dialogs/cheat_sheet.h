// All keys on one page, taken from the actions themselves.
#pragma once

#include <QAction>
#include <QDialog>
#include <QString>
#include <map>

namespace bitlens::views {

class CheatSheet : public QDialog {
  Q_OBJECT
 public:
  explicit CheatSheet(const std::map<QString, QAction*>& actions, QWidget* parent = nullptr);
};

}  // namespace bitlens::views
