// The study's texts as a table: what each is used for, its tokens, the windows it gives and the time they
// take.
#pragma once

#include <QAbstractTableModel>

namespace bitlens::views {

class Document;

class TextsModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { Name, Use, Tokens, Windows, Time, ColumnCount };

  explicit TextsModel(Document& document, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  Document& document_;
  int rows_ = 0;
};

}  // namespace bitlens::views
