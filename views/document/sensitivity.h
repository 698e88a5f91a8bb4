// What each tensor costs at each format: starts, pauses and goes on with sensitivity runs, and holds what is
// known so far as one immutable snapshot.
#pragma once

#include <QObject>
#include <QPointer>
#include <QString>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "core/study/job_queue.h"
#include "views/bridge/loss_places.h"
#include "views/document/sweep.h"

namespace bitlens::views {

class Engine;
class SideWorker;

class Sensitivity : public QObject {
  Q_OBJECT
 public:
  Sensitivity(Engine& engine, SideWorker& side, QObject* parent);

  /// Forgets everything of the old model.
  void set_session(SessionPtr session);
  /// What a study holds; a run it left unfinished counts as paused.
  void restore(const std::vector<SweepPtr>& results, const std::optional<study::SweepPlan>& plan);

  /// Null while nothing is known.
  [[nodiscard]] const SensitivityPtr& known() const { return known_; }
  [[nodiscard]] std::vector<SweepPtr> results() const { return known_ ? known_->results : restored_; }
  [[nodiscard]] const study::SweepPlan& plan() const { return plan_; }
  /// The plan with whether it is still to be done; nothing before the first run.
  [[nodiscard]] std::optional<study::SweepPlan> plan_to_keep() const;
  void set_plan(const study::SweepPlan& plan);

  enum class State { Idle, Running, Pausing, Paused };
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool busy() const { return state_ == State::Running || state_ == State::Pausing; }
  [[nodiscard]] const SweepProgress& progress() const { return progress_; }
  /// The engine's last word on the running job.
  [[nodiscard]] const study::JobStatus& job() const { return job_; }

  /// `known`, `plan` and `journal_folder` of the request are filled in here; its options hold for the plan.
  void start(SweepRequest request);
  /// Reads what an earlier run's journals hold, without working.
  void look(SweepRequest request);
  void pause();
  /// Goes on with a paused run of this session; false: there is none, start anew (nothing known is lost).
  [[nodiscard]] bool resume();
  void cancel();

  /// Where in the text a cell's loss comes from; null until worked out.
  [[nodiscard]] const LossPlaces* places(std::size_t tensor, kernels::Format format) const;
  void find_places(const LossRequest& request);
  [[nodiscard]] bool finding_places() const { return finding_ > 0; }

 signals:
  void cells_changed();  ///< the snapshot is a new one
  void state_changed();
  void progress_changed();
  void plan_changed();
  void places_changed();
  void failed(const bitlens::Error& error);
  void finished();  ///< a run is done

 private:
  void submit();
  void ended(Result<Sweep::End> end);
  void set_state(State state);
  void drop_sweep();
  [[nodiscard]] SweepRequest filled(SweepRequest request) const;
  [[nodiscard]] Sweep::Deliver deliverer();

  Engine& engine_;
  SideWorker& side_;
  SessionPtr session_;
  quint64 generation_ = 0;
  SensitivityPtr known_;
  std::vector<SweepPtr> restored_;  ///< a study's, until its snapshot is made
  study::SweepPlan plan_;
  bool asked_ = false;  ///< a run was started at least once
  State state_ = State::Idle;
  std::shared_ptr<Sweep> sweep_;
  SweepProgress progress_;
  study::JobId running_ = 0;
  study::JobStatus job_;
  std::map<std::pair<std::size_t, kernels::Format>, LossPlaces> places_;
  int finding_ = 0;
};

/// Where journals are kept between runs of the program.
[[nodiscard]] QString journal_folder();

}  // namespace bitlens::views
