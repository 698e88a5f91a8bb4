// Why a tensor is sensitive or safe, in words; and where in the text its loss comes from.
#pragma once

#include <QWidget>
#include <optional>

#include "kernels/formats/format.h"

class QComboBox;
class QPlainTextEdit;
class QPushButton;
class QTableWidget;

namespace bitlens::views {

class Document;

class WhyPage : public QWidget {
  Q_OBJECT
 public:
  explicit WhyPage(Document& document, QWidget* parent = nullptr);
  void show_tensor(std::optional<std::size_t> tensor);
  void retranslate();
  /// The format the sentences are about.
  [[nodiscard]] kernels::Format format() const;

 private:
  void fill();
  void fill_places();

  Document& document_;
  std::optional<std::size_t> tensor_;
  QComboBox* format_;
  QPlainTextEdit* words_;
  QPushButton* find_;
  QTableWidget* places_;
};

}  // namespace bitlens::views
