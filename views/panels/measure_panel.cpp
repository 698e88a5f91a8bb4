#include "views/panels/measure_panel.h"

#include <QComboBox>
#include <QEvent>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSpinBox>
#include <QVBoxLayout>

#include "views/document/document.h"
#include "views/panels/importance_button.h"
#include "views/text/units.h"

namespace bitlens::views {

MeasurePanel::MeasurePanel(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      form_(new QFormLayout),
      name_(new QLineEdit(this)),
      context_(new QSpinBox(this)),
      windows_(new QSpinBox(this)),
      protocol_(new QComboBox(this)),
      activations_(new QComboBox(this)),
      compute_(new QComboBox(this)),
      quantizer_(new QComboBox(this)),
      importance_(new ImportanceButton(document, this)),
      measure_(new QPushButton(this)),
      calibrate_(new QPushButton(this)),
      plan_(new QLabel(this)),
      result_(new QLabel(this)) {
  setObjectName(QStringLiteral("measurePanel"));
  name_->setObjectName(QStringLiteral("recipeName"));
  context_->setObjectName(QStringLiteral("measureContext"));
  windows_->setObjectName(QStringLiteral("measureWindows"));
  protocol_->setObjectName(QStringLiteral("measureProtocol"));
  activations_->setObjectName(QStringLiteral("measureActivations"));
  compute_->setObjectName(QStringLiteral("measureCompute"));
  quantizer_->setObjectName(QStringLiteral("measureQuantizer"));
  measure_->setObjectName(QStringLiteral("measureButton"));
  calibrate_->setObjectName(QStringLiteral("calibrateButton"));
  plan_->setObjectName(QStringLiteral("measurePlan"));
  result_->setObjectName(QStringLiteral("measureResult"));
  plan_->setWordWrap(true);
  plan_->setTextFormat(Qt::PlainText);
  plan_->setForegroundRole(QPalette::PlaceholderText);
  result_->setWordWrap(true);
  result_->setTextFormat(Qt::PlainText);
  result_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  result_->setFocusPolicy(Qt::NoFocus);  // selectable with the mouse; nothing to reach by keyboard
  context_->setRange(0, 1 << 20);
  context_->setSingleStep(128);
  windows_->setRange(0, 1'000'000);
  for (int i = 0; i < 2; ++i) {
    protocol_->addItem(QString());
    activations_->addItem(QString());
    compute_->addItem(QString());
    quantizer_->addItem(QString());
  }
  form_->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  for (QWidget* field :
       {static_cast<QWidget*>(name_), static_cast<QWidget*>(protocol_), static_cast<QWidget*>(context_),
        static_cast<QWidget*>(windows_), static_cast<QWidget*>(activations_), static_cast<QWidget*>(compute_),
        static_cast<QWidget*>(quantizer_), static_cast<QWidget*>(importance_)})
    form_->addRow(QStringLiteral(" "), field);
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(measure_, 1);
  buttons->addWidget(calibrate_, 1);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(8, 6, 8, 8);
  all->addLayout(form_);
  all->addWidget(plan_);
  all->addLayout(buttons);
  auto* scroll = new QScrollArea(this);  // an engine's warnings may be long
  scroll->setObjectName(QStringLiteral("measureResultScroll"));
  scroll->setWidget(result_);
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setFocusPolicy(Qt::NoFocus);
  result_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
  all->addWidget(scroll, 1);

  connect(name_, &QLineEdit::editingFinished, this, [this] {
    if (document_.session() && name_->isModified()) document_.rename_recipe(name_->text());
  });
  for (QSpinBox* box : {context_, windows_}) {
    box->setKeyboardTracking(false);
    connect(box, &QSpinBox::valueChanged, this, &MeasurePanel::take_options);
  }
  for (QComboBox* box : {protocol_, activations_, compute_, quantizer_})
    connect(box, &QComboBox::currentIndexChanged, this, &MeasurePanel::take_options);
  connect(measure_, &QPushButton::clicked, &document_, &Document::measure);
  connect(calibrate_, &QPushButton::clicked, &document_, &Document::calibrate);
  connect(&document_.measurements(), &Measurements::options_changed, this, &MeasurePanel::show_options);
  connect(&document_.measurements(), &Measurements::running_changed, this, &MeasurePanel::update_state);
  connect(&document_.measurements(), &Measurements::results_changed, this, &MeasurePanel::show_result);
  connect(&document_.texts(), &Texts::entry_changed, this, &MeasurePanel::update_state);
  connect(&document_.texts(), &Texts::list_changed, this, &MeasurePanel::update_state);
  connect(&document_, &Document::state_changed, this, [this] {
    update_state();
    show_result();
  });
  connect(&document_, &Document::resolved_changed, this, [this] {
    update_state();
    show_result();
  });
  show_options();
  retranslate();
}

void MeasurePanel::take_options() {
  if (showing_) return;
  evaluate::Options options = document_.measurements().options();
  options.protocol = protocol_->currentIndex() == 1 ? evaluate::Protocol::Paper : evaluate::Protocol::Llama;
  options.activations =
      activations_->currentIndex() == 1 ? evaluate::Activations::Q8 : evaluate::Activations::Exact;
  options.compute = compute_->currentIndex() == 1 ? evaluate::Compute::Fast : evaluate::Compute::Exact;
  options.context = static_cast<std::uint32_t>(context_->value());
  options.windows = static_cast<std::uint32_t>(windows_->value());
  document_.measurements().set_options(options);
  document_.measurements().set_quantizer(quantizer_->currentIndex() == 1 ? quantize::Quantizer::Rtn
                                                                         : quantize::Quantizer::Search);
}

void MeasurePanel::show_options() {
  showing_ = true;
  const Measurements& m = document_.measurements();
  protocol_->setCurrentIndex(m.options().protocol == evaluate::Protocol::Paper ? 1 : 0);
  activations_->setCurrentIndex(m.options().activations == evaluate::Activations::Q8 ? 1 : 0);
  compute_->setCurrentIndex(m.options().compute == evaluate::Compute::Fast ? 1 : 0);
  quantizer_->setCurrentIndex(m.quantizer() == quantize::Quantizer::Rtn ? 1 : 0);
  context_->setValue(static_cast<int>(m.options().context));
  windows_->setValue(static_cast<int>(m.options().windows));
  context_->setSpecialValueText(m.options().protocol == evaluate::Protocol::Paper ? tr("default (2048)")
                                                                                  : tr("default (512)"));
  showing_ = false;
  update_state();
}

void MeasurePanel::update_state() {
  const bool open = document_.session() != nullptr;
  const bool can_run = open && document_.model().llama().has_value();
  for (QWidget* w :
       {static_cast<QWidget*>(name_), static_cast<QWidget*>(context_), static_cast<QWidget*>(windows_),
        static_cast<QWidget*>(protocol_), static_cast<QWidget*>(activations_),
        static_cast<QWidget*>(compute_), static_cast<QWidget*>(quantizer_)})
    w->setEnabled(open);
  if (!name_->hasFocus()) name_->setText(open ? document_.recipe_name() : QString());
  const QString obstacle = document_.measure_obstacle();
  measure_->setEnabled(obstacle.isEmpty());
  calibrate_->setEnabled(can_run && document_.texts().calibration() &&
                         document_.texts().calibration()->tokens);
  if (!obstacle.isEmpty()) {
    plan_->setText(obstacle);
    return;
  }
  const TextEntry* text = document_.texts().evaluation();
  const Measurements& m = document_.measurements();
  const quint64 windows = m.windows_of(text->tokens->tokens.size());
  QString plan = tr("%n window(s) of %1", nullptr, static_cast<int>(windows)).arg(text->name());
  const double seconds = m.seconds_for(*document_.session(), windows, document_.changes_anything());
  if (seconds > 0) plan += QStringLiteral(", ") + tr("about %1").arg(duration_text(seconds));
  const auto& summary = document_.model().summary();
  if (summary.context && m.options().context > *summary.context)
    plan += QLatin1Char('\n') + tr("The context is above the model's own %1.").arg(*summary.context);
  plan_->setText(plan);
}

void MeasurePanel::show_result() {
  const auto& results = document_.measurements().results();
  if (results.empty()) {
    result_->setText(QString());
    return;
  }
  const study::MeasuredResult* now = document_.measurements().find(document_.effective_recipe());
  const study::MeasuredResult& r = now ? *now : results.back();
  const evaluate::Perplexity& p = r.measurement.perplexity;
  QStringList lines;
  lines << tr("%1: perplexity %2").arg(shown(r.name, 80), value_text(p.ppl, p.ppl_se));
  if (const auto& c = r.measurement.comparison) {
    lines << tr("base: %1").arg(value_text(c->base.ppl, c->base.ppl_se));
    lines << tr("ln(PPL ratio): %1").arg(value_text(c->ln_ratio, c->ln_ratio_se));
    lines << tr("KL: mean %1, p99 %2, max %3")
                 .arg(value_text(c->kl_mean, c->kl_se), number_text(c->kl_p99), number_text(c->kl_max));
    lines << tr("same top token: %1").arg(share_text(c->top1_agreement));
  }
  if (const auto& d = r.measurement.deviation)
    lines << tr("fast products against exact ones, on %1 tokens: ln(PPL ratio) %2, KL %3")
                 .arg(count_text(d->scored_tokens), value_text(d->ln_ratio, d->ln_ratio_se),
                      number_text(d->kl_mean));
  lines
      << tr("%1 tokens scored in %2").arg(count_text(p.scored_tokens), duration_text(r.measurement.seconds));
  for (const std::string& warning : r.measurement.warnings) lines << shown(warning);
  if (!now) lines << tr("The recipe has changed since.");
  result_->setText(lines.join('\n'));
}

void MeasurePanel::retranslate() {
  const auto label = [this](QWidget* field, const QString& text, const QString& tip) {
    if (auto* l = qobject_cast<QLabel*>(form_->labelForField(field))) l->setText(text);
    field->setToolTip(tip);
    field->setAccessibleName(QString(text).remove('&'));
  };
  label(name_, tr("Recipe name"), tr("Names the row in the Compare table"));
  label(protocol_, tr("Protocol"),
        tr("llama: second half of each window is scored, as llama-perplexity does.\n"
           "paper: every position is scored, as in the GPTQ and AWQ papers."));
  label(context_, tr("Context"), tr("Tokens per window"));
  label(windows_, tr("Windows"), tr("At most this many, from the start of the text"));
  label(activations_, tr("Activations"),
        tr("8 bit: the inputs of quantized weights are rounded as llama.cpp's CPU code rounds them"));
  label(
      compute_, tr("Products"),
      tr("exact: as good as 32 bit.\nfast: of numbers rounded to 16 bit (bfloat16), several times the speed "
         "where the processor multiplies those; what that changes is measured on the first window."));
  label(quantizer_, tr("Quantizer"),
        tr("search: looks for the block scale with the smallest error.\nrtn: plain rounding, byte-equal to "
           "other tools."));
  label(importance_, tr("Importance"), importance_->toolTip());
  protocol_->setItemText(0, QStringLiteral("llama"));
  protocol_->setItemText(1, QStringLiteral("paper"));
  activations_->setItemText(0, tr("exact"));
  activations_->setItemText(1, tr("8 bit, as llama.cpp"));
  compute_->setItemText(0, tr("exact"));
  compute_->setItemText(1, tr("fast"));
  quantizer_->setItemText(0, QStringLiteral("search"));
  quantizer_->setItemText(1, QStringLiteral("rtn"));
  windows_->setSpecialValueText(tr("all"));
  result_->setAccessibleName(tr("Result of the measurement"));
  measure_->setText(tr("Measure (F5)"));
  calibrate_->setText(tr("Calibrate"));
  calibrate_->setToolTip(tr("Looks at the inputs of every linear layer over the calibration text"));
  show_options();
  show_result();
}

QList<QAction*> MeasurePanel::importance_actions() const {
  return importance_->choices();
}

void MeasurePanel::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QWidget::changeEvent(event);
}

}  // namespace bitlens::views
