#include "views/document/document.h"

#include <QDir>
#include <QFileInfo>

#include "views/bridge/engine.h"
#include "views/bridge/entry.h"
#include "views/bridge/errors.h"
#include "views/bridge/side_worker.h"
#include "views/text/units.h"
#include "views/undo/recipe_command.h"

namespace bitlens::views {

namespace {
/// A recipe's sizes and what it is predicted to cost: one piece, so that they never tell of two recipes.
struct Resolution {
  Result<quantize::ResolvedRecipe> resolved;
  std::optional<study::RecipePrediction> prediction;
};
Resolution resolve_and_predict(const quantize::Recipe& recipe, const SessionPtr& session,
                               quantize::Quantizer quantizer, const quantize::ImportancePtr& importance,
                               const SensitivityPtr& known) {
  const Entry entry("resolve");
  Resolution out{quantize::resolve(recipe, session->file(), quantizer, importance), std::nullopt};
  if (out.resolved) out.prediction = predict(known, *out.resolved);
  return out;
}
const QString kSample = QStringLiteral("sample");
}  // namespace

Document::Document(Engine& engine, SideWorker& side, QObject* parent)
    : QObject(parent),
      engine_(engine),
      side_(side),
      analysis_(engine, this),
      texts_(engine, this),
      measurements_(engine, this),
      importance_(engine, this),
      tasks_(engine, this),
      sensitivity_(engine, side, this) {
  connect(&texts_, &Texts::list_changed, this, [this] { set_modified(true); });
  connect(&measurements_, &Measurements::results_changed, this, [this] { set_modified(true); });
  connect(&measurements_, &Measurements::options_changed, this, [this] {
    set_modified(true);
    resolve_current();
  });
  connect(&tasks_, &TaskScores::failed, this,
          [this](const Error& error) { emit notice(NoticeKind::Failure, error_text(error)); });
  connect(&sensitivity_, &Sensitivity::failed, this,
          [this](const Error& error) { emit notice(NoticeKind::Failure, error_text(error)); });
  connect(&sensitivity_, &Sensitivity::cells_changed, this, &Document::predict_again);
  // Not with every cell: while a run is under way its journals hold them.
  connect(&sensitivity_, &Sensitivity::state_changed, this, [this] { set_modified(true); });
  connect(&sensitivity_, &Sensitivity::plan_changed, this, [this] { set_modified(true); });
  connect(&texts_, &Texts::entry_changed, this, &Document::look_for_unfinished_run);
  connect(&importance_, &ImportanceMatrix::changed, this, [this] {
    const bool modified = modified_;
    measurements_.set_importance(importance_.value());
    if (importance_.restoring()) set_modified(modified);
  });
  connect(&importance_, &ImportanceMatrix::differs, this, [this](const QString& path) {
    emit notice(NoticeKind::Warning,
                tr("The importance matrix %1 differs from the one this study was made with. Earlier results "
                   "may not hold for it.")
                    .arg(shown(path.toStdString(), 200)));
  });
  connect(&importance_, &ImportanceMatrix::failed, this,
          [this](const Error& error) { emit notice(NoticeKind::Failure, error_text(error)); });
  connect(&measurements_, &Measurements::failed, this,
          [this](const Error& error) { emit notice(NoticeKind::Failure, error_text(error)); });
  connect(&analysis_, &Analysis::calibration_failed, this,
          [this](const Error& error) { emit notice(NoticeKind::Failure, error_text(error)); });
  connect(&texts_, &Texts::text_failed, this, [this](const QString&, const Error& error) {
    emit notice(NoticeKind::Failure, error_text(error));
  });
}

Document::~Document() = default;

QString Document::file_name() const {
  return study_path_.isEmpty() ? model_name() : QFileInfo(study_path_).fileName();
}

QString Document::model_name() const {
  if (path_ == kSample && session_)
    return QFileInfo(QString::fromStdString(session_->file().path())).fileName();
  return QFileInfo(path_).fileName();
}

void Document::open(const QString& path_or_sample) {
  open_model(path_or_sample, std::nullopt, {});
}

void Document::open_model(const QString& path, std::optional<study::Study> study, const QString& study_path) {
  const QString full = path == kSample ? path : QFileInfo(path).absoluteFilePath();
  close();
  path_ = full;
  set_state(State::Opening);
  engine_.start<SessionPtr>(
      "open", path == kSample ? path : QFileInfo(path).fileName(), Urgency::Asked,
      [full](const WorkContext&) -> Result<SessionPtr> { return study::open_model(full.toStdString()); },
      this,
      [this, study = std::move(study), study_path,
       generation = generation_](const Result<SessionPtr>& session) {
        if (generation != generation_) return;
        if (session)
          model_ready(*session, study, study_path);
        else
          open_failed(session.error());
      });
}

void Document::open_study(const QString& study_path) {
  load_study(study_path, false);
}

void Document::open_recovery(const QString& autosave_path) {
  load_study(autosave_path, true);
}

void Document::load_study(const QString& path, bool recovery) {
  const QString full = QFileInfo(path).absoluteFilePath();
  close();
  path_ = full;
  set_state(State::Opening);
  engine_.start<study::Study>(
      "open", QFileInfo(full).fileName(), Urgency::Asked,
      [full](const WorkContext&) { return study::load_study(full.toStdString()); }, this,
      [this, full, recovery, generation = generation_](const Result<study::Study>& study) {
        if (generation != generation_) return;
        if (study)
          open_model(QString::fromStdString(study->model_path), *study, recovery ? QString() : full);
        else
          open_failed(study.error());
      });
}

void Document::close() {
  ++generation_;
  state_ = State::Empty;  // whoever hears of the steps below must not ask for the model
  engine_.cancel_all();
  session_.reset();
  model_sha256_.clear();
  layout_.clear();
  study_path_.clear();
  path_.clear();
  recipe_ = {};
  resolved_.reset();
  preview_.reset();
  prediction_.reset();
  preview_prediction_.reset();
  look_when_ready_ = false;
  recipe_error_.reset();
  undo_.clear();
  selection_.clear();
  analysis_.set_session(nullptr);
  texts_.set_session(nullptr);
  importance_.stop_using();
  texts_.clear();
  measurements_.clear();
  tasks_.clear();
  sensitivity_.set_session(nullptr);
  set_modified(false);
  set_state(State::Empty);
}

void Document::model_ready(SessionPtr session, std::optional<study::Study> study, const QString& study_path) {
  session_ = std::move(session);
  analysis_.set_session(session_);
  texts_.set_session(session_);
  sensitivity_.set_session(session_);
  study_path_ = study_path;
  if (study) {
    texts_.restore(study->texts);
    measurements_.restore(study->results);
    measurements_.set_options(study->options);
    measurements_.set_quantizer(study->quantizer);
    if (study->imatrix) importance_.restore(session_, *study->imatrix);
    layout_ = study->layout;
    recipe_ = study->recipe;
    sensitivity_.restore(study->sensitivities, study->sweep);
    look_when_ready_ = study->sweep && study->sweep->unfinished;
  } else if (path_ == kSample) {
    texts_.add(kSample, study::TextUse::Evaluation);
    texts_.add(QStringLiteral("sample-calibration"), study::TextUse::Calibration);
  }
  set_state(State::Ready);
  set_modified(study && study_path_.isEmpty());  // recovered work is not saved anywhere else
  resolve_current();
  analysis_.want_all_weights();
  const std::string known = study ? study->model_sha256 : std::string();
  engine_.start<std::string>(
      "hash", file_name(), Urgency::Background,
      [session = session_](const WorkContext& work) { return session->file().sha256(work); }, this,
      [this, known, generation = generation_](const Result<std::string>& hash) {
        if (generation != generation_ || !hash) return;
        model_sha256_ = *hash;
        if (!known.empty() && known != *hash)
          emit notice(
              NoticeKind::Warning,
              tr("The model file differs from the one this study was made with. Earlier results may not "
                 "hold for it."));
      });
  if (study) emit study_opened();
}

void Document::open_failed(const Error& error) {
  open_error_ = error;
  set_state(error.code == ErrorCode::Cancelled ? State::Empty : State::Failed);
}

void Document::set_state(State state) {
  state_ = state;
  emit state_changed();
}

kernels::Format Document::format_of(std::size_t tensor) const {
  return resolved_ ? resolved_->tensors[tensor].format : session_->file().tensors()[tensor].format;
}

bool Document::changes_anything() const {
  if (!resolved_) return false;
  for (const quantize::TensorChoice& choice : resolved_->tensors)
    if (choice.changed) return true;
  return false;
}

std::optional<quantize::Recipe> Document::effective_recipe() const {
  if (!changes_anything()) return std::nullopt;
  return named_recipe();
}

quantize::Recipe Document::named_recipe(quantize::Recipe recipe) const {
  if (recipe.name.empty())
    recipe.name =
        (recipe.rules.empty() && !recipe.fallback ? tr("as in file") : tr("my recipe")).toStdString();
  return recipe;
}

QString Document::recipe_name() const {
  return shown(named_recipe().name, 120);
}

void Document::assign(const std::vector<std::size_t>& tensors, quantize::FormatChoice choice) {
  if (!session_ || tensors.empty()) return;
  end_preview();
  const RecipeEdit edit = views::assign(recipe_, model(), tensors, choice);
  if (edit.recipe != recipe_) {
    const int count = static_cast<int>(edit.accepted.size());
    const QString name = choice ? tr("Set %1 on %n tensor(s)", nullptr, count).arg(shown(choice_name(choice)))
                                : tr("Reset %n tensor(s) to the file's precision", nullptr, count);
    undo_.push(
        new RecipeCommand(recipe_, edit.recipe, name, [this](const quantize::Recipe& r) { set_recipe(r); }));
  }
  tell_refusals(edit, choice);
}

void Document::tell_refusals(const RecipeEdit& edit, quantize::FormatChoice choice) {
  if (edit.refused.empty()) return;
  const Refusal& first = edit.refused.front();
  const io::TensorInfo& info = session_->file().tensors()[first.tensor];
  const QString wanted = shown(choice_name(choice ? choice : quantize::FormatChoice(first.wanted)));
  QString text = edit.refused.size() == 1
                     ? tr("%1 cannot take %2: %3").arg(shown(info.name), wanted, refusal_text(first, info))
                     : tr("%n tensor(s) cannot take %1 and stay as they are: %2", nullptr,
                          static_cast<int>(edit.refused.size()))
                           .arg(wanted, refusal_text(first, info));
  emit notice(NoticeKind::Warning, text);
}

void Document::preview_assign(const std::vector<std::size_t>& tensors, quantize::FormatChoice choice) {
  if (!session_ || (preview_choice_ && *preview_choice_ == choice && preview_tensors_ == tensors)) return;
  preview_tensors_ = tensors;
  preview_choice_ = choice;
  const quint64 serial = ++preview_serial_;
  const RecipeEdit edit = views::assign(recipe_, model(), tensors, choice);
  side_.ask<Resolution>(
      "preview",
      [session = session_, recipe = named_recipe(edit.recipe), quantizer = measurements_.quantizer(),
       importance = measurements_.importance(), known = sensitivity_.known()] {
        return resolve_and_predict(recipe, session, quantizer, importance, known);
      },
      this,
      [this, serial, known = sensitivity_.known()](Resolution next) {
        if (serial != preview_serial_ || !next.resolved) return;
        preview_ = std::make_shared<const quantize::ResolvedRecipe>(std::move(*next.resolved));
        preview_prediction_ = std::move(next.prediction);
        emit preview_changed();
        emit prediction_changed();
        if (known != sensitivity_.known()) predict_again();
      });
}

void Document::end_preview() {
  ++preview_serial_;
  preview_tensors_.clear();
  preview_choice_.reset();
  if (!preview_) return;
  preview_.reset();
  preview_prediction_.reset();
  emit preview_changed();
  emit prediction_changed();
}

void Document::replace_recipe(const quantize::Recipe& recipe, const QString& undo_name) {
  if (!session_) return;
  const RecipeEdit edit = fit(recipe, model());
  if (edit.recipe != recipe_)
    undo_.push(new RecipeCommand(recipe_, edit.recipe, undo_name,
                                 [this](const quantize::Recipe& r) { set_recipe(r); }));
  if (edit.refused.empty()) return;
  const Refusal& first = edit.refused.front();
  const io::TensorInfo& info = session_->file().tensors()[first.tensor];
  emit notice(NoticeKind::Warning,
              tr("%n tensor(s) cannot take the recipe's precision and got the nearest one that fits: %1",
                 nullptr, static_cast<int>(edit.refused.size()))
                  .arg(refusal_text(first, info)));
}

void Document::rename_recipe(const QString& name) {
  const std::string text = name.trimmed().toStdString();
  if (text == recipe_.name) return;
  recipe_.name = text;
  set_modified(true);
  resolve_current();
}

void Document::set_recipe(const quantize::Recipe& recipe) {
  const std::string name = recipe.name.empty() ? recipe_.name : recipe.name;
  recipe_ = recipe;
  recipe_.name = name;
  set_modified(true);
  resolve_current();
}

void Document::resolve_current() {
  if (!session_) return;
  const quint64 serial = ++resolve_serial_;
  side_.ask<Resolution>(
      "resolve",
      [session = session_, recipe = named_recipe(), quantizer = measurements_.quantizer(),
       importance = measurements_.importance(), known = sensitivity_.known()] {
        return resolve_and_predict(recipe, session, quantizer, importance, known);
      },
      this,
      [this, serial, known = sensitivity_.known()](Resolution next) {
        if (serial != resolve_serial_) return;
        if (next.resolved) {
          resolved_ = std::make_shared<const quantize::ResolvedRecipe>(std::move(*next.resolved));
          prediction_ = std::move(next.prediction);
          recipe_error_.reset();
        } else {
          recipe_error_ = next.resolved.error();
          emit notice(NoticeKind::Failure, error_text(*recipe_error_));
        }
        emit resolved_changed();
        emit prediction_changed();
        if (known != sensitivity_.known()) predict_again();
      });
}

void Document::set_modified(bool modified) {
  if (state_ != State::Ready) modified = false;
  const bool changed = modified != modified_;
  modified_ = modified;
  if (changed || modified) emit modified_changed();
}

}  // namespace bitlens::views
