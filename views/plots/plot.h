// Base of the studio's plots: a QCustomPlot that follows the palette, and a menu to copy or save the picture
// and to save its numbers. QCustomPlot's header is seen by this folder alone.
#pragma once

#include <QWidget>

class QCustomPlot;
class QToolButton;

namespace bitlens::views {

class Plot : public QWidget {
  Q_OBJECT
 public:
  explicit Plot(QWidget* parent = nullptr);
  ~Plot() override;

  /// The picture as a file's bytes: PNG in twice the screen's resolution, PDF in lines and text.
  [[nodiscard]] QByteArray png();
  [[nodiscard]] QByteArray pdf();
  void copy_image();
  /// The plotted numbers, header line first.
  [[nodiscard]] virtual QString csv() const = 0;

 protected:
  void changeEvent(QEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  /// Colours of the data; axes, labels and background are done by the base.
  virtual void recolor() = 0;
  virtual void retranslate() = 0;
  void apply_palette();
  [[nodiscard]] QCustomPlot& plot() { return *plot_; }
  [[nodiscard]] const QCustomPlot& plot() const { return *plot_; }

 private:
  void show_menu(const QPoint& where);
  void save(const QString& kind);
  void translate_button();
  QCustomPlot* plot_;
  QToolButton* menu_button_;  ///< in the corner: the same menu for keyboards and screen readers
};

}  // namespace bitlens::views
