// The line of numbers a person watches while choosing: file size, bits per weight, KV cache, predicted and
// measured loss. Follows the mouse during a drag, before the button is released.
#pragma once

#include <QFrame>

class QLabel;
class QSpinBox;

namespace bitlens::views {

class Document;

class SizeStrip : public QFrame {
  Q_OBJECT
 public:
  explicit SizeStrip(Document& document, QWidget* parent = nullptr);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  struct Item {
    QLabel* caption = nullptr;
    QLabel* value = nullptr;
  };
  Item add_item(const char* name, QLayout* layout);
  void retranslate();
  void update_sizes();
  void update_cache();
  void update_loss();
  void update_prediction();

  Document& document_;
  Item size_, bits_, share_, cache_, predicted_, loss_, divergence_;
  QSpinBox* context_;
};

}  // namespace bitlens::views
