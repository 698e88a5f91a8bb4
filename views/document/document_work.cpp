// The Document's longer errands: measuring, calibrating, comparing files, saving the study.
#include <QFileInfo>

#include "views/bridge/entry.h"
#include "views/bridge/errors.h"
#include "views/bridge/side_worker.h"
#include "views/document/document.h"
#include "views/text/units.h"

namespace bitlens::views {

QString Document::run_obstacle() const {
  if (!session_) return tr("Open a model first.");
  if (!model().llama()) return tr("This model cannot be run: %1").arg(error_text(model().llama().error()));
  if (!session_->tokenizer)
    return tr("This model's tokenizer cannot be used: %1").arg(error_text(session_->tokenizer.error()));
  return recipe_error_ ? error_text(*recipe_error_) : QString();
}

QString Document::measure_obstacle() const {
  if (const QString obstacle = run_obstacle(); !obstacle.isEmpty()) return obstacle;
  const TextEntry* text = texts_.evaluation();
  if (!text) return tr("Add an evaluation text first.");
  if (text->problem) return error_text(*text->problem);
  if (!text->tokens) return tr("The text is being read.");
  if (measurements_.windows_of(text->tokens->tokens.size()) < 2)
    return tr("The text is too short for two windows: choose a smaller context or a longer text.");
  if (measurements_.measuring()) return tr("A measurement is running.");
  return {};
}

void Document::measure() {
  if (const QString obstacle = measure_obstacle(); !obstacle.isEmpty()) {
    emit notice(NoticeKind::Warning, obstacle);
    return;
  }
  measurements_.measure(session_, effective_recipe(), texts_.evaluation()->tokens);
}

void Document::compare_with(const QString& path) {
  if (const QString obstacle = measure_obstacle(); !obstacle.isEmpty()) {
    emit notice(NoticeKind::Warning, obstacle);
    return;
  }
  measurements_.compare_with(session_, path, texts_.evaluation()->tokens);
}

void Document::score_tasks() {
  if (const QString obstacle = run_obstacle(); !obstacle.isEmpty()) {
    emit notice(NoticeKind::Warning, obstacle);
    return;
  }
  if (!tasks_.scoring())
    tasks_.score(session_, effective_recipe(), measurements_.options(), measurements_.quantizer());
}

void Document::calibrate() {
  const TextEntry* text = texts_.calibration();
  if (!text || !text->tokens) {
    emit notice(NoticeKind::Warning,
                text ? tr("The text is being read.") : tr("Add a calibration text first."));
    return;
  }
  analysis_.calibrate(text->tokens, measurements_.options());
}

study::Study Document::to_study() const {
  study::Study study;
  study.model_path = path_.toStdString();
  study.model_sha256 = model_sha256_;
  for (const TextEntry& entry : texts_.entries()) study.texts.push_back(entry.reference);
  study.recipe = recipe_;
  study.results = measurements_.results();
  study.options = measurements_.options();
  study.quantizer = measurements_.quantizer();
  study.sensitivities = sensitivity_.results();
  study.sweep = sensitivity_.plan_to_keep();
  study.imatrix = importance_.reference();
  study.layout = layout_;
  return study;
}

void Document::save_study(const QString& path) {
  if (!session_) return;
  const QString full = QFileInfo(path).absoluteFilePath();
  side_.ask<Status>(
      "save",
      [study = to_study(), full] {
        const Entry entry("save_study");
        return study::save_study(study, full.toStdString());
      },
      this,
      [this, full, generation = generation_](const Status& saved) {
        if (generation != generation_) return;
        if (!saved) {
          emit notice(NoticeKind::Failure, error_text(saved.error()));
          return;
        }
        study_path_ = full;
        set_modified(false);
        emit study_saved();
        emit notice(NoticeKind::Information, tr("Study saved as %1.").arg(QFileInfo(full).fileName()));
      });
}

}  // namespace bitlens::views
