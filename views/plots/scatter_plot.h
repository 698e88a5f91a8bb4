// Size against loss: every measured recipe a disc, every predicted one an open diamond, with error bars.
#pragma once

#include <QString>
#include <vector>

#include "views/plots/plot.h"

class QCPErrorBars;
class QCPGraph;

namespace bitlens::views {

struct ScatterPoint {
  double x = 0, y = 0, error = 0;
  QString label;
  bool marked = false;
  bool predicted = false;
  bool named = true;  ///< the label is drawn beside it
};

class ScatterPlot : public Plot {
  Q_OBJECT
 public:
  explicit ScatterPlot(QWidget* parent = nullptr);
  void set_data(const QString& x_title, const QString& y_title, const std::vector<ScatterPoint>& points);
  void set_empty_text(const QString& text);
  [[nodiscard]] QString csv() const override;

 signals:
  void point_clicked(int index);

 protected:
  void recolor() override;
  void retranslate() override;

 private:
  void rebuild();

  QString x_title_, y_title_, empty_text_;
  std::vector<ScatterPoint> points_;
  QCPGraph *dots_ = nullptr, *predicted_ = nullptr, *marked_ = nullptr;
  QCPErrorBars *bars_ = nullptr, *predicted_bars_ = nullptr;
};

}  // namespace bitlens::views
