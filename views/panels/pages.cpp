#include "views/panels/pages.h"

#include <QEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QPainter>
#include <QProgressBar>
#include <QPushButton>
#include <QSvgRenderer>
#include <QVBoxLayout>

#include "views/bridge/engine.h"
#include "views/bridge/errors.h"
#include "views/document/document.h"
#include "views/text/units.h"
#include "views/theme/icons.h"

namespace bitlens::views {

namespace {

QLabel* text_label(const char* name, QWidget* parent, double scale = 1.0, bool bold = false) {
  auto* label = new QLabel(parent);
  label->setObjectName(QString::fromLatin1(name));
  label->setTextFormat(Qt::PlainText);
  label->setWordWrap(true);
  QFont font = label->font();
  if (font.pointSizeF() > 0) font.setPointSizeF(font.pointSizeF() * scale);
  font.setBold(bold);
  label->setFont(font);
  return label;
}

/// A column of at most `width` pixels in the middle of the page.
QVBoxLayout* centred(QWidget* page, int width) {
  auto* line = new QHBoxLayout(page);
  auto* column = new QWidget(page);
  column->setMaximumWidth(width);
  line->addStretch(1);
  line->addWidget(column, 4);
  line->addStretch(1);
  auto* layout = new QVBoxLayout(column);
  layout->setSpacing(12);
  return layout;
}

}  // namespace

StartPage::StartPage(QWidget* parent)
    : QWidget(parent),
      title_(text_label("startTitle", this, 1.9, true)),
      subtitle_(text_label("startSubtitle", this, 1.1)),
      recent_title_(text_label("recentTitle", this, 1.0, true)),
      hint_(text_label("startHint", this)),
      picture_(new QLabel(this)),
      open_(new QPushButton(this)),
      sample_(new QPushButton(this)),
      list_(new QListWidget(this)) {
  setObjectName(QStringLiteral("startPage"));
  open_->setObjectName(QStringLiteral("startOpen"));
  sample_->setObjectName(QStringLiteral("startSample"));
  list_->setObjectName(QStringLiteral("recentList"));
  list_->setMaximumHeight(200);
  hint_->setForegroundRole(QPalette::PlaceholderText);
  open_->setDefault(true);
  QSvgRenderer logo(QStringLiteral(":/bitlens/icons/bitlens.svg"));
  QPixmap pixmap(QSize(72, 72) * devicePixelRatioF());
  pixmap.setDevicePixelRatio(devicePixelRatioF());
  pixmap.fill(Qt::transparent);
  QPainter painter(&pixmap);
  logo.render(&painter, QRectF(0, 0, 72, 72));
  painter.end();
  picture_->setPixmap(pixmap);

  auto* column = centred(this, 640);
  auto* buttons = new QHBoxLayout;
  for (QPushButton* button : {open_, sample_}) {
    button->setMinimumSize(190, 42);
    button->setIconSize({20, 20});
    buttons->addWidget(button);
  }
  buttons->addStretch(1);
  column->addStretch(2);
  column->addWidget(picture_);
  column->addWidget(title_);
  column->addWidget(subtitle_);
  column->addSpacing(8);
  column->addLayout(buttons);
  column->addWidget(hint_);
  column->addSpacing(16);
  column->addWidget(recent_title_);
  column->addWidget(list_);
  column->addStretch(3);
  connect(open_, &QPushButton::clicked, this, &StartPage::open_clicked);
  connect(sample_, &QPushButton::clicked, this, &StartPage::sample_clicked);
  connect(list_, &QListWidget::itemActivated, this,
          [this](QListWidgetItem* item) { emit path_chosen(item->data(Qt::UserRole).toString()); });
  connect(list_, &QListWidget::itemClicked, this, [this](QListWidgetItem* item) {
    if (item->flags() & Qt::ItemIsEnabled) emit path_chosen(item->data(Qt::UserRole).toString());
  });
  retranslate();
}

void StartPage::set_recent(const QStringList& paths) {
  recent_ = paths;
  list_->clear();
  for (const QString& path : paths) {
    const QFileInfo file(path);
    const bool present = path == QLatin1String("sample") || file.exists();
    const QString name = path == QLatin1String("sample") ? tr("Sample model") : file.fileName();
    auto* item = new QListWidgetItem(present ? tr("%1    %2").arg(name, file.path())
                                             : tr("%1    not there any more: %2").arg(name, file.path()),
                                     list_);
    if (path == QLatin1String("sample")) item->setText(name);
    item->setData(Qt::UserRole, path);
    if (!present) item->setFlags(Qt::NoItemFlags);
  }
  recent_title_->setVisible(!paths.isEmpty());
  list_->setVisible(!paths.isEmpty());
}

void StartPage::set_sample_present(bool present) {
  sample_->setVisible(present);
}

void StartPage::retranslate() {
  title_->setText(QStringLiteral("Bitlens"));
  subtitle_->setText(tr("Fit a language model into a memory budget, and see what every bit costs."));
  open_->setText(tr("Open a model…"));
  sample_->setText(tr("Open the sample"));
  open_->setIcon(icon("open", palette()));
  sample_->setIcon(icon("sample", palette()));
  hint_->setText(tr("Or drop a GGUF model, a recipe (.json) or a study (.bitlens) on the window."));
  recent_title_->setText(tr("Recent"));
  list_->setAccessibleName(tr("Recent files"));
  set_recent(recent_);
}

void StartPage::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange || event->type() == QEvent::PaletteChange) retranslate();
  QWidget::changeEvent(event);
}

