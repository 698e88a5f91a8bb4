// The Document's part in sensitivity: what a run starts from, and what recipes are predicted to cost.
#include <algorithm>
#include <cmath>

#include "views/bridge/entry.h"
#include "views/bridge/errors.h"
#include "views/bridge/side_worker.h"
#include "views/document/document.h"

namespace bitlens::views {

/// As the study measures, but on the run's own windows.
evaluate::Options Document::sweep_options() const {
  evaluate::Options options = measurements_.options();
  options.windows = sensitivity_.plan().windows;
  if (sensitivity_.plan().context != 0) options.context = sensitivity_.plan().context;
  return options;
}

QString Document::sensitivity_obstacle() const {
  if (const QString obstacle = run_obstacle(); !obstacle.isEmpty()) return obstacle;
  const TextEntry* text = texts_.evaluation();
  if (!text) return tr("Add an evaluation text first.");
  if (text->problem) return error_text(*text->problem);
  if (!text->tokens) return tr("The text is being read.");
  if (Measurements::windows_of(sweep_options(), text->tokens->tokens.size()) < 2)
    return tr("The text is too short for two windows: choose a smaller context or a longer text.");
  if (sensitivity_.plan().formats.empty()) return tr("Choose at least one format.");
  return {};
}

/// The cells the recipe takes, and those one step up or down among the formats looked at.
SweepRequest Document::sweep_request() const {
  SweepRequest request;
  request.session = session_;
  request.text = texts_.evaluation()->tokens;
  request.options = sweep_options();
  request.quantizer = measurements_.quantizer();
  request.importance = measurements_.importance();
  std::vector<kernels::Format> ladder = sensitivity_.plan().formats;
  std::ranges::stable_sort(ladder, {}, [](kernels::Format f) { return kernels::info(f).bits_per_weight(); });
  for (std::size_t t = 0; resolved_ && t < resolved_->tensors.size(); ++t) {
    if (!resolved_->tensors[t].changed) continue;
    const std::string& name = session_->file().tensors()[t].name;
    const auto at = std::ranges::find(ladder, resolved_->tensors[t].format);
    if (at == ladder.end()) continue;
    request.decisions.emplace_back(name, *at);
    if (at != ladder.begin()) request.decisions.emplace_back(name, *std::prev(at));
    if (std::next(at) != ladder.end()) request.decisions.emplace_back(name, *std::next(at));
  }
  return request;
}

void Document::find_sensitivity(sensitivity::Grouping grouping) {
  if (sensitivity_.busy()) return;
  if (const QString obstacle = sensitivity_obstacle(); !obstacle.isEmpty()) {
    emit notice(NoticeKind::Warning, obstacle);
    return;
  }
  SweepRequest request = sweep_request();
  request.grouping = grouping;
  sensitivity_.start(std::move(request));
}

/// A run that the study left unfinished: its journals know what the last save did not.
void Document::look_for_unfinished_run() {
  if (!look_when_ready_ || !sensitivity_obstacle().isEmpty()) return;
  look_when_ready_ = false;
  sensitivity_.look(sweep_request());
}

void Document::find_loss_places(std::size_t tensor, kernels::Format format) {
  if (const QString obstacle = sensitivity_obstacle(); !obstacle.isEmpty()) {
    emit notice(NoticeKind::Warning, obstacle);
    return;
  }
  LossRequest request;
  request.session = session_;
  request.text = texts_.evaluation()->tokens;
  request.options = sweep_options();
  request.quantizer = measurements_.quantizer();
  request.tensor = tensor;
  request.format = format;
  sensitivity_.find_places(request);
}

/// The same recipes, by what is known now.
void Document::predict_again() {
  if (!session_) return;
  struct Predicted {
    std::optional<study::RecipePrediction> now, next;
  };
  side_.ask<Predicted>(
      "predict",
      [known = sensitivity_.known(), now = resolved_, next = preview_] {
        const Entry entry("predict");
        Predicted out;
        if (now) out.now = predict(known, *now);
        if (next) out.next = predict(known, *next);
        return out;
      },
      this,
      [this, now = resolved_, next = preview_](Predicted predicted) {
        // An edit made meanwhile brings its own.
        if (now == resolved_) prediction_ = std::move(predicted.now);
        if (next == preview_) preview_prediction_ = std::move(predicted.next);
        emit prediction_changed();
      });
}

}  // namespace bitlens::views
