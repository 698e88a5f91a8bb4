// All precisions a recipe may use, as chips.
#pragma once

#include <QWidget>
#include <vector>

#include "core/quantize/recipe.h"

class QAction;
class QLabel;

namespace bitlens::views {

class Chip;
class Document;

class PalettePanel : public QWidget {
  Q_OBJECT
 public:
  explicit PalettePanel(Document& document, QWidget* parent = nullptr);

  [[nodiscard]] const std::vector<Chip*>& chips() const { return chips_; }
  /// One action per key 1..9; belongs to the widgets where a selection is made.
  [[nodiscard]] const std::vector<QAction*>& key_actions() const { return keys_; }

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void assign(quantize::FormatChoice choice);
  void retranslate();
  void update_enabled();

  Document& document_;
  QLabel* hint_;
  std::vector<Chip*> chips_;
  std::vector<QAction*> keys_;
};

}  // namespace bitlens::views
