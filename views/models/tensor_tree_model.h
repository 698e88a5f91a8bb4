// All tensors of the file as a tree: what stands outside the layers first, then one branch per layer.
#pragma once

#include <QAbstractItemModel>
#include <vector>

namespace bitlens::views {

class Document;

class TensorTreeModel : public QAbstractItemModel {
  Q_OBJECT
 public:
  enum Column { Name, Precision, Shape, Bytes, ColumnCount };
  enum Role { TensorRole = Qt::UserRole };  ///< tensor index, -1 for a branch

  explicit TensorTreeModel(Document& document, QObject* parent = nullptr);

  QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
  QModelIndex parent(const QModelIndex& index) const override;
  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;

  /// The tensor of a leaf, all tensors of a branch.
  [[nodiscard]] std::vector<std::size_t> tensors_of(const QModelIndex& index) const;
  [[nodiscard]] QModelIndex index_of(std::size_t tensor) const;

 private:
  void rebuild();

  struct Branch {
    int layer = -1;
    std::vector<std::size_t> tensors;
  };
  Document& document_;
  std::vector<Branch> branches_;
  std::vector<std::pair<int, int>> places_;  // of each tensor: branch, row
};

}  // namespace bitlens::views
