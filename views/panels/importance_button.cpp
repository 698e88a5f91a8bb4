#include "views/panels/importance_button.h"

#include <QAction>
#include <QEvent>
#include <QFileInfo>
#include <QMenu>

#include "views/dialogs/file_choice.h"
#include "views/document/document.h"
#include "views/text/units.h"

namespace bitlens::views {

ImportanceButton::ImportanceButton(Document& document, QWidget* parent)
    : QToolButton(parent),
      document_(document),
      make_(new QAction(this)),
      use_(new QAction(this)),
      stop_(new QAction(this)) {
  setObjectName(QStringLiteral("importanceButton"));
  make_->setObjectName(QStringLiteral("makeImportance"));
  use_->setObjectName(QStringLiteral("useImportance"));
  stop_->setObjectName(QStringLiteral("stopImportance"));
  setPopupMode(QToolButton::InstantPopup);
  setToolButtonStyle(Qt::ToolButtonTextOnly);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  setFocusPolicy(Qt::StrongFocus);
  auto* menu = new QMenu(this);
  menu->addActions(choices());
  setMenu(menu);
  connect(make_, &QAction::triggered, this, &ImportanceButton::make);
  connect(use_, &QAction::triggered, this, &ImportanceButton::use);
  connect(stop_, &QAction::triggered, this, [this] { document_.importance().stop_using(); });
  connect(&document_.importance(), &ImportanceMatrix::changed, this, &ImportanceButton::update_state);
  connect(&document_, &Document::state_changed, this, &ImportanceButton::update_state);
  connect(&document_.importance(), &ImportanceMatrix::made, this, [this](const QString& path) {
    emit document_.notice(NoticeKind::Information,
                          tr("Importance matrix written as %1.").arg(QFileInfo(path).fileName()));
  });
  retranslate();
}

void ImportanceButton::make() {
  const TextEntry* text = document_.texts().calibration();
  if (!text || !text->tokens) {
    emit document_.notice(NoticeKind::Warning,
                          text ? tr("The text is being read.") : tr("Add a calibration text first."));
    return;
  }
  const QString suggestion = QFileInfo(document_.path()).completeBaseName() + QStringLiteral(".imatrix.gguf");
  const QString path = choose_target(this, tr("Make importance matrix"), suggestion,
                                     tr("Importance matrices (*.gguf *.dat)"), QStringLiteral(".gguf"));
  if (path.isEmpty() || !document_.session()) return;
  evaluate::Options options = document_.measurements().options();
  options.windows = 0;  // all of the calibration text
  document_.importance().make(document_.session(), text->tokens, options, path);
}

void ImportanceButton::use() {
  const QString path = choose_file(this, tr("Use importance matrix"),
                                   tr("Importance matrices (*.gguf *.dat *.imatrix);;All files (*)"));
  if (!path.isEmpty() && document_.session()) document_.importance().use(document_.session(), path);
}

void ImportanceButton::update_state() {
  const bool open = document_.session() != nullptr;
  const QString name = document_.importance().name();
  setEnabled(open);
  use_->setEnabled(open);
  make_->setEnabled(open && document_.model().llama().has_value());
  stop_->setEnabled(!name.isEmpty());
  setText(name.isEmpty() ? tr("none") : name);
}

void ImportanceButton::retranslate() {
  make_->setText(tr("Make importance matrix from the calibration text…"));
  use_->setText(tr("Use importance matrix…"));
  stop_->setText(tr("Use no importance matrix"));
  setAccessibleName(tr("Importance matrix"));
  setToolTip(
      tr("Mean squared inputs of every column: with them, measuring and exporting round columns with large\n"
         "inputs more exactly. Only searching quantizers use it."));
  update_state();
}

void ImportanceButton::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QToolButton::changeEvent(event);
}

}  // namespace bitlens::views
