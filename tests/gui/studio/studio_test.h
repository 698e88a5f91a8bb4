// What the studio's tests share: a message handler that fails on any warning nobody expected, private folders
// for settings, small models made in code, and a window with its engine.
#pragma once

#include <QMimeData>
#include <QObject>
#include <QString>
#include <QTemporaryDir>
#include <QTest>
#include <memory>

#include "app/studio/main_window.h"
#include "views/document/recipe_edit.h"

namespace bitlens::test {

/// Call in initMain(): offscreen platform, private settings, Fusion.
void set_up_studio_tests();
/// Call in initTestCase() (Qt Test installs its own handler before): from here on every warning counts.
void watch_warnings();
/// Warnings seen since the last call; the list is emptied. cleanup() of every test checks that it is empty.
[[nodiscard]] QStringList take_warnings();

class ModelFolder {
 public:
  /// A runnable model of the llama family: 2 layers, every matrix fits blocks of 32.
  [[nodiscard]] QString small_model();
  /// The same with an ffn of 60: ffn_down's rows fit no block of 32.
  [[nodiscard]] QString odd_model();
  /// An architecture the executor does not know.
  [[nodiscard]] QString foreign_model();
  [[nodiscard]] QString text();
  [[nodiscard]] QString path(const QString& name) const { return folder_.filePath(name); }
  /// A file with these bytes.
  [[nodiscard]] QString file(const QString& name, const std::string& bytes);

 private:
  QTemporaryDir folder_;
};

/// A studio window with its own language object; --clean.
struct Studio {
  Studio();
  ~Studio();
  /// Opens a file and waits until it is ready, resolved and idle.
  [[nodiscard]] bool open(const QString& path);
  [[nodiscard]] bool wait_idle();
  [[nodiscard]] views::Document& document() { return window->document(); }
  [[nodiscard]] std::size_t tensor(const std::string& name);
  [[nodiscard]] std::string format(const std::string& name);

  studio::Language language;
  std::unique_ptr<studio::MainWindow> window;
};

/// Sends enter, move and drop of a chip to a widget as a drag would; true if the drop was accepted.
bool drop_chip(QWidget& target, const QPoint& position, quantize::FormatChoice choice, bool release = true);

}  // namespace bitlens::test

/// A test class checks this in cleanup().
#define VERIFY_NO_WARNINGS()                                              \
  do {                                                                    \
    const QStringList seen = bitlens::test::take_warnings();              \
    QVERIFY2(seen.isEmpty(), qPrintable(seen.join(QLatin1String("\n")))); \
  } while (false)
