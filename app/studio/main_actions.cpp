// Actions, menus and tool bars of the window.
#include <QActionGroup>
#include <QDir>
#include <QDockWidget>
#include <QFileInfo>
#include <QMenu>
#include <QMenuBar>
#include <QToolBar>
#include <QToolButton>

#include "app/studio/main_window.h"
#include "core/study/recipes.h"
#include "views/bridge/errors.h"
#include "views/panels/map_panel.h"
#include "views/panels/map_view.h"
#include "views/panels/measure_panel.h"
#include "views/panels/model_tree.h"
#include "views/panels/palette_panel.h"
#include "views/panels/sensitivity_panel.h"
#include "views/panels/size_strip.h"
#include "views/text/units.h"
#include "views/theme/icons.h"

#include <QLineEdit>

namespace bitlens::studio {

QAction* MainWindow::add_action(const char* name, const char* icon, const QKeySequence& keys,
                                const std::function<void()>& call) {
  auto* action = new QAction(this);
  action->setObjectName(QString::fromLatin1(name));
  action->setShortcut(keys);
  if (*icon) action->setProperty("iconName", QString::fromLatin1(icon));
  if (call) connect(action, &QAction::triggered, this, call);
  addAction(action);
  actions_[QString::fromLatin1(name)] = action;
  return action;
}

void MainWindow::make_actions() {
  add_action("open", "open", QKeySequence::Open, [this] { choose_model(); });
  add_action("openSample", "sample", {}, [this] { open_path(QStringLiteral("sample")); });
  add_action("openRecipe", "", QKeySequence(QStringLiteral("Ctrl+Shift+O")), [this] { choose_recipe(); });
  add_action("saveStudy", "save", QKeySequence::Save, [this] { save_study(false); });
  add_action("saveStudyAs", "", QKeySequence(QStringLiteral("Ctrl+Shift+S")), [this] { save_study(true); });
  add_action("exportModel", "export", QKeySequence(QStringLiteral("Ctrl+Shift+E")),
             [this] { export_model(); });
  add_action("exportRecipe", "", {}, [this] { export_recipe(); });
  add_action("importTypes", "", {}, [this] { import_tensor_types(); });
  add_action("exportTypes", "", {}, [this] { export_tensor_types(); });
  add_action("exportReport", "", {}, [this] { export_report(); });
  add_action("closeModel", "", QKeySequence::Close, [this] { show_start_page(); });
  add_action("quit", "", QKeySequence::Quit, [this] { close(); });

  QUndoStack& undo = document_.undo_stack();
  add_action("undo", "undo", QKeySequence::Undo, [&undo] { undo.undo(); });
  add_action("redo", "redo", QKeySequence(QStringLiteral("Ctrl+Shift+Z")), [&undo] { undo.redo(); });
  action("redo")->setShortcuts(
      {QKeySequence(QStringLiteral("Ctrl+Shift+Z")), QKeySequence(QStringLiteral("Ctrl+Y"))});
  for (const auto changed : {&QUndoStack::undoTextChanged, &QUndoStack::redoTextChanged})
    connect(&undo, changed, this, &MainWindow::retranslate_actions);
  connect(&undo, &QUndoStack::canUndoChanged, this, &MainWindow::update_actions);
  connect(&undo, &QUndoStack::canRedoChanged, this, &MainWindow::update_actions);
  add_action("find", "", QKeySequence::Find, [this] {
    docks_["modelDock"]->show();
    docks_["modelDock"]->raise();
    tree_->search().setFocus(Qt::ShortcutFocusReason);
    tree_->search().selectAll();
  });
  add_action("selectAll", "", {}, [this] { map_->view().selectAll(); });
  add_action("resetSelection", "", {},
             [this] { document_.assign(document_.selection().tensors(), quantize::FormatChoice()); });

  add_action("measure", "measure", QKeySequence(Qt::Key_F5), [this] { document_.measure(); });
  add_action("calibrate", "", QKeySequence(Qt::Key_F6), [this] { document_.calibrate(); });
  add_action("scoreTasks", "", QKeySequence(Qt::Key_F7), [this] {
    docks_["tasksDock"]->show();
    docks_["tasksDock"]->raise();
    document_.score_tasks();
  });
  add_action("sensitivity", "sensitivity", QKeySequence(Qt::Key_F8), [this] {
    docks_["sensitivityDock"]->show();
    docks_["sensitivityDock"]->raise();
    sensitivity_->start();
  });
  add_action("pauseSensitivity", "", QKeySequence(QStringLiteral("Shift+F8")),
             [this] { document_.sensitivity().pause(); });
  add_action("compareFile", "compare", {}, [this] { compare_with_file(); });
  add_action("cheatSheet", "help", QKeySequence(QStringLiteral("?")), [this] { show_cheat_sheet(); });
  add_action("about", "", {}, [this] { show_about(); });
  add_action("resetLayout", "", {}, [this] {
    for (auto& [name, dock] : docks_) {
      dock->setFloating(false);
      dock->show();
    }
    const std::pair<const char*, Qt::DockWidgetArea> places[] = {
        {"modelDock", Qt::LeftDockWidgetArea},       {"paletteDock", Qt::RightDockWidgetArea},
        {"measureDock", Qt::RightDockWidgetArea},    {"sensitivityDock", Qt::RightDockWidgetArea},
        {"textsDock", Qt::LeftDockWidgetArea},       {"profilesDock", Qt::BottomDockWidgetArea},
        {"inspectorDock", Qt::BottomDockWidgetArea}, {"compareDock", Qt::BottomDockWidgetArea},
        {"tasksDock", Qt::BottomDockWidgetArea},     {"historyDock", Qt::BottomDockWidgetArea},
        {"messagesDock", Qt::BottomDockWidgetArea}};
    for (const auto& [name, area] : places) addDockWidget(area, docks_[QLatin1String(name)]);
    default_layout();
  });

  scheme_group_ = new QActionGroup(this);
  for (const views::Scheme scheme : {views::Scheme::System, views::Scheme::Light, views::Scheme::Dark}) {
    const QByteArray name = "scheme_" + views::scheme_name(scheme).toLatin1();
    QAction* a = add_action(name.constData(), "", {}, [this, scheme] { set_scheme(scheme); });
    a->setCheckable(true);
    a->setChecked(scheme == options_.scheme);
    scheme_group_->addAction(a);
  }
  language_group_ = new QActionGroup(this);
  for (const char* language : {"en", "zh_CN"}) {
    const QByteArray name = QByteArray("language_") + language;
    QAction* a =
        add_action(name.constData(), "", {}, [this, language] { set_language(QLatin1String(language)); });
    a->setCheckable(true);
    a->setChecked(language_.name() == QLatin1String(language));
    language_group_->addAction(a);
  }

  // Digits act where tensors are selected, not while a number is typed elsewhere.
  for (QWidget* place : {static_cast<QWidget*>(&map_->view()), static_cast<QWidget*>(&tree_->view()),
                         static_cast<QWidget*>(palette_)})
    for (QAction* key : palette_->key_actions()) place->addAction(key);
  QAction* reset = action("resetSelection");
  reset->setShortcut(QKeySequence(Qt::Key_Delete));
  reset->setShortcutContext(Qt::WidgetWithChildrenShortcut);
  removeAction(reset);
  map_->view().addAction(reset);
  tree_->view().addAction(reset);
}

void MainWindow::make_menus() {
  const auto menu = [this](const char* name) {
    QMenu* m = menuBar()->addMenu(QString());
    m->setObjectName(QString::fromLatin1(name));
    menus_[QLatin1String(name)] = m;
    return m;
  };
  QMenu* file = menu("fileMenu");
  file->addAction(action("open"));
  file->addAction(action("openSample"));
  menus_["recentMenu"] = file->addMenu(QString());
  connect(menus_["recentMenu"], &QMenu::aboutToShow, this, &MainWindow::fill_recent);
  file->addSeparator();
  for (const char* name : {"saveStudy", "saveStudyAs"}) file->addAction(action(name));
  file->addSeparator();
  for (const char* name : {"exportModel", "exportRecipe", "exportReport"}) file->addAction(action(name));
  file->addSeparator();
  for (const char* name : {"closeModel", "quit"}) file->addAction(action(name));

  QMenu* edit = menu("editMenu");
  for (const char* name : {"undo", "redo"}) edit->addAction(action(name));
  edit->addSeparator();
  for (const char* name : {"find", "selectAll"}) edit->addAction(action(name));
  edit->addSeparator();
  menus_["assignMenu"] = edit->addMenu(QString());
  for (QAction* key : palette_->key_actions()) menus_["assignMenu"]->addAction(key);
  edit->addAction(action("resetSelection"));

  QMenu* recipe = menu("recipeMenu");
  menus_["schemesMenu"] = recipe->addMenu(QString());
  menus_["schemesMenu"]->setObjectName(QStringLiteral("schemesMenu"));
  connect(menus_["schemesMenu"], &QMenu::aboutToShow, this, &MainWindow::fill_schemes);
  menus_["presetsMenu"] = recipe->addMenu(QString());
  connect(menus_["presetsMenu"], &QMenu::aboutToShow, this, &MainWindow::fill_presets);
  recipe->addAction(action("openRecipe"));
  recipe->addAction(action("exportRecipe"));
  recipe->addSeparator();
  for (const char* name : {"importTypes", "exportTypes"}) recipe->addAction(action(name));

  QMenu* measuring = menu("measureMenu");
  for (const char* name :
       {"measure", "calibrate", "scoreTasks", "sensitivity", "pauseSensitivity", "compareFile"})
    measuring->addAction(action(name));

  measuring->addSeparator();
  for (QAction* a : measure_->importance_actions()) measuring->addAction(a);

  QMenu* view = menu("viewMenu");
  for (auto& [name, dock] : docks_) view->addAction(dock->toggleViewAction());
  view->addAction(action("resetLayout"));
  view->addSeparator();
  menus_["schemeMenu"] = view->addMenu(QString());
  menus_["schemeMenu"]->addActions(scheme_group_->actions());
  menus_["languageMenu"] = view->addMenu(QString());
  menus_["languageMenu"]->addActions(language_group_->actions());

  QMenu* help = menu("helpMenu");
  help->addAction(action("cheatSheet"));
  help->addAction(action("about"));

  tools_ = addToolBar(QString());
  tools_->setObjectName(QStringLiteral("toolBar"));
  tools_->setMovable(false);
  tools_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  tools_->setIconSize({18, 18});
  tools_->addAction(action("open"));
  tools_->addAction(action("openSample"));
  tools_->addSeparator();
  tools_->addAction(action("undo"));
  tools_->addAction(action("redo"));
  tools_->addSeparator();
  auto* presets = new QToolButton(tools_);
  presets->setObjectName(QStringLiteral("presetsButton"));
  presets->setPopupMode(QToolButton::InstantPopup);
  presets->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  presets->setMenu(menus_["presetsMenu"]);
  tools_->addWidget(presets);
  tools_->addAction(action("measure"));
  tools_->addAction(action("sensitivity"));
  tools_->addAction(action("compareFile"));
  tools_->addSeparator();
  tools_->addAction(action("saveStudy"));
  tools_->addAction(action("exportModel"));
  auto* stretch = new QWidget(tools_);
  stretch->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  tools_->addWidget(stretch);
  tools_->addAction(action("cheatSheet"));
  for (QAction* a : tools_->actions())
    if (QWidget* button = tools_->widgetForAction(a); button && !a->objectName().isEmpty()) {
      button->setObjectName(QStringLiteral("tool_") + a->objectName());
      button->setFocusPolicy(Qt::TabFocus);
    }

  addToolBarBreak();
  strip_bar_ = addToolBar(QString());
  strip_bar_->setObjectName(QStringLiteral("stripBar"));
  strip_bar_->setMovable(false);
  strip_->setFrameShape(QFrame::NoFrame);
  strip_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  strip_bar_->addWidget(strip_);
}

void MainWindow::fill_recent() {
  QMenu* menu = menus_["recentMenu"];
  menu->clear();
  for (const QString& path : recent()) {
    const bool sample = path == QLatin1String("sample");
    QAction* a = menu->addAction(sample ? tr("Sample model") : path, this, [this, path] { open_path(path); });
    if (sample || QFileInfo::exists(path)) continue;
    a->setEnabled(false);
    a->setText(tr("%1 (not there any more)").arg(path));
  }
  if (menu->isEmpty()) menu->addAction(tr("No recent files"))->setEnabled(false);
}

void MainWindow::fill_presets() {
  QMenu* menu = menus_["presetsMenu"];
  menu->clear();
  for (const kernels::Format format : views::choosable_formats()) {
    const QString name = views::shown(kernels::info(format).name);
    menu->addAction(tr("All matrices %1").arg(name), this, [this, format, name] {
      quantize::Recipe recipe;
      recipe.name = name.toStdString();
      recipe.fallback = format;
      document_.replace_recipe(recipe, tr("Preset: all %1").arg(name));
    });
  }
  menu->addAction(tr("All as in file"), this,
                  [this] { document_.replace_recipe({}, tr("Preset: all as in file")); });
  menu->addSeparator();
  menu->addMenu(menus_["schemesMenu"]);
  for (QAction* a : menu->actions()) a->setEnabled(document_.session() != nullptr);
}

/// The whole-file recipes of the field.
void MainWindow::fill_schemes() {
  QMenu* menu = menus_["schemesMenu"];
  menu->clear();
  menu->setToolTipsVisible(true);
  for (const study::IncludedScheme& scheme : study::included_schemes()) {
    const QString name = views::shown(scheme.name);
    QAction* a = menu->addAction(name, this, [this, name] { start_from_scheme(name); });
    a->setToolTip(views::shown(scheme.about));
    a->setEnabled(document_.session() != nullptr);
  }
}

void MainWindow::update_actions() {
  const bool ready = document_.state() == views::Document::State::Ready;
  for (const char* name :
       {"openRecipe", "saveStudy", "saveStudyAs", "exportModel", "exportRecipe", "importTypes", "exportTypes",
        "exportReport", "closeModel", "selectAll", "resetSelection", "find"})
    action(name)->setEnabled(ready);
  const bool measurable = ready && document_.measure_obstacle().isEmpty();
  // Stays on with a model open: pressing it says what is missing.
  action("measure")->setEnabled(ready);
  action("compareFile")->setEnabled(measurable);
  action("calibrate")->setEnabled(ready && document_.model().llama().has_value());
  action("scoreTasks")->setEnabled(action("calibrate")->isEnabled());
  using Run = views::Sensitivity::State;
  const Run run = document_.sensitivity().state();
  action("sensitivity")->setEnabled(action("calibrate")->isEnabled() && !document_.sensitivity().busy());
  action("pauseSensitivity")->setEnabled(ready && run == Run::Running);
  action("undo")->setEnabled(ready && document_.undo_stack().canUndo());
  action("redo")->setEnabled(ready && document_.undo_stack().canRedo());
  action("openSample")->setVisible(!study::sample_folder().empty());
}

void MainWindow::retranslate_actions() {
  if (actions_.empty() || !tools_) return;
  const QUndoStack& undo = document_.undo_stack();
  const auto named = [](const QString& base, const QString& what) {
    return what.isEmpty() ? base : QStringLiteral("%1: %2").arg(base, what);
  };
  const std::pair<const char*, QString> texts[] = {{"open", tr("&Open…")},
                                                   {"openSample", tr("Sa&mple")},
                                                   {"openRecipe", tr("Open &recipe…")},
                                                   {"saveStudy", tr("&Save study")},
                                                   {"saveStudyAs", tr("Save study &as…")},
                                                   {"exportModel", tr("&Export…")},
                                                   {"exportRecipe", tr("Save re&cipe…")},
                                                   {"importTypes", tr("&Import tensor types…")},
                                                   {"exportTypes", tr("Export &tensor types…")},
                                                   {"exportReport", tr("Write re&port…")},
                                                   {"closeModel", tr("&Close model")},
                                                   {"quit", tr("&Quit")},
                                                   {"undo", named(tr("&Undo"), undo.undoText())},
                                                   {"redo", named(tr("&Redo"), undo.redoText())},
                                                   {"find", tr("&Search tensors")},
                                                   {"selectAll", tr("Select &all")},
                                                   {"resetSelection", tr("Selection as in &file")},
                                                   {"measure", tr("&Measure")},
                                                   {"calibrate", tr("&Calibrate")},
                                                   {"scoreTasks", tr("Score &tasks")},
                                                   {"sensitivity", tr("Find &sensitivity")},
                                                   {"pauseSensitivity", tr("&Pause the sensitivity run")},
                                                   {"compareFile", tr("Compare with another &file…")},
                                                   {"cheatSheet", tr("&Keys")},
                                                   {"about", tr("&About Bitlens")},
                                                   {"resetLayout", tr("&Reset layout")},
                                                   {"scheme_system", tr("As the &desktop")},
                                                   {"scheme_light", tr("&Light")},
                                                   {"scheme_dark", tr("D&ark")},
                                                   {"language_en", QStringLiteral("English")},
                                                   {"language_zh_CN", QStringLiteral("中文")}};
  for (const auto& [name, text] : texts) action(name)->setText(text);
  action("open")->setToolTip(tr("Open a GGUF model, a recipe or a study"));
  action("openSample")->setToolTip(tr("Open the sample model that comes with Bitlens"));
  action("measure")->setToolTip(tr("Measure what the recipe costs on the evaluation text (F5)"));
  action("sensitivity")->setToolTip(tr("Find what each tensor costs at each format (F8)"));
  action("sensitivity")->setIconText(tr("Sensitivity"));
  action("saveStudy")->setToolTip(tr("Save model, texts, recipe and results as one study"));
  action("exportModel")->setToolTip(tr("Write the quantized model as GGUF"));
  action("compareFile")->setIconText(tr("Compare…"));
  action("undo")->setIconText(tr("Undo"));
  action("redo")->setIconText(tr("Redo"));
  action("exportModel")->setIconText(tr("Export…"));
  for (const auto& [name, a] : actions_)
    if (const QString file = a->property("iconName").toString(); !file.isEmpty())
      a->setIcon(views::icon(file.toLatin1().constData(), palette()));
  const std::pair<const char*, QString> titles[] = {
      {"fileMenu", tr("&File")},          {"recentMenu", tr("Open &recent")}, {"editMenu", tr("&Edit")},
      {"assignMenu", tr("&Assign")},      {"recipeMenu", tr("&Recipe")},      {"presetsMenu", tr("&Presets")},
      {"schemesMenu", tr("&Start from")}, {"measureMenu", tr("&Measure")},    {"viewMenu", tr("&View")},
      {"schemeMenu", tr("&Colours")},     {"languageMenu", tr("&Language")},  {"helpMenu", tr("&Help")}};
  for (const auto& [name, title] : titles) menus_[QLatin1String(name)]->setTitle(title);
  auto* presets = tools_->findChild<QToolButton*>(QStringLiteral("presetsButton"));
  presets->setText(tr("Presets"));
  presets->setToolTip(tr("Recipes for the whole model"));
  presets->setIcon(views::icon("presets", palette()));
}

}  // namespace bitlens::studio
