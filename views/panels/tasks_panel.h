// Accuracy on cloze tasks by kind, of the model as it is and of the recipe: beside perplexity, what a
// precision costs in answers.
#pragma once

#include <QWidget>

class QLabel;
class QPushButton;
class QStandardItemModel;
class QTableView;

namespace bitlens::views {

class Document;

class TasksPanel : public QWidget {
  Q_OBJECT
 public:
  explicit TasksPanel(Document& document, QWidget* parent = nullptr);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void choose();
  void retranslate();
  void update_state();
  void fill_table();

  Document& document_;
  QStandardItemModel* model_;
  QTableView* table_;
  QLabel *empty_, *note_;
  QPushButton *score_, *choose_, *sample_;
};

}  // namespace bitlens::views
