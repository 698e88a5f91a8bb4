// Products of activations with weight matrices in f32: y[rows x outputs] = x[rows x inputs] * W^T.
//
// W is packed once into panels of as many outputs as two vector registers hold, each panel [inputs x
// panel_width]; a register tile of a few rows by one panel runs over a few hundred inputs at a time (Goto and
// van de Geijn, "Anatomy of high-performance matrix multiplication", 2008). Every output is the sum, in
// order, of one fused multiply-add chain per chain_length() inputs: its bits depend on its row of x and row
// of W alone, not on the split into tasks, the position in a block, or (among instruction sets with fused
// multiply-add) on the vector width.
//
// Weights that are integers times a scale per 32 of them (Q8_0, Q4_0, Q4_K, ...) may be packed as such
// instead: the products are then summed exactly in integers, 32 at a time, with each 32 inputs rounded to 16
// bits (at most 2^-16 of the largest of them away), and scaled and added in f32, in order. The same promise
// about bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dense/buffer.h"
#include "kernels/formats/format.h"

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
  /// Room for a matrix in f32; false: no memory.
  [[nodiscard]] bool reset(std::size_t outputs, std::size_t inputs);
  /// Room for a matrix in integers if the format allows it (holds_integers()), else in f32.
  [[nodiscard]] bool reset(std::size_t outputs, std::size_t inputs, Format format);
  /// Fills panel `panel` from its rows of W, row-major with `inputs` floats each: rows panel * panel_width()
  /// up to the next panel or the end of the matrix.
  void pack_panel(std::size_t panel, const float* rows);
  /// Does pack_blocks() fill the panels? Else pack_panel() does.
  [[nodiscard]] bool holds_integers() const { return integers_; }
  /// The same from rows encoded in the format given to reset(). False if a scale is NaN or infinite.
  [[nodiscard]] bool pack_blocks(std::size_t panel, const std::byte* rows);

  [[nodiscard]] std::size_t outputs() const { return outputs_; }
  [[nodiscard]] std::size_t inputs() const { return inputs_; }
  [[nodiscard]] std::size_t panels() const { return width_ == 0 ? 0 : (outputs_ + width_ - 1) / width_; }
  [[nodiscard]] std::size_t width() const { return width_; }
  /// Rows of W in a panel: width(), fewer in the last one.
  [[nodiscard]] std::size_t rows_of(std::size_t panel) const {
    const std::size_t begin = panel * width_;
    return outputs_ - begin < width_ ? outputs_ - begin : width_;
  }

 private:
  friend void multiply(const PackedMatrix&, std::size_t, std::size_t, const float*, std::size_t, std::size_t,
                       float*, std::size_t, bool);
  [[nodiscard]] std::size_t blocks() const;  // of 32 inputs in a row
  [[nodiscard]] bool resize(std::size_t outputs, std::size_t inputs);

  FloatBuffer data_;              // f32: panels [inputs x width]
  Buffer<std::int32_t> pairs_;    // integers: panels [inputs / 2 x width], two 16-bit codes each
  FloatBuffer scales_, offsets_;  // panels [blocks x width]; offsets only where the format has them
  std::size_t outputs_ = 0, inputs_ = 0, width_ = 0;
  Format format_ = Format::F32;
  bool integers_ = false;
};

/// y = x * W^T for panels [first, first + count) of W, or y += with `accumulate`. Single-threaded.
/// x: `rows` rows of W.inputs() floats, `x_stride` apart. y: column 0 is the first output of panel `first`.
void multiply(const PackedMatrix& weights, std::size_t first, std::size_t count, const float* x,
              std::size_t rows, std::size_t x_stride, float* y, std::size_t y_stride, bool accumulate);

}  // namespace bitlens::kernels
