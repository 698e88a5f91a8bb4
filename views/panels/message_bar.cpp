#include "views/panels/message_bar.h"

#include <QAccessible>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>
#include <utility>

#include "views/theme/icons.h"
#include "views/theme/theme.h"

namespace bitlens::views {

namespace {
constexpr int kStayMs = 9000;
}

MessageBar::MessageBar(QWidget* parent)
    : QFrame(parent),
      picture_(new QLabel(this)),
      text_(new QLabel(this)),
      answer_(new QPushButton(this)),
      close_(new QToolButton(this)) {
  setObjectName(QStringLiteral("messageBar"));
  setFrameShape(QFrame::StyledPanel);
  setAutoFillBackground(true);
  setBackgroundRole(QPalette::ToolTipBase);
  text_->setObjectName(QStringLiteral("messageText"));
  text_->setTextFormat(Qt::PlainText);
  text_->setWordWrap(true);
  text_->setForegroundRole(QPalette::ToolTipText);
  answer_->setObjectName(QStringLiteral("messageAnswer"));
  close_->setObjectName(QStringLiteral("messageClose"));
  close_->setAutoRaise(true);
  auto* line = new QHBoxLayout(this);
  line->setContentsMargins(10, 4, 6, 4);
  line->addWidget(picture_);
  line->addWidget(text_, 1);
  line->addWidget(answer_);
  line->addWidget(close_);
  timer_.setSingleShot(true);
  timer_.setInterval(kStayMs);
  connect(&timer_, &QTimer::timeout, this, &QWidget::hide);
  connect(close_, &QToolButton::clicked, this, [this] {
    hide();
    const auto refuse = std::exchange(on_refuse_, {});
    on_answer_ = {};
    if (refuse) refuse();
  });
  connect(answer_, &QPushButton::clicked, this, [this] {
    hide();
    const auto answer = std::exchange(on_answer_, {});
    on_refuse_ = {};
    if (answer) answer();
  });
  hide();
  retranslate();
}

void MessageBar::show_notice(NoticeKind kind, const QString& text) {
  if (on_answer_ && isVisible() && kind != NoticeKind::Failure) return;  // a question waits for its answer
  kind_ = kind;
  on_answer_ = {};
  on_refuse_ = {};
  answer_->hide();
  text_->setText(text);
  retranslate();
  show();
  QAccessibleEvent announce(this, QAccessible::Alert);
  QAccessible::updateAccessibility(&announce);
  if (kind == NoticeKind::Failure)
    timer_.stop();
  else
    timer_.start();
}

void MessageBar::ask(const QString& text, const QString& button, const std::function<void()>& answer,
                     const std::function<void()>& refuse) {
  show_notice(NoticeKind::Information, text);
  timer_.stop();
  answer_->setText(button);
  answer_->show();
  on_answer_ = answer;
  on_refuse_ = refuse;
}

QString MessageBar::text() const {
  return isVisible() ? text_->text() : QString();
}

void MessageBar::retranslate() {
  const char* name = kind_ == NoticeKind::Information ? "help" : "warning";
  QPalette colors = palette();
  const Accents accent = accents(colors);
  if (kind_ != NoticeKind::Information)
    colors.setColor(QPalette::ButtonText, kind_ == NoticeKind::Failure ? accent.bad : accent.warning);
  picture_->setPixmap(icon(name, colors).pixmap(20, 20));
  close_->setIcon(icon("cancel", palette()));
  close_->setToolTip(tr("Close this message"));
  close_->setAccessibleName(tr("Close this message"));
}

void MessageBar::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange || event->type() == QEvent::PaletteChange) retranslate();
  QFrame::changeEvent(event);
}

}  // namespace bitlens::views
