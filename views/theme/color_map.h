// A colour-blind-safe scale for magnitudes (cividis, read from resources/colormaps) and the contrast rule
// every label on it follows. Colour never stands alone: what is coloured also carries letters or numbers.
#pragma once

#include <QColor>
#include <vector>

namespace bitlens::views {

class ColorMap {
 public:
  /// Dark to light; the same object for the whole program.
  [[nodiscard]] static const ColorMap& cividis();
  /// `t` in [0, 1], clamped.
  [[nodiscard]] QColor at(double t) const;
  [[nodiscard]] std::size_t size() const { return colors_.size(); }

 private:
  explicit ColorMap(const QString& resource);
  std::vector<QColor> colors_;
};

/// WCAG 2 relative luminance and contrast ratio (1 to 21).
[[nodiscard]] double luminance(const QColor& color);
[[nodiscard]] double contrast(const QColor& a, const QColor& b);
/// Black or white, whichever reads better on `background` (always at least 4.5).
[[nodiscard]] QColor text_on(const QColor& background);

}  // namespace bitlens::views
