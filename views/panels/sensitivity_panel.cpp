#include "views/panels/sensitivity_panel.h"

#include <QCheckBox>
#include <QComboBox>
#include <QEvent>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollArea>
#include <QSpinBox>
#include <QVBoxLayout>
#include <algorithm>

#include "views/bridge/errors.h"
#include "views/bridge/side_worker.h"
#include "views/dialogs/file_choice.h"
#include "views/document/document.h"
#include "views/panels/sensitivity_words.h"
#include "views/text/units.h"

namespace bitlens::views {

SensitivityPanel::SensitivityPanel(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      form_(new QFormLayout),
      text_(new QComboBox(this)),
      formats_(new QListWidget(this)),
      samples_(new QSpinBox(this)),
      context_(new QSpinBox(this)),
      windows_(new QSpinBox(this)),
      measure_(new QCheckBox(this)),
      adaptive_(new QCheckBox(this)),
      scores_(new QCheckBox(this)),
      plan_(new QLabel(this)),
      stage_(new QLabel(this)),
      found_(new QLabel(this)),
      progress_(new QProgressBar(this)),
      start_(new QPushButton(this)),
      pause_(new QPushButton(this)),
      cancel_(new QPushButton(this)),
      save_(new QPushButton(this)) {
  setObjectName(QStringLiteral("sensitivityPanel"));
  const std::pair<QWidget*, const char*> names[] = {
      {text_, "sensitivityText"},         {formats_, "sensitivityFormats"},
      {samples_, "sensitivitySamples"},   {context_, "sensitivityContext"},
      {windows_, "sensitivityWindows"},   {measure_, "sensitivityMeasure"},
      {adaptive_, "sensitivityAdaptive"}, {scores_, "sensitivityScores"},
      {plan_, "sensitivityPlan"},         {stage_, "sensitivityStage"},
      {found_, "sensitivityFound"},       {progress_, "sensitivityProgress"},
      {start_, "sensitivityStart"},       {pause_, "sensitivityPause"},
      {cancel_, "sensitivityCancel"},     {save_, "sensitivitySave"}};
  for (const auto& [widget, name] : names) widget->setObjectName(QString::fromLatin1(name));
  for (QLabel* label : {plan_, stage_, found_}) {
    label->setWordWrap(true);
    label->setTextFormat(Qt::PlainText);
  }
  plan_->setForegroundRole(QPalette::PlaceholderText);
  for (const kernels::Format f : choosable_formats()) {
    auto* item = new QListWidgetItem(shown(kernels::info(f).name), formats_);
    item->setData(Qt::UserRole, static_cast<int>(f));
    item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
    item->setCheckState(Qt::Unchecked);
  }
  formats_->setFlow(QListView::LeftToRight);
  formats_->setWrapping(true);
  formats_->setResizeMode(QListView::Adjust);
  formats_->setTabKeyNavigation(false);
  const QFontMetrics letters = formats_->fontMetrics();
  formats_->setGridSize({letters.horizontalAdvance(QStringLiteral("IQ4_NL")) + 42, letters.height() + 5});
  formats_->setFixedHeight(5 * (letters.height() + 5) + 6);
  samples_->setRange(1, 100'000);
  samples_->setSingleStep(50);
  context_->setRange(0, 1 << 20);
  context_->setSingleStep(128);
  windows_->setRange(0, 1'000'000);
  progress_->setRange(0, 1000);
  text_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  text_->setMinimumContentsLength(8);

  form_->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  for (QWidget* field : {static_cast<QWidget*>(text_), static_cast<QWidget*>(windows_),
                         static_cast<QWidget*>(context_), static_cast<QWidget*>(samples_)})
    form_->addRow(QStringLiteral(" "), field);
  auto* buttons = new QHBoxLayout;
  for (QPushButton* button : {start_, pause_, cancel_}) buttons->addWidget(button, 1);
  auto* content = new QWidget;
  auto* all = new QVBoxLayout(content);
  all->setContentsMargins(8, 2, 8, 8);
  all->addWidget(formats_);
  all->addLayout(form_);
  for (QCheckBox* box : {measure_, adaptive_, scores_}) all->addWidget(box);
  all->addWidget(plan_);
  all->addWidget(found_);
  all->addWidget(save_);
  all->addStretch(1);
  auto* scroll = new QScrollArea(this);
  scroll->setObjectName(QStringLiteral("sensitivityScroll"));
  scroll->setWidget(content);
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setFocusPolicy(Qt::NoFocus);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  // Always in sight: what can be done now, and how far the run is.
  auto* head = new QVBoxLayout;
  head->setContentsMargins(8, 6, 8, 0);
  head->addLayout(buttons);
  head->addWidget(stage_);
  head->addWidget(progress_);
  auto* outer = new QVBoxLayout(this);
  outer->setContentsMargins(0, 0, 0, 0);
  outer->addLayout(head);
  outer->addWidget(scroll, 1);

  for (QSpinBox* box : {samples_, context_, windows_}) {
    box->setKeyboardTracking(false);
    connect(box, &QSpinBox::valueChanged, this, &SensitivityPanel::take_plan);
  }
  for (QCheckBox* box : {measure_, adaptive_, scores_})
    connect(box, &QCheckBox::toggled, this, &SensitivityPanel::take_plan);
  connect(formats_, &QListWidget::itemChanged, this, &SensitivityPanel::take_plan);
  connect(text_, &QComboBox::activated, this, [this](int index) {
    document_.texts().choose(static_cast<std::size_t>(text_->itemData(index).toInt()));
  });
  connect(start_, &QPushButton::clicked, this, &SensitivityPanel::start);
  connect(pause_, &QPushButton::clicked, this, [this] { document_.sensitivity().pause(); });
  connect(cancel_, &QPushButton::clicked, this, [this] { document_.sensitivity().cancel(); });
  connect(save_, &QPushButton::clicked, this, &SensitivityPanel::save_cells);
  Sensitivity& sensitivity = document_.sensitivity();
  connect(&sensitivity, &Sensitivity::plan_changed, this, &SensitivityPanel::show_plan);
  connect(&sensitivity, &Sensitivity::state_changed, this, &SensitivityPanel::update_state);
  connect(&sensitivity, &Sensitivity::cells_changed, this, &SensitivityPanel::update_progress);
  connect(&sensitivity, &Sensitivity::progress_changed, this, &SensitivityPanel::update_progress);
  connect(&document_.measurements(), &Measurements::options_changed, this, &SensitivityPanel::update_state);
  connect(&document_.texts(), &Texts::list_changed, this, &SensitivityPanel::fill_texts);
  connect(&document_.texts(), &Texts::entry_changed, this, &SensitivityPanel::fill_texts);
  connect(&document_, &Document::state_changed, this, &SensitivityPanel::fill_texts);
  connect(&document_, &Document::resolved_changed, this, &SensitivityPanel::update_state);
  show_plan();
  retranslate();
}

void SensitivityPanel::start() {
  if (document_.sensitivity().busy()) return;
  if (!document_.sensitivity().resume()) document_.find_sensitivity();
}

void SensitivityPanel::fill_texts() {
  text_->clear();
  const auto& entries = document_.texts().entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].reference.use != study::TextUse::Evaluation) continue;
    text_->addItem(entries[i].name(), static_cast<int>(i));
    if (document_.texts().chosen(i)) text_->setCurrentIndex(text_->count() - 1);
  }
  update_state();
}

