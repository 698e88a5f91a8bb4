// How long the parts of a sweep take beside each other: for progress, time left, and batches of about the
// same length. Everything is counted in multiply-adds of exact matrix products, per token of a window, so
// that the windows of a text stand for its tokens; other work is weighed by how many of those take as long.
#pragma once

#include "core/evaluate/perplexity.h"
#include "core/model/model.h"
#include "core/sensitivity/cell.h"
#include "kernels/dense/product.h"

namespace bitlens::sensitivity {

class Costs {
 public:
  Costs(const model::LlamaParameters& parameters, const evaluate::Windows& windows,
        kernels::Compute compute = kernels::Compute::Exact,
        kernels::Compute backward = kernels::Compute::Exact);

  /// Forward through one block, through the output matrix with the losses of the scored positions.
  [[nodiscard]] double block() const { return block_; }
  [[nodiscard]] double head() const { return head_; }
  /// The whole model.
  [[nodiscard]] double forward() const { return static_cast<double>(layers_) * block_ + head_; }
  /// A measured cell and one window, from the first product it changes.
  [[nodiscard]] double cell(const model::Model& model, const Cell& cell) const;
  /// Making its weights, once; in units of one window.
  [[nodiscard]] double prepare(const model::Model& model, const Cell& cell) const;
  /// A block behind the first change; the last one is needed at the scored positions only.
  [[nodiscard]] double cross(int layer) const;
  /// All blocks behind that of the first change.
  [[nodiscard]] double behind(const model::Model& model, const Cell& cell) const;
  /// The block of the first change; 0 where that is none.
  [[nodiscard]] double enter(const model::Model& model, const Cell& cell) const;

  /// Back through one block, for one draw.
  [[nodiscard]] double back() const { return back_; }
  /// The predictions that labels are drawn from, whatever the number of draws.
  [[nodiscard]] double predictions() const { return predictions_; }
  /// Gradients at the last block's output from labels, for one draw.
  [[nodiscard]] double labels() const { return labels_; }
  /// What a block's products with a change of so many weights take, and the responses of one draw to a change
  /// with so many outputs.
  [[nodiscard]] double change(double weights, kernels::Compute compute) const;
  [[nodiscard]] double response(double outputs) const;
  /// Making a change of so many weights, once; in units of one window.
  [[nodiscard]] double encode(double weights) const;
  /// Memory that is used for the first time, once; in units of one window.
  [[nodiscard]] double memory(double bytes) const;
  /// The share of scored positions.
  [[nodiscard]] double scored() const { return scored_; }

 private:
  /// Products and pairs of tokens of a block from some point on, of which these shares are needed.
  [[nodiscard]] double rest_of_block(model::Module from, double rows, double pairs) const;

  int layers_ = 0;
  double context_ = 0, scored_ = 0;
  double queries_ = 0, keys_ = 0, attention_ = 0, output_ = 0, ffn_ = 0, gates_ = 0;
  double block_ = 0, head_ = 0, back_ = 0, predictions_ = 0, labels_ = 0;
};

}  // namespace bitlens::sensitivity
