#include "views/panels/message_list.h"

#include <QEvent>
#include <QTime>

namespace bitlens::views {

MessageList::MessageList(QWidget* parent) : QPlainTextEdit(parent) {
  setObjectName(QStringLiteral("messageList"));
  setReadOnly(true);
  setMaximumBlockCount(500);
  setTabChangesFocus(true);
  retranslate();
}

void MessageList::add(NoticeKind kind, const QString& text) {
  const QString mark = kind == NoticeKind::Failure   ? QStringLiteral("✗ ")
                       : kind == NoticeKind::Warning ? QStringLiteral("! ")
                                                     : QString();
  appendPlainText(
      QStringLiteral("%1  %2%3").arg(QTime::currentTime().toString(QStringLiteral("HH:mm:ss")), mark, text));
}

void MessageList::retranslate() {
  setAccessibleName(tr("Messages"));
  setPlaceholderText(tr("Notices and errors of this session are kept here."));
}

void MessageList::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QPlainTextEdit::changeEvent(event);
}

}  // namespace bitlens::views
