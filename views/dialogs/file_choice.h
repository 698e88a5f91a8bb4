// Choosing files: every dialog begins in the folder of the file chosen last, and a file that cannot be
// written is said so.
#pragma once

#include <QByteArray>
#include <QFileDialog>
#include <QString>
#include <QStringList>

namespace bitlens::views {

/// The folder in which the next dialog begins; empty: the current one. It lives as long as the program.
[[nodiscard]] QString start_folder();
void set_start_folder(const QString& folder);

/// The chosen file, empty if none was.
[[nodiscard]] QString choose_file(QWidget* parent, const QString& title, const QString& filter);
[[nodiscard]] QStringList choose_files(QWidget* parent, const QString& title, const QString& filter);
/// A name to write to, ending in `suffix` (".csv"); `suggestion` is a name or a whole path.
[[nodiscard]] QString choose_target(QWidget* parent, const QString& title, const QString& suggestion,
                                    const QString& filter, const QString& suffix,
                                    QFileDialog::Options options = {});

/// Writes all or nothing, and tells of a failure.
void write_file(QWidget* parent, const QString& path, const QByteArray& content);

}  // namespace bitlens::views
