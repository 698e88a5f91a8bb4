// Every measured recipe beside the others: a table, and size against loss.
#pragma once

#include <QWidget>
#include <vector>

class QComboBox;
class QLabel;
class QPushButton;
class QSortFilterProxyModel;
class QTableView;

namespace bitlens::views {

class CompareModel;
class Document;
class ScatterPlot;
struct ScatterPoint;

class ComparePanel : public QWidget {
  Q_OBJECT
 public:
  explicit ComparePanel(Document& document, QWidget* parent = nullptr);
  [[nodiscard]] CompareModel& compare_model() { return *model_; }

 signals:
  void compare_file_clicked();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  void update_plot();
  void add_predictions(std::vector<ScatterPoint>& points) const;
  void update_state();
  [[nodiscard]] int current_result() const;

  Document& document_;
  CompareModel* model_;
  QSortFilterProxyModel* sorted_;
  QTableView* table_;
  ScatterPlot* plot_;
  QLabel *empty_, *note_;
  QComboBox* loss_;
  QPushButton *apply_, *remove_, *other_;
  std::vector<int> plotted_;  ///< result of the first points; predictions follow them
};

}  // namespace bitlens::views
