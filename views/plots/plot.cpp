#include "views/plots/plot.h"

#include <qcustomplot.h>

#include <QApplication>
#include <QBuffer>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QEvent>
#include <QLocale>
#include <QMenu>
#include <QPageSize>
#include <QPdfWriter>
#include <QToolButton>
#include <QVBoxLayout>

#include "views/dialogs/file_choice.h"
#include "views/theme/icons.h"
#include "views/theme/theme.h"

namespace bitlens::views {

Plot::Plot(QWidget* parent)
    : QWidget(parent), plot_(new QCustomPlot(this)), menu_button_(new QToolButton(this)) {
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(0, 0, 0, 0);
  all->addWidget(plot_);
  plot_->setObjectName(QStringLiteral("plot"));
  plot_->setFocusPolicy(Qt::NoFocus);
  plot_->setMinimumSize(120, 80);
  plot_->setNoAntialiasingOnDrag(true);
  plot_->setLocale(QLocale::c());  // its powers of ten look for a small e
  // QCustomPlot keeps a press to itself, so its own context menu request is what arrives.
  plot_->setContextMenuPolicy(Qt::CustomContextMenu);
  connect(plot_, &QWidget::customContextMenuRequested, this,
          [this](const QPoint& where) { show_menu(plot_->mapToGlobal(where)); });
  connect(this, &QObject::objectNameChanged, menu_button_,
          [this](const QString& name) { menu_button_->setObjectName(name + QStringLiteral("Menu")); });
  menu_button_->setAutoRaise(true);
  menu_button_->setFixedSize(20, 20);
  connect(menu_button_, &QToolButton::clicked, this,
          [this] { show_menu(menu_button_->mapToGlobal(menu_button_->rect().bottomLeft())); });
  setMinimumSize(160, 110);
  translate_button();
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
  menu_button_->setIcon(icon("save", p));
  recolor();
  plot_->replot(QCustomPlot::rpQueuedReplot);
}

void Plot::changeEvent(QEvent* event) {
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) apply_palette();
  if (event->type() == QEvent::LanguageChange) {
    translate_button();
    retranslate();
  }
  QWidget::changeEvent(event);
}

void Plot::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  menu_button_->move(width() - menu_button_->width() - 2, 2);
  menu_button_->raise();
}

void Plot::translate_button() {
  menu_button_->setToolTip(tr("Copy or save this plot"));
  menu_button_->setAccessibleName(tr("Copy or save this plot"));
}

QByteArray Plot::png() {
  QBuffer out;
  out.open(QIODevice::WriteOnly);
  plot_->toPixmap(0, 0, 2.0).save(&out, "PNG");
  return out.data();
}

QByteArray Plot::pdf() {
  QBuffer out;
  out.open(QIODevice::WriteOnly);
  QPdfWriter writer(&out);
  // One page as large as the plot on the screen, so that its fonts keep their proportion.
  const double points = 72.0 / plot_->logicalDpiX();
  writer.setResolution(plot_->logicalDpiX());
  writer.setPageSize(QPageSize(QSizeF(plot_->width(), plot_->height()) * points, QPageSize::Point));
  writer.setPageMargins({});
  QCPPainter painter;
  if (painter.begin(&writer)) {
    painter.setMode(QCPPainter::pmVectorized);
    painter.setMode(QCPPainter::pmNoCaching);
    plot_->toPainter(&painter, plot_->width(), plot_->height());
    painter.end();
  }
  return out.data();
}

void Plot::copy_image() {
  QApplication::clipboard()->setPixmap(plot_->toPixmap(0, 0, 2.0));
}

void Plot::save(const QString& kind) {
  const QString filter = kind == QLatin1String("png")   ? tr("PNG image (*.png)")
                         : kind == QLatin1String("pdf") ? tr("PDF document (*.pdf)")
                                                        : tr("CSV table (*.csv)");
  const QString path = choose_target(this, tr("Save plot"), {}, filter, QLatin1Char('.') + kind);
  if (path.isEmpty()) return;
  write_file(this, path,
             kind == QLatin1String("png")   ? png()
             : kind == QLatin1String("pdf") ? pdf()
                                            : csv().toUtf8());
}

void Plot::contextMenuEvent(QContextMenuEvent* event) {
  show_menu(event->globalPos());
}

void Plot::show_menu(const QPoint& where) {
  QMenu menu(this);
  menu.addAction(tr("Copy picture"), this, &Plot::copy_image);
  menu.addAction(tr("Copy numbers"), this, [this] { QApplication::clipboard()->setText(csv()); });
  menu.addSeparator();
  menu.addAction(tr("Save as PNG…"), this, [this] { save(QStringLiteral("png")); });
  menu.addAction(tr("Save as PDF…"), this, [this] { save(QStringLiteral("pdf")); });
  menu.addAction(tr("Save numbers as CSV…"), this, [this] { save(QStringLiteral("csv")); });
  menu.exec(where);
}

}  // namespace bitlens::views
