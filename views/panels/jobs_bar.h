// What the engine is doing: title, progress, time left, pause and cancel. Short work is not shown at all.
#pragma once

#include <QTimer>
#include <QWidget>

#include "core/study/job_queue.h"

class QLabel;
class QProgressBar;
class QToolButton;

namespace bitlens::views {

class Engine;

class JobsBar : public QWidget {
  Q_OBJECT
 public:
  explicit JobsBar(Engine& engine, QWidget* parent = nullptr);
  /// Nothing waits or runs.
  [[nodiscard]] bool idle() const { return !active_; }

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void job_changed(const study::JobStatus& status);
  void show_status();
  void retranslate();

  Engine& engine_;
  study::JobStatus status_;
  bool active_ = false;
  QTimer appear_, vanish_;
  QLabel *title_, *left_, *waiting_;
  QProgressBar* progress_;
  QToolButton *pause_, *cancel_;
};

/// "measure" with its argument as a translated sentence: "Measuring my recipe".
[[nodiscard]] QString job_title(const std::string& key, const std::string& detail);

}  // namespace bitlens::views
