// The colour scale under the map, with its unit and, as a tooltip, its formula.
#pragma once

#include <QWidget>

namespace bitlens::views {

class MapModel;

class MapLegend : public QWidget {
  Q_OBJECT
 public:
  explicit MapLegend(const MapModel& model, QWidget* parent = nullptr);
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  const MapModel& model_;
};

}  // namespace bitlens::views
