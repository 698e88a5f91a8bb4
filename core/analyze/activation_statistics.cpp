// Statistics of the input of every linear layer over a calibration text: one forward pass, each input looked
// at as it comes by, nothing stored but the sums and counts.
#include <fmt/format.h>

#include <map>
#include <new>

#include "core/analyze/input_accumulator.h"
#include "core/analyze/statistics.h"
#include "core/run/forward.h"
#include "core/run/weights.h"
#include "kernels/formats/codec.h"

namespace bitlens::analyze {

Result<std::vector<std::optional<ActivationStatistics>>> activation_statistics(
    std::shared_ptr<const model::Model> model, std::span<const std::vector<std::int32_t>> windows,
    const WorkContext& work, std::uint64_t memory_budget) {
  const io::ModelFile& file = model->file();
  struct Input {
    std::vector<std::size_t> tensors;
    InputAccumulator values;
  };
  std::map<std::size_t, Input> inputs;  // by the first tensor that takes it
  InputScratch scratch;
  const auto observe = [&](const run::LinearInput& input) -> Status {
    if (input.tensors.empty()) return {};
    const std::string& name = file.tensors()[input.tensors.front()].name;
    const std::size_t count = input.rows * input.columns;
    const std::size_t bad = kernels::find_non_finite(input.values.data(), count);
    if (bad < count)
      return fail(ErrorCode::Numeric,
                  fmt::format("its input {} is {}", bad % input.columns, input.values[bad]),
                  {file.path(), name, {}});
    auto [place, created] = inputs.try_emplace(input.tensors.front());
    if (created)
      place->second = {{input.tensors.begin(), input.tensors.end()}, InputAccumulator(input.columns)};
    return place->second.values.add(input.values.data(), input.rows, scratch, work);
  };
  try {
    const auto source = run::file_weights(model);
    if (auto status = run::observe_inputs(*source, windows, memory_budget, observe, work); !status)
      return pass(status);
    std::vector<std::optional<ActivationStatistics>> out(file.tensors().size());
    for (auto& [first, input] : inputs) {
      const ActivationStatistics statistics = input.values.finish();
      for (const std::size_t tensor : input.tensors) out[tensor] = statistics;
    }
    return out;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory for activation statistics", {file.path(), {}, {}});
  }
}

}  // namespace bitlens::analyze
