// How to measure, and the result of the last measurement.
#pragma once

#include <QWidget>

class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QAction;
class QSpinBox;

namespace bitlens::views {

class ImportanceButton;
class Document;

class MeasurePanel : public QWidget {
  Q_OBJECT
 public:
  explicit MeasurePanel(Document& document, QWidget* parent = nullptr);
  /// Make, use, stop using an importance matrix: for a menu.
  [[nodiscard]] QList<QAction*> importance_actions() const;

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void take_options();
  void show_options();
  void update_state();
  void show_result();
  void retranslate();

  Document& document_;
  QFormLayout* form_;
  QLineEdit* name_;
  QSpinBox *context_, *windows_;
  QComboBox *protocol_, *activations_, *compute_, *quantizer_;
  ImportanceButton* importance_;
  QPushButton *measure_, *calibrate_;
  QLabel *plan_, *result_;
  bool showing_ = false;
};

}  // namespace bitlens::views
