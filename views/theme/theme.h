// Light and dark palettes of the studio. Fusion style and QPalette only: a widget with a style sheet does not
// follow a change of palette at run time.
#pragma once

#include <QColor>
#include <QPalette>
#include <QString>

namespace bitlens::views {

enum class Scheme { System, Light, Dark };

[[nodiscard]] QPalette light_palette();
[[nodiscard]] QPalette dark_palette();
/// Sets the application's palette; System looks at the desktop's own lightness.
void apply_scheme(Scheme scheme);
[[nodiscard]] Scheme scheme_from_name(const QString& name);  ///< "light", "dark", else System
[[nodiscard]] QString scheme_name(Scheme scheme);

/// Colours with a meaning that QPalette has no role for.
struct Accents {
  QColor good, warning, bad;  ///< text colours, at least 4.5 : 1 on Base and Window
  QColor grid;                ///< thin lines in plots and between cells
  QColor series, series_two;  ///< data in plots
  QColor drop;                ///< outline of a place a chip may be dropped
};
[[nodiscard]] Accents accents(const QPalette& palette);
[[nodiscard]] bool is_dark(const QPalette& palette);

}  // namespace bitlens::views
