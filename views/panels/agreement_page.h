// How far metrics agree on the order of cells: any two against each other, and all against one.
#pragma once

#include "views/models/profile.h"
#include "views/panels/profiles_panel.h"

class QComboBox;
class QLabel;
class QTableWidget;

namespace bitlens::views {

class AgreementPlot;

class AgreementPage : public LazyPage {
  Q_OBJECT
 public:
  AgreementPage(Document& document, MapModel& map, QWidget* parent = nullptr);

 protected:
  void fill() override;
  void retranslate() override;

 private:
  void fill_formats();
  void fill_table(const std::vector<kernels::Format>& formats);
  void fill_plot(const std::vector<kernels::Format>& formats);
  [[nodiscard]] std::vector<kernels::Format> formats() const;

  Document& document_;
  MapModel& map_;
  QComboBox *x_, *y_, *format_;
  QTableWidget* table_;
  AgreementPlot* plot_;
  QLabel* spearman_;
  std::vector<MetricPair> pairs_;
  bool chosen_ = false, filling_ = false;  ///< a person chose the reference; the widgets are being filled
};

}  // namespace bitlens::views
