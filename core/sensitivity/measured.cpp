#include "core/sensitivity/measured.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "core/evaluate/paired.h"
#include "core/run/forward.h"
#include "core/sensitivity/base_run.h"
#include "core/sensitivity/begun_cells.h"
#include "core/sensitivity/cell_progress.h"
#include "core/sensitivity/costs.h"
#include "core/sensitivity/head_scorer.h"
#include "core/sensitivity/traveller.h"

namespace bitlens::sensitivity {

namespace {

using evaluate::TokenResult;
using kernels::FloatBuffer;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// A cell that may stop early is looked at whenever about so many more tokens are scored.
constexpr std::uint64_t kStepTokens = 128;

class Measurer final : public CellMeasurer {
 public:
  static Result<std::unique_ptr<CellMeasurer>> make(std::shared_ptr<const model::Model> model,
                                                    evaluate::Windows windows,
                                                    const MeasureOptions& options) {
    std::unique_ptr<Measurer> out(new Measurer);
    out->windows_ = std::move(windows);
    out->options_ = options;
    BaseRun::Options base_options;
    base_options.round_activations = options.activations == evaluate::Activations::Q8;
    base_options.compute = options.compute;
    base_options.memory_budget = options.memory_budget;
    base_options.spill_folder = options.spill_folder;
    const std::uint64_t scored = out->windows_.scored_per_window();
    if (options.enough) base_options.most_windows = (kStepTokens + scored - 1) / scored;
    auto base = BaseRun::create(std::move(model), out->windows_, base_options);
    if (!base) return pass(base);
    out->base_ = std::move(*base);
    out->costs_.emplace(out->base_->forward().parameters(), out->windows_, options.compute);
    // Cells that come to their windows in steps need their weights at every step.
    if (options.enough) out->own_bytes_ = out->base_->free_bytes() / 4;
    out->base_->take(out->own_bytes_);
    if (auto s = out->prepare_scorer(); !s) return pass(s);
    out->state_.emplace(options.keep);
    return out;
  }

  Status measure(std::span<const Cell> cells, const CellCallback& on_cell, const WorkContext& work) override;
  const evaluate::Windows& windows() const override { return windows_; }
  double base_seconds() const override { return base_seconds_; }
  bool spilled() const override { return base_->spilled(); }

