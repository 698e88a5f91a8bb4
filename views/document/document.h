// The open study as the window sees it: model, recipe with its undo history, what is known and what was
// measured. Lives on the window's thread; everything heavy goes through the Engine or the SideWorker.
#pragma once

#include <QObject>
#include <QString>
#include <QUndoStack>

#include "views/document/analysis.h"
#include "views/document/importance_matrix.h"
#include "views/document/measurements.h"
#include "views/document/recipe_edit.h"
#include "views/document/selection.h"
#include "views/document/sensitivity.h"
#include "views/document/task_scores.h"
#include "views/document/texts.h"

namespace bitlens::views {

class Engine;
class SideWorker;

enum class NoticeKind { Information, Warning, Failure };

class Document : public QObject {
  Q_OBJECT
 public:
  Document(Engine& engine, SideWorker& side, QObject* parent = nullptr);
  ~Document() override;

  enum class State { Empty, Opening, Ready, Failed };
  [[nodiscard]] State state() const { return state_; }
  /// What was asked for: a path, or "sample". Also while opening and after a failure.
  [[nodiscard]] const QString& path() const { return path_; }
  [[nodiscard]] QString file_name() const;   ///< of the study if there is one, else of the model
  [[nodiscard]] QString model_name() const;  ///< the model file's name
  /// Null unless Ready.
  [[nodiscard]] const SessionPtr& session() const { return session_; }
  [[nodiscard]] const model::Model& model() const { return *session_->model; }
  [[nodiscard]] const Error& open_error() const { return open_error_; }

  void open(const QString& path_or_sample);
  /// Opens the study's model and, when that worked, takes over everything the study holds.
  void open_study(const QString& study_path);
  /// The same for an autosaved study: it has no name of its own and counts as not saved.
  void open_recovery(const QString& autosave_path);
  void close();

  [[nodiscard]] const quantize::Recipe& recipe() const { return recipe_; }
  /// The recipe resolved; follows an edit within milliseconds. Null before the first one.
  [[nodiscard]] const ResolvedPtr& resolved() const { return resolved_; }
  /// The recipe as it would be after the drop that hovers now; null outside a drag.
  [[nodiscard]] const ResolvedPtr& preview() const { return preview_; }
  /// What the recipe, and the one that hovers, are predicted to cost; none while nothing is known of the
  /// tensors they change.
  [[nodiscard]] const std::optional<study::RecipePrediction>& prediction() const { return prediction_; }
  [[nodiscard]] const std::optional<study::RecipePrediction>& preview_prediction() const {
    return preview_prediction_;
  }
  [[nodiscard]] const std::optional<Error>& recipe_error() const { return recipe_error_; }
  /// Format of a tensor under the current recipe, the file's own until resolved.
  [[nodiscard]] kernels::Format format_of(std::size_t tensor) const;
  /// The recipe changes at least one tensor.
  [[nodiscard]] bool changes_anything() const;
  /// The recipe as measurements take it: nothing when it changes nothing.
  [[nodiscard]] std::optional<quantize::Recipe> effective_recipe() const;
  /// The recipe under the name it is shown by. Sizes, measurements and exports all take this one: the name
  /// stands in the exported file and so is part of its exact size.
  [[nodiscard]] quantize::Recipe named_recipe() const { return named_recipe(recipe_); }

  void assign(const std::vector<std::size_t>& tensors, quantize::FormatChoice choice);
  void preview_assign(const std::vector<std::size_t>& tensors, quantize::FormatChoice choice);
  void end_preview();
  /// Puts a whole recipe in place (preset, file, row of the Compare table), fitted to this model's shapes.
  void replace_recipe(const quantize::Recipe& recipe, const QString& undo_name);
  void rename_recipe(const QString& name);
  [[nodiscard]] QString recipe_name() const;

