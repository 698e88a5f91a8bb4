// An importance matrix from a text: one forward pass, every layer's input squared and summed as it comes by.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <new>

#include "core/importance/imatrix.h"
#include "core/run/forward.h"
#include "core/run/weights.h"
#include "kernels/formats/codec.h"

namespace bitlens::importance {

namespace {

constexpr std::size_t kColumnsPerTask = 64;

struct Input {
  std::vector<std::size_t> tensors;
  std::vector<double> sums;  ///< one per column
  std::uint64_t rows = 0;
};

/// Adds the squares of rows, a task per group of columns: each column is summed in row order.
void add_squares(const run::LinearInput& input, Input& target, const WorkContext& work) {
  const std::size_t columns = input.columns;
  work.pool.run((columns + kColumnsPerTask - 1) / kColumnsPerTask, [&](std::size_t task, int) {
    const std::size_t first = task * kColumnsPerTask, last = std::min(columns, first + kColumnsPerTask);
    for (std::size_t r = 0; r < input.rows; ++r) {
      const float* row = input.values.data() + r * columns;
      for (std::size_t j = first; j < last; ++j)
        target.sums[j] += static_cast<double>(row[j]) * static_cast<double>(row[j]);
    }
  });
  target.rows += input.rows;
}

Result<Imatrix> collect(const std::shared_ptr<const model::Model>& model,
                        std::span<const std::vector<std::int32_t>> windows, bool output,
                        std::uint64_t memory_budget, const WorkContext& work) {
  const io::ModelFile& file = model->file();
  std::map<std::size_t, Input> inputs;  // by the first tensor that takes it
  const auto observe = [&](const run::LinearInput& input) -> Status {
    if (input.tensors.empty() || (input.layer < 0 && !output)) return {};
    const std::size_t first = input.tensors.front();
    const std::size_t count = input.rows * input.columns;
    if (const std::size_t bad = kernels::find_non_finite(input.values.data(), count); bad < count)
      return fail(ErrorCode::Numeric,
                  fmt::format("its input {} is {}", bad % input.columns, input.values[bad]),
                  {file.path(), file.tensors()[first].name, {}});
    Input& target = inputs[first];
    if (target.sums.empty()) {
      target.tensors.assign(input.tensors.begin(), input.tensors.end());
      target.sums.resize(input.columns);
    }
    add_squares(input, target, work);
    return {};
  };
  const auto source = run::file_weights(model);
  if (auto status = run::observe_inputs(*source, windows, memory_budget, observe, work); !status)
    return pass(status);

  Imatrix out;
  for (const auto& [first, input] : inputs) {
    const std::vector<float> sums(input.sums.begin(), input.sums.end());
    const std::string& name = file.tensors()[first].name;
    if (std::all_of(sums.begin(), sums.end(), [](float sum) { return sum == 0; })) {
      out.warnings.push_back(
          fmt::format("the input of {} is always zero: it gets no entry", printable(name, 80)));
      continue;
    }
    if (kernels::find_non_finite(sums.data(), sums.size()) < sums.size())
      return fail(ErrorCode::Numeric, "the squares of its inputs are too large to be summed",
                  {file.path(), name, {}});
    for (const std::size_t tensor : input.tensors)
      out.entries.push_back(
          {file.tensors()[tensor].name, sums.size(), sums, {static_cast<float>(input.rows)}});
  }
  out.chunk_count = static_cast<std::uint32_t>(windows.size());
  out.chunk_size = windows.empty() ? 0 : static_cast<std::uint32_t>(windows.front().size());
  return out;
}

}  // namespace

Result<Imatrix> collect_imatrix(std::shared_ptr<const model::Model> model,
                                std::span<const std::vector<std::int32_t>> windows, bool output,
                                std::uint64_t memory_budget, const WorkContext& work) {
  try {
    return collect(model, windows, output, memory_budget, work);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory for the importance matrix",
                {model->file().path(), {}, {}});
  }
}

}  // namespace bitlens::importance
