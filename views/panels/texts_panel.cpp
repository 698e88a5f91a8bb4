#include "views/panels/texts_panel.h"

#include <QEvent>
#include <QGridLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QTableView>
#include <QVBoxLayout>

#include "views/dialogs/file_choice.h"
#include "views/document/document.h"
#include "views/models/texts_model.h"
#include "views/panels/table_export.h"

namespace bitlens::views {

TextsPanel::TextsPanel(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      model_(new TextsModel(document, this)),
      table_(new QTableView(this)),
      empty_(new QLabel(this)),
      add_evaluation_(new QPushButton(this)),
      add_calibration_(new QPushButton(this)),
      sample_(new QPushButton(this)),
      remove_(new QPushButton(this)) {
  setObjectName(QStringLiteral("textsPanel"));
  table_->setObjectName(QStringLiteral("textsTable"));
  empty_->setObjectName(QStringLiteral("textsEmpty"));
  add_evaluation_->setObjectName(QStringLiteral("addEvaluationText"));
  add_calibration_->setObjectName(QStringLiteral("addCalibrationText"));
  sample_->setObjectName(QStringLiteral("useSampleText"));
  remove_->setObjectName(QStringLiteral("removeText"));
  empty_->setWordWrap(true);
  empty_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
  empty_->setForegroundRole(QPalette::PlaceholderText);
  table_->setModel(model_);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table_->setAlternatingRowColors(true);
  table_->setShowGrid(false);
  table_->setTabKeyNavigation(false);
  table_->verticalHeader()->setVisible(false);
  table_->verticalHeader()->setDefaultSectionSize(table_->fontMetrics().height() + 8);
  table_->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  table_->horizontalHeader()->setSectionResizeMode(TextsModel::Name, QHeaderView::Stretch);
  table_->horizontalHeader()->setMinimumSectionSize(40);
  add_table_menu(*table_);

  auto* buttons = new QGridLayout;
  buttons->addWidget(add_evaluation_, 0, 0);
  buttons->addWidget(add_calibration_, 0, 1);
  buttons->addWidget(sample_, 1, 0);
  buttons->addWidget(remove_, 1, 1);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(8, 6, 8, 8);
  all->addWidget(empty_);
  all->addWidget(table_, 1);
  all->addLayout(buttons);

  connect(add_evaluation_, &QPushButton::clicked, this, [this] { add(true); });
  connect(add_calibration_, &QPushButton::clicked, this, [this] { add(false); });
  connect(sample_, &QPushButton::clicked, this, [this] {
    document_.texts().add(QStringLiteral("sample"), study::TextUse::Evaluation);
    document_.texts().add(QStringLiteral("sample-calibration"), study::TextUse::Calibration);
  });
  connect(remove_, &QPushButton::clicked, this, [this] {
    if (table_->currentIndex().isValid())
      document_.texts().remove(static_cast<std::size_t>(table_->currentIndex().row()));
  });
  // The text under the cursor is the one its use takes.
  connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
          [this](const QModelIndex& row) {
            if (row.isValid()) document_.texts().choose(static_cast<std::size_t>(row.row()));
            update_state();
          });
  connect(&document_.texts(), &Texts::list_changed, this, &TextsPanel::update_state);
  connect(&document_, &Document::state_changed, this, &TextsPanel::update_state);
  retranslate();
}

void TextsPanel::add(bool evaluation) {
  const QStringList paths =
      choose_files(this, evaluation ? tr("Add evaluation texts") : tr("Add calibration texts"),
                   tr("Texts (*.txt *.md *.raw);;All files (*)"));
  for (const QString& path : paths)
    document_.texts().add(path, evaluation ? study::TextUse::Evaluation : study::TextUse::Calibration);
}

void TextsPanel::update_state() {
  const bool open = document_.session() != nullptr;
  const bool any = !document_.texts().entries().empty();
  empty_->setVisible(!any);
  table_->setVisible(any);
  add_evaluation_->setEnabled(open);
  add_calibration_->setEnabled(open);
  sample_->setEnabled(open);
  sample_->setVisible(!study::sample_folder().empty());
  remove_->setEnabled(any && table_->currentIndex().isValid());
}

void TextsPanel::retranslate() {
  empty_->setText(
      tr("Perplexity and KL are measured on an evaluation text; layer inputs are looked at over a "
         "calibration text. Add one of each: plain text, used byte for byte as it is."));
  add_evaluation_->setText(tr("Add evaluation…"));
  add_calibration_->setText(tr("Add calibration…"));
  sample_->setText(tr("Use sample texts"));
  remove_->setText(tr("Remove"));
  table_->setAccessibleName(tr("Texts of the study"));
  table_->horizontalHeader()->setAccessibleName(tr("Columns of the texts"));
  update_state();
}

void TextsPanel::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) {
    emit model_->headerDataChanged(Qt::Horizontal, 0, TextsModel::ColumnCount - 1);
    retranslate();
  }
  QWidget::changeEvent(event);
}

}  // namespace bitlens::views
