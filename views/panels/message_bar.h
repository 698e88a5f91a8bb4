// Notices below the map: what was left out and why, what failed and what to do. Goes away by itself unless it
// is a failure; everything said is kept in the message list.
#pragma once

#include <QFrame>
#include <QTimer>
#include <functional>

#include "views/document/document.h"

class QLabel;
class QPushButton;
class QToolButton;

namespace bitlens::views {

class MessageBar : public QFrame {
  Q_OBJECT
 public:
  explicit MessageBar(QWidget* parent = nullptr);
  void show_notice(NoticeKind kind, const QString& text);
  /// A question with one answer; stays until answered or closed.
  void ask(const QString& text, const QString& button, const std::function<void()>& answer,
           const std::function<void()>& refuse);
  [[nodiscard]] QString text() const;

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  QLabel *picture_, *text_;
  QPushButton* answer_;
  QToolButton* close_;
  QTimer timer_;
  NoticeKind kind_ = NoticeKind::Information;
  std::function<void()> on_answer_, on_refuse_;
};

}  // namespace bitlens::views