OpeningPage::OpeningPage(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      text_(text_label("openingText", this, 1.2)),
      cancel_(new QPushButton(this)) {
  setObjectName(QStringLiteral("openingPage"));
  cancel_->setObjectName(QStringLiteral("openingCancel"));
  auto* bar = new QProgressBar(this);
  bar->setRange(0, 0);
  bar->setObjectName(QStringLiteral("openingBar"));
  auto* column = centred(this, 460);
  column->addStretch(1);
  column->addWidget(text_);
  column->addWidget(bar);
  column->addWidget(cancel_, 0, Qt::AlignLeft);
  column->addStretch(1);
  connect(cancel_, &QPushButton::clicked, this, [this] { document_.close(); });
  connect(&document_, &Document::state_changed, this, &OpeningPage::retranslate);
  retranslate();
}

void OpeningPage::retranslate() {
  text_->setText(tr("Opening %1…").arg(QFileInfo(document_.path()).fileName()));
  cancel_->setText(tr("Cancel"));
}

void OpeningPage::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QWidget::changeEvent(event);
}

ErrorPage::ErrorPage(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      title_(text_label("errorTitle", this, 1.5, true)),
      path_(text_label("errorPath", this)),
      advice_(text_label("errorAdvice", this, 1.1)),
      detail_(text_label("errorDetail", this)),
      open_(new QPushButton(this)),
      retry_(new QPushButton(this)),
      start_(new QPushButton(this)) {
  setObjectName(QStringLiteral("errorPage"));
  open_->setObjectName(QStringLiteral("errorOpen"));
  retry_->setObjectName(QStringLiteral("errorRetry"));
  start_->setObjectName(QStringLiteral("errorStart"));
  detail_->setForegroundRole(QPalette::PlaceholderText);
  detail_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  path_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  auto* column = centred(this, 720);
  auto* buttons = new QHBoxLayout;
  for (QPushButton* button : {open_, retry_, start_}) buttons->addWidget(button);
  buttons->addStretch(1);
  column->addStretch(2);
  column->addWidget(title_);
  column->addWidget(path_);
  column->addWidget(advice_);
  column->addWidget(detail_);
  column->addSpacing(6);
  column->addLayout(buttons);
  column->addStretch(3);
  connect(open_, &QPushButton::clicked, this, &ErrorPage::open_clicked);
  connect(retry_, &QPushButton::clicked, this, &ErrorPage::retry_clicked);
  connect(start_, &QPushButton::clicked, this, &ErrorPage::start_clicked);
  connect(&document_, &Document::state_changed, this, &ErrorPage::retranslate);
  retranslate();
}

void ErrorPage::retranslate() {
  const Error& error = document_.open_error();
  title_->setText(tr("Cannot open this file: %1").arg(error_headline(error)));
  path_->setText(shown(document_.path().toStdString()));
  advice_->setText(error_advice(error));
  detail_->setText(error_detail(error));
  path_->setAccessibleName(tr("File that could not be opened"));
  detail_->setAccessibleName(tr("Details of the error"));
  open_->setText(tr("Open another…"));
  retry_->setText(tr("Try again"));
  start_->setText(tr("Start page"));
}

void ErrorPage::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QWidget::changeEvent(event);
}

}  // namespace bitlens::views
