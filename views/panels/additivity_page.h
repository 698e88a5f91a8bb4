// Do losses add up? The present recipe: sum of its tensors' single losses, predicted together, measured.
#pragma once

#include "views/panels/profiles_panel.h"

class QLabel;
class QTableWidget;

namespace bitlens::views {

class AdditivityPage : public LazyPage {
  Q_OBJECT
 public:
  explicit AdditivityPage(Document& document, QWidget* parent = nullptr);

 protected:
  void fill() override;
  void retranslate() override;

 private:
  Document& document_;
  QTableWidget* table_;
  QLabel* note_;
};

}  // namespace bitlens::views
