// The accuracy of the open model and of a recipe on cloze tasks: starts the scoring and keeps its last
// report.
#pragma once

#include <QObject>
#include <QString>
#include <optional>

#include "core/study/job_queue.h"
#include "core/study/tasks.h"
#include "views/document/snapshots.h"

namespace bitlens::views {

class Engine;

class TaskScores : public QObject {
  Q_OBJECT
 public:
  TaskScores(Engine& engine, QObject* parent);

  /// Path of the task file, or "sample".
  [[nodiscard]] const QString& tasks() const { return tasks_; }
  void set_tasks(const QString& path_or_sample);

  void score(SessionPtr session, std::optional<quantize::Recipe> recipe, const evaluate::Options& options,
             quantize::Quantizer quantizer);
  [[nodiscard]] bool scoring() const { return running_ != 0; }
  [[nodiscard]] const std::optional<study::TaskReport>& report() const { return report_; }
  void clear();

 signals:
  void changed();
  void failed(const bitlens::Error& error);

 private:
  Engine& engine_;
  QString tasks_ = QStringLiteral("sample");
  study::JobId running_ = 0;
  std::optional<study::TaskReport> report_;
};

}  // namespace bitlens::views
