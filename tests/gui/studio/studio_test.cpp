#include "tests/gui/studio/studio_test.h"

#include <QApplication>
#include <QDragEnterEvent>
#include <QDragLeaveEvent>
#include <QDropEvent>
#include <QMutex>
#include <QStyleFactory>

#include "tests/e2e/cli/cli_runner.h"
#include "views/panels/format_mime.h"

namespace bitlens::test {

namespace {

QMutex& warnings_mutex() {
  static QMutex mutex;
  return mutex;
}
QStringList& warnings() {
  static QStringList list;
  return list;
}

QtMessageHandler previous_handler = nullptr;

void on_message(QtMsgType type, const QMessageLogContext& context, const QString& text) {
  // The offscreen platform says this of every window; it is harmless.
  if (text.contains(QStringLiteral("propagateSizeHints"))) return;
  if (type == QtWarningMsg || type == QtCriticalMsg || type == QtFatalMsg) {
    const QMutexLocker lock(&warnings_mutex());
    warnings() << text;
  }
  if (previous_handler) previous_handler(type, context, text);
}

}  // namespace

void set_up_studio_tests() {
  if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  // A home of each process's own: Qt's test mode has one for all, and tests that run side by side would
  // remove each other's journals.
  static QTemporaryDir home;
  for (const char* name : {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"})
    qputenv(name, home.path().toUtf8());
  if (qEnvironmentVariableIsEmpty("XDG_RUNTIME_DIR")) {
    static QTemporaryDir runtime;  // made with mode 0700
    qputenv("XDG_RUNTIME_DIR", runtime.path().toUtf8());
  }
  QApplication::setStyle(QStringLiteral("Fusion"));
  QCoreApplication::setApplicationName(QStringLiteral("bitlens-test"));
  QCoreApplication::setOrganizationName(QStringLiteral("bitlens-test"));
}

void watch_warnings() {
  const QtMessageHandler before = qInstallMessageHandler(on_message);
  if (before != on_message) previous_handler = before;
}

QStringList take_warnings() {
  const QMutexLocker lock(&warnings_mutex());
  return std::exchange(warnings(), {});
}

QString ModelFolder::file(const QString& name, const std::string& bytes) {
  const QString at = folder_.filePath(name);
  QFile out(at);
  if (out.open(QIODevice::WriteOnly)) out.write(bytes.data(), static_cast<qint64>(bytes.size()));
  return at;
}

QString ModelFolder::small_model() {
  return file(QStringLiteral("small.gguf"), model_bytes(test::small_model()));
}

QString ModelFolder::odd_model() {
  testing::TinyLlama model;
  model.width = 32;
  model.heads = 4;
  model.kv_heads = 2;
  model.head_dim = 8;
  model.rope_dimensions = 8;
  model.ffn = 60;
  model.vocabulary = 288;
  model.draw();
  return file(QStringLiteral("odd.gguf"), model_bytes(model));
}

QString ModelFolder::foreign_model() {
  return file(QStringLiteral("foreign.gguf"), model_bytes(test::small_model(), [](Keys& keys) {
                for (auto& [key, value] : keys)
                  if (key == "general.architecture") value = std::string("unheard-of");
              }));
}

QString ModelFolder::text() {
  // Written once: the engine may be reading it when a test asks for it again.
  const QString at = path(QStringLiteral("words.txt"));
  return QFile::exists(at) ? at : file(QStringLiteral("words.txt"), random_text(4000));
}

Studio::Studio() {
  studio::Options options;
  options.clean = true;
  options.threads = 2;
  options.scheme = views::Scheme::Light;
  views::apply_scheme(options.scheme);
  language.set(QStringLiteral("en"));
  window = std::make_unique<studio::MainWindow>(options, language);
  window->resize(1400, 840);
  window->show();
}

Studio::~Studio() {
  window.reset();
  language.set(QStringLiteral("en"));
}

bool Studio::wait_idle() {
  const auto idle = [this] {
    QCoreApplication::processEvents();  // what a finished job posted starts the next one
    return window->engine().jobs().empty() && !document().analysis().running();
  };
  return QTest::qWaitFor(idle, 60'000) && (QCoreApplication::processEvents(), true);
}

bool Studio::open(const QString& path) {
  window->open_path(path);
  return QTest::qWaitFor([this] { return document().resolved() != nullptr; }, 60'000) && wait_idle();
}

std::size_t Studio::tensor(const std::string& name) {
  const auto found = document().session()->file().find_tensor(name);
  return found ? *found : static_cast<std::size_t>(-1);
}

std::string Studio::format(const std::string& name) {
  return std::string(kernels::info(document().format_of(tensor(name))).name);
}

bool drop_chip(QWidget& target, const QPoint& position, quantize::FormatChoice choice, bool release) {
  const std::unique_ptr<QMimeData> mime(views::make_format_mime(choice));
  QDragEnterEvent enter(position, Qt::CopyAction, mime.get(), Qt::LeftButton, Qt::NoModifier);
  QCoreApplication::sendEvent(&target, &enter);
  QDragMoveEvent move(position, Qt::CopyAction, mime.get(), Qt::LeftButton, Qt::NoModifier);
  QCoreApplication::sendEvent(&target, &move);
  if (!release) return move.isAccepted();
  QDropEvent drop(position, Qt::CopyAction, mime.get(), Qt::LeftButton, Qt::NoModifier);
  QCoreApplication::sendEvent(&target, &drop);
  return drop.isAccepted();
}

}  // namespace bitlens::test
