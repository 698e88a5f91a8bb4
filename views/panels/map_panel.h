// The map with its metric, the format the metric is about, and the colour scale.
#pragma once

#include <QWidget>

#include "views/models/map_metric.h"

class QComboBox;
class QLabel;
class QPushButton;

namespace bitlens::views {

class Document;
class MapLegend;
class MapModel;
class MapView;

class MapPanel : public QWidget {
  Q_OBJECT
 public:
  explicit MapPanel(Document& document, QWidget* parent = nullptr);

  [[nodiscard]] MapView& view() { return *view_; }
  [[nodiscard]] MapModel& map() { return *model_; }
  void set_metric(Metric metric);
  void set_format(kernels::Format format);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  void metric_chosen();
  void follow_run();
  void update_hint();

  Document& document_;
  MapModel* model_;
  MapView* view_;
  MapLegend* legend_;
  QLabel *title_, *metric_label_, *hint_;
  QComboBox *metric_, *format_;
  QPushButton* act_;
};

}  // namespace bitlens::views
