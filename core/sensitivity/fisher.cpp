#include "core/sensitivity/fisher.h"

#include <algorithm>
#include <new>

#include "core/run/tasks.h"

namespace bitlens::sensitivity {

namespace {

using kernels::FloatBuffer;
using kernels::kRowTile;

/// target [columns x rows] = the transpose of `rows` rows, `stride` floats apart.
void turn(const float* values, std::size_t rows, std::size_t columns, std::size_t stride, float* target) {
  constexpr std::size_t piece = 32;
  for (std::size_t c = 0; c < columns; c += piece)
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t i = c; i < std::min(columns, c + piece); ++i)
        target[i * rows + r] = values[r * stride + i];
}

}  // namespace

Status SquaredGradients::reset(std::size_t outputs, std::size_t inputs) {
  outputs_ = outputs;
  inputs_ = inputs;
  samples_ = 0;
  try {
    sums_.assign(outputs * inputs, 0.0F);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::Memory, "not enough memory for squared gradients");
  }
  return {};
}

Status SquaredGradients::set_inputs(const float* x, std::size_t tokens, const WorkContext& work) {
  if (!packed_.reset(inputs_, tokens)) return fail(ErrorCode::Memory, "not enough memory");
  std::vector<FloatBuffer> rooms(static_cast<std::size_t>(work.pool.size()));
  return run::for_each_task(work, packed_.panels(), [&](std::size_t panel, int worker) -> Status {
    FloatBuffer& room = rooms[static_cast<std::size_t>(worker)];
    const std::size_t count = packed_.rows_of(panel);
    if (!room.resize(count * tokens)) return fail(ErrorCode::Memory, "not enough memory");
    turn(x + panel * packed_.width(), tokens, count, inputs_, room.data());
    packed_.pack_panel(panel, room.data());
    return {};
  });
}

Status SquaredGradients::add(const float* gradient, const WorkContext& work) {
  const std::size_t tokens = packed_.inputs();
  std::vector<FloatBuffer> turned(static_cast<std::size_t>(work.pool.size())),
      products(static_cast<std::size_t>(work.pool.size()));
  ++samples_;
  return run::for_each_task(
      work, (outputs_ + kRowTile - 1) / kRowTile, [&](std::size_t task, int worker) -> Status {
        FloatBuffer& g = turned[static_cast<std::size_t>(worker)];
        FloatBuffer& y = products[static_cast<std::size_t>(worker)];
        const std::size_t first = task * kRowTile, count = std::min(kRowTile, outputs_ - first);
        if (!g.resize(count * tokens) || !y.resize(count * inputs_))
          return fail(ErrorCode::Memory, "not enough memory");
        turn(gradient + first, tokens, count, outputs_, g.data());
        kernels::multiply(packed_, 0, packed_.panels(), g.data(), count, tokens, y.data(), inputs_, false);
        float* sums = sums_.data() + first * inputs_;
        for (std::size_t i = 0; i < count * inputs_; ++i) sums[i] += y.data()[i] * y.data()[i];
        return {};
      });
}

Result<double> SquaredGradients::weigh(const ChangeReader& change, const WorkContext& work) const {
  const std::size_t tasks = (outputs_ + kRowTile - 1) / kRowTile;
  std::vector<double> partial(tasks, 0.0);
  const auto status = run::for_each_task(work, tasks, [&](std::size_t task, int) -> Status {
    const std::size_t first = task * kRowTile, count = std::min(kRowTile, outputs_ - first);
    std::vector<float> values(count * inputs_);
    if (auto s = change.rows(first, count, values.data()); !s) return s;
    const float* sums = sums_.data() + first * inputs_;
    for (std::size_t i = 0; i < values.size(); ++i)
      partial[task] +=
          static_cast<double>(sums[i]) * static_cast<double>(values[i]) * static_cast<double>(values[i]);
    return {};
  });
  if (!status) return pass(status);
  double sum = 0.0;
  for (const double part : partial) sum += part;
  return sum;
}

}  // namespace bitlens::sensitivity
