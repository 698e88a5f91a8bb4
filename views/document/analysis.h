// Everything known about single tensors so far: statistics of weights, errors of rounding, statistics of
// inputs. Filled in the background, tensor by tensor; what was asked for first comes first.
#pragma once

#include <QObject>
#include <QPointer>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "core/study/job_queue.h"
#include "views/bridge/analysis_calls.h"

namespace bitlens::views {

class Engine;

class Analysis : public QObject {
  Q_OBJECT
 public:
  Analysis(Engine& engine, QObject* parent);

  /// Forgets everything; results still under way for the old model are dropped.
  void set_session(SessionPtr session);

  [[nodiscard]] const analyze::WeightStatistics* weights(std::size_t tensor) const;
  [[nodiscard]] const Error* weights_error(std::size_t tensor) const;
  [[nodiscard]] const analyze::RoundingError* rounding(std::size_t tensor, kernels::Format format,
                                                       kernels::Quantizer quantizer) const;
  [[nodiscard]] const analyze::ActivationStatistics* inputs(std::size_t tensor) const;
  [[nodiscard]] bool calibrated() const { return !calibration_text_.isEmpty(); }
  /// Name of the text the inputs were seen on.
  [[nodiscard]] const QString& calibration_text() const { return calibration_text_; }
  [[nodiscard]] const QuantizationGrid* grid(std::size_t tensor, kernels::Format format) const;

  void want_all_weights();
  void want_weights(std::size_t tensor);  ///< ahead of the rest
  void want_all_rounding(kernels::Format format, kernels::Quantizer quantizer);
  void want_rounding(std::size_t tensor, const std::vector<kernels::Format>& formats,
                     kernels::Quantizer quantizer);
  void want_grid(std::size_t tensor, kernels::Format format);
  void calibrate(TokensPtr text, const evaluate::Options& options);

  /// Background work not yet done (also when its job was cancelled).
  [[nodiscard]] bool incomplete() const;
  [[nodiscard]] bool running() const { return job_ != 0; }
  void go_on();  ///< starts the background job again after a cancel

 signals:
  void weights_known(int tensor);
  void rounding_known(int tensor);
  void grid_known(int tensor);
  void inputs_known();
  void calibration_failed(const bitlens::Error& error);
  void running_changed();

 private:
  using RoundingKey = std::tuple<std::size_t, kernels::Format, kernels::Quantizer>;
  struct Task {
    std::size_t tensor = 0;
    std::optional<std::pair<kernels::Format, kernels::Quantizer>>
        rounding;  ///< none: statistics of the weights
    auto operator<=>(const Task&) const = default;
  };
  /// Shared with the running job, which takes the tasks one by one: what is asked for first comes first.
  struct Backlog {
    std::mutex mutex;
    std::deque<Task> tasks;
    std::uint64_t done = 0;  ///< since it was last empty, for the progress bar
  };

  void add(const Task& task, bool first);
  void ended(bool stopped);
  /// What a background job needs; it never touches this object, only posts to it.
  struct Run {
    Engine& engine;
    QPointer<Analysis> analysis;
    std::shared_ptr<Backlog> backlog;
    quint64 generation = 0;
    SessionPtr session;
    std::vector<InputsPtr> inputs;
  };
  [[nodiscard]] static Result<std::size_t> work_off(const Run& run, const WorkContext& work);
  void store(const Task& task, Result<WeightsPtr> result);
  void store(const Task& task, Result<analyze::RoundingError> result);
  [[nodiscard]] bool can_round(std::size_t tensor, kernels::Format format) const;

  Engine& engine_;
  SessionPtr session_;
  quint64 generation_ = 0;
  std::vector<std::optional<Result<WeightsPtr>>> weights_;
  std::map<RoundingKey, analyze::RoundingError> rounding_;
  std::map<std::pair<std::size_t, kernels::Format>, QuantizationGrid> grids_;
  std::set<std::pair<std::size_t, kernels::Format>> grids_wanted_;
  std::vector<InputsPtr> inputs_;
  QString calibration_text_;
  std::shared_ptr<Backlog> backlog_;
  std::set<Task> known_tasks_;
  study::JobId job_ = 0;
};

}  // namespace bitlens::views
