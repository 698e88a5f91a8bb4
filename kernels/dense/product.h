// Products of activations with weight matrices in f32: y[rows x outputs] = x[rows x inputs] * W^T.
//
// W is packed once into panels of as many outputs as two vector registers hold, each panel [inputs x
// panel_width]; a register tile of a few rows by one panel runs over a few hundred inputs at a time (Goto and
// van de Geijn, "Anatomy of high-performance matrix multiplication", 2008). Every output is the sum, in
// order, of one fused multiply-add chain per chain_length() inputs: its bits depend on its row of x and row
// of W alone, not on the split into tasks, the position in a block, or (among instruction sets with fused
// multiply-add) on the vector width.
#pragma once

#include <cstddef>

#include "kernels/dense/buffer.h"

namespace bitlens::kernels {

/// At most this many inputs are summed in one chain before they are added to the output.
inline constexpr std::size_t kDepth = 288;
/// The length of the chains: `inputs` in the fewest, nearly equal parts of at most kDepth.
[[nodiscard]] constexpr std::size_t chain_length(std::size_t inputs) {
  if (inputs <= kDepth) return inputs == 0 ? 1 : inputs;
  const std::size_t parts = (inputs + kDepth - 1) / kDepth;
  return ((inputs + parts - 1) / parts + 3) / 4 * 4;
}
/// Rows that share one pass over a panel: the natural number of rows per task.
inline constexpr std::size_t kRowTile = 96;

/// Outputs per panel on this machine.
[[nodiscard]] std::size_t panel_width();

/// W [outputs x inputs] in panels. Panels may be filled by different threads.
class PackedMatrix {
 public:
  /// Room for a matrix; false: no memory.
  [[nodiscard]] bool reset(std::size_t outputs, std::size_t inputs);
  /// Fills panel `panel` from its rows of W, row-major with `inputs` floats each: rows panel * panel_width()
  /// up to the next panel or the end of the matrix.
  void pack_panel(std::size_t panel, const float* rows);

  [[nodiscard]] std::size_t outputs() const { return outputs_; }
  [[nodiscard]] std::size_t inputs() const { return inputs_; }
  [[nodiscard]] std::size_t panels() const { return width_ == 0 ? 0 : (outputs_ + width_ - 1) / width_; }
  [[nodiscard]] std::size_t width() const { return width_; }
  /// Rows of W in a panel: width(), fewer in the last one.
  [[nodiscard]] std::size_t rows_of(std::size_t panel) const {
    const std::size_t begin = panel * width_;
    return outputs_ - begin < width_ ? outputs_ - begin : width_;
  }
  [[nodiscard]] const float* panel(std::size_t index) const {
    return data_.data() + index * inputs_ * width_;
  }

 private:
  FloatBuffer data_;
  std::size_t outputs_ = 0, inputs_ = 0, width_ = 0;
};

/// y = x * W^T for panels [first, first + count) of W, or y += with `accumulate`. Single-threaded.
/// x: `rows` rows of W.inputs() floats, `x_stride` apart. y: column 0 is the first output of panel `first`.
void multiply(const PackedMatrix& weights, std::size_t first, std::size_t count, const float* x,
              std::size_t rows, std::size_t x_stride, float* y, std::size_t y_stride, bool accumulate);

}  // namespace bitlens::kernels
