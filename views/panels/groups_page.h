// Tensors changed together: fused matrices, a kind of module, a layer, all. Predicted from the single cells'
// responses at once, measured when asked for.
#pragma once

#include <vector>

#include "core/sensitivity/cell.h"
#include "views/panels/profiles_panel.h"

class QComboBox;
class QLabel;
class QPushButton;
class QTableWidget;

namespace bitlens::views {

class GroupsPage : public LazyPage {
  Q_OBJECT
 public:
  GroupsPage(Document& document, MapModel& map, QWidget* parent = nullptr);

 protected:
  void fill() override;
  void retranslate() override;

 private:
  void update_button();
  [[nodiscard]] sensitivity::Grouping grouping() const;

  Document& document_;
  MapModel& map_;
  QComboBox* grouping_;
  QLabel* note_;
  QPushButton* measure_;
  QTableWidget* table_;
  std::vector<std::vector<std::size_t>> tensors_;  // of each row
};

}  // namespace bitlens::views
