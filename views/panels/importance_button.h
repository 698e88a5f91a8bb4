// Shows which importance matrix the encoders use, and lets it be chosen, made or dropped.
#pragma once

#include <QToolButton>

class QAction;

namespace bitlens::views {

class Document;

class ImportanceButton : public QToolButton {
  Q_OBJECT
 public:
  explicit ImportanceButton(Document& document, QWidget* parent = nullptr);
  /// For a menu: make, use, stop using.
  [[nodiscard]] QList<QAction*> choices() const { return {make_, use_, stop_}; }

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void make();
  void use();
  void update_state();
  void retranslate();

  Document& document_;
  QAction *make_, *use_, *stop_;
};

}  // namespace bitlens::views
