// Opening and saving: models, recipes, studies, recent files, recovery after a crash.
#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <QLocale>
#include <QMessageBox>
#include <QSettings>
#include <QStandardPaths>

#include "app/studio/main_window.h"
#include "views/bridge/entry.h"
#include "views/bridge/errors.h"
#include "views/bridge/recipe_files.h"
#include "views/dialogs/about_dialog.h"
#include "views/dialogs/cheat_sheet.h"
#include "views/dialogs/export_dialog.h"
#include "views/dialogs/file_choice.h"
#include "views/dialogs/report_dialog.h"
#include "views/panels/message_bar.h"
#include "views/panels/pages.h"
#include "views/text/units.h"

namespace bitlens::studio {

namespace {
constexpr qsizetype kRecentFiles = 10;
}  // namespace

void MainWindow::open_path(const QString& path) {
  if (path.endsWith(QStringLiteral(".json"), Qt::CaseInsensitive)) return open_recipe(path);
  if (!may_discard()) return;
  if (path.endsWith(QStringLiteral(".bitlens"), Qt::CaseInsensitive))
    document_.open_study(path);
  else
    document_.open(path);
}

void MainWindow::show_start_page() {
  if (may_discard()) document_.close();
}

void MainWindow::choose_model() {
  const QString path = views::choose_file(
      this, tr("Open"), tr("Models, recipes and studies (*.gguf *.json *.bitlens);;All files (*)"));
  if (!path.isEmpty()) open_path(path);
}

void MainWindow::choose_recipe() {
  const QString path = views::choose_file(this, tr("Open recipe"), tr("Recipes (*.json);;All files (*)"));
  if (!path.isEmpty()) open_recipe(path);
}

void MainWindow::open_recipe(const QString& path) {
  if (document_.state() != views::Document::State::Ready) {
    message_->show_notice(views::NoticeKind::Warning, tr("Open a model first, then the recipe."));
    return;
  }
  const QString name = QFileInfo(path).fileName();
  side_.ask<Result<study::LoadedRecipe>>(
      "",
      [file = path.toStdString(), session = document_.session(),
       importance = document_.measurements().importance() != nullptr] {
        return views::load_recipe(file, *session, importance);
      },
      this,
      [this, name](const Result<study::LoadedRecipe>& loaded) {
        take_recipe(loaded, tr("Open recipe %1").arg(name));
      });
}

void MainWindow::take_recipe(const Result<study::LoadedRecipe>& loaded, const QString& undo_name) {
  if (!document_.session()) return;
  if (!loaded) {
    emit document_.notice(views::NoticeKind::Failure, views::error_text(loaded.error()));
    return;
  }
  document_.replace_recipe(loaded->recipe, undo_name);
  if (loaded->warnings.empty()) return;
  QStringList lines;
  for (const std::string& warning : loaded->warnings) lines << views::shown(warning);
  emit document_.notice(views::NoticeKind::Warning, lines.join('\n'));
}

void MainWindow::start_from_scheme(const QString& name) {
  if (!document_.session()) return;
  side_.ask<Result<study::LoadedRecipe>>(
      "",
      [scheme = std::string(study::kSchemePrefix) + name.toStdString(), session = document_.session(),
       importance = document_.measurements().importance() != nullptr] {
        return views::load_recipe(scheme, *session, importance);
      },
      this,
      [this, name](const Result<study::LoadedRecipe>& loaded) {
        take_recipe(loaded, tr("Start from %1").arg(name));
      });
}

void MainWindow::import_tensor_types() {
  const QString path =
      views::choose_file(this, tr("Import tensor types"), tr("Text files (*.txt);;All files (*)"));
  if (path.isEmpty() || !document_.session()) return;
  side_.ask<Result<study::LoadedRecipe>>(
      "",
      [file = path.toStdString(), session = document_.session(), base = document_.recipe()] {
        return views::load_tensor_types(file, *session, base);
      },
      this,
      [this, name = QFileInfo(path).fileName()](const Result<study::LoadedRecipe>& loaded) {
        take_recipe(loaded, tr("Import tensor types %1").arg(name));
      });
}

void MainWindow::export_tensor_types() {
  const views::ResolvedPtr resolved = document_.resolved();
  if (!resolved) return;
  const QString path =
      views::choose_target(this, tr("Export tensor types"), document_.recipe_name() + QStringLiteral(".txt"),
                           tr("Text files (*.txt)"), QStringLiteral(".txt"));
  if (path.isEmpty()) return;
  side_.ask<Status>(
      "",
      [resolved, session = document_.session(), file = path.toStdString()] {
        return views::save_tensor_types(*resolved, *session, file);
      },
      this,
      [this, path](const Status& saved) {
        if (saved)
          emit document_.notice(
              views::NoticeKind::Information,
              tr("Tensor types saved as %1, for llama-quantize --tensor-type-file.").arg(path));
        else
          emit document_.notice(views::NoticeKind::Failure, views::error_text(saved.error()));
      });
}

void MainWindow::export_recipe() {
  const QString path =
      views::choose_target(this, tr("Save recipe"), document_.recipe_name() + QStringLiteral(".json"),
                           tr("Recipes (*.json)"), QStringLiteral(".json"));
  if (path.isEmpty()) return;
  const quantize::Recipe recipe = document_.named_recipe();
  side_.ask<Status>(
      "", [recipe, file = path.toStdString()] { return views::save_recipe(recipe, file); }, this,
      [this, path](const Status& saved) {
        if (saved)
          emit document_.notice(views::NoticeKind::Information, tr("Recipe saved as %1.").arg(path));
        else
          emit document_.notice(views::NoticeKind::Failure, views::error_text(saved.error()));
      });
}

void MainWindow::export_model() {
  views::ExportDialog dialog(document_, this);
  dialog.exec();
}

void MainWindow::export_report() {
  views::ReportDialog dialog(document_, this);
  dialog.exec();
}

void MainWindow::compare_with_file() {
  if (const QString obstacle = document_.measure_obstacle(); !obstacle.isEmpty()) {
    emit document_.notice(views::NoticeKind::Warning, obstacle);
    return;
  }
  const QString path =
      views::choose_file(this, tr("Compare with another file"), tr("GGUF models (*.gguf);;All files (*)"));
  if (!path.isEmpty()) document_.compare_with(path);
}

void MainWindow::save_study(bool ask_name) {
  QString path = document_.study_path();
  if (ask_name || path.isEmpty()) {
    const QString suggestion = QFileInfo(document_.path()).completeBaseName() + QStringLiteral(".bitlens");
    path = views::choose_target(this, tr("Save study"), path.isEmpty() ? suggestion : path,
                                tr("Bitlens studies (*.bitlens)"), QStringLiteral(".bitlens"));
    if (path.isEmpty()) return;
  }
  document_.set_layout(saveState(1).toBase64().toStdString());
  document_.save_study(path);
}

void MainWindow::show_cheat_sheet() {
  views::CheatSheet sheet(actions_, this);
  sheet.exec();
}

void MainWindow::show_about() {
  views::show_about(this);
}

void MainWindow::remember(const QString& path) {
  if (options_.clean) return;
  QStringList list = recent();
  list.removeAll(path);
  list.prepend(path);
  QSettings().setValue("files/recent", list.mid(0, kRecentFiles));
}

QStringList MainWindow::recent() const {
  return options_.clean ? QStringList() : QSettings().value("files/recent").toStringList();
}

bool MainWindow::may_discard() {
  const bool worth_keeping = !document_.study_path().isEmpty() || document_.undo_stack().count() > 0 ||
                             !document_.measurements().results().empty() ||
                             document_.sensitivity().known() != nullptr;
  if (options_.clean || !document_.modified() || !worth_keeping) return true;
  const auto answer = QMessageBox::question(
      this, tr("Unsaved changes"),
      tr("The study of %1 has changes that are not saved.").arg(document_.file_name()),
      QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, QMessageBox::Save);
  if (answer == QMessageBox::Save) save_study(false);
  return answer != QMessageBox::Cancel;
}

QString MainWindow::recovery_folder() const {
  return QStandardPaths::writableLocation(QStandardPaths::AppDataLocation);
}

void MainWindow::autosave() {
  if (!document_.modified() || document_.state() != views::Document::State::Ready) return;
  const QString folder = recovery_folder();
  document_.set_layout(saveState(1).toBase64().toStdString());
  side_.run("autosave", [study = document_.to_study(), folder] {
    const views::Entry entry("autosave");
    QDir().mkpath(folder);
    // A failed autosave is not worth interrupting anyone for; the next one tries again.
    (void)study::save_study(study, study::recovery_path(folder.toStdString()));
  });
}

void MainWindow::offer_recovery() {
  const auto found = study::find_recovery(recovery_folder().toStdString());
  if (!found) return;
  const QString path = QString::fromStdString(*found);
  message_->ask(
      tr("Bitlens was not closed properly. The work of %1 was kept.")
          .arg(QLocale().toString(QFileInfo(path).lastModified(), QLocale::ShortFormat)),
      tr("Restore"),
      [this, path] {
        document_.open_recovery(path);
        connect(
            &document_, &views::Document::study_opened, this, [path] { QFile::remove(path); },
            Qt::SingleShotConnection);
      },
      [path] { QFile::remove(path); });
}

}  // namespace bitlens::studio