 private:
  Measurer() = default;
  Status prepare_scorer();
  [[nodiscard]] std::size_t first_windows() const;
  Status reach(std::size_t windows, const WorkContext& work);
  Result<Traveller> set_out(std::size_t index, const Cell& cell, std::span<const Traveller> others) const;
  Status run_batch(std::vector<Traveller> batch, int first, const CellCallback& on_cell,
                   const WorkContext& work);
  Status run_group(std::vector<Traveller>& batch, int first, std::size_t start, std::size_t count,
                   const WorkContext& work);
  Status enter(Traveller& traveller, int first, std::size_t start, std::size_t count,
               const WorkContext& work);
  Status cross(Traveller& traveller, int layer, std::size_t count, const WorkContext& work);
  Status score_group(std::vector<Traveller>& batch, std::size_t start, std::size_t count,
                     const WorkContext& work);
  [[nodiscard]] std::size_t step(std::span<const Traveller> batch) const;
  [[nodiscard]] std::size_t windows_of(const Traveller& traveller) const {
    return traveller.tokens.size() / windows_.scored_per_window();
  }
  void save_if_due(std::span<const Traveller> batch);
  /// In front of this position nothing is needed after the last block.
  [[nodiscard]] std::size_t from(int layer) const {
    return layer + 1 == base_->layers() ? windows_.first_scored : 0;
  }
  evaluate::Windows windows_;
  MeasureOptions options_;
  std::unique_ptr<BaseRun> base_;
  std::optional<HeadScorer> scorer_;
  std::optional<Costs> costs_;
  run::LayerWeights room_for_own_;  // a traveller's changed weights of one layer, when it does not keep them
  std::uint64_t own_bytes_ = 0;     // for weights that travellers keep
  FloatBuffer room_;
  std::optional<CellProgress> progress_;
  double seconds_per_cost_ = 0, base_seconds_ = 0;
  double told_ = 0;  // when something was last told of a cell
  std::optional<StateFile> state_;
};

Status Measurer::prepare_scorer() {
  std::vector<std::int32_t> targets;
  for (const auto& window : windows_.targets)
    targets.insert(targets.end(), window.begin() + windows_.first_scored,
                   window.begin() + windows_.last_scored + 1);
  scorer_.emplace(base_->forward(), std::move(targets));
  return scorer_->prepare(base_->free_bytes());
}

/// Windows that the base is run over before the first cell: a batch, but enough for a standard error.
std::size_t Measurer::first_windows() const {
  const std::size_t batch = base_->batch(), some = (batch + 1) / batch * batch;
  return std::min(some, windows_.inputs.size());
}

/// The base's pass over the first `windows`, and what their cells are compared with.
Status Measurer::reach(std::size_t windows, const WorkContext& work) {
  const double start_time = now();
  const auto advance_blocks = [&](std::size_t some) { progress_->base_block(some, work); };
  if (auto s = base_->reach(windows, advance_blocks, work); !s) return s;
  const std::size_t scored = windows_.scored_per_window();
  FloatBuffer inputs;
  for (std::size_t w = scorer_->base_rows() / scored; w < windows; w += base_->batch()) {
    const std::size_t some = std::min(base_->batch(), windows - w);
    auto states = base_->states(base_->layers(), w, some, room_);
    if (!states) return pass(states);
    if (auto s = head_inputs(base_->forward(), *states, some, windows_.first_scored, scored, inputs, work);
        !s)
      return s;
    if (auto s = scorer_->add_base(inputs.data(), some * scored, work); !s) return s;
    progress_->base_head(some, work);
  }
  base_seconds_ += now() - start_time;
  return {};
}

Status Measurer::measure(std::span<const Cell> cells, const CellCallback& on_cell, const WorkContext& work) {
  const model::Model& model = *base_->model();
  const std::size_t count = windows_.inputs.size();
  const BegunCells known = restore_begun_cells(*state_, windows_.scored_per_window(), base_->batch(), count);
  const std::size_t scored = windows_.scored_per_window();
  progress_.emplace(*costs_, model, base_->layers());
  for (const Cell& cell : cells) {
    const auto found = known.find(state_name(cell));
    progress_->plan(cell, count, found == known.end() ? 0 : found->second.size() / scored);
  }
  progress_->start(count - base_->reached());
  if (auto s = reach(first_windows(), work); !s) return s;
  const std::uint64_t state = base_->group() * base_->window_floats() * sizeof(float);
  const std::size_t most =
      std::max<std::size_t>(1, options_.memory_budget / 4 / std::max<std::uint64_t>(1, state));
  state_->start();
  std::optional<Traveller> next;  // set out, but not of the batch before
  for (std::size_t c = 0; c < cells.size();) {
    // Neighbours that start in the same block travel together, as many as a batch has time and memory for.
    const int first = first_layer(model, cells[c]);
    const double cost = costs_->cell(model, cells[c]) * static_cast<double>(count);
    std::size_t size = 1;
    if (seconds_per_cost_ > 0)
      size = static_cast<std::size_t>(
          std::clamp(options_.batch_seconds / (seconds_per_cost_ * cost), 1.0, static_cast<double>(most)));
    std::vector<Traveller> batch;
    while (batch.size() < size && c < cells.size() && first_layer(model, cells[c]) == first) {
      if (!next) {
        auto traveller = set_out(c, cells[c], batch);
        if (!traveller) return pass(traveller);
        if (const auto found = known.find(state_name(cells[c])); found != known.end())
          traveller->tokens = found->second;
        next = std::move(*traveller);
      }
      // One that a killed run had begun has windows behind it.
      if (!batch.empty() && batch.front().tokens.size() != next->tokens.size()) break;
      batch.push_back(std::move(*next));
      next.reset();
      ++c;
    }
    const std::size_t left = count - windows_of(batch.front());
    const double start_time = now() - base_seconds_, cells_in_batch = static_cast<double>(batch.size());
    if (auto s = run_batch(std::move(batch), first, on_cell, work); !s) return s;
    seconds_per_cost_ = (now() - base_seconds_ - start_time) / cells_in_batch / cost *
                        static_cast<double>(count) / static_cast<double>(left);
  }
  state_->remove();
  return {};
}

/// Windows that go through all blocks before anything is told or saved.
std::size_t Measurer::step(std::span<const Traveller> batch) const {
  if (options_.enough) return base_->batch();
  double seconds = 0;
  for (const Traveller& traveller : batch) seconds += seconds_per_cost_ * traveller.cost;
  if (!(seconds > 0)) return base_->group();
  const double batches = options_.batch_seconds / (seconds * static_cast<double>(base_->batch()));
  return static_cast<std::size_t>(std::clamp(batches, 1.0, static_cast<double>(windows_.inputs.size()))) *
         base_->batch();
}

Status Measurer::run_batch(std::vector<Traveller> batch, int first, const CellCallback& on_cell,
                           const WorkContext& work) {
  const std::size_t count = windows_.inputs.size(), begin = windows_of(batch.front());
  for (std::size_t w = begin, some = 0; w < count && !batch.empty(); w += some) {
    if (w >= base_->reached())
      if (auto s = reach(count, work); !s) return s;
    some = std::min({step(batch), base_->group(), base_->reached() - w});
    const double start_time = now();
    if (auto s = run_group(batch, first, w, some, work); !s) return s;
    const double seconds = (now() - start_time) / static_cast<double>(batch.size());
    const bool tell = options_.so_far && (told_ == 0 || now() - told_ > options_.batch_seconds);
    std::vector<Traveller> going_on;
    for (Traveller& traveller : batch) {
      traveller.seconds += seconds;
      const bool last = w + some >= count;
      if (!last && !options_.enough && !tell) {
        going_on.push_back(std::move(traveller));
        continue;
      }
      const MeasuredCell result = traveller.result(windows_.scored_per_window());
      if (!last && !(options_.enough && options_.enough(traveller.index, result))) {
        if (tell)
          if (auto s = options_.so_far(traveller.index, result); !s) return s;
        going_on.push_back(std::move(traveller));
        continue;
      }
      progress_->spare(*traveller.cell, count - w - some, work);
      if (auto s = on_cell(traveller.index, result); !s) return s;
    }
    if (tell || going_on.size() < batch.size()) told_ = now();
    batch = std::move(going_on);
    save_if_due(batch);
  }
  return {};
}

void Measurer::save_if_due(std::span<const Traveller> batch) {
  if (batch.empty() || !state_->due()) return;
  std::vector<BegunCell> begun;
  for (const Traveller& traveller : batch) begun.push_back({traveller.cell, traveller.tokens});
  save_begun_cells(*state_, begun);
}

/// Its weights are kept while those of all that travel with it fit.
Result<Traveller> Measurer::set_out(std::size_t index, const Cell& cell,
                                    std::span<const Traveller> others) const {
  std::uint64_t kept = 0;
  for (const Traveller& other : others)
    if (other.own) kept += other.changed_bytes();
  return Traveller::set_out(index, cell, *base_, costs_->cell(*base_->model(), cell),
                            own_bytes_ - std::min(own_bytes_, kept));
}

Status Measurer::run_group(std::vector<Traveller>& batch, int first, std::size_t start, std::size_t count,
                           const WorkContext& work) {
  for (Traveller& traveller : batch)
    if (auto s = enter(traveller, first, start, count, work); !s) return s;
  for (int layer = first < 0 ? 0 : first + 1; layer < base_->layers(); ++layer)
    for (Traveller& traveller : batch)
      if (auto s = cross(traveller, layer, count, work); !s) return s;
  if (auto s = score_group(batch, start, count, work); !s) return s;
  for (Traveller& traveller : batch)
    if (!std::exchange(traveller.prepared, true)) progress_->prepared_outside(*traveller.cell);
  progress_->scored(count * batch.size(), work);
  return {};
}

/// The block where the cell first differs, or what stands in front of or behind the blocks.
Status Measurer::enter(Traveller& traveller, int first, std::size_t start, std::size_t count,
                       const WorkContext& work) {
  const std::size_t floats = base_->window_floats();
  if (first < 0)
    return traveller.forward->embed(std::span(windows_.inputs).subspan(start, count), traveller.hidden.data(),
                                    work);
  if (first >= base_->layers()) {
    auto states = base_->states(base_->layers(), start, count, room_);
    if (!states) return pass(states);
    std::copy_n(*states, count * floats, traveller.hidden.data());
    return {};
  }
  const auto& changed = traveller.changed[static_cast<std::size_t>(first)];
  auto own_weights = traveller.weights(first, room_for_own_, work);
  if (!own_weights) return pass(own_weights);
  if (!std::exchange(traveller.prepared, true)) progress_->prepared(*traveller.cell);
  for (std::size_t w = 0; w < count; w += base_->batch()) {
    const std::size_t some = std::min(base_->batch(), count - w);
    auto record = base_->record(first, start + w, work);
    if (!record) return pass(record);
    auto weights = base_->weights(first, work);
    if (!weights) return pass(weights);
    auto input = base_->states(first, start + w, some, room_);
    if (!input) return pass(input);
    const BlockView base = view_of(**weights);
    const BlockView own = with_changes(base, **own_weights, changed, *base_->model());
    if (auto s = base_->block().rerun(own, base, **record, first, *input,
                                      traveller.hidden.data() + w * floats, some, from(first), work);
        !s)
      return s;
    progress_->entered(*traveller.cell, some, work);
  }
  return {};
}

/// A block behind the first change.
Status Measurer::cross(Traveller& traveller, int layer, std::size_t count, const WorkContext& work) {
  const auto& changed = traveller.changed[static_cast<std::size_t>(layer)];
  auto weights = base_->weights(layer, work);
  if (!weights) return pass(weights);
  BlockView view = view_of(**weights);
  if (!changed.empty()) {
    auto own_weights = traveller.weights(layer, room_for_own_, work);
    if (!own_weights) return pass(own_weights);
    view = with_changes(view, **own_weights, changed, *base_->model());
  }
  for (std::size_t w = 0; w < count; w += base_->batch()) {
    const std::size_t some = std::min(base_->batch(), count - w);
    float* hidden = traveller.hidden.data() + w * base_->window_floats();
    if (auto s = base_->block().run(view, layer, hidden, hidden, some, from(layer), work); !s) return s;
    progress_->crossed(layer, some, work);
  }
  return {};
}

Status Measurer::score_group(std::vector<Traveller>& batch, std::size_t start, std::size_t count,
                             const WorkContext& work) {
  const std::size_t scored = windows_.scored_per_window();
  std::vector<HeadInput> inputs(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    inputs[i].forward = &*batch[i].forward;
    inputs[i].own = batch[i].own ? &batch[i].own->output : nullptr;
    if (auto s = head_inputs(*batch[i].forward, batch[i].hidden.data(), count, windows_.first_scored, scored,
                             inputs[i].inputs, work);
        !s)
      return s;
  }
  auto tokens = scorer_->score(inputs, start * scored, count * scored, work, [](double) {});
  if (!tokens) return pass(tokens);
  for (std::size_t i = 0; i < batch.size(); ++i)
    batch[i].tokens.insert(batch[i].tokens.end(), (*tokens)[i].begin(), (*tokens)[i].end());
  return {};
}

Status check_windows(const model::Model& model, const evaluate::Windows& windows) {
  if (!model.llama()) return pass(model.llama());
  const bool fits = !windows.inputs.empty() && windows.inputs.size() == windows.targets.size() &&
                    windows.first_scored <= windows.last_scored && windows.last_scored + 1 < windows.context;
  if (!fits) return fail(ErrorCode::InvalidArgument, "no windows to score");
  for (const auto& targets : windows.targets) {
    if (targets.size() + 1 < windows.context)
      return fail(ErrorCode::InvalidArgument, "a window lacks targets");
    for (const std::int32_t target : targets)
      if (target < 0 || static_cast<std::uint32_t>(target) >= model.llama()->vocabulary)
        return fail(ErrorCode::InvalidArgument, fmt::format("token {} is outside the vocabulary", target));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<CellMeasurer>> CellMeasurer::create(std::shared_ptr<const model::Model> model,
                                                           evaluate::Windows windows,
                                                           const MeasureOptions& options) {
  if (auto s = check_windows(*model, windows); !s) return pass(s);
  return Measurer::make(std::move(model), std::move(windows), options);
}

}  // namespace bitlens::sensitivity
