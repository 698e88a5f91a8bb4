#include "views/document/task_scores.h"

#include <QFileInfo>

#include "views/bridge/engine.h"
#include "views/bridge/entry.h"

namespace bitlens::views {

TaskScores::TaskScores(Engine& engine, QObject* parent) : QObject(parent), engine_(engine) {
  connect(&engine_, &Engine::job_changed, this, [this](const study::JobStatus& status) {
    const bool over = status.state == study::JobState::Finished || status.state == study::JobState::Failed ||
                      status.state == study::JobState::Cancelled;
    if (!over || status.id != running_) return;
    running_ = 0;
    emit changed();
  });
}

void TaskScores::set_tasks(const QString& path_or_sample) {
  if (path_or_sample == tasks_) return;
  tasks_ = path_or_sample;
  report_.reset();
  emit changed();
}

void TaskScores::clear() {
  report_.reset();
  emit changed();
}

void TaskScores::score(SessionPtr session, std::optional<quantize::Recipe> recipe,
                       const evaluate::Options& options, quantize::Quantizer quantizer) {
  study::TaskRequest request;
  request.subject = session;
  request.recipe = std::move(recipe);
  request.activations = options.activations;
  request.compute = options.compute;
  request.quantizer = quantizer;
  running_ = engine_.start<study::TaskReport>(
      "tasks", QFileInfo(tasks_).fileName(), Urgency::Asked,
      [request, file = tasks_.toStdString()](const WorkContext& work) mutable -> Result<study::TaskReport> {
        const Entry entry("score_tasks");
        auto tasks = study::load_tasks(file);
        if (!tasks) return pass(tasks);
        request.tasks = *tasks;
        return study::score_tasks(request, work);
      },
      this,
      [this](Result<study::TaskReport> report) {
        if (report)
          report_ = std::move(*report);
        else if (report.error().code != ErrorCode::Cancelled)
          emit failed(report.error());
        emit changed();
      });
  emit changed();
}

}  // namespace bitlens::views
