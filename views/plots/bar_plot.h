// Bars with error bars: a profile over layers or modules. Predicted bars are hatched, measured ones solid.
#pragma once

#include <QString>
#include <vector>

#include "views/plots/plot.h"

class QCPBars;
class QCPErrorBars;

namespace bitlens::views {

struct Bar {
  QString label;
  double value = 0, error = 0;  ///< NaN: nothing known; 0: no error bar
  bool predicted = false;
  bool marked = false;  ///< holds the selected tensor
};

class BarPlot : public Plot {
  Q_OBJECT
 public:
  explicit BarPlot(QWidget* parent = nullptr);
  /// Logarithmic when the values span more than two decades.
  void set_data(const QString& x_title, const QString& y_title, const std::vector<Bar>& bars);
  void set_empty_text(const QString& text);
  [[nodiscard]] const std::vector<Bar>& bars() const { return bars_; }
  [[nodiscard]] QString csv() const override;

 signals:
  void bar_clicked(int index);

 protected:
  void recolor() override;
  void retranslate() override;

 private:
  void rebuild();
  void hover(QMouseEvent* event);
  [[nodiscard]] int bar_at(const QPointF& position) const;

  QString x_title_, y_title_, empty_text_;
  std::vector<Bar> bars_;
  QCPBars *solid_ = nullptr, *hatched_ = nullptr;
  QCPErrorBars *solid_errors_ = nullptr, *hatched_errors_ = nullptr;
};

}  // namespace bitlens::views
