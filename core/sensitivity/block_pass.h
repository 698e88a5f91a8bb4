// One block of the llama family, computed only from where it changed. A measured cell differs from the base
// in one or a few tensors: everything in front of the first changed product is the base's own and is taken
// from a record of it. The same kernels in the same order as run::Forward::run_layer, hence the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/run/forward.h"
#include "core/sensitivity/block_view.h"
#include "kernels/dense/buffer.h"

namespace bitlens::sensitivity {

/// What the base computes inside a block, for one batch of windows. Row-major, one row per token.
struct BlockRecord {
  kernels::FloatBuffer attn_input;                   ///< [rows x width] after attn_norm
  kernels::FloatBuffer q, k, v, packed_k, packed_v;  ///< rotated; packed for attention
  kernels::FloatBuffer attended;                     ///< [rows x heads * head_dim]
  kernels::FloatBuffer middle;                       ///< [rows x width] the stream after attention
  kernels::FloatBuffer ffn_input;                    ///< [rows x width] after ffn_norm
  kernels::FloatBuffer gate, up, gated;              ///< [rows x ffn_width]
};

class BlockPass {
 public:
  /// `forward`: a view of the base; it must outlive this.
  explicit BlockPass(const run::Forward& forward);

  /// Bytes of the record of one window.
  [[nodiscard]] std::uint64_t record_bytes_per_window() const;

  /// output := block(input) for `windows` whole windows, hidden states [windows * context x width]; output
  /// may be input. Rows in front of position `from` of each window are not computed (their output is
  /// undefined): nothing reads them after the last block.
  [[nodiscard]] Status run(const BlockView& view, int layer, const float* input, float* output,
                           std::size_t windows, std::size_t from, const WorkContext& work);
  /// The same for the base, keeping what it computes. `output` may be null: only the record is wanted.
  [[nodiscard]] Status record(const BlockView& view, int layer, const float* input, float* output,
                              std::size_t windows, BlockRecord& record, const WorkContext& work);
  /// output := block(input) for a view that gets the same input as the base and differs from it in at least
  /// one weight: starts at the first product that differs.
  [[nodiscard]] Status rerun(const BlockView& view, const BlockView& base, const BlockRecord& record,
                             int layer, const float* input, float* output, std::size_t windows,
                             std::size_t from, const WorkContext& work);

 private:
  struct Call;
  struct Sizes;
  struct Window;
  struct Attention {
    kernels::FloatBuffer q, k, v, packed_k, packed_v, attended;
    [[nodiscard]] bool resize(const Sizes& sizes, std::size_t windows);
  };
  struct Worker {
    Attention attention;  ///< of one window
    kernels::FloatBuffer rounded, normed, projected, middle, gate, up, gated;
  };
  [[nodiscard]] Status resize_scratch(bool own_rooms, std::size_t windows, int workers);
  [[nodiscard]] Status resize_record(BlockRecord& record, std::size_t windows) const;
  [[nodiscard]] Window window(const Call& call, std::size_t index, bool own_room, int worker);
  [[nodiscard]] Status run(const Call& call, const WorkContext& work);
  // Steps of one window, for rows or a head of it.
  void attention_inputs(const Call& call, const Window& window, std::size_t first, std::size_t count,
                        int worker, const WorkContext& work);
  void pack(const Window& window, std::size_t head) const;
  void attend(const Window& window, std::size_t head, std::size_t first, std::size_t rows) const;
  [[nodiscard]] Status output_and_ffn(const Call& call, const Window& window, std::size_t first,
                                      std::size_t count, int worker, const WorkContext& work);
  [[nodiscard]] Status check(int layer, const float* values, std::size_t count, const run::Linear& last,
                             const WorkContext& work) const;

  const run::Forward* forward_ = nullptr;
  Attention shared_;  // of all windows of a call
  std::vector<Worker> workers_;
};

}  // namespace bitlens::sensitivity
