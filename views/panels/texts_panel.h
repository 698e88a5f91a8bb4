// The study's texts: what to measure on and what to calibrate on.
#pragma once

#include <QWidget>

class QLabel;
class QPushButton;
class QTableView;

namespace bitlens::views {

class Document;
class TextsModel;

class TextsPanel : public QWidget {
  Q_OBJECT
 public:
  explicit TextsPanel(Document& document, QWidget* parent = nullptr);
  [[nodiscard]] TextsModel& texts_model() { return *model_; }

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void add(bool evaluation);
  void retranslate();
  void update_state();

  Document& document_;
  TextsModel* model_;
  QTableView* table_;
  QLabel* empty_;
  QPushButton *add_evaluation_, *add_calibration_, *sample_, *remove_;
};

}  // namespace bitlens::views
