// What a dragged precision chip carries.
#pragma once

#include <QMimeData>
#include <optional>

#include "views/document/recipe_edit.h"

namespace bitlens::views {

inline const QString kFormatMime = QStringLiteral("application/x-bitlens-format");

[[nodiscard]] inline QMimeData* make_format_mime(quantize::FormatChoice choice) {
  auto* mime = new QMimeData;
  const QByteArray name = QByteArray::fromStdString(choice_name(choice));
  mime->setData(kFormatMime, name);
  mime->setText(QString::fromUtf8(name));
  return mime;
}

[[nodiscard]] inline std::optional<quantize::FormatChoice> format_in(const QMimeData* mime) {
  if (!mime || !mime->hasFormat(kFormatMime)) return std::nullopt;
  return choice_from_name(mime->data(kFormatMime).toStdString());
}

}  // namespace bitlens::views
