#include "views/document/analysis.h"

#include <algorithm>

#include "views/bridge/engine.h"
#include "views/document/recipe_edit.h"
#include "views/text/units.h"

namespace bitlens::views {

Analysis::Analysis(Engine& engine, QObject* parent)
    : QObject(parent), engine_(engine), backlog_(std::make_shared<Backlog>()) {
  connect(&engine_, &Engine::job_changed, this, [this](const study::JobStatus& status) {
    if (status.id != job_ || job_ == 0) return;
    if (status.state == study::JobState::Cancelled || status.state == study::JobState::Failed) ended(true);
  });
}

void Analysis::set_session(SessionPtr session) {
  session_ = std::move(session);
  ++generation_;
  const std::size_t count = session_ ? session_->file().tensors().size() : 0;
  weights_.assign(count, std::nullopt);
  inputs_.assign(count, nullptr);
  rounding_.clear();
  grids_.clear();
  grids_wanted_.clear();
  calibration_text_.clear();
  known_tasks_.clear();
  backlog_ = std::make_shared<Backlog>();
  if (job_ != 0) engine_.cancel(job_);
  job_ = 0;
  emit running_changed();
}

const analyze::WeightStatistics* Analysis::weights(std::size_t tensor) const {
  if (tensor >= weights_.size() || !weights_[tensor] || !*weights_[tensor]) return nullptr;
  return (**weights_[tensor]).get();
}

const Error* Analysis::weights_error(std::size_t tensor) const {
  if (tensor >= weights_.size() || !weights_[tensor] || *weights_[tensor]) return nullptr;
  return &weights_[tensor]->error();
}

const analyze::RoundingError* Analysis::rounding(std::size_t tensor, kernels::Format format,
                                                 kernels::Quantizer quantizer) const {
  const auto it = rounding_.find({tensor, format, quantizer});
  return it == rounding_.end() ? nullptr : &it->second;
}

const analyze::ActivationStatistics* Analysis::inputs(std::size_t tensor) const {
  return tensor < inputs_.size() ? inputs_[tensor].get() : nullptr;
}

const QuantizationGrid* Analysis::grid(std::size_t tensor, kernels::Format format) const {
  const auto it = grids_.find({tensor, format});
  return it == grids_.end() ? nullptr : &it->second;
}

bool Analysis::can_round(std::size_t tensor, kernels::Format format) const {
  return session_ && !refusal_of(*session_->model, tensor, format) &&
         kernels::info(session_->file().tensors()[tensor].format).decodes;
}

void Analysis::add(const Task& task, bool first) {
  const bool fresh = known_tasks_.insert(task).second;
  const std::scoped_lock lock(backlog_->mutex);
  std::deque<Task>& tasks = backlog_->tasks;
  if (!fresh) {
    const auto it = std::find(tasks.begin(), tasks.end(), task);
    if (!first || it == tasks.end()) return;  // in its place, done, or under way
    tasks.erase(it);
  }
  if (first)
    tasks.push_front(task);
  else
    tasks.push_back(task);
}

bool Analysis::incomplete() const {
  const std::scoped_lock lock(backlog_->mutex);
  return !backlog_->tasks.empty();
}

void Analysis::want_all_weights() {
  for (std::size_t t = 0; t < weights_.size(); ++t) add({t, std::nullopt}, false);
  go_on();
}

void Analysis::want_weights(std::size_t tensor) {
  add({tensor, std::nullopt}, true);
  go_on();
}

void Analysis::want_all_rounding(kernels::Format format, kernels::Quantizer quantizer) {
  for (std::size_t t = 0; t < weights_.size(); ++t)
    if (session_->model->role(t).is_matrix && can_round(t, format))
      add({t, std::pair(format, quantizer)}, false);
  go_on();
}

void Analysis::want_rounding(std::size_t tensor, const std::vector<kernels::Format>& formats,
                             kernels::Quantizer quantizer) {
  for (auto it = formats.rbegin(); it != formats.rend(); ++it)
    if (can_round(tensor, *it)) add({tensor, std::pair(*it, quantizer)}, true);
  go_on();
}

void Analysis::go_on() {
  if (job_ != 0 || !session_ || !incomplete()) return;
  job_ = engine_.start<std::size_t>(
      "analyze", {}, Urgency::Background,
      [run = Run{engine_, this, backlog_, generation_, session_, inputs_}](const WorkContext& work) {
        return work_off(run, work);
      },
      this,
      [this, generation = generation_](const Result<std::size_t>& done) {
        if (generation == generation_ && done) ended(false);
      });
  emit running_changed();
}

/// On the engine thread: takes tasks until none is left or something the user asked for waits.
Result<std::size_t> Analysis::work_off(const Run& run, const WorkContext& work) {
  const WorkContext quiet{work.pool, work.stop, {}};  // a tensor's own progress would make the bar jump
  Backlog& backlog = *run.backlog;
  for (std::size_t done = 0;; ++done) {
    if (work.stopped()) return WorkContext::cancelled();
    Task task;
    {
      const std::scoped_lock lock(backlog.mutex);
      if (backlog.tasks.empty()) backlog.done = 0;
      if (backlog.tasks.empty() || (done > 0 && run.engine.asked_work_waits())) return done;
      work.report("tensors", backlog.done, backlog.done + backlog.tasks.size());
      task = backlog.tasks.front();
      backlog.tasks.pop_front();
      ++backlog.done;
    }
    const auto deliver = [&](auto result) {
      if (!result && result.error().code == ErrorCode::Cancelled) {
        const std::scoped_lock lock(backlog.mutex);
        backlog.tasks.push_front(task);
        return;
      }
      run.engine.post([analysis = run.analysis, task, generation = run.generation,
                       shared = std::make_shared<decltype(result)>(std::move(result))] {
        Analysis* const target = analysis.data();
        if (target != nullptr && generation == target->generation_) target->store(task, std::move(*shared));
      });
    };
    if (task.rounding) {
      const InputsPtr& input = run.inputs[task.tensor];
      deliver(describe_rounding(*run.session, task.tensor, task.rounding->first, task.rounding->second,
                                input ? std::span<const double>(input->energy) : std::span<const double>(),
                                quiet));
    } else {
      deliver(describe_weights(*run.session, task.tensor, quiet));
    }
  }
}

void Analysis::ended(bool stopped) {
  job_ = 0;
  if (!stopped) go_on();
  emit running_changed();
}

void Analysis::store(const Task& task, Result<WeightsPtr> result) {
  weights_[task.tensor] = std::move(result);
  emit weights_known(static_cast<int>(task.tensor));
}

void Analysis::store(const Task& task, Result<analyze::RoundingError> result) {
  if (!result) return;  // the weights' own statistics tell what is wrong with the tensor
  rounding_[{task.tensor, task.rounding->first, task.rounding->second}] = *result;
  emit rounding_known(static_cast<int>(task.tensor));
}

void Analysis::want_grid(std::size_t tensor, kernels::Format format) {
  if (!session_ || !can_round(tensor, format) || !grids_wanted_.insert({tensor, format}).second) return;
  engine_.start<QuantizationGrid>(
      "grid", {}, Urgency::Asked,
      [session = session_, tensor, format](const WorkContext&) {
        return quantization_grid(*session, tensor, format);
      },
      this,
      [this, tensor, format, generation = generation_](Result<QuantizationGrid> grid) {
        if (generation != generation_) return;
        if (!grid) return;  // the histogram stands without its grid
        grids_[{tensor, format}] = std::move(*grid);
        emit grid_known(static_cast<int>(tensor));
      });
}

void Analysis::calibrate(TokensPtr text, const evaluate::Options& options) {
  if (!session_ || !text) return;
  const QString name = shown(text->text->name, 80);
  engine_.start<std::vector<InputsPtr>>(
      "calibrate", name, Urgency::Asked,
      [session = session_, text, options](const WorkContext& work) {
        return describe_inputs(*session, *text, options, work);
      },
      this,
      [this, name, generation = generation_](Result<std::vector<InputsPtr>> inputs) {
        if (generation != generation_) return;
        if (!inputs) {
          if (inputs.error().code != ErrorCode::Cancelled) emit calibration_failed(inputs.error());
          return;
        }
        inputs_ = std::move(*inputs);
        calibration_text_ = name;
        // Energy-weighted errors are now possible: rounding is worked out again when next asked for.
        rounding_.clear();
        std::erase_if(known_tasks_, [](const Task& task) { return task.rounding.has_value(); });
        emit inputs_known();
      });
}

}  // namespace bitlens::views
