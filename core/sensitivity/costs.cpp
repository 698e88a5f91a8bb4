#include "core/sensitivity/costs.h"

#include <algorithm>

#include "kernels/dense/attention_tiles.h"
#include "kernels/dense/instruction_set.h"

namespace bitlens::sensitivity {

namespace {

using kernels::Compute;

/// Exact products multiply three pairs of parts on tiles, fast ones one, but rows are split and results
/// stored alike; elsewhere fast ones are of integers, two at a time.
double product(Compute compute) {
  if (compute == Compute::Exact) return 1.0;
  return kernels::uses_tiles() ? 0.5 : kernels::uses_dot_products() ? 1.0 / 1.7 : 1.0;
}
/// A multiply-add in vector registers: 32 a cycle of f32, where tiles do 512 of bf16, 170 exact ones.
double vector() {
  return kernels::uses_tiles() ? 5.0 : 1.0;
}
/// An exponential with what is done around it: about ten vector operations.
double exponential() {
  return 10 * vector();
}
/// Reading a row of weights from the file: about a microsecond.
double reading() {
  return kernels::uses_tiles() ? 4e5 : 1e5;
}
/// A byte of memory that was never used before: the system clears its page.
double first_use() {
  return kernels::uses_tiles() ? 200.0 : 50.0;
}
/// Rounding a weight to a format and back: some hundreds of operations on a few lanes.
double rounding() {
  return kernels::uses_tiles() ? 1000.0 : 250.0;
}

}  // namespace

Costs::Costs(const model::LlamaParameters& p, const evaluate::Windows& windows, Compute compute,
             Compute backward) {
  const double width = p.width, queries = double{1} * p.heads * p.head_dim,
               keys = double{1} * p.kv_heads * p.head_dim, vocabulary = p.vocabulary;
  layers_ = static_cast<int>(p.layers);
  context_ = windows.context;
  scored_ = static_cast<double>(windows.scored_per_window()) / context_;
  queries_ = width * queries * product(compute);
  keys_ = 2 * width * keys * product(compute);
  output_ = width * queries * product(compute);
  ffn_ = width * p.ffn_width * product(compute);
  gates_ = p.ffn_width * exponential();
  // Half of all pairs of tokens, twice: scores and sums; an exponential for each pair and head.
  const double pairs = context_ / 2, multiplied = queries * pairs * 2,
               shares = p.heads * pairs * exponential();
  const auto on_tiles = [&](Compute how) {
    return kernels::on_tiles({windows.context, p.head_dim, p.sliding_window, how});
  };
  // Small products: half as fast as large ones.
  const auto sums = [&](Compute how) { return multiplied * (on_tiles(how) ? 2 * product(how) : vector()); };
  attention_ = sums(compute) + shares;
  block_ = rest_of_block(model::Module::AttnNorm, 1, 1);
  // Scores and shares again, for some draws together, then the gradients of shares, values, queries and keys,
  // and passes over all pairs: two, or more where they are packed for tiles.
  const double linear = queries_ + keys_ + output_ + 3 * ffn_;
  // Vectors as wide as 16 numbers are filled by the queries going forward, by a head's numbers coming back.
  const double narrow = std::max(1.0, 16.0 / p.head_dim);
  const double attention =
      on_tiles(backward) ? 2 * sums(backward) + 5 * shares : 2.5 * narrow * sums(backward) + 3 * shares;
  const double norms = 2 * width * 2 * exponential();
  back_ = linear * product(backward) / product(compute) + 2 * gates_ + norms + attention;
  // Losses take the exponentials of both models.
  head_ = scored_ * vocabulary * (width * product(compute) + 3 * exponential());
  // Logits leave the cache between the steps.
  predictions_ = scored_ * vocabulary * (2 * width * product(compute) + 20 * exponential());
  labels_ = scored_ * (width * exponential() + reading());
}

double Costs::rest_of_block(model::Module from, double rows, double pairs) const {
  using model::Module;
  const double behind_attention = output_ + 3 * ffn_ + gates_;
  switch (from) {
    case Module::AttnQ:
      return rows * (queries_ + behind_attention) + pairs * attention_;
    case Module::AttnK:
    case Module::AttnV:
      return keys_ / 2 + rows * behind_attention + pairs * attention_;
    case Module::AttnOutput:
      return rows * behind_attention;
    case Module::FfnGate:
    case Module::FfnUp:
      return rows * (2 * ffn_ + gates_);
    case Module::FfnDown:
      return rows * ffn_;
    default:
      return keys_ + rows * (queries_ + behind_attention) + pairs * attention_;
  }
}

double Costs::cross(int layer) const {
  if (layer + 1 < layers_) return block_;
  return rest_of_block(model::Module::AttnNorm, scored_, 1 - (1 - scored_) * (1 - scored_));
}

double Costs::enter(const model::Model& model, const Cell& cell) const {
  const int first = first_layer(model, cell);
  if (first < 0 || first >= layers_) return 0;
  double most = 0;
  for (const std::size_t tensor : cell.tensors) {
    if (model.role(tensor).layer != first) continue;
    const bool last = first + 1 == layers_;
    most = std::max(most, rest_of_block(model.role(tensor).module, last ? scored_ : 1.0,
                                        last ? 1 - (1 - scored_) * (1 - scored_) : 1.0));
  }
  return most;
}

double Costs::behind(const model::Model& model, const Cell& cell) const {
  const int first = first_layer(model, cell);
  double sum = 0;
  for (int layer = first < 0 ? 0 : first + 1; layer < layers_; ++layer) sum += cross(layer);
  return sum;
}

double Costs::cell(const model::Model& model, const Cell& cell) const {
  return enter(model, cell) + behind(model, cell) + head_;
}

double Costs::prepare(const model::Model& model, const Cell& cell) const {
  double weights = 0;
  for (const std::size_t tensor : cell.tensors)
    weights += static_cast<double>(model.file().tensors()[tensor].elements());
  return encode(weights);
}

double Costs::change(double weights, Compute compute) const {
  return weights * product(compute);
}

double Costs::response(double outputs) const {
  return outputs * vector();
}

double Costs::memory(double bytes) const {
  return bytes * first_use() / context_;
}

double Costs::encode(double weights) const {
  return weights * rounding() / context_;
}

}  // namespace bitlens::sensitivity
