// The model's tensors as a tree with search. Takes chips like the map.
#pragma once

#include <QTreeView>
#include <QWidget>
#include <vector>

class QLabel;
class QLineEdit;
class QSortFilterProxyModel;

namespace bitlens::views {

class Document;
class TensorTreeModel;

class TensorTreeView : public QTreeView {
  Q_OBJECT
 public:
  TensorTreeView(Document& document, QWidget* parent = nullptr);
  void set_models(TensorTreeModel* tensors, QSortFilterProxyModel* proxy);
  [[nodiscard]] std::vector<std::size_t> tensors_at(const QModelIndex& proxy_index) const;

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dragMoveEvent(QDragMoveEvent* event) override;
  void dragLeaveEvent(QDragLeaveEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void selectionChanged(const QItemSelection& selected, const QItemSelection& deselected) override;

 private:
  [[nodiscard]] std::vector<std::size_t> targets_at(const QPoint& position) const;
  void follow_selection();

  Document& document_;
  TensorTreeModel* tensors_ = nullptr;
  QSortFilterProxyModel* proxy_ = nullptr;
  bool following_ = false;
};

class ModelTree : public QWidget {
  Q_OBJECT
 public:
  explicit ModelTree(Document& document, QWidget* parent = nullptr);
  [[nodiscard]] TensorTreeView& view() { return *view_; }
  [[nodiscard]] QLineEdit& search() { return *search_; }
  [[nodiscard]] TensorTreeModel& tensors() { return *tensors_; }

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  void update_summary();

  Document& document_;
  TensorTreeModel* tensors_;
  QSortFilterProxyModel* proxy_;
  QLineEdit* search_;
  TensorTreeView* view_;
  QLabel* summary_;
};

}  // namespace bitlens::views
