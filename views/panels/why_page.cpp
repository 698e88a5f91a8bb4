#include "views/panels/why_page.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTableWidget>
#include <QVBoxLayout>

#include "views/document/document.h"
#include "views/panels/table_export.h"
#include "views/text/units.h"
#include "views/text/why_text.h"

namespace bitlens::views {

WhyPage::WhyPage(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      format_(new QComboBox(this)),
      words_(new QPlainTextEdit(this)),
      find_(new QPushButton(this)),
      places_(new QTableWidget(this)) {
  setObjectName(QStringLiteral("whyPage"));
  format_->setObjectName(QStringLiteral("whyFormat"));
  words_->setObjectName(QStringLiteral("whyWords"));
  find_->setObjectName(QStringLiteral("whyFind"));
  places_->setObjectName(QStringLiteral("whyPlaces"));
  words_->setReadOnly(true);
  words_->setTabChangesFocus(true);
  words_->setFrameShape(QFrame::NoFrame);
  format_->addItem(QString(), -1);
  for (const kernels::Format f : choosable_formats())
    format_->addItem(shown(kernels::info(f).name), static_cast<int>(f));
  places_->setColumnCount(4);
  set_up_table(*places_);
  places_->setWordWrap(false);
  places_->setTextElideMode(Qt::ElideLeft);  // what stands next to the token matters most
  places_->horizontalHeader()->setSectionResizeMode(2, QHeaderView::Stretch);
  auto* top = new QHBoxLayout;
  top->addWidget(format_);
  top->addWidget(find_);
  top->addStretch(1);
  auto* line = new QHBoxLayout;
  line->addWidget(words_, 1);
  line->addWidget(places_, 1);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(4, 4, 4, 4);
  all->addLayout(top);
  all->addLayout(line, 1);
  connect(format_, &QComboBox::currentIndexChanged, this, &WhyPage::fill);
  connect(find_, &QPushButton::clicked, this, [this] {
    if (tensor_) document_.find_loss_places(*tensor_, format());
  });
  const auto if_seen = [this] {
    if (isVisible()) fill();
  };
  connect(&document_.sensitivity(), &Sensitivity::cells_changed, this, if_seen);
  connect(&document_.sensitivity(), &Sensitivity::places_changed, this, if_seen);
}

/// The recipe's format where it changes the tensor, else the coarsest one known.
kernels::Format WhyPage::format() const {
  const int chosen = format_->currentData().toInt();
  if (chosen >= 0) return static_cast<kernels::Format>(chosen);
  if (tensor_ && document_.session() && document_.resolved() &&
      document_.resolved()->tensors[*tensor_].changed)
    return document_.resolved()->tensors[*tensor_].format;
  if (const SensitivityPtr& known = document_.sensitivity().known(); known && !known->cells.formats().empty())
    return known->cells.formats().back();
  const auto& planned = document_.sensitivity().plan().formats;
  return planned.empty() ? kernels::Format::Q4_0 : planned.back();
}

void WhyPage::show_tensor(std::optional<std::size_t> tensor) {
  tensor_ = tensor;
  fill();
}

void WhyPage::fill() {
  if (!tensor_ || !document_.session()) {
    words_->setPlainText(tr("Select a cell of the map to see why it is sensitive or safe."));
    find_->setEnabled(false);
    places_->setRowCount(0);
    return;
  }
  Analysis& analysis = document_.analysis();
  if (!analysis.rounding(*tensor_, format(), document_.measurements().quantizer()))
    analysis.want_rounding(*tensor_, {format()}, document_.measurements().quantizer());
  format_->setItemText(0, tr("At %1").arg(shown(kernels::info(format()).name)));
  QStringList lines;
  for (const QString& sentence : why_sentences(document_, *tensor_, format()))
    lines << QStringLiteral("• ") + sentence;
  if (const QString text = lines.join(QLatin1Char('\n')); text != words_->toPlainText())
    words_->setPlainText(text);
  const bool can = document_.model().role(*tensor_).is_matrix && document_.sensitivity_obstacle().isEmpty() &&
                   document_.session()->file().tensors()[*tensor_].format != format() &&
                   !refusal_of(document_.model(), *tensor_, format());
  find_->setEnabled(can && !document_.sensitivity().finding_places());
  fill_places();
}

void WhyPage::fill_places() {
  places_->setHorizontalHeaderLabels({tr("KL (nats)"), tr("Window"), tr("After"), tr("The text says")});
  const LossPlaces* found = document_.sensitivity().places(*tensor_, format());
  places_->setRowCount(found ? static_cast<int>(found->places.size()) : 0);
  places_->setVisible(found != nullptr);
  for (int r = 0; r < places_->rowCount(); ++r) {
    const LossPlace& place = found->places[static_cast<std::size_t>(r)];
    const auto plain = [](QString text) { return text.replace(QLatin1Char('\n'), QChar(0x23CE)); };
    const QString texts[] = {number_text(place.kl, 3), QString::number(place.window + 1), plain(place.before),
                             plain(place.token)};
    for (int c = 0; c < 4; ++c) {
      auto* item = new QTableWidgetItem(texts[c]);
      item->setTextAlignment((c < 2 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
      item->setToolTip(tr("window %1, token %2: %3")
                           .arg(place.window + 1)
                           .arg(place.position + 1)
                           .arg(place.before + place.token));
      places_->setItem(r, c, item);
    }
  }
}

void WhyPage::retranslate() {
  words_->setAccessibleName(tr("Why this tensor is sensitive or safe"));
  format_->setAccessibleName(tr("Format the reasons are about"));
  find_->setText(tr("Find where in the text"));
  find_->setToolTip(tr("Measures the model with this tensor alone changed, token by token"));
  places_->setAccessibleName(tr("Tokens with the largest divergence"));
  places_->horizontalHeader()->setAccessibleName(tr("Columns of the tokens"));
  fill();
}

}  // namespace bitlens::views
