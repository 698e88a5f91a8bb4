// What is known about the selected tensor: weights with the grid of a format over them, inputs, channels, and
// the error every format would make, and why it is sensitive or safe.
#pragma once

#include <QWidget>
#include <optional>

#include "core/quantize/recipe.h"

class QComboBox;
class QLabel;
class QTabWidget;
class QTableWidget;

namespace bitlens::views {

class ChannelPlot;
class Document;
class HistogramPlot;
class WhyPage;

class Inspector : public QWidget {
  Q_OBJECT
 public:
  explicit Inspector(Document& document, QWidget* parent = nullptr);

 protected:
  void changeEvent(QEvent* event) override;
  void showEvent(QShowEvent* event) override;

 private:
  void refresh();
  void show_heading();
  void show_weights();
  void show_inputs();
  void show_channels();
  void show_errors();
  void want();
  void retranslate();
  [[nodiscard]] std::optional<std::size_t> tensor() const;
  [[nodiscard]] kernels::Format grid_format() const;

  Document& document_;
  QLabel* heading_;
  QTabWidget* tabs_;
  QComboBox *view_, *grid_, *channel_;
  HistogramPlot *weights_, *inputs_;
  ChannelPlot* channels_;
  QTableWidget *weight_numbers_, *input_numbers_, *errors_;
  WhyPage* why_;
};

}  // namespace bitlens::views
