#include "views/panels/palette_panel.h"

#include <QAction>
#include <QEvent>
#include <QLabel>
#include <QScrollArea>
#include <QVBoxLayout>

#include "views/document/document.h"
#include "views/panels/chip.h"

namespace bitlens::views {

PalettePanel::PalettePanel(Document& document, QWidget* parent)
    : QWidget(parent), document_(document), hint_(new QLabel(this)) {
  setObjectName(QStringLiteral("palettePanel"));
  auto* inside = new QWidget;
  auto* chips = new QVBoxLayout(inside);
  chips->setContentsMargins(0, 0, 0, 0);
  chips->setSpacing(4);
  std::vector<quantize::FormatChoice> choices;
  for (const kernels::Format f : choosable_formats()) choices.emplace_back(f);
  choices.emplace_back();  // as in file
  int number = 0;
  for (const quantize::FormatChoice choice : choices) {
    ++number;
    auto* chip = new Chip(choice, number <= 9 ? number : 0, inside);
    connect(chip, &QAbstractButton::clicked, this, [this, choice] { assign(choice); });
    chips->addWidget(chip);
    chips_.push_back(chip);
    if (number > 9) continue;
    auto* key = new QAction(this);
    key->setObjectName(QStringLiteral("assign%1").arg(number));
    key->setShortcut(QKeySequence(QString::number(number)));
    key->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(key, &QAction::triggered, this, [this, choice] { assign(choice); });
    keys_.push_back(key);
  }
  chips->addStretch(1);
  auto* scroll = new QScrollArea(this);
  scroll->setObjectName(QStringLiteral("paletteScroll"));
  scroll->setWidget(inside);
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  scroll->setFocusPolicy(Qt::NoFocus);
  hint_->setObjectName(QStringLiteral("paletteHint"));
  hint_->setWordWrap(true);
  hint_->setForegroundRole(QPalette::PlaceholderText);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(8, 6, 8, 8);
  all->addWidget(hint_);
  all->addWidget(scroll, 1);
  connect(&document_, &Document::state_changed, this, &PalettePanel::update_enabled);
  retranslate();
  update_enabled();
}

void PalettePanel::assign(quantize::FormatChoice choice) {
  if (document_.selection().tensors().empty()) {
    if (document_.session())
      emit document_.notice(NoticeKind::Information,
                            tr("Select cells of the map or tensors of the tree first."));
    return;
  }
  document_.assign(document_.selection().tensors(), choice);
}

void PalettePanel::update_enabled() {
  for (Chip* chip : chips_) chip->setEnabled(document_.session() != nullptr);
}

void PalettePanel::retranslate() {
  hint_->setText(
      tr("Drag onto a cell, a row or column heading, or a selection. Or select and press the number."));
  for (std::size_t i = 0; i < keys_.size(); ++i) keys_[i]->setText(tr("Assign %1").arg(chips_[i]->text()));
}

void PalettePanel::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QWidget::changeEvent(event);
}

}  // namespace bitlens::views
