// Products of activations with weight matrices: y[rows x outputs] = x[rows x inputs] * W^T. W is packed once,
// into panels of a few outputs, in one of three ways:
//
// - bf16 parts for the tile unit where there is one (amx.h): two parts of every number, one (Compute::Fast),
//   or one times a scale per 32 of them, exactly (Q8_0, Q4_0, ...);
// - integers with a scale per 32 of them, where the format is made so (Q8_0, Q4_0, Q4_K, ...), or for
//   Compute::Fast, where the processor multiplies them faster than f32: products are summed exactly, 32 at a
//   time, with each 32 inputs rounded to 16 bits (at most 2^-16 of the largest of them away), and scaled and
//   added in f32, in order (integer_gemm-inl.h);
// - f32: a register tile of a few rows by one panel runs over a few hundred inputs at a time (Goto and van de
//   Geijn, "Anatomy of high-performance matrix multiplication", 2008); every output is the sum, in order, of
//   one fused multiply-add chain per chain_length() inputs (gemm-inl.h).
//
// In each, the bits of an output depend on its row of x and row of W alone, not on the split into tasks, the
// position in a block, or (the last two, among instruction sets with fused multiply-add) on the vector width.
// The three agree within 2^-16 of the size of the sum's terms, not bit by bit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dense/buffer.h"
#include "kernels/formats/format.h"

namespace bitlens::kernels {

namespace amx {
struct Panels;
}

/// At most this many inputs are summed in one chain before they are added to the output.
inline constexpr std::size_t kDepth = 288;
/// The length of the chains: `inputs` in the fewest, nearly equal parts of at most kDepth.
[[nodiscard]] constexpr std::size_t chain_length(std::size_t inputs) {
  if (inputs <= kDepth) return inputs == 0 ? 1 : inputs;
  const std::size_t parts = (inputs + kDepth - 1) / kDepth;
  return ((inputs + parts - 1) / parts + 3) / 4 * 4;
}
/// Rows that share one pass over the weights: the natural number of rows per task.
inline constexpr std::size_t kRowTile = 192;
/// Rows that products take at once: tasks of a multiple of them leave no tile partly empty.
[[nodiscard]] std::size_t rows_at_once();

/// What is multiplied.
enum class Compute {
  Exact,  ///< f32, or what differs from it by 2^-16 at most
  /// On the tile unit, both sides rounded to bf16 (8 bits), summed in f32; elsewhere each 32 weights rounded
  /// to 12 bits with a scale of their own, where that is faster than Exact, and nothing else.
  Fast
};

class PackedMatrix;

/// Rows of inputs as matrices that take packed rows read them.
class PackedRows {
 public:
  /// Room for rows of `inputs` numbers; false: no memory.
  [[nodiscard]] bool reset(std::size_t rows, std::size_t inputs, Compute compute);
  /// Fills inputs [first, first + count) of all rows from x, `x_stride` apart; `first` is a multiple of 32,
  /// and so is `count` unless the inputs end there.
  void fill(std::size_t first, std::size_t count, const float* x, std::size_t x_stride);
  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] std::size_t inputs() const { return inputs_; }

 private:
  friend void multiply(const PackedMatrix&, std::size_t, std::size_t, const PackedRows&, float*, std::size_t);
  Buffer<std::uint16_t> tiles_;  // as in amx.h
  std::size_t rows_ = 0, inputs_ = 0, parts_ = 2;
};

/// W [outputs x inputs] in panels. Panels may be filled by different threads.
class PackedMatrix {
 public:
  /// Room for a matrix of any numbers; false: no memory.
  [[nodiscard]] bool reset(std::size_t outputs, std::size_t inputs);
  /// Room for a matrix of weights that have this format, packed in the way that suits it and the machine.
  [[nodiscard]] bool reset(std::size_t outputs, std::size_t inputs, Format format,
                           Compute compute = Compute::Exact);
  /// Fills panel `panel` from its rows of W, row-major with `inputs` floats each: rows panel * width()
  /// up to the next panel or the end of the matrix.
  void pack_panel(std::size_t panel, const float* rows);
  /// Does pack_blocks() fill the panels? Else pack_panel() does.
  [[nodiscard]] bool holds_integers() const {
    return layout_ == Layout::Integers || layout_ == Layout::ScaledTiles;
  }
  /// The same from rows encoded in the format given to reset(). False if a scale is NaN or infinite.
  [[nodiscard]] bool pack_blocks(std::size_t panel, const std::byte* rows);

  [[nodiscard]] Compute compute() const { return compute_; }
  [[nodiscard]] std::size_t outputs() const { return outputs_; }
  [[nodiscard]] std::size_t inputs() const { return inputs_; }
  [[nodiscard]] std::size_t panels() const { return width_ == 0 ? 0 : (outputs_ + width_ - 1) / width_; }
  [[nodiscard]] std::size_t width() const { return width_; }
  /// Do products read rows that were packed too (PackedRows)? Rows are then worth packing once for all
  /// matrices of one Compute they are multiplied with.
  [[nodiscard]] bool takes_packed_rows() const {
    return layout_ == Layout::Tiles || layout_ == Layout::ScaledTiles;
  }
  /// Rows of W in a panel: width(), fewer in the last one.
  [[nodiscard]] std::size_t rows_of(std::size_t panel) const {
    const std::size_t begin = panel * width_;
    return outputs_ - begin < width_ ? outputs_ - begin : width_;
  }

 private:
  friend void multiply(const PackedMatrix&, std::size_t, std::size_t, const float*, std::size_t, std::size_t,
                       float*, std::size_t, bool);
  friend void multiply(const PackedMatrix&, std::size_t, std::size_t, const PackedRows&, float*, std::size_t);
  enum class Layout { Floats, Integers, RoundedIntegers, Tiles, ScaledTiles };
  [[nodiscard]] bool in_integers() const {
    return layout_ == Layout::Integers || layout_ == Layout::RoundedIntegers;
  }
  void pack_rounded(std::size_t panel, const float* rows);
  [[nodiscard]] std::size_t blocks() const;  // of 32 inputs in a row
  /// Where panel `first` begins, as the tile unit's products take it.
  [[nodiscard]] amx::Panels tile_panels(std::size_t first) const;
  [[nodiscard]] bool resize(std::size_t outputs, std::size_t inputs);

  Buffer<std::uint16_t> tiles_;   // panels as in amx.h
  FloatBuffer data_;              // f32: panels [inputs x width]
  Buffer<std::int32_t> pairs_;    // integers: panels [inputs / 2 x width], two 16-bit codes each
  FloatBuffer scales_, offsets_;  // panels [blocks x width]; offsets only where the format has them
  std::size_t outputs_ = 0, inputs_ = 0, width_ = 0;
  std::size_t parts_ = 2;  // of a number in tiles
  Format format_ = Format::F32;
  Compute compute_ = Compute::Exact;
  Layout layout_ = Layout::Floats;
};

/// y = x * W^T for panels [first, first + count) of W, or y += with `accumulate`. Single-threaded.
/// x: `rows` rows of W.inputs() floats, `x_stride` apart. y: column 0 is the first output of panel `first`.
void multiply(const PackedMatrix& weights, std::size_t first, std::size_t count, const float* x,
              std::size_t rows, std::size_t x_stride, float* y, std::size_t y_stride, bool accumulate);

/// y = x * W^T for the same panels. The bits are those of the other multiply().
void multiply(const PackedMatrix& weights, std::size_t first, std::size_t count, const PackedRows& x,
              float* y, std::size_t y_stride);

}  // namespace bitlens::kernels
