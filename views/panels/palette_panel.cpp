#include "views/panels/palette_panel.h"

#include <QAction>
#include <QEvent>
#include <QLabel>
#include <QScrollArea>
#include <QVBoxLayout>
#include <algorithm>
#include <string_view>

#include "views/document/document.h"
#include "views/panels/chip.h"

namespace bitlens::views {

namespace {

/// Keys 1..9 go to the formats used most, whatever else the palette grows to hold.
constexpr std::string_view kOnKeys[] = {"F16",  "Q8_0", "Q6_K", "Q5_1", "Q5_0",
                                        "Q4_1", "Q4_0", "Q3_K", "Q2_K"};

/// The chips in order: those on keys, then all others with the most bits first, then "as in file".
std::vector<std::pair<quantize::FormatChoice, int>> palette_order() {
  std::vector<std::pair<quantize::FormatChoice, int>> numbered, others;
  for (const kernels::Format f : choosable_formats()) {
    const bool on_key =
        std::find(std::begin(kOnKeys), std::end(kOnKeys), kernels::info(f).name) != std::end(kOnKeys);
    if (on_key)
      numbered.emplace_back(f, static_cast<int>(numbered.size()) + 1);
    else
      others.emplace_back(f, 0);
  }
  numbered.insert(numbered.end(), others.begin(), others.end());
  numbered.emplace_back(quantize::FormatChoice(), 0);
  return numbered;
}

}  // namespace

PalettePanel::PalettePanel(Document& document, QWidget* parent)
    : QWidget(parent), document_(document), hint_(new QLabel(this)) {
  setObjectName(QStringLiteral("palettePanel"));
  auto* inside = new QWidget;
  auto* chips = new QVBoxLayout(inside);
  chips->setContentsMargins(0, 0, 0, 0);
  chips->setSpacing(3);
  for (const auto& [choice_value, number] : palette_order()) {
    const quantize::FormatChoice choice = choice_value;
    auto* chip = new Chip(choice, number, inside);
    connect(chip, &QAbstractButton::clicked, this, [this, choice] { assign(choice); });
    chips->addWidget(chip);
    chips_.push_back(chip);
    if (number == 0) continue;
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

/// A format that no matrix of the model can take stays visible, but cannot be picked up.
void PalettePanel::update_enabled() {
  for (Chip* chip : chips_) {
    bool fits = document_.session() && !chip->choice();
    const std::size_t count = document_.session() ? document_.session()->file().tensors().size() : 0;
    for (std::size_t t = 0; t < count && !fits; ++t)
      fits = document_.model().role(t).is_matrix && !refusal_of(document_.model(), t, chip->choice());
    chip->set_usable(fits, document_.session() != nullptr);
  }
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
