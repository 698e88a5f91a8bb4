// The studio's window: puts the panels around the map, connects actions, files and settings. What a panel
// does is in views; what the study is, is in views/document.
#pragma once

#include <QMainWindow>
#include <QTimer>
#include <map>
#include <memory>

#include "app/studio/language.h"
#include "core/study/recipes.h"
#include "views/bridge/engine.h"
#include "views/bridge/side_worker.h"
#include "views/document/document.h"
#include "views/theme/theme.h"

class QActionGroup;
class QDockWidget;
class QStackedWidget;
class QUndoView;

namespace bitlens::views {
class ComparePanel;
class ErrorPage;
class Inspector;
class JobsBar;
class MapPanel;
class MeasurePanel;
class MessageBar;
class MessageList;
class ModelTree;
class OpeningPage;
class PalettePanel;
class SensitivityPanel;
class SizeStrip;
class StartPage;
class TextsPanel;
}  // namespace bitlens::views

namespace bitlens::studio {

struct Options {
  bool clean = false;  ///< neither read nor write the window's layout and the recent files
  int threads = 0;     ///< of the engine; 0: one per hardware thread
  views::Scheme scheme = views::Scheme::System;
  bool scheme_given = false;
};

class MainWindow : public QMainWindow {
  Q_OBJECT
 public:
  MainWindow(const Options& options, Language& language);
  ~MainWindow() override;

  /// A model, a recipe (.json) or a study (.bitlens), by what the name ends in; "sample" for the sample.
  void open_path(const QString& path);
  void show_start_page();
  /// Offers what a crashed program left behind.
  void offer_recovery();

  [[nodiscard]] views::Document& document() { return document_; }
  [[nodiscard]] views::Engine& engine() { return engine_; }
  [[nodiscard]] views::MapPanel& map_panel() { return *map_; }
  [[nodiscard]] views::ModelTree& model_tree() { return *tree_; }
  [[nodiscard]] views::PalettePanel& palette_panel() { return *palette_; }
  [[nodiscard]] views::MessageBar& message_bar() { return *message_; }
  [[nodiscard]] QAction* action(const char* name) const;
  void set_scheme(views::Scheme scheme);
  void set_language(const QString& name);

 protected:
  void closeEvent(QCloseEvent* event) override;
  void changeEvent(QEvent* event) override;
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;

 private:
  QAction* add_action(const char* name, const char* icon, const QKeySequence& keys,
                      const std::function<void()>& call);
  QDockWidget* add_dock(const char* name, QWidget* content, Qt::DockWidgetArea area);
  void make_panels();
  void make_actions();
  void make_menus();
  void fill_presets();
  void fill_schemes();
  void fill_recent();
  void retranslate();
  void retranslate_actions();
  void update_state();
  void name_tab_bars();
  void update_title();
  void update_actions();

  void choose_model();
  void choose_recipe();
  void open_recipe(const QString& path);
  /// A scheme that comes with the program, as one edit.
  void start_from_scheme(const QString& name);
  void take_recipe(const Result<study::LoadedRecipe>& loaded, const QString& undo_name);
  void import_tensor_types();
  void export_tensor_types();
  void export_model();
  void export_recipe();
  void export_report();
  void save_study(bool ask_name);
  void compare_with_file();
  void show_cheat_sheet();
  void show_about();
  void remember(const QString& path);
  [[nodiscard]] QStringList recent() const;
  [[nodiscard]] bool may_discard();
  void autosave();
  void restore_layout();
  void default_layout();
  [[nodiscard]] QString recovery_folder() const;

  Options options_;
  Language& language_;
  views::Engine engine_;
  views::SideWorker side_;
  views::Document document_;

  QStackedWidget* pages_ = nullptr;
  views::StartPage* start_ = nullptr;
  views::OpeningPage* opening_ = nullptr;
  views::ErrorPage* error_ = nullptr;
  views::MapPanel* map_ = nullptr;
  views::ModelTree* tree_ = nullptr;
  views::PalettePanel* palette_ = nullptr;
  views::SizeStrip* strip_ = nullptr;
  views::JobsBar* jobs_ = nullptr;
  views::MessageBar* message_ = nullptr;
  views::MessageList* messages_ = nullptr;
  views::Inspector* inspector_ = nullptr;
  views::TextsPanel* texts_ = nullptr;
  views::MeasurePanel* measure_ = nullptr;
  views::SensitivityPanel* sensitivity_ = nullptr;
  views::ComparePanel* compare_ = nullptr;
  QUndoView* history_ = nullptr;
  QToolBar *tools_ = nullptr, *strip_bar_ = nullptr;
  std::map<QString, QAction*> actions_;
  std::map<QString, QDockWidget*> docks_;
  std::map<QString, QMenu*> menus_;
  QActionGroup *scheme_group_ = nullptr, *language_group_ = nullptr;
  QTimer autosave_;
  QByteArray layout_with_model_;
};

}  // namespace bitlens::studio
