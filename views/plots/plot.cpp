#include "views/plots/plot.h"

#include <qcustomplot.h>

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QEvent>
#include <QFileDialog>
#include <QMenu>
#include <QSaveFile>
#include <QVBoxLayout>

#include "views/theme/theme.h"

namespace bitlens::views {

Plot::Plot(QWidget* parent) : QWidget(parent), plot_(new QCustomPlot(this)) {
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(0, 0, 0, 0);
  all->addWidget(plot_);
  plot_->setObjectName(QStringLiteral("plot"));
  plot_->setFocusPolicy(Qt::NoFocus);
  plot_->setMinimumSize(120, 80);
  plot_->setNoAntialiasingOnDrag(true);
  plot_->setContextMenuPolicy(Qt::NoContextMenu);
  setMinimumSize(160, 110);
}

Plot::~Plot() = default;

void Plot::apply_palette() {
  const QPalette& p = palette();
  const QColor text = p.color(QPalette::Text), grid = accents(p).grid;
  plot_->setBackground(p.color(QPalette::Base));
  for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis, plot_->xAxis2, plot_->yAxis2}) {
    axis->setBasePen(QPen(p.color(QPalette::PlaceholderText)));
    axis->setTickPen(QPen(p.color(QPalette::PlaceholderText)));
    axis->setSubTickPen(QPen(p.color(QPalette::PlaceholderText)));
    axis->setTickLabelColor(text);
    axis->setLabelColor(text);
    axis->setTickLabelFont(font());
    axis->setLabelFont(font());
    axis->grid()->setPen(QPen(grid, 1));
    axis->grid()->setSubGridVisible(false);
    axis->grid()->setZeroLinePen(QPen(p.color(QPalette::PlaceholderText), 1));
  }
  recolor();
  plot_->replot(QCustomPlot::rpQueuedReplot);
}

void Plot::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) apply_palette();
  if (event->type() == QEvent::LanguageChange) retranslate();
  QWidget::changeEvent(event);
}

bool Plot::save_png(const QString& path) {
  return plot_->savePng(path, 0, 0, 2.0);
}
bool Plot::save_pdf(const QString& path) {
  return plot_->savePdf(path);
}
void Plot::copy_image() {
  QApplication::clipboard()->setPixmap(plot_->toPixmap(0, 0, 2.0));
}

void Plot::save(const QString& kind) {
  const QString filter = kind == QLatin1String("png")   ? tr("PNG image (*.png)")
                         : kind == QLatin1String("pdf") ? tr("PDF document (*.pdf)")
                                                        : tr("CSV table (*.csv)");
  QString path = QFileDialog::getSaveFileName(this, tr("Save plot"), {}, filter);
  if (path.isEmpty()) return;
  if (!path.endsWith(QLatin1Char('.') + kind)) path += QLatin1Char('.') + kind;
  if (kind == QLatin1String("png")) {
    (void)save_png(path);
  } else if (kind == QLatin1String("pdf")) {
    (void)save_pdf(path);
  } else {
    QSaveFile file(path);
    if (file.open(QIODevice::WriteOnly)) {
      file.write(csv().toUtf8());
      file.commit();
    }
  }
}

void Plot::contextMenuEvent(QContextMenuEvent* event) {
  QMenu menu(this);
  menu.addAction(tr("Copy picture"), this, &Plot::copy_image);
  menu.addAction(tr("Copy numbers"), this, [this] { QApplication::clipboard()->setText(csv()); });
  menu.addSeparator();
  menu.addAction(tr("Save as PNG…"), this, [this] { save(QStringLiteral("png")); });
  menu.addAction(tr("Save as PDF…"), this, [this] { save(QStringLiteral("pdf")); });
  menu.addAction(tr("Save numbers as CSV…"), this, [this] { save(QStringLiteral("csv")); });
  menu.exec(event->globalPos());
}

}  // namespace bitlens::views
