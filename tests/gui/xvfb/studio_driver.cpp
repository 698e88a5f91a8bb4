#include "tests/gui/xvfb/studio_driver.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QStandardPaths>
#include <QThread>

namespace bitlens::test {

namespace {
void stop(QProcess& process) {
  if (process.state() == QProcess::NotRunning) return;
  process.terminate();
  if (process.waitForFinished(5000)) return;
  process.kill();
  process.waitForFinished(5000);
}
}  // namespace

StudioDriver::~StudioDriver() {
  stop(studio_);
  stop(manager_);
  stop(server_);
}

QString StudioDriver::missing_tools() {
  QStringList missing;
  for (const char* tool : {"Xvfb", "openbox", "xdotool"})
    if (QStandardPaths::findExecutable(QString::fromLatin1(tool)).isEmpty())
      missing << QString::fromLatin1(tool);
  return missing.join(QStringLiteral(", "));
}

bool StudioDriver::start(const QStringList& arguments) {
  // The server picks a free display itself and writes its number.
  const QString number_file = folder_.filePath(QStringLiteral("display"));
  server_.start(
      QStringLiteral("sh"),
      {QStringLiteral("-c"),
       QStringLiteral("exec Xvfb -displayfd 3 -screen 0 1440x900x24 -nolisten tcp 3>'%1' 2>/dev/null")
           .arg(number_file)});
  QString number;
  QElapsedTimer timer;
  timer.start();
  while (number.isEmpty() && timer.elapsed() < 20000) {
    QThread::msleep(50);
    QFile file(number_file);
    if (file.open(QIODevice::ReadOnly))
      if (const QByteArray line = file.readAll(); line.endsWith('\n'))
        number = QString::fromLatin1(line.trimmed());
  }
  if (number.isEmpty()) return problem_ = QStringLiteral("Xvfb did not start"), false;

  environment_ = QProcessEnvironment::systemEnvironment();
  environment_.insert(QStringLiteral("DISPLAY"), QLatin1Char(':') + number);
  environment_.insert(QStringLiteral("QT_QPA_PLATFORM"), QStringLiteral("xcb"));
  environment_.insert(QStringLiteral("BITLENS_TEST_PROBE"), folder_.filePath(QStringLiteral("probe.json")));
  for (const char* home : {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "HOME"}) {
    const QString path = folder_.filePath(QString::fromLatin1(home));
    QDir().mkpath(path);
    QFile::setPermissions(path, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    environment_.insert(QString::fromLatin1(home), path);
  }
  environment_.remove(QStringLiteral("WAYLAND_DISPLAY"));
  environment_.remove(QStringLiteral("DBUS_SESSION_BUS_ADDRESS"));

  manager_.setProcessEnvironment(environment_);
  manager_.setStandardErrorFile(QProcess::nullDevice());
  manager_.start(QStringLiteral("openbox"), QStringList());
  if (!manager_.waitForStarted(5000)) return problem_ = QStringLiteral("openbox did not start"), false;
  QThread::msleep(1000);

  studio_.setProcessEnvironment(environment_);
  studio_.setWorkingDirectory(folder_.path());
  studio_.start(QStringLiteral(BITLENS_BIN_DIR "/bitlens"), arguments);
  if (!studio_.waitForStarted(10000)) return problem_ = QStringLiteral("the studio did not start"), false;
  if (!wait_for([](const QJsonObject& p) { return p.contains(QStringLiteral("window")); }))
    return problem_ = QStringLiteral("the studio showed no window"), false;
  return true;
}

QJsonObject StudioDriver::probe() const {
  QFile file(folder_.filePath(QStringLiteral("probe.json")));
  return file.open(QIODevice::ReadOnly) ? QJsonDocument::fromJson(file.readAll()).object() : QJsonObject();
}

bool StudioDriver::wait_for(const std::function<bool(const QJsonObject&)>& met, int milliseconds) const {
  QElapsedTimer timer;
  timer.start();
  while (timer.elapsed() < milliseconds) {
    if (met(probe())) {
      QThread::msleep(250);  // one more probe interval: what was moving has come to rest
      if (met(probe())) return true;
    }
    QThread::msleep(50);
  }
  return false;
}

bool StudioDriver::xdotool(const QStringList& arguments) {
  QProcess process;
  process.setProcessEnvironment(environment_);
  process.setStandardErrorFile(QProcess::nullDevice());
  process.start(QStringLiteral("xdotool"), arguments);
  return process.waitForFinished(30000) && process.exitCode() == 0;
}

bool StudioDriver::drag(QPoint from, QPoint to) {
  QStringList script = {QStringLiteral("mousemove"), QString::number(from.x()), QString::number(from.y()),
                        QStringLiteral("sleep"),     QStringLiteral("0.2"),     QStringLiteral("mousedown"),
                        QStringLiteral("1"),         QStringLiteral("sleep"),   QStringLiteral("0.2")};
  constexpr int kSteps = 12;
  for (int i = 1; i <= kSteps; ++i) {
    const QPoint at = from + (to - from) * i / kSteps;
    script << QStringLiteral("mousemove") << QString::number(at.x()) << QString::number(at.y())
           << QStringLiteral("sleep") << QStringLiteral("0.04");
  }
  return xdotool(script << QStringLiteral("sleep") << QStringLiteral("0.3") << QStringLiteral("mouseup")
                        << QStringLiteral("1"));
}

bool StudioDriver::click(QPoint at) {
  return xdotool({QStringLiteral("mousemove"), QString::number(at.x()), QString::number(at.y()),
                  QStringLiteral("sleep"), QStringLiteral("0.15"), QStringLiteral("click"),
                  QStringLiteral("1")});
}

bool StudioDriver::key(const QString& keys) {
  return xdotool({QStringLiteral("key"), keys});
}

bool StudioDriver::type(const QString& text) {
  return xdotool({QStringLiteral("type"), QStringLiteral("--delay"), QStringLiteral("15"), text});
}

void StudioDriver::screenshot(const QString& path) {
  QProcess process;
  process.setProcessEnvironment(environment_);
  process.start(QStringLiteral("import"), {QStringLiteral("-window"), QStringLiteral("root"), path});
  process.waitForFinished(20000);
}

QPoint StudioDriver::middle(const QJsonObject& object) {
  const QJsonArray r = object[QStringLiteral("rect")].toArray();
  return QPointF(r[0].toDouble() + r[2].toDouble() / 2, r[1].toDouble() + r[3].toDouble() / 2).toPoint();
}

QJsonObject StudioDriver::find(const QJsonObject& probe, const QString& list, const QString& key,
                               const QString& value) {
  for (const QJsonValue& item : probe[list].toArray())
    if (item.toObject()[key].toString() == value) return item.toObject();
  return {};
}

QString StudioDriver::complaints() {
  return QString::fromUtf8(studio_.readAllStandardError());
}

}  // namespace bitlens::test
