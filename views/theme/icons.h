// Line icons from resources/icons, drawn in the palette's text colour so that they follow light and dark.
#pragma once

#include <QIcon>
#include <QPalette>

namespace bitlens::views {

/// `name` without folder and ending: "open", "measure", ...
[[nodiscard]] QIcon icon(const char* name, const QPalette& palette);

}  // namespace bitlens::views
