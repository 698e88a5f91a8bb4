#include "app/studio/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDir>
#include <QDockWidget>
#include <QFileInfo>
#include <QMimeData>
#include <QSettings>
#include <QStackedWidget>
#include <QStandardPaths>
#include <QStatusBar>
#include <QTabBar>
#include <QToolBar>
#include <QUndoView>
#include <QVBoxLayout>

#include "views/dialogs/file_choice.h"
#include "views/panels/compare_panel.h"
#include "views/panels/inspector.h"
#include "views/panels/jobs_bar.h"
#include "views/panels/map_panel.h"
#include "views/panels/map_view.h"
#include "views/panels/measure_panel.h"
#include "views/panels/message_bar.h"
#include "views/panels/message_list.h"
#include "views/panels/model_tree.h"
#include "views/panels/pages.h"
#include "views/panels/palette_panel.h"
#include "views/panels/profiles_panel.h"
#include "views/panels/sensitivity_panel.h"
#include "views/panels/size_strip.h"
#include "views/panels/tasks_panel.h"
#include "views/panels/texts_panel.h"
#include "views/theme/icons.h"

namespace bitlens::studio {

namespace {
constexpr int kLayoutVersion = 1;
constexpr int kAutosaveMs = 3000;
}  // namespace

MainWindow::MainWindow(const Options& options, Language& language)
    : options_(options), language_(language), engine_(options.threads), document_(engine_, side_) {
  setObjectName(QStringLiteral("mainWindow"));
  setWindowIcon(QIcon(QStringLiteral(":/bitlens/icons/bitlens.svg")));
  setAcceptDrops(true);
  setDockNestingEnabled(true);
  setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
  setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
  setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
  make_panels();
  make_actions();
  make_menus();

  connect(&document_, &views::Document::state_changed, this, &MainWindow::update_state);
  connect(&document_, &views::Document::study_saved, this, &MainWindow::update_state);
  connect(&document_, &views::Document::modified_changed, this, [this] {
    setWindowModified(document_.modified());
    if (document_.modified() && !autosave_.isActive()) autosave_.start();
  });
  connect(&document_, &views::Document::resolved_changed, this, &MainWindow::update_actions);
  connect(&document_.texts(), &views::Texts::entry_changed, this, &MainWindow::update_actions);
  connect(&document_.texts(), &views::Texts::list_changed, this, &MainWindow::update_actions);
  connect(&document_.measurements(), &views::Measurements::running_changed, this,
          &MainWindow::update_actions);
  connect(&document_.sensitivity(), &views::Sensitivity::state_changed, this, &MainWindow::update_actions);
  connect(&document_, &views::Document::notice, this, [this](views::NoticeKind kind, const QString& text) {
    message_->show_notice(kind, text);
    messages_->add(kind, text);
  });
  connect(&document_, &views::Document::study_opened, this, [this] {
    if (!document_.layout().empty())
      restoreState(QByteArray::fromBase64(QByteArray::fromStdString(document_.layout())), kLayoutVersion);
  });
  autosave_.setSingleShot(true);
  autosave_.setInterval(kAutosaveMs);
  connect(&autosave_, &QTimer::timeout, this, &MainWindow::autosave);

  default_layout();
  restore_layout();
  retranslate();
  update_state();
}

MainWindow::~MainWindow() {
  engine_.cancel_all_and_wait();
  // The panels look at the study: they go before it, and nobody listens while it is taken apart.
  for (auto& [name, dock] : docks_) delete dock;
  delete strip_bar_;
  delete takeCentralWidget();
  delete jobs_;
  disconnect(&document_.undo_stack(), nullptr, this, nullptr);
}

void MainWindow::make_panels() {
  auto* centre = new QWidget(this);
  auto* lines = new QVBoxLayout(centre);
  lines->setContentsMargins(0, 0, 0, 0);
  lines->setSpacing(0);
  message_ = new views::MessageBar(centre);
  pages_ = new QStackedWidget(centre);
  pages_->setObjectName(QStringLiteral("pages"));
  start_ = new views::StartPage;
  opening_ = new views::OpeningPage(document_);
  error_ = new views::ErrorPage(document_);
  map_ = new views::MapPanel(document_);
  for (QWidget* page : {static_cast<QWidget*>(start_), static_cast<QWidget*>(opening_),
                        static_cast<QWidget*>(error_), static_cast<QWidget*>(map_)})
    pages_->addWidget(page);
  lines->addWidget(pages_, 1);
  lines->addWidget(message_);  // below: a notice must not move the cells under the pointer
  setCentralWidget(centre);

  tree_ = new views::ModelTree(document_);
  palette_ = new views::PalettePanel(document_);
  texts_ = new views::TextsPanel(document_);
  measure_ = new views::MeasurePanel(document_);
  sensitivity_ = new views::SensitivityPanel(document_);
  inspector_ = new views::Inspector(document_);
  compare_ = new views::ComparePanel(document_);
  auto* tasks = new views::TasksPanel(document_);
  auto* profiles = new views::ProfilesPanel(document_, map_->map());
  messages_ = new views::MessageList;
  history_ = new QUndoView(&document_.undo_stack());
  history_->setObjectName(QStringLiteral("historyView"));
  strip_ = new views::SizeStrip(document_);
  jobs_ = new views::JobsBar(engine_);

  add_dock("modelDock", tree_, Qt::LeftDockWidgetArea);
  add_dock("paletteDock", palette_, Qt::RightDockWidgetArea);
  add_dock("measureDock", measure_, Qt::RightDockWidgetArea);
  add_dock("sensitivityDock", sensitivity_, Qt::RightDockWidgetArea);
  add_dock("textsDock", texts_, Qt::LeftDockWidgetArea);
  add_dock("inspectorDock", inspector_, Qt::BottomDockWidgetArea);
  add_dock("profilesDock", profiles, Qt::BottomDockWidgetArea);
  add_dock("compareDock", compare_, Qt::BottomDockWidgetArea);
  add_dock("tasksDock", tasks, Qt::BottomDockWidgetArea);
  add_dock("historyDock", history_, Qt::BottomDockWidgetArea);
  add_dock("messagesDock", messages_, Qt::BottomDockWidgetArea);
  statusBar()->addWidget(jobs_, 1);
  statusBar()->setSizeGripEnabled(false);

  connect(start_, &views::StartPage::open_clicked, this, &MainWindow::choose_model);
  connect(start_, &views::StartPage::sample_clicked, this, [this] { open_path(QStringLiteral("sample")); });
  connect(start_, &views::StartPage::path_chosen, this, &MainWindow::open_path);
  connect(error_, &views::ErrorPage::open_clicked, this, &MainWindow::choose_model);
  connect(error_, &views::ErrorPage::retry_clicked, this, [this] { open_path(document_.path()); });
  connect(error_, &views::ErrorPage::start_clicked, this, &MainWindow::show_start_page);
  connect(compare_, &views::ComparePanel::compare_file_clicked, this, &MainWindow::compare_with_file);
}

QDockWidget* MainWindow::add_dock(const char* name, QWidget* content, Qt::DockWidgetArea area) {
  auto* dock = new QDockWidget(this);
  dock->setObjectName(QString::fromLatin1(name));
  dock->setWidget(content);
  addDockWidget(area, dock);
  docks_[QString::fromLatin1(name)] = dock;
  return dock;
}

void MainWindow::default_layout() {
  tabifyDockWidget(docks_["measureDock"], docks_["sensitivityDock"]);
  docks_["measureDock"]->raise();
  tabifyDockWidget(docks_["inspectorDock"], docks_["profilesDock"]);
  tabifyDockWidget(docks_["profilesDock"], docks_["compareDock"]);
  tabifyDockWidget(docks_["compareDock"], docks_["tasksDock"]);
  tabifyDockWidget(docks_["tasksDock"], docks_["historyDock"]);
  tabifyDockWidget(docks_["historyDock"], docks_["messagesDock"]);
  docks_["inspectorDock"]->raise();
  resizeDocks({docks_["modelDock"], docks_["paletteDock"]}, {320, 310}, Qt::Horizontal);
  resizeDocks({docks_["modelDock"], docks_["textsDock"]}, {460, 260}, Qt::Vertical);
  resizeDocks({docks_["inspectorDock"]}, {260}, Qt::Vertical);
  resizeDocks({docks_["paletteDock"], docks_["measureDock"]}, {400, 350}, Qt::Vertical);
}

void MainWindow::restore_layout() {
  // Panels stood side by side before they became tabs: the width they asked for then is no longer a minimum.
  layout()->activate();
  resize(1280, 840);
  if (options_.clean) return;
  QSettings settings;
  if (const QByteArray geometry = settings.value("window/geometry").toByteArray(); !geometry.isEmpty())
    restoreGeometry(geometry);
  views::set_start_folder(settings.value("files/folder").toString());
  layout_with_model_ = settings.value("window/layout").toByteArray();
  if (!layout_with_model_.isEmpty()) restoreState(layout_with_model_, kLayoutVersion);
}

void MainWindow::update_state() {
  using State = views::Document::State;
  const State state = document_.state();
  const bool ready = state == State::Ready;
  switch (state) {
    case State::Empty:
      pages_->setCurrentWidget(start_);
      break;
    case State::Opening:
      pages_->setCurrentWidget(opening_);
      break;
    case State::Failed:
      pages_->setCurrentWidget(error_);
      break;
    case State::Ready:
      pages_->setCurrentWidget(map_);
      break;
  }
  // The panels around the map have nothing to say without a model: one calm page instead of nine empty ones.
  const bool panels_shown = strip_bar_->isVisibleTo(this);
  if (!ready && panels_shown) {
    layout_with_model_ = saveState(kLayoutVersion);
    for (auto& [name, dock] : docks_) dock->hide();
    strip_bar_->hide();
  } else if (ready && !panels_shown) {
    strip_bar_->show();
    if (layout_with_model_.isEmpty() || !restoreState(layout_with_model_, kLayoutVersion))
      for (auto& [name, dock] : docks_) dock->show();
  }
  if (ready) {
    remember(document_.study_path().isEmpty() ? document_.path() : document_.study_path());
    if (pages_->currentWidget() == map_ && focusWidget() == nullptr) map_->view().setFocus();
  }
  if (state == State::Empty) {
    start_->set_recent(recent());
    start_->set_sample_present(!study::sample_folder().empty());
  }
  setWindowModified(document_.modified());
  name_tab_bars();
  update_title();
  update_actions();
}

/// The bars between tabbed panels are made by QMainWindow, without a name for screen readers.
void MainWindow::name_tab_bars() {
  for (QTabBar* bar : findChildren<QTabBar*>(QString(), Qt::FindDirectChildrenOnly))
    bar->setAccessibleName(tr("Panels"));
}

void MainWindow::update_title() {
  const QString program = QStringLiteral("Bitlens");
  QString name = document_.path().isEmpty() ? QString() : document_.model_name();
  if (!name.isEmpty() && !document_.study_path().isEmpty())
    name = QStringLiteral("%1 (%2)").arg(name, document_.file_name());
  setWindowTitle(name.isEmpty() ? program : QStringLiteral("%1[*] — %2").arg(name, program));
}

void MainWindow::set_scheme(views::Scheme scheme) {
  views::apply_scheme(scheme);
  if (!options_.clean) QSettings().setValue("window/scheme", views::scheme_name(scheme));
  options_.scheme = scheme;
  retranslate_actions();
}

void MainWindow::set_language(const QString& name) {
  language_.set(name);
  if (!options_.clean) QSettings().setValue("window/language", name);
}

void MainWindow::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  if (event->type() == QEvent::PaletteChange) retranslate_actions();
  QMainWindow::changeEvent(event);
}

