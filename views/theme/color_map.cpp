#include "views/theme/color_map.h"

#include <QFile>
#include <algorithm>
#include <cmath>

namespace bitlens::views {

namespace {
double linear(double channel) {
  return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
}
}  // namespace

ColorMap::ColorMap(const QString& resource) {
  QFile file(resource);
  if (file.open(QIODevice::ReadOnly)) {
    for (const QByteArray& line : file.readAll().split('\n')) {
      const QString name = QString::fromLatin1(line.trimmed());
      if (name.startsWith(QLatin1Char('#')) && QColor::isValidColor(name)) colors_.emplace_back(name);
    }
  }
  // A damaged installation still shows a scale.
  if (colors_.size() < 2) colors_ = {QColor(0x00, 0x22, 0x4e), QColor(0xfe, 0xe8, 0x38)};
}

const ColorMap& ColorMap::cividis() {
  static const ColorMap map(QStringLiteral(":/bitlens/colormaps/cividis.txt"));
  return map;
}

QColor ColorMap::at(double t) const {
  const double position =
      std::clamp(std::isnan(t) ? 0.0 : t, 0.0, 1.0) * static_cast<double>(colors_.size() - 1);
  const auto low = static_cast<std::size_t>(position);
  const std::size_t high = std::min(low + 1, colors_.size() - 1);
  const double part = position - static_cast<double>(low);
  const auto mix = [part](int a, int b) { return static_cast<int>(std::lround(a + (b - a) * part)); };
  const QColor &a = colors_[low], &b = colors_[high];
  return {mix(a.red(), b.red()), mix(a.green(), b.green()), mix(a.blue(), b.blue())};
}

double luminance(const QColor& color) {
  return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

double contrast(const QColor& a, const QColor& b) {
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

QColor text_on(const QColor& background) {
  const QColor dark(Qt::black), light(Qt::white);
  return contrast(dark, background) >= contrast(light, background) ? dark : light;
}

}  // namespace bitlens::views
