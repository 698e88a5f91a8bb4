// A tile of rows on its way into linear layers: rounded as they ask, packed for the products once.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/base/parallel.h"
#include "kernels/dense/buffer.h"
#include "kernels/dense/product.h"
#include "kernels/formats/codec.h"

namespace bitlens::run {

/// Products are cut so that a stop is seen within some tens of milliseconds.
inline constexpr std::size_t kMultiplyAddsPerCall = std::size_t{1} << 29;

/// What a tile's inputs become, kept from tile to tile by each worker.
struct TileRoom {
  kernels::FloatBuffer rounded;
  kernels::PackedRows packed;

  [[nodiscard]] bool resize(std::size_t rows, std::size_t columns, kernels::Compute compute) {
    return rounded.resize(rows * columns) && packed.reset(rows, columns, compute);
  }
};

/// y := multiply(first panel, panels, y of the first panel) for all panels, plus the bias.
template <class Linear, class Multiply>
void apply_in_steps(const Linear& linear, std::size_t rows, float* y, const WorkContext& work,
                    const Multiply& multiply) {
  const kernels::PackedMatrix& weights = linear.weights;
  const std::size_t outputs = weights.outputs();
  const std::size_t step =
      std::max<std::size_t>(1, kMultiplyAddsPerCall / (rows * weights.inputs() * weights.width()));
  for (std::size_t panel = 0; panel < weights.panels() && !work.stopped(); panel += step)
    multiply(panel, std::min(step, weights.panels() - panel), y + panel * weights.width());
  if (linear.bias.empty()) return;
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < outputs; ++c) y[r * outputs + c] += linear.bias[c];
}

/// y [rows x outputs] = x W^T + bias for a layer that takes packed rows.
template <class Linear>
void apply_packed(const Linear& linear, const kernels::PackedRows& x, float* y, const WorkContext& work) {
  apply_in_steps(linear, x.rows(), y, work, [&](std::size_t panel, std::size_t count, float* target) {
    kernels::multiply(linear.weights, panel, count, x, target, linear.weights.outputs());
  });
}

/// The inputs of one tile for layers that share them.
class TileInput {
 public:
  TileInput(const float* values, std::size_t rows, std::size_t columns, TileRoom& room)
      : values_(values), rows_(rows), columns_(columns), room_(room) {}

  /// y [rows x outputs] = x W^T + bias. Leaves early, with y unfinished, when the work is stopped.
  template <class Linear>
  void apply(const Linear& linear, float* y, const WorkContext& work) {
    if (const kernels::PackedRows* rows = packed(linear)) return apply_packed(linear, *rows, y, work);
    const float* x = rounded(linear.rounding);
    apply_in_steps(linear, rows_, y, work, [&](std::size_t panel, std::size_t count, float* target) {
      kernels::multiply(linear.weights, panel, count, x, rows_, columns_, target, linear.weights.outputs(),
                        false);
    });
  }

  /// The rows packed for this layer; null: it does not take them so.
  template <class Linear>
  const kernels::PackedRows* packed(const Linear& linear) {
    if (!linear.weights.takes_packed_rows()) return nullptr;
    if (packed_ && packed_as_ == linear.rounding) return &room_.packed;
    if (!room_.packed.reset(rows_, columns_, linear.weights.compute())) return nullptr;
    room_.packed.fill(0, columns_, rounded(linear.rounding), columns_);
    packed_ = true;
    packed_as_ = linear.rounding;
    return &room_.packed;
  }

 private:
  /// A copy is made only when rounding is asked for.
  const float* rounded(kernels::ActivationRounding rounding) {
    if (rounding == kernels::ActivationRounding::None) return values_;
    if (rounding == rounded_as_) return room_.rounded.data();
    std::copy_n(values_, rows_ * columns_, room_.rounded.data());
    for (std::size_t r = 0; r < rows_; ++r)
      kernels::round_activations(rounding, room_.rounded.data() + r * columns_, columns_);
    rounded_as_ = rounding;
    return room_.rounded.data();
  }

  const float* values_;
  std::size_t rows_, columns_;
  TileRoom& room_;
  kernels::ActivationRounding rounded_as_ = kernels::ActivationRounding::None, packed_as_ = rounded_as_;
  bool packed_ = false;
};

}  // namespace bitlens::run
