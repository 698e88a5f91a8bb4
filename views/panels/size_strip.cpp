#include "views/panels/size_strip.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QSpinBox>
#include <QVBoxLayout>
#include <cmath>

#include "views/document/document.h"
#include "views/text/units.h"
#include "views/theme/theme.h"

namespace bitlens::views {

SizeStrip::SizeStrip(Document& document, QWidget* parent) : QFrame(parent), document_(document) {
  setObjectName(QStringLiteral("sizeStrip"));
  setFrameShape(QFrame::StyledPanel);
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
  auto* line = new QHBoxLayout(this);
  line->setContentsMargins(12, 5, 12, 5);
  line->setSpacing(26);
  size_ = add_item("stripSize", line);
  bits_ = add_item("stripBits", line);
  share_ = add_item("stripShare", line);
  cache_ = add_item("stripCache", line);
  context_ = new QSpinBox(this);
  context_->setObjectName(QStringLiteral("stripContext"));
  context_->setRange(1, 10'000'000);
  context_->setSingleStep(1024);
  context_->setGroupSeparatorShown(true);
  context_->setValue(4096);
  context_->setFocusPolicy(Qt::ClickFocus);
  line->addWidget(context_);
  predicted_ = add_item("stripPredicted", line);
  loss_ = add_item("stripLoss", line);
  divergence_ = add_item("stripDivergence", line);
  line->addStretch(1);

  connect(context_, &QSpinBox::valueChanged, this, &SizeStrip::update_cache);
  connect(&document_, &Document::state_changed, this, [this] {
    if (document_.session()) {
      const auto context = document_.model().summary().context;
      if (context && *context > 0 && *context <= 10'000'000)
        context_->setValue(static_cast<int>(std::min<std::uint64_t>(*context, 4096)));
    }
    update_sizes();
    update_cache();
    update_loss();
  });
  connect(&document_, &Document::resolved_changed, this, [this] {
    update_sizes();
    update_loss();
  });
  connect(&document_, &Document::preview_changed, this, &SizeStrip::update_sizes);
  connect(&document_, &Document::prediction_changed, this, &SizeStrip::update_prediction);
  connect(&document_, &Document::state_changed, this, &SizeStrip::update_prediction);
  connect(&document_.measurements(), &Measurements::results_changed, this, &SizeStrip::update_loss);
  connect(&document_.measurements(), &Measurements::running_changed, this, &SizeStrip::update_loss);
  retranslate();
}

SizeStrip::Item SizeStrip::add_item(const char* name, QLayout* layout) {
  auto* box = new QWidget(this);
  auto* lines = new QVBoxLayout(box);
  lines->setContentsMargins(0, 0, 0, 0);
  lines->setSpacing(0);
  Item item{new QLabel(box), new QLabel(box)};
  item.caption->setForegroundRole(QPalette::PlaceholderText);
  QFont small = item.caption->font();
  if (small.pointSizeF() > 0) small.setPointSizeF(small.pointSizeF() * 0.9);
  item.caption->setFont(small);
  QFont bold = item.value->font();
  bold.setBold(true);
  item.value->setFont(bold);
  item.value->setObjectName(QString::fromLatin1(name));
  item.value->setTextFormat(Qt::PlainText);
  item.value->setTextInteractionFlags(Qt::TextSelectableByMouse);
  item.value->setFocusPolicy(Qt::NoFocus);
  lines->addWidget(item.caption);
  lines->addWidget(item.value);
  layout->addWidget(box);
  return item;
}

void SizeStrip::update_sizes() {
  const QString none = QStringLiteral("—");
  const ResolvedPtr& now = document_.resolved();
  if (!now || !document_.session()) {
    for (const Item& item : {size_, bits_, share_}) item.value->setText(none);
    return;
  }
  const ResolvedPtr& next = document_.preview();
  const quantize::ResolvedRecipe& shown_recipe = next ? *next : *now;
  const auto source = static_cast<double>(document_.session()->file().file_bytes());
  const auto both = [&](const QString& before, const QString& after) {
    return next && before != after ? tr("%1 → %2").arg(before, after) : before;
  };
  size_.value->setText(both(bytes_text(now->file_bytes), bytes_text(shown_recipe.file_bytes)));
  size_.value->setToolTip(
      tr("Exact size of the exported file: %1").arg(exact_bytes_text(shown_recipe.file_bytes)));
  bits_.value->setText(both(bpw_text(now->bits_per_weight), bpw_text(shown_recipe.bits_per_weight)));
  share_.value->setText(both(share_text(static_cast<double>(now->file_bytes) / source),
                             share_text(static_cast<double>(shown_recipe.file_bytes) / source)));
  for (const Item& item : {size_, bits_, share_})
    item.value->setForegroundRole(next ? QPalette::Link : QPalette::WindowText);
}

void SizeStrip::update_cache() {
  context_->setEnabled(document_.session() != nullptr);
  const auto bytes = document_.session()
                         ? document_.model().kv_cache_bytes(static_cast<std::uint64_t>(context_->value()))
                         : std::nullopt;
  cache_.value->setText(bytes ? bytes_text(*bytes) : QStringLiteral("—"));
}

/// What the recipe, or the one under the mouse, is predicted to cost.
void SizeStrip::update_prediction() {
  const bool hovers = document_.preview() != nullptr;
  const auto& shown_one = hovers ? document_.preview_prediction() : document_.prediction();
  predicted_.value->parentWidget()->setVisible(document_.sensitivity().known() != nullptr);
  predicted_.value->setForegroundRole(hovers ? QPalette::Link : QPalette::WindowText);
  if (!shown_one) {
    predicted_.value->setText(QStringLiteral("—"));
    predicted_.value->setToolTip(tr("Nothing is known about what this recipe changes."));
    return;
  }
  const study::RecipePrediction& p = *shown_one;
  QString text = value_text(p.kl_mean, p.kl_se);
  if (!p.missing.empty()) text = tr("%1 and more").arg(text);
  QStringList lines{p.joint ? tr("KL per token, predicted from %n sample(s), interactions included", nullptr,
                                 static_cast<int>(p.samples))
                            : tr("KL per token: the sum of the tensors' single losses")};
  if (std::isfinite(p.dnll_mean)) {
    const QString ratio = value_text(p.dnll_mean, p.dnll_se);
    text += QStringLiteral(" · ") + tr("ΔNLL %1").arg(ratio);
    lines << tr("ln(PPL ratio): %1").arg(ratio);
  }
  if (!p.missing.empty())
    lines << tr("%n changed tensor(s) unknown and left out: %1", nullptr, static_cast<int>(p.missing.size()))
                 .arg(shown(p.missing.front(), 80));
  predicted_.value->setText(text);
  predicted_.value->setToolTip(lines.join(QLatin1Char('\n')));
}

void SizeStrip::update_loss() {
  const Measurements& measurements = document_.measurements();
  const study::MeasuredResult* result =
      document_.session() ? measurements.find(document_.effective_recipe()) : nullptr;
  const bool fresh = result != nullptr;
  if (!result) result = measurements.latest();
  QString loss = document_.session() ? tr("not measured (F5)") : QStringLiteral("—"),
          divergence = QStringLiteral("—");
  if (result) {
    const evaluate::Perplexity& p = result->measurement.perplexity;
    loss = value_text(p.ppl, p.ppl_se);
    if (const auto& c = result->measurement.comparison) {
      const double change = p.ppl / c->base.ppl - 1;
      loss += QStringLiteral(" (%1%2)").arg(change < 0 ? QStringLiteral("−") : QStringLiteral("+"),
                                            share_text(std::abs(change)));
      divergence = value_text(c->kl_mean, c->kl_se);
    }
    const QString where =
        tr("%1, %n window(s) of %2 tokens of %3", nullptr, static_cast<int>(result->provenance.windows))
            .arg(shown(result->provenance.protocol))
            .arg(result->provenance.context)
            .arg(shown(result->provenance.text_name));
    loss_.value->setToolTip(fresh ? where
                                  : tr("Of an earlier recipe, \"%1\": %2").arg(shown(result->name), where));
    if (!fresh) {
      loss = tr("%1 — earlier recipe").arg(loss);
      if (result->measurement.comparison) divergence = tr("%1 — earlier").arg(divergence);
    }
  }
  loss_.value->setText(loss);
  divergence_.value->setText(divergence);
  for (const Item& item : {loss_, divergence_})
    item.value->setForegroundRole(fresh ? QPalette::WindowText : QPalette::PlaceholderText);
}

void SizeStrip::retranslate() {
  size_.caption->setText(tr("File size"));
  bits_.caption->setText(tr("Bits per weight"));
  share_.caption->setText(tr("Of the source"));
  cache_.caption->setText(tr("KV cache (16 bit) at context"));
  predicted_.caption->setText(tr("Predicted KL per token"));
  loss_.caption->setText(tr("Measured perplexity"));
  divergence_.caption->setText(tr("KL per token (nats)"));
  bits_.value->setToolTip(tr("8 × bytes of all tensors / number of weights"));
  cache_.value->setToolTip(tr("2 × layers × KV heads × head size × context × 2 bytes"));
  divergence_.value->setToolTip(
      tr("mean KL(model as in file ‖ recipe) over the scored tokens, ± standard error"));
  context_->setAccessibleName(tr("Context for the KV cache, tokens"));
  update_sizes();
  update_cache();
  update_loss();
  update_prediction();
}

void SizeStrip::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QFrame::changeEvent(event);
}

}  // namespace bitlens::views
