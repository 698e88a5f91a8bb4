#include "views/panels/tasks_panel.h"

#include <QEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QStandardItemModel>
#include <QTableView>
#include <QVBoxLayout>

#include "views/dialogs/file_choice.h"
#include "views/document/document.h"
#include "views/panels/table_export.h"
#include "views/text/units.h"

namespace bitlens::views {

TasksPanel::TasksPanel(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      model_(new QStandardItemModel(this)),
      table_(new QTableView(this)),
      empty_(new QLabel(this)),
      note_(new QLabel(this)),
      score_(new QPushButton(this)),
      choose_(new QPushButton(this)),
      sample_(new QPushButton(this)) {
  setObjectName(QStringLiteral("tasksPanel"));
  table_->setObjectName(QStringLiteral("tasksTable"));
  empty_->setObjectName(QStringLiteral("tasksEmpty"));
  note_->setObjectName(QStringLiteral("tasksNote"));
  score_->setObjectName(QStringLiteral("tasksScore"));
  choose_->setObjectName(QStringLiteral("tasksChoose"));
  sample_->setObjectName(QStringLiteral("tasksSample"));
  for (QLabel* label : {empty_, note_}) {
    label->setWordWrap(true);
    label->setTextFormat(Qt::PlainText);
    label->setForegroundRole(QPalette::PlaceholderText);
  }
  empty_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
  table_->setModel(model_);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table_->setAlternatingRowColors(true);
  table_->setShowGrid(false);
  table_->setTabKeyNavigation(false);
  table_->verticalHeader()->setVisible(false);
  table_->verticalHeader()->setDefaultSectionSize(table_->fontMetrics().height() + 8);
  table_->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  add_table_menu(*table_);

  auto* buttons = new QHBoxLayout;
  buttons->addWidget(score_);
  buttons->addWidget(choose_);
  buttons->addWidget(sample_);
  buttons->addWidget(note_, 1);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(8, 6, 8, 6);
  all->addWidget(empty_, 1);
  all->addWidget(table_, 1);
  all->addLayout(buttons);

  connect(score_, &QPushButton::clicked, this, [this] { document_.score_tasks(); });
  connect(choose_, &QPushButton::clicked, this, &TasksPanel::choose);
  connect(sample_, &QPushButton::clicked, this,
          [this] { document_.tasks().set_tasks(QStringLiteral("sample")); });
  connect(&document_.tasks(), &TaskScores::changed, this, &TasksPanel::fill_table);
  connect(&document_, &Document::state_changed, this, &TasksPanel::update_state);
  connect(&document_, &Document::resolved_changed, this, &TasksPanel::update_state);
  retranslate();
}

void TasksPanel::choose() {
  const QString path = choose_file(this, tr("Choose tasks"), tr("Tasks (*.json);;All files (*)"));
  if (!path.isEmpty()) document_.tasks().set_tasks(path);
}

void TasksPanel::update_state() {
  const TaskScores& tasks = document_.tasks();
  const auto& report = tasks.report();
  table_->setVisible(report.has_value());
  empty_->setVisible(!report);
  score_->setEnabled(document_.session() && !tasks.scoring());
  sample_->setEnabled(tasks.tasks() != QLatin1String("sample"));
  QStringList lines;
  lines << (tasks.tasks() == QLatin1String("sample") ? tr("Tasks of the sample")
                                                     : QFileInfo(tasks.tasks()).fileName());
  if (report) {
    lines << (report->recipe
                  ? tr("%1: %2 lost, %3 gained")
                        .arg(shown(report->name, 60), count_text(report->lost), count_text(report->gained))
                  : tr("the model as in file"));
    const auto now = document_.session() ? document_.effective_recipe() : std::nullopt;
    if (!same_choices(report->recipe, now)) lines << tr("the recipe has changed since");
  }
  note_->setText(lines.join(QStringLiteral(" · ")));
}

void TasksPanel::fill_table() {
  model_->clear();
  const auto& report = document_.tasks().report();
  if (report) {
    QStringList titles{tr("Kind"), tr("Items"), tr("By chance")};
    if (report->base) titles << tr("As in file");
    titles << (report->recipe ? tr("Recipe") : tr("Accuracy")) << QStringLiteral("±");
    model_->setHorizontalHeaderLabels(titles);
    const auto add = [this](const QString& kind, const evaluate::TaskScore& score,
                            const evaluate::TaskScore* base, bool total) {
      QStringList texts{kind, count_text(score.items), share_text(score.chance)};
      if (base) texts << share_text(base->accuracy());
      texts << share_text(score.accuracy()) << share_text(score.standard_error(), 2);
      QList<QStandardItem*> row;
      for (const QString& text : texts) {
        row << new QStandardItem(text);
        row.back()->setTextAlignment((row.size() > 1 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
        if (!total) continue;
        QFont bold = font();
        bold.setBold(true);
        row.back()->setFont(bold);
      }
      model_->appendRow(row);
    };
    add(tr("all"), report->subject.all, report->base ? &report->base->all : nullptr, true);
    for (std::size_t k = 0; k < report->subject.kinds.size(); ++k)
      add(shown(report->subject.kinds[k].kind, 40), report->subject.kinds[k],
          report->base ? &report->base->kinds[k] : nullptr, false);
  }
  update_state();
}

void TasksPanel::retranslate() {
  score_->setText(tr("Score (F7)"));
  choose_->setText(tr("Choose tasks…"));
  sample_->setText(tr("Sample's tasks"));
  table_->setAccessibleName(tr("Accuracy by kind of task"));
  table_->horizontalHeader()->setAccessibleName(tr("Columns of the task scores"));
  empty_->setText(
      tr("A prompt, a few candidates, one of them right: press F7 to see how often the model finds the right "
         "one "
         "likeliest, and how many answers the recipe costs. The sample's tasks suit the sample model; for "
         "others "
         "choose a file."));
  fill_table();
}

void TasksPanel::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QWidget::changeEvent(event);
}

}  // namespace bitlens::views
