#include "core/sensitivity/scores.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "core/analyze/statistics.h"
#include "core/run/tasks.h"
#include "core/sensitivity/changes.h"

namespace bitlens::sensitivity {

namespace {

using analyze::ActivationStatistics;
using model::Module;

/// Of one change.
struct Sums {
  double change = 0;        ///< sum dW^2
  double weights = 0;       ///< sum W^2
  double energy = 0;        ///< sum dW_ij^2 e_j
  double squared_mean = 0;  ///< sum dW_ij^2 m_j^2
  double shift = 0;         ///< sum_i (sum_j dW_ij m_j)^2
  void add(const Sums& other) {
    change += other.change;
    weights += other.weights;
    energy += other.energy;
    squared_mean += other.squared_mean;
    shift += other.shift;
  }
};

/// `inputs` may be null: then only what needs no inputs is filled. `row_share`: weight of each row in energy
/// instead of the inputs' energies (look-ups), or empty.
Result<Sums> sum_up(const run::WeightSource& base, const ChangeReader& reader, std::size_t tensor,
                    const ActivationStatistics* inputs, std::span<const double> row_share,
                    const WorkContext& work) {
  const io::TensorInfo& info = base.model().file().tensors()[tensor];
  const std::size_t length = info.row_length(), rows = info.rows();
  const std::size_t step = std::max<std::size_t>(1, (std::size_t{1} << 16) / length);
  std::vector<Sums> partial((rows + step - 1) / step);
  const auto status = run::for_each_task(work, partial.size(), [&](std::size_t task, int) -> Status {
    const std::size_t first = task * step, count = std::min(step, rows - first);
    std::vector<float> change(count * length), weights(count * length);
    if (auto s = reader.rows(first, count, change.data()); !s) return s;
    if (auto s = base.load_rows(tensor, first, count, weights.data()); !s) return s;
    Sums& sums = partial[task];
    for (std::size_t r = 0; r < count; ++r) {
      double shift = 0, row = 0;
      for (std::size_t j = 0; j < length; ++j) {
        const double d = static_cast<double>(change[r * length + j]),
                     w = static_cast<double>(weights[r * length + j]);
        row += d * d;
        sums.weights += w * w;
        if (inputs == nullptr) continue;
        const double mean = inputs->mean[j];
        sums.energy += d * d * inputs->energy[j];
        sums.squared_mean += d * d * mean * mean;
        shift += d * mean;
      }
      sums.change += row;
      sums.shift += shift * shift;
      if (!row_share.empty()) sums.energy += row * row_share[first + r];
    }
    return {};
  });
  if (!status) return pass(status);
  Sums sums;
  for (const Sums& part : partial) sums.add(part);
  return sums;
}

}  // namespace

double score_of(const CellScores& scores, Method method) {
  switch (method) {
    case Method::Rounding:
      return scores.rounding;
    case Method::Energy:
      return scores.energy;
    case Method::EnergyShift:
      return scores.energy_shift;
    case Method::ActivationRule:
      return scores.activation_rule;
    case Method::HessianTrace:
      return scores.hessian_trace;
    default:
      return kUnknown;
  }
}

Result<std::vector<CellScores>> cheap_scores(const std::shared_ptr<const model::Model>& model,
                                             std::span<const Cell> cells, const evaluate::Windows& windows,
                                             std::uint64_t memory_budget, const WorkContext& work) {
  auto statistics = analyze::activation_statistics(model, windows.inputs, work, memory_budget);
  if (!statistics) return pass(statistics);
  std::vector<double> frequency(model->llama()->vocabulary, 0.0);
  std::size_t tokens = 0;
  for (const auto& window : windows.inputs)
    for (const std::int32_t token : window) {
      frequency[static_cast<std::size_t>(token)] += 1.0;
      ++tokens;
    }
  for (double& share : frequency) share /= static_cast<double>(tokens);
  const std::optional<std::size_t> output = model->global_tensor(Module::Output);
  const auto base = run::file_weights(model);
  const std::vector<Change> changes = distinct_changes(cells);
  std::vector<Sums> of_cell(cells.size());
  std::vector<CellScores> scores(cells.size());
  std::size_t done = 0;
  for (const Change& change : changes) {
    auto reader = ChangeReader::create(model, change);
    if (!reader) return pass(reader);
    const bool looked_up = model->role(change.tensor).module == Module::TokenEmbedding;
    const auto& found = (*statistics)[change.tensor];
    // A tied embedding is looked up and multiplied with.
    const ActivationStatistics* inputs = found && (!looked_up || !output) ? &*found : nullptr;
    auto sums = sum_up(*base, *reader, change.tensor, inputs,
                       looked_up ? std::span<const double>(frequency) : std::span<const double>{}, work);
    if (!sums) return pass(sums);
    double trace = 0, rule = 0;
    if (inputs != nullptr) {
      for (const double energy : inputs->energy) trace += 2.0 * energy;
      trace /= static_cast<double>(inputs->energy.size());
      rule = std::max(inputs->all.outliers_6sigma / 0.01, inputs->all.dynamic_range / 100.0);
    }
    for (const std::size_t cell : change.cells) {
      of_cell[cell].add(*sums);
      scores[cell].hessian_trace += trace * sums->change;
      scores[cell].activation_rule = std::max(scores[cell].activation_rule, rule);
    }
    work.report("scores", ++done, changes.size());
  }
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const Sums& sums = of_cell[c];
    scores[c].rounding = sums.weights > 0 ? std::sqrt(sums.change / sums.weights) : 0;
    scores[c].energy = sums.energy;
    scores[c].energy_shift = sums.energy - sums.squared_mean + sums.shift;
  }
  return scores;
}

}  // namespace bitlens::sensitivity