  /// Measures the current recipe on the chosen evaluation text, or says what is missing.
  void measure();
  void compare_with(const QString& path);
  void calibrate();
  /// Scores the current recipe, and the model as it is, on the chosen tasks, or says why not.
  void score_tasks();
  /// Starts or goes on with a sensitivity run, or says what is missing. Groups are measured only.
  void find_sensitivity(sensitivity::Grouping grouping = sensitivity::Grouping::Tensor);
  /// Why a sensitivity run is not possible now; empty when it is.
  [[nodiscard]] QString sensitivity_obstacle() const;
  [[nodiscard]] evaluate::Options sweep_options() const;  ///< of a sensitivity run
  /// Works out where in the text changing this tensor alone costs something.
  void find_loss_places(std::size_t tensor, kernels::Format format);
  /// Why measuring is not possible now; empty when it is.
  [[nodiscard]] QString measure_obstacle() const;
  /// Why the model cannot be run under the recipe; empty when it can.
  [[nodiscard]] QString run_obstacle() const;

  [[nodiscard]] study::Study to_study() const;
  void save_study(const QString& path);
  [[nodiscard]] const QString& study_path() const { return study_path_; }
  [[nodiscard]] bool modified() const { return modified_; }
  void set_layout(const std::string& layout) { layout_ = layout; }
  [[nodiscard]] const std::string& layout() const { return layout_; }

  [[nodiscard]] QUndoStack& undo_stack() { return undo_; }
  [[nodiscard]] Selection& selection() { return selection_; }
  [[nodiscard]] Analysis& analysis() { return analysis_; }
  [[nodiscard]] const Analysis& analysis() const { return analysis_; }
  [[nodiscard]] Texts& texts() { return texts_; }
  [[nodiscard]] const Texts& texts() const { return texts_; }
  [[nodiscard]] Measurements& measurements() { return measurements_; }
  [[nodiscard]] TaskScores& tasks() { return tasks_; }
  [[nodiscard]] const Measurements& measurements() const { return measurements_; }
  [[nodiscard]] Sensitivity& sensitivity() { return sensitivity_; }
  [[nodiscard]] const Sensitivity& sensitivity() const { return sensitivity_; }
  [[nodiscard]] ImportanceMatrix& importance() { return importance_; }
  [[nodiscard]] Engine& engine() { return engine_; }
  [[nodiscard]] SideWorker& side() { return side_; }

 signals:
  void state_changed();
  void resolved_changed();
  void preview_changed();
  void prediction_changed();  ///< of the recipe or the one that hovers
  void modified_changed();
  void study_opened();
  void study_saved();
  void notice(bitlens::views::NoticeKind kind, const QString& text);

 private:
  [[nodiscard]] quantize::Recipe named_recipe(quantize::Recipe recipe) const;
  void load_study(const QString& path, bool recovery);
  void open_model(const QString& path, std::optional<study::Study> study, const QString& study_path);
  void model_ready(SessionPtr session, std::optional<study::Study> study, const QString& study_path);
  void open_failed(const Error& error);
  void set_state(State state);
  void set_recipe(const quantize::Recipe& recipe);
  void resolve_current();
  void predict_again();
  void look_for_unfinished_run();
  [[nodiscard]] SweepRequest sweep_request() const;
  void set_modified(bool modified);
  void tell_refusals(const RecipeEdit& edit, quantize::FormatChoice choice);

  Engine& engine_;
  SideWorker& side_;
  State state_ = State::Empty;
  QString path_, study_path_;
  SessionPtr session_;
  std::string model_sha256_, layout_;
  Error open_error_;
  quint64 generation_ = 0;
  quantize::Recipe recipe_;
  ResolvedPtr resolved_, preview_;
  std::optional<study::RecipePrediction> prediction_, preview_prediction_;
  std::optional<Error> recipe_error_;
  std::vector<std::size_t> preview_tensors_;
  std::optional<quantize::FormatChoice> preview_choice_;
  quint64 preview_serial_ = 0, resolve_serial_ = 0;
  bool modified_ = false, look_when_ready_ = false;
  QUndoStack undo_;
  Selection selection_;
  Analysis analysis_;
  Texts texts_;
  Measurements measurements_;
  ImportanceMatrix importance_;
  TaskScores tasks_;
  Sensitivity sensitivity_;
};

}  // namespace bitlens::views
