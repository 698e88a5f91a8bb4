// Histogram of a tensor's weights or of a layer's inputs, with the values a format can take drawn over it.
#pragma once

#include <optional>
#include <vector>

#include "core/analyze/statistics.h"
#include "views/plots/plot.h"

class QCPGraph;

namespace bitlens::views {

class HistogramPlot : public Plot {
  Q_OBJECT
 public:
  enum class View { Linear, LogCounts, LogMagnitude };

  explicit HistogramPlot(QWidget* parent = nullptr);
  void clear();
  /// `what` names the values on the horizontal axis; `sigma` and `mean` place the outlier marks (6 sigma).
  void set_data(const QString& what, const analyze::Histogram& linear,
                const analyze::Histogram& log_magnitude, double mean, double sigma);
  /// Levels of one block in a format; `caption` says of which. Empty: none.
  void set_grid(const std::vector<double>& levels, const QString& caption);
  void set_view(View view);
  /// Without data: what to do instead.
  void set_empty_text(const QString& text);
  [[nodiscard]] QString csv() const override;

 protected:
  void recolor() override;
  void retranslate() override;

 private:
  void rebuild();
  void hover(QMouseEvent* event);

  QString what_, empty_text_, grid_caption_;
  std::optional<analyze::Histogram> linear_, log_;
  double mean_ = 0, sigma_ = 0;
  std::vector<double> levels_;
  View view_ = View::Linear;
  QCPGraph *bars_ = nullptr, *outliers_ = nullptr, *grid_ = nullptr;
};

}  // namespace bitlens::views
