// Largest magnitude of every channel, weights and inputs: outlier channels stand out.
#pragma once

#include <vector>

#include "views/plots/plot.h"

class QCPGraph;

namespace bitlens::views {

class ChannelPlot : public Plot {
  Q_OBJECT
 public:
  explicit ChannelPlot(QWidget* parent = nullptr);
  /// `threshold` > 0 draws a line (the 6.0 of LLM.int8 for inputs). Empty `values` show `empty_text`.
  void set_data(const QString& channel, const QString& what, const std::vector<float>& values,
                double threshold, const QString& empty_text);
  [[nodiscard]] QString csv() const override;

 protected:
  void recolor() override;
  void retranslate() override;

 private:
  QString channel_, what_, empty_text_;
  std::vector<float> values_;
  double threshold_ = 0;
  QCPGraph *line_ = nullptr, *limit_ = nullptr;
};

}  // namespace bitlens::views
