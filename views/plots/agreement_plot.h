// Two metrics against each other, a point for every cell; logarithmic where all values are positive.
#pragma once

#include <QString>
#include <vector>

#include "views/plots/plot.h"

class QCPErrorBars;
class QCPGraph;

namespace bitlens::views {

struct AgreementPoint {
  double x = 0, y = 0, x_error = 0, y_error = 0;
  QString label;
  bool marked = false;
};

class AgreementPlot : public Plot {
  Q_OBJECT
 public:
  explicit AgreementPlot(QWidget* parent = nullptr);
  /// `same_unit`: a line where both are equal.
  void set_data(const QString& x_title, const QString& y_title, std::vector<AgreementPoint> points,
                bool same_unit);
  void set_empty_text(const QString& text);
  [[nodiscard]] const std::vector<AgreementPoint>& points() const { return points_; }
  [[nodiscard]] QString csv() const override;

 signals:
  void point_clicked(int index);

 protected:
  void recolor() override;
  void retranslate() override;

 private:
  void rebuild();
  [[nodiscard]] int nearest(const QPointF& position) const;

  QString x_title_, y_title_, empty_text_;
  std::vector<AgreementPoint> points_;
  bool same_unit_ = false;
  QCPGraph *dots_ = nullptr, *marked_ = nullptr, *equal_ = nullptr;
  QCPErrorBars *x_bars_ = nullptr, *y_bars_ = nullptr;
};

}  // namespace bitlens::views
