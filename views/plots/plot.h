// Base of the studio's plots: a QCustomPlot that follows the palette, and a menu to copy or save the picture
// and to save its numbers. QCustomPlot's header is seen by this folder alone.
#pragma once

#include <QWidget>

class QCustomPlot;
class QMenu;

namespace bitlens::views {

class Plot : public QWidget {
  Q_OBJECT
 public:
  explicit Plot(QWidget* parent = nullptr);
  ~Plot() override;

  [[nodiscard]] bool save_png(const QString& path);
  [[nodiscard]] bool save_pdf(const QString& path);
  void copy_image();
  /// The plotted numbers, header line first.
  [[nodiscard]] virtual QString csv() const = 0;

 protected:
  void changeEvent(QEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  /// Colours of the data; axes, labels and background are done by the base.
  virtual void recolor() = 0;
  virtual void retranslate() = 0;
  void apply_palette();
  [[nodiscard]] QCustomPlot& plot() { return *plot_; }
  [[nodiscard]] const QCustomPlot& plot() const { return *plot_; }

 private:
  void save(const QString& kind);
  QCustomPlot* plot_;
};

}  // namespace bitlens::views
