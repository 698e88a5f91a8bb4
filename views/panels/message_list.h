// Everything the studio said in this session, newest last.
#pragma once

#include <QPlainTextEdit>

#include "views/document/document.h"

namespace bitlens::views {

class MessageList : public QPlainTextEdit {
  Q_OBJECT
 public:
  explicit MessageList(QWidget* parent = nullptr);
  void add(NoticeKind kind, const QString& text);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
};

}  // namespace bitlens::views
