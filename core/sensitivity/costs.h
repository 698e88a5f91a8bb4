// How much arithmetic a cell takes: for progress, and for batches of about the same length.
#pragma once

#include <algorithm>

#include "core/sensitivity/base_run.h"

namespace bitlens::sensitivity {

/// Multiply-adds, for progress: of one window through a whole block, through a part of one, through the head.
class Costs {
 public:
  explicit Costs(const BaseRun& base) {
    const model::LlamaParameters& p = base.forward().parameters();
    const double width = p.width, queries = double{1} * p.heads * p.head_dim,
                 keys = double{1} * p.kv_heads * p.head_dim, context = base.windows().context;
    qkv_ = width * (queries + 2 * keys);
    attention_ = queries * context;
    rest_ = width * queries + 3 * width * p.ffn_width;
    head_ = width * p.vocabulary * static_cast<double>(base.windows().scored_per_window()) / context;
  }
  [[nodiscard]] double block() const { return qkv_ + attention_ + rest_; }
  [[nodiscard]] double head() const { return head_; }
  /// One cell and one window, start to end.
  [[nodiscard]] double cell(int first, int layers) const {
    return block() * static_cast<double>(std::max(0, layers - std::max(0, first))) + head_;
  }

 private:
  double qkv_ = 0, attention_ = 0, rest_ = 0, head_ = 0;
};

}  // namespace bitlens::sensitivity