void MainWindow::retranslate() {
  if (docks_.empty() || actions_.empty()) return;
  const std::pair<const char*, QString> titles[] = {
      {"modelDock", tr("Model")},         {"paletteDock", tr("Precisions")},
      {"measureDock", tr("Measure")},     {"textsDock", tr("Texts")},
      {"inspectorDock", tr("Inspector")}, {"compareDock", tr("Compare")},
      {"tasksDock", tr("Tasks")},         {"historyDock", tr("History")},
      {"messagesDock", tr("Messages")},   {"sensitivityDock", tr("Sensitivity")},
      {"profilesDock", tr("Profiles")}};
  for (const auto& [name, title] : titles) docks_[QLatin1String(name)]->setWindowTitle(title);
  history_->setEmptyLabel(tr("as opened"));
  history_->setAccessibleName(tr("History of edits"));
  tools_->setWindowTitle(tr("Tools"));
  strip_bar_->setWindowTitle(tr("Sizes and loss"));
  retranslate_actions();
  name_tab_bars();
  update_title();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  const auto urls = event->mimeData()->urls();
  if (urls.size() == 1 && urls.front().isLocalFile()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  const auto urls = event->mimeData()->urls();
  if (urls.size() != 1 || !urls.front().isLocalFile()) return;
  event->acceptProposedAction();
  const QString path = urls.front().toLocalFile();
  // After the drag is over: opening may ask whether to keep changes.
  QMetaObject::invokeMethod(
      this, [this, path] { open_path(path); }, Qt::QueuedConnection);
}

void MainWindow::closeEvent(QCloseEvent* event) {
  if (!may_discard()) return event->ignore();
  if (!options_.clean) {
    QSettings settings;
    settings.setValue("window/geometry", saveGeometry());
    settings.setValue("files/folder", views::start_folder());
    settings.setValue("window/layout", document_.state() == views::Document::State::Ready
                                           ? saveState(kLayoutVersion)
                                           : layout_with_model_);
  }
  autosave_.stop();
  const std::string recovery = study::recovery_path(recovery_folder().toStdString());
  side_.run("autosave", [recovery] { QFile::remove(QString::fromStdString(recovery)); });
  event->accept();
}

QAction* MainWindow::action(const char* name) const {
  const auto it = actions_.find(QLatin1String(name));
  return it == actions_.end() ? nullptr : it->second;
}

}  // namespace bitlens::studio
