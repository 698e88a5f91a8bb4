#include "views/panels/chip.h"

#include <QApplication>
#include <QDrag>
#include <QEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QStyleOptionFocusRect>

#include "core/quantize/runtimes.h"
#include "views/models/map_metric.h"
#include "views/panels/format_mime.h"
#include "views/text/units.h"
#include "views/theme/color_map.h"

namespace bitlens::views {

Chip::Chip(quantize::FormatChoice choice, int number, QWidget* parent)
    : QAbstractButton(parent), choice_(choice), number_(number) {
  setObjectName(QStringLiteral("chip_%1").arg(choice ? shown(choice_name(choice)) : QStringLiteral("keep")));
  setFocusPolicy(Qt::StrongFocus);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  setCursor(Qt::OpenHandCursor);
  setAttribute(Qt::WA_Hover);
  retranslate();
}

void Chip::set_usable(bool fits, bool model_open) {
  misfit_ = model_open && !fits;
  setEnabled(fits);
  retranslate();
}

void Chip::retranslate() {
  if (choice_) {
    const kernels::FormatInfo& info = kernels::info(*choice_);
    setText(shown(info.name));
    bits_ = tr("%1 bpw").arg(bpw_text(info.bits_per_weight()));
    const QString readers = shown(quantize::runtimes_that_read(info.format));
    runtimes_ = QString(readers).replace(QStringLiteral(", "), QStringLiteral(" · "));
    const QString block =
        info.block_size > 1
            ? tr("blocks of %1 weights in %2 bytes").arg(info.block_size).arg(info.block_bytes)
            : tr("every weight on its own");
    setToolTip(tr("%1: %2 bits per weight, %3.\nRead by: %4 (vLLM's GGUF support is experimental).")
                   .arg(text(), bpw_text(info.bits_per_weight()), block, readers));
    if (info.wants_importance)
      setToolTip(toolTip() + QLatin1Char('\n') + tr("Poor without an importance matrix."));
    setAccessibleName(tr("Precision %1, %2 bits per weight").arg(text(), bpw_text(info.bits_per_weight())));
  } else {
    setText(tr("As in file"));
    bits_.clear();
    runtimes_ = tr("unchanged");
    setToolTip(tr("Gives tensors back the precision they have in the file."));
    setAccessibleName(tr("Precision as in the file"));
  }
  if (misfit_) {
    runtimes_ = tr("fits no tensor");
    setToolTip(toolTip() + QLatin1Char('\n') +
               tr("No matrix of this model has rows that are a whole number of its blocks."));
  }
  if (number_ > 0) setToolTip(toolTip() + QLatin1Char('\n') + tr("Key: %1").arg(number_));
  setAccessibleDescription(
      tr("Assigns this precision to the selected tensors. Can be dragged onto the map."));
  update();
}

void Chip::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QAbstractButton::changeEvent(event);
}

QSize Chip::sizeHint() const {
  return {230, std::max(27, fontMetrics().height() + 10)};
}

void Chip::draw(QPainter& painter, const QRect& area, bool lifted) const {
  painter.setRenderHint(QPainter::Antialiasing);
  const QPalette& p = palette();
  const bool hover = underMouse() && isEnabled();
  QColor ground = p.color(hover || lifted ? QPalette::Light : QPalette::Base);
  painter.setPen(QPen(p.color(hover ? QPalette::Highlight : QPalette::Mid), 1));
  painter.setBrush(ground);
  const QRectF body = QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5);
  painter.drawRoundedRect(body, 4, 4);

  // The tab has the colour this precision has on the map.
  const int tab = area.height();
  const double bits = choice_ ? kernels::info(*choice_).bits_per_weight() : 0;
  const QColor color = choice_ && isEnabled()
                           ? ColorMap::cividis().at(MetricScale(Metric::Precision, 2, 32).position(bits))
                           : p.color(QPalette::Button);
  const QColor ink = choice_ && isEnabled() ? text_on(color) : p.color(QPalette::ButtonText);
  painter.setPen(Qt::NoPen);
  painter.setBrush(color);
  painter.drawRoundedRect(QRectF(body.left(), body.top(), tab, body.height()), 4, 4);
  painter.drawRect(QRectF(body.left() + tab - 5, body.top(), 5, body.height()));
  painter.setPen(ink);
  if (number_ > 0)
    painter.drawText(QRect(area.left(), area.top(), tab, area.height()), Qt::AlignCenter,
                     QString::number(number_));

  QFont bold = font();
  bold.setBold(true);
  painter.setFont(bold);
  painter.setPen(p.color(isEnabled() ? QPalette::Active : QPalette::Disabled, QPalette::Text));
  const QRect rest = area.adjusted(tab + 8, 0, -8, 0);
  painter.drawText(rest, Qt::AlignVCenter | Qt::AlignLeft, text());
  const int name_width = QFontMetrics(bold).horizontalAdvance(text());
  painter.setFont(font());
  painter.drawText(rest.adjusted(std::max(52, name_width + 10), 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft,
                   bits_);
  const int bits_end = std::max(52, name_width + 10) + fontMetrics().horizontalAdvance(bits_) + 10;
  painter.setPen(p.color(isEnabled() ? QPalette::Active : QPalette::Disabled,
                         isEnabled() ? QPalette::PlaceholderText : QPalette::Text));
  if (rest.width() - bits_end >= fontMetrics().horizontalAdvance(runtimes_))
    painter.drawText(rest, Qt::AlignVCenter | Qt::AlignRight, runtimes_);
}

void Chip::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  draw(painter, rect(), isDown());
  if (hasFocus()) {
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(palette().color(QPalette::Highlight), 2));
    painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 4, 4);
  }
}

void Chip::mousePressEvent(QMouseEvent* event) {
  pressed_at_ = event->position().toPoint();
  QAbstractButton::mousePressEvent(event);
}

void Chip::mouseMoveEvent(QMouseEvent* event) {
  const int moved = (event->position().toPoint() - pressed_at_).manhattanLength();
  if (event->buttons() & Qt::LeftButton && moved >= QApplication::startDragDistance() && isEnabled()) {
    setDown(false);
    start_drag();
    return;
  }
  QAbstractButton::mouseMoveEvent(event);
}

void Chip::start_drag() {
  auto* drag = new QDrag(this);
  drag->setMimeData(make_format_mime(choice_));
  const QSize size(std::min(width(), 150), height());
  QPixmap picture(size * devicePixelRatioF());
  picture.setDevicePixelRatio(devicePixelRatioF());
  picture.fill(Qt::transparent);
  {
    QPainter painter(&picture);
    painter.setOpacity(0.92);
    painter.setFont(font());
    draw(painter, QRect(QPoint(), size), true);
  }
  drag->setPixmap(picture);
  drag->setHotSpot(QPoint(-12, -8));  // the cell under the pointer stays readable
  drag->exec(Qt::CopyAction, Qt::CopyAction);
}

}  // namespace bitlens::views
