// Which bin of a histogram a value belongs to, decided by comparing with the edges themselves, never by
// rounded arithmetic alone: bin i holds edge[i] <= x < edge[i + 1], the last one its upper edge too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitlens::kernels {

class Bins {
 public:
  /// `count` bins of equal width from low to high; edge[i] = low + (high - low) * i / count.
  static Bins linear(double low, double high, std::size_t count);
  /// `count` bins of equal width in log10: edge[i] = 10^(low + (high - low) * i / count).
  static Bins logarithmic(double low, double high, std::size_t count);

  /// 0: below; 1 .. size(): bin + 1; size() + 1: above.
  [[nodiscard]] std::size_t slot(double x) const;
  /// The same, quick when the answer is `start` or next to it.
  [[nodiscard]] std::size_t slot_near(double x, std::size_t start) const {
    if (x == edges_.back()) return size();
    if (holds(start, x)) return start;
    if (start <= size() && holds(start + 1, x)) return start + 1;
    if (start > 0 && holds(start - 1, x)) return start - 1;
    return slot(x);
  }
  [[nodiscard]] std::size_t size() const { return edges_.size() - 1; }
  [[nodiscard]] const std::vector<double>& edges() const { return edges_; }

 private:
  /// Whether slot `s` is x's, the upper edge of the last bin apart.
  [[nodiscard]] bool holds(std::size_t s, double x) const {
    return (s == 0 || x >= edges_[s - 1]) && (s > size() || x < edges_[s]);
  }
  std::vector<double> edges_;
};

}  // namespace bitlens::kernels
