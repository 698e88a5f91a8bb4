// Runs the built studio in a private X server (Xvfb + openbox) and drives it with xdotool, as a person would:
// it sees only what the studio's test probe says is on the screen (views/probe/probe.h).
#pragma once

#include <QJsonObject>
#include <QPoint>
#include <QProcess>
#include <QString>
#include <QStringList>
#include <QTemporaryDir>
#include <functional>

namespace bitlens::test {

class StudioDriver {
 public:
  ~StudioDriver();
  /// Empty, or which of Xvfb, openbox, xdotool is missing.
  [[nodiscard]] static QString missing_tools();
  /// Starts the X server, the window manager and the studio. False with problem() set.
  bool start(const QStringList& arguments);
  [[nodiscard]] const QString& problem() const { return problem_; }

  /// The newest probe.
  [[nodiscard]] QJsonObject probe() const;
  /// Waits until `met` holds of the probe.
  bool wait_for(const std::function<bool(const QJsonObject&)>& met, int milliseconds = 30000) const;

  /// Device pixels; button pressed, moved in steps, released.
  bool drag(QPoint from, QPoint to);
  bool click(QPoint at);
  bool key(const QString& keys);
  bool type(const QString& text);
  /// Picture of the whole screen (needs ImageMagick's import).
  void screenshot(const QString& path);

  /// Middle of {"rect": [x, y, w, h]}.
  [[nodiscard]] static QPoint middle(const QJsonObject& object);
  [[nodiscard]] static QJsonObject find(const QJsonObject& probe, const QString& list, const QString& key,
                                        const QString& value);
  /// What the studio wrote to stderr: nothing is expected.
  [[nodiscard]] QString complaints();

 private:
  bool xdotool(const QStringList& arguments);

  QTemporaryDir folder_;
  QProcess server_, manager_, studio_;
  QProcessEnvironment environment_;
  QString problem_;
};

}  // namespace bitlens::test
