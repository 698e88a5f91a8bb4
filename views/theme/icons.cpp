#include "views/theme/icons.h"

#include <QFile>
#include <QPainter>
#include <QPixmap>
#include <QSvgRenderer>

namespace bitlens::views {

QIcon icon(const char* name, const QPalette& palette) {
  QFile file(QStringLiteral(":/bitlens/icons/%1.svg").arg(QLatin1String(name)));
  if (!file.open(QIODevice::ReadOnly)) return {};
  const QByteArray source = file.readAll();
  QIcon result;
  for (const auto& [mode, group] :
       {std::pair(QIcon::Normal, QPalette::Active), {QIcon::Disabled, QPalette::Disabled}}) {
    QByteArray svg = source;
    svg.replace("currentColor", palette.color(group, QPalette::ButtonText).name().toLatin1());
    QSvgRenderer renderer(svg);
    for (const int size : {16, 20, 32, 40, 64}) {
      QPixmap pixmap(size, size);
      pixmap.fill(Qt::transparent);
      QPainter painter(&pixmap);
      renderer.render(&painter);
      painter.end();
      result.addPixmap(pixmap, mode);
    }
  }
  return result;
}

}  // namespace bitlens::views