void SensitivityPanel::take_plan() {
  if (showing_) return;
  study::SweepPlan plan = document_.sensitivity().plan();
  plan.formats.clear();
  for (int i = 0; i < formats_->count(); ++i)
    if (formats_->item(i)->checkState() == Qt::Checked)
      plan.formats.push_back(static_cast<kernels::Format>(formats_->item(i)->data(Qt::UserRole).toUInt()));
  plan.samples = static_cast<std::uint64_t>(samples_->value());
  plan.context = static_cast<std::uint32_t>(context_->value());
  plan.windows = static_cast<std::uint32_t>(windows_->value());
  plan.measure = measure_->isChecked();
  plan.adaptive = adaptive_->isChecked();
  plan.scores = scores_->isChecked();
  document_.sensitivity().set_plan(plan);
}

void SensitivityPanel::show_plan() {
  showing_ = true;
  const study::SweepPlan& plan = document_.sensitivity().plan();
  for (int i = 0; i < formats_->count(); ++i) {
    const auto format = static_cast<kernels::Format>(formats_->item(i)->data(Qt::UserRole).toUInt());
    formats_->item(i)->setCheckState(
        std::ranges::find(plan.formats, format) != plan.formats.end() ? Qt::Checked : Qt::Unchecked);
  }
  samples_->setValue(static_cast<int>(plan.samples));
  context_->setValue(static_cast<int>(plan.context));
  windows_->setValue(static_cast<int>(plan.windows));
  measure_->setChecked(plan.measure);
  adaptive_->setChecked(plan.adaptive);
  scores_->setChecked(plan.scores);
  showing_ = false;
  update_state();
}

