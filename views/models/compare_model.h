// Every measured recipe as a row of numbers, each with the error that belongs to it.
#pragma once

#include <QAbstractTableModel>
#include <optional>
#include <vector>

#include "core/study/sensitivity.h"

namespace bitlens::views {

class Document;

class CompareModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column {
    Name,
    FileBytes,
    Bpw,
    Ppl,
    LnRatio,
    KlMean,
    KlPredicted,
    KlP99,
    Top1,
    TextName,
    Protocol,
    Activations,
    Products,
    QuantizerName,
    Seconds,
    ColumnCount
  };
  enum Role { SortRole = Qt::UserRole };

  explicit CompareModel(Document& document, QObject* parent = nullptr);

  /// What the row's recipe was predicted to cost; null: not known, or not of every tensor it changes.
  [[nodiscard]] const study::RecipePrediction* whole_prediction(std::size_t row) const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  void predict_rows();

  Document& document_;
  std::vector<std::optional<study::RecipePrediction>> predicted_;  // by row
};

}  // namespace bitlens::views
