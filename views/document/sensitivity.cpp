#include "views/document/sensitivity.h"

#include <QDir>
#include <QStandardPaths>

#include "views/bridge/engine.h"
#include "views/bridge/entry.h"
#include "views/bridge/side_worker.h"
#include "views/text/units.h"

namespace bitlens::views {

using kernels::Format;

QString journal_folder() {
  return QDir(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation))
      .filePath(QStringLiteral("sensitivity"));
}

Sensitivity::Sensitivity(Engine& engine, SideWorker& side, QObject* parent)
    : QObject(parent), engine_(engine), side_(side) {
  plan_.formats = {Format::Q8_0, Format::Q6_K, Format::Q5_0, Format::Q4_0};
  connect(&engine_, &Engine::job_changed, this, [this](const study::JobStatus& status) {
    if (status.id != running_ || running_ == 0) return;
    job_ = status;
    emit progress_changed();
    if (status.state == study::JobState::Cancelled && state_ != State::Idle) {
      // Also a job that never started: then nobody else tells.
      running_ = 0;
      set_state(State::Paused);
    }
  });
  connect(&engine_, &Engine::pause_asked, this, [this](study::JobId id) {
    if (id == running_) pause();
  });
}

void Sensitivity::set_session(SessionPtr session) {
  ++generation_;
  session_ = std::move(session);
  if (running_ != 0) engine_.cancel(running_);
  running_ = 0;
  drop_sweep();
  known_.reset();
  restored_.clear();
  places_.clear();
  finding_ = 0;
  progress_ = {};
  asked_ = false;
  set_state(State::Idle);
  emit cells_changed();
}

void Sensitivity::restore(const std::vector<SweepPtr>& results, const std::optional<study::SweepPlan>& plan) {
  if (plan) {
    plan_ = *plan;
    asked_ = true;
    emit plan_changed();
    if (plan->unfinished) set_state(State::Paused);
  }
  for (const SweepPtr& result : results)
    if (!result->cells.empty()) restored_.push_back(result);
  if (restored_.empty()) return;
  side_.ask<SensitivityPtr>(
      "",
      [session = session_, kept = restored_] {
        const Entry entry("cell_table");
        return std::make_shared<const SensitivitySnapshot>(session, kept);
      },
      this,
      [this, generation = generation_](const SensitivityPtr& snapshot) {
        // A journal read meanwhile knows this and more.
        if (generation != generation_ || known_) return;
        known_ = snapshot;
        emit cells_changed();
      });
}

std::optional<study::SweepPlan> Sensitivity::plan_to_keep() const {
  if (!asked_) return std::nullopt;
  study::SweepPlan plan = plan_;
  plan.unfinished = state_ != State::Idle;
  return plan;
}

void Sensitivity::set_plan(const study::SweepPlan& plan) {
  if (plan == plan_) return;
  plan_ = plan;
  emit plan_changed();
}

SweepRequest Sensitivity::filled(SweepRequest request) const {
  request.plan = plan_;
  request.known = results();
  request.journal_folder = journal_folder().toStdString();
  return request;
}

/// From the engine's thread to the window's; a snapshot of a model that is closed by then is dropped.
Sweep::Deliver Sensitivity::deliverer() {
  return [this, engine = &engine_, guard = QPointer<Sensitivity>(this), generation = generation_](
             SensitivityPtr snapshot, SweepProgress progress) {
    engine->post([guard, generation, snapshot = std::move(snapshot), progress] {
      Sensitivity* const target = guard.data();
      if (!target || generation != target->generation_) return;
      target->known_ = snapshot;
      target->progress_ = progress;
      emit target->cells_changed();
      emit target->progress_changed();
    });
  };
}

void Sensitivity::start(SweepRequest request) {
  if (busy()) return;
  drop_sweep();
  asked_ = true;
  progress_ = {};
  sweep_ = std::make_shared<Sweep>(filled(std::move(request)), deliverer(),
                                   [engine = &engine_] { return engine->any_work_waits(); });
  submit();
}

void Sensitivity::look(SweepRequest request) {
  auto sweep = std::make_shared<Sweep>(filled(std::move(request)), deliverer(), [] { return false; });
  struct Done {};
  engine_.start<Done>(
      "journal", {}, Urgency::Background,
      [sweep](const WorkContext& work) -> Result<Done> {
        if (const Status looked = sweep->look(work); !looked) return pass(looked);
        return Done{};
      },
      this, [](const Result<Done>&) {});
}

void Sensitivity::submit() {
  job_ = {};
  running_ = engine_.start<Sweep::End>(
      "sensitivity", QString::fromStdString(session_->requested).section(QLatin1Char('/'), -1), Urgency::Idle,
      [sweep = sweep_](const WorkContext& work) { return sweep->go(work); }, this,
      [this, sweep = std::weak_ptr(sweep_)](Result<Sweep::End> end) {
        if (sweep_ && sweep.lock() == sweep_)
          ended(std::move(end));  // else it was cancelled, or the model is closed
      });
  set_state(State::Running);
}

void Sensitivity::ended(Result<Sweep::End> end) {
  running_ = 0;
  if (end && *end == Sweep::End::SteppedAside) {
    if (state_ == State::Pausing) return set_state(State::Paused);
    return submit();  // behind what was asked for
  }
  if (end && *end == Sweep::End::Paused) return set_state(State::Paused);
  if (!end && end.error().code == ErrorCode::Cancelled) return set_state(State::Paused);
  drop_sweep();
  set_state(State::Idle);
  if (end)
    emit finished();
  else
    emit failed(end.error());
}

void Sensitivity::pause() {
  if (state_ != State::Running || !sweep_) return;
  sweep_->ask_pause(true);
  set_state(State::Pausing);
}

bool Sensitivity::resume() {
  if (state_ != State::Paused || !sweep_) return false;
  sweep_->ask_pause(false);
  submit();
  return true;
}

void Sensitivity::cancel() {
  if (running_ != 0) engine_.cancel(running_);
  running_ = 0;
  drop_sweep();
  set_state(State::Idle);
}

/// A run holds the base's hidden states: freeing them is no work for the window's thread.
void Sensitivity::drop_sweep() {
  if (!sweep_) return;
  side_.run("", [sweep = std::make_shared<std::shared_ptr<Sweep>>(std::move(sweep_))] { sweep->reset(); });
  sweep_.reset();
}

void Sensitivity::set_state(State state) {
  if (state == state_) return;
  state_ = state;
  emit state_changed();
}

const LossPlaces* Sensitivity::places(std::size_t tensor, Format format) const {
  const auto found = places_.find({tensor, format});
  return found == places_.end() ? nullptr : &found->second;
}

void Sensitivity::find_places(const LossRequest& request) {
  ++finding_;
  emit places_changed();
  engine_.start<LossPlaces>(
      "loss_places", QString::fromStdString(session_->file().tensors()[request.tensor].name), Urgency::Asked,
      [request](const WorkContext& work) { return find_loss_places(request, work); }, this,
      [this, generation = generation_, tensor = request.tensor,
       format = request.format](Result<LossPlaces> found) {
        if (generation != generation_) return;
        --finding_;
        if (found)
          places_[{tensor, format}] = std::move(*found);
        else if (found.error().code != ErrorCode::Cancelled)
          emit failed(found.error());
        emit places_changed();
      });
}

}  // namespace bitlens::views
