#include "kernels/stats/bins.h"

#include <algorithm>
#include <cmath>

namespace bitlens::kernels {

Bins Bins::linear(double low, double high, std::size_t count) {
  Bins bins;
  bins.edges_.resize(count + 1);
  for (std::size_t i = 0; i <= count; ++i)
    bins.edges_[i] = low + (high - low) * static_cast<double>(i) / static_cast<double>(count);
  return bins;
}

Bins Bins::logarithmic(double low, double high, std::size_t count) {
  Bins bins = linear(low, high, count);
  for (double& edge : bins.edges_) edge = std::pow(10.0, edge);
  return bins;
}

std::size_t Bins::slot(double x) const {
  if (x == edges_.back()) return size();
  return static_cast<std::size_t>(std::upper_bound(edges_.begin(), edges_.end(), x) - edges_.begin());
}

}  // namespace bitlens::kernels
