#include "views/theme/theme.h"

#include <QApplication>
#include <QStyle>

namespace bitlens::views {

namespace {

struct Colors {
  QColor window, base, alternate, button, text, dim, disabled, highlight, highlighted, link, tip, light, dark,
      mid;
};

QPalette palette_of(const Colors& c) {
  QPalette p;
  for (const auto group : {QPalette::Active, QPalette::Inactive, QPalette::Disabled}) {
    const bool off = group == QPalette::Disabled;
    const QColor text = off ? c.disabled : c.text;
    p.setColor(group, QPalette::Window, c.window);
    p.setColor(group, QPalette::WindowText, text);
    p.setColor(group, QPalette::Base, off ? c.window : c.base);
    p.setColor(group, QPalette::AlternateBase, c.alternate);
    p.setColor(group, QPalette::Text, text);
    p.setColor(group, QPalette::Button, c.button);
    p.setColor(group, QPalette::ButtonText, text);
    p.setColor(group, QPalette::BrightText, Qt::white);
    p.setColor(group, QPalette::Highlight, off ? c.mid : c.highlight);
    p.setColor(group, QPalette::HighlightedText, off ? c.disabled : c.highlighted);
    p.setColor(group, QPalette::Link, c.link);
    p.setColor(group, QPalette::LinkVisited, c.link);
    p.setColor(group, QPalette::PlaceholderText, c.dim);
    p.setColor(group, QPalette::ToolTipBase, c.tip);
    p.setColor(group, QPalette::ToolTipText, c.text);
    p.setColor(group, QPalette::Light, c.light);
    p.setColor(group, QPalette::Midlight, c.button);
    p.setColor(group, QPalette::Mid, c.mid);
    p.setColor(group, QPalette::Dark, c.dark);
    p.setColor(group, QPalette::Shadow, c.dark.darker(150));
  }
  return p;
}

}  // namespace

QPalette light_palette() {
  return palette_of({.window = {0xf2, 0xf3, 0xf5},
                     .base = {0xff, 0xff, 0xff},
                     .alternate = {0xf7, 0xf8, 0xfa},
                     .button = {0xe9, 0xeb, 0xee},
                     .text = {0x1b, 0x20, 0x27},
                     .dim = {0x5f, 0x67, 0x73},
                     .disabled = {0x8b, 0x92, 0x9c},
                     .highlight = {0x1f, 0x5f, 0xa8},
                     .highlighted = {0xff, 0xff, 0xff},
                     .link = {0x1a, 0x5f, 0xb4},
                     .tip = {0xff, 0xff, 0xf4},
                     .light = {0xff, 0xff, 0xff},
                     .dark = {0xb4, 0xb9, 0xc1},
                     .mid = {0xcf, 0xd3, 0xd9}});
}

QPalette dark_palette() {
  return palette_of({.window = {0x2a, 0x2e, 0x36},
                     .base = {0x1a, 0x1d, 0x23},
                     .alternate = {0x21, 0x25, 0x2c},
                     .button = {0x38, 0x3d, 0x47},
                     .text = {0xe6, 0xe9, 0xee},
                     .dim = {0xa6, 0xae, 0xba},
                     .disabled = {0x7c, 0x84, 0x91},
                     .highlight = {0x2f, 0x6f, 0xba},
                     .highlighted = {0xff, 0xff, 0xff},
                     .link = {0x7a, 0xb8, 0xff},
                     .tip = {0x2c, 0x31, 0x39},
                     .light = {0x3e, 0x44, 0x4f},
                     .dark = {0x12, 0x15, 0x19},
                     .mid = {0x4a, 0x50, 0x5c}});
}

void apply_scheme(Scheme scheme) {
  bool dark = scheme == Scheme::Dark;
  if (scheme == Scheme::System) dark = is_dark(QApplication::style()->standardPalette());
  QApplication::setPalette(dark ? dark_palette() : light_palette());
}

Scheme scheme_from_name(const QString& name) {
  if (name == QLatin1String("light")) return Scheme::Light;
  if (name == QLatin1String("dark")) return Scheme::Dark;
  return Scheme::System;
}

QString scheme_name(Scheme scheme) {
  switch (scheme) {
    case Scheme::Light:
      return QStringLiteral("light");
    case Scheme::Dark:
      return QStringLiteral("dark");
    case Scheme::System:
      break;
  }
  return QStringLiteral("system");
}

Accents accents(const QPalette& palette) {
  if (is_dark(palette))
    return {.good = {0x7f, 0xd1, 0x9b},
            .warning = {0xf0, 0xc0, 0x60},
            .bad = {0xff, 0x9a, 0x8f},
            .grid = {0x3a, 0x40, 0x4a},
            .series = {0x6f, 0xa8, 0xdc},
            .series_two = {0xf0, 0xb4, 0x4c},
            .drop = {0xff, 0xd1, 0x5c}};
  return {.good = {0x1d, 0x6b, 0x3a},
          .warning = {0x7a, 0x55, 0x00},
          .bad = {0xa8, 0x22, 0x1b},
          .grid = {0xd9, 0xdc, 0xe1},
          .series = {0x2b, 0x6c, 0xb0},
          .series_two = {0xb4, 0x5f, 0x06},
          .drop = {0xc2, 0x41, 0x0c}};
}

bool is_dark(const QPalette& palette) {
  return palette.color(QPalette::Window).lightness() < palette.color(QPalette::WindowText).lightness();
}

}  // namespace bitlens::views