void SensitivityPanel::update_state() {
  using State = Sensitivity::State;
  const Sensitivity& sensitivity = document_.sensitivity();
  const bool open = document_.session() != nullptr;
  const bool busy = sensitivity.busy();
  for (QWidget* field :
       {static_cast<QWidget*>(text_), static_cast<QWidget*>(formats_), static_cast<QWidget*>(samples_),
        static_cast<QWidget*>(context_), static_cast<QWidget*>(windows_), static_cast<QWidget*>(measure_),
        static_cast<QWidget*>(scores_)})
    field->setEnabled(open && !busy);
  adaptive_->setEnabled(open && !busy && sensitivity.plan().measure);
  const QString obstacle = document_.sensitivity_obstacle();
  start_->setEnabled(obstacle.isEmpty() && !busy);
  start_->setText(sensitivity.state() == State::Paused ? tr("Go on (F8)") : tr("Find (F8)"));
  pause_->setEnabled(sensitivity.state() == State::Running);
  cancel_->setEnabled(busy || sensitivity.state() == State::Paused);
  plan_->setText(obstacle.isEmpty() ? plan_words(document_) : obstacle);
  update_progress();
}

void SensitivityPanel::update_progress() {
  const Sensitivity& sensitivity = document_.sensitivity();
  const bool under_way = sensitivity.state() != Sensitivity::State::Idle;
  stage_->setVisible(under_way);
  progress_->setVisible(under_way);
  stage_->setText(stage_words(sensitivity));
  const Progress& p = sensitivity.job().progress;
  progress_->setValue(
      p.total > 0 ? static_cast<int>(1000.0 * static_cast<double>(p.done) / static_cast<double>(p.total))
                  : 0);
  found_->setText(found_words(document_));
  save_->setEnabled(sensitivity.known() != nullptr);
}

/// The predictions as the command line's `predict` reads them; without any, what was measured.
void SensitivityPanel::save_cells() {
  SweepPtr best;
  for (const SweepPtr& result : document_.sensitivity().results()) {
    if (result->grouping != sensitivity::Grouping::Tensor) continue;
    const sensitivity::Method method = result->cells.front().method;
    if (method == sensitivity::Method::Response || (!best && method == sensitivity::Method::Measured))
      best = result;
  }
  if (!best) return;
  const QString path = choose_target(this, tr("Save sensitivity"), QStringLiteral("sensitivity.json"),
                                     tr("Sensitivity (*.json)"), QStringLiteral(".json"));
  if (path.isEmpty()) return;
  document_.side().ask<Status>(
      "", [best, file = path.toStdString()] { return study::save_sensitivity(*best, file, true, {}); }, this,
      [this, path](const Status& saved) {
        emit document_.notice(saved ? NoticeKind::Information : NoticeKind::Failure,
                              saved ? tr("Sensitivity saved as %1, for bitlens-cli predict.").arg(path)
                                    : error_text(saved.error()));
      });
}

void SensitivityPanel::retranslate() {
  const auto label = [this](QWidget* field, const QString& text, const QString& tip) {
    if (auto* l = qobject_cast<QLabel*>(form_->labelForField(field))) l->setText(text);
    field->setToolTip(tip);
    field->setAccessibleName(text);
  };
  label(text_, tr("Text"), tr("Evaluation text the losses are found on"));
  formats_->setAccessibleName(tr("Formats"));
  formats_->setToolTip(tr("Every matrix is looked at in each of these, alone"));
  label(windows_, tr("Windows"), tr("At most this many, from the start of the text"));
  label(context_, tr("Context"), tr("Tokens per window"));
  label(samples_, tr("Samples"),
        tr("Behind every prediction; its standard error is about √(2 / samples) of its value"));
  context_->setSpecialValueText(tr("as in Measure"));
  windows_->setSpecialValueText(tr("all"));
  measure_->setText(tr("Then measure, the most informative first"));
  measure_->setToolTip(tr("Measured cells replace predicted ones"));
  adaptive_->setText(tr("Only as many windows as it takes"));
  adaptive_->setToolTip(
      tr("Until the error is a tenth of the value or too small to matter; off: all windows"));
  scores_->setText(tr("Cheaper scores too, for comparison"));
  scores_->setToolTip(tr("Input-weighted error, activation rule, Hessian trace, Fisher"));
  pause_->setText(tr("Pause"));
  cancel_->setText(tr("Cancel"));
  cancel_->setToolTip(tr("Ends the run; what is known stays"));
  save_->setText(tr("Save cells…"));
  save_->setToolTip(tr("As JSON, for bitlens-cli predict"));
  progress_->setAccessibleName(tr("Progress of the sensitivity run"));
  update_state();
}

void SensitivityPanel::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QWidget::changeEvent(event);
}

}  // namespace bitlens::views
