#include "views/dialogs/file_choice.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QMessageBox>
#include <QSaveFile>
#include <QVariant>

namespace bitlens::views {

namespace {

struct Tr {
  Q_DECLARE_TR_FUNCTIONS(bitlens::views::FileChoice)
};

const char* const kFolder = "startFolder";

void remember(const QString& file) {
  if (!file.isEmpty()) set_start_folder(QFileInfo(file).absolutePath());
}

}  // namespace

QString start_folder() {
  return qApp->property(kFolder).toString();
}

void set_start_folder(const QString& folder) {
  qApp->setProperty(kFolder, folder);
}

QString choose_file(QWidget* parent, const QString& title, const QString& filter) {
  const QString path = QFileDialog::getOpenFileName(parent, title, start_folder(), filter);
  remember(path);
  return path;
}

QStringList choose_files(QWidget* parent, const QString& title, const QString& filter) {
  const QStringList paths = QFileDialog::getOpenFileNames(parent, title, start_folder(), filter);
  if (!paths.isEmpty()) remember(paths.front());
  return paths;
}

QString choose_target(QWidget* parent, const QString& title, const QString& suggestion, const QString& filter,
                      const QString& suffix, QFileDialog::Options options) {
  const QString begin = start_folder().isEmpty() ? suggestion : QDir(start_folder()).filePath(suggestion);
  QString path = QFileDialog::getSaveFileName(parent, title, begin, filter, nullptr, options);
  if (path.isEmpty()) return {};
  if (!path.endsWith(suffix, Qt::CaseInsensitive)) path += suffix;
  remember(path);
  return path;
}

void write_file(QWidget* parent, const QString& path, const QByteArray& content) {
  QSaveFile file(path);
  if (file.open(QIODevice::WriteOnly) && file.write(content) == content.size() && file.commit()) return;
  QMessageBox::warning(parent, Tr::tr("Not saved"),
                       Tr::tr("%1 could not be written.").arg(QDir::toNativeSeparators(path)) +
                           QLatin1Char('\n') + file.errorString());
}

}  // namespace bitlens::views
