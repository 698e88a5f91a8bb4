// A precision as something to hold: drag it onto the map or the tree, click it, or press its number.
#pragma once

#include <QAbstractButton>

#include "core/quantize/recipe.h"

namespace bitlens::views {

class Chip : public QAbstractButton {
  Q_OBJECT
 public:
  /// `number`: the key that assigns it, 0 for none.
  Chip(quantize::FormatChoice choice, int number, QWidget* parent = nullptr);

  [[nodiscard]] quantize::FormatChoice choice() const { return choice_; }
  [[nodiscard]] int number() const { return number_; }
  /// `fits` false: no tensor of the open model can take it; the chip says so.
  void set_usable(bool fits, bool model_open);
  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  void start_drag();
  void draw(QPainter& painter, const QRect& area, bool lifted) const;

  quantize::FormatChoice choice_;
  int number_;
  QPoint pressed_at_;
  QString bits_, runtimes_;
  bool misfit_ = false;
};

}  // namespace bitlens::views
