// A llama in double, written for clarity alone: what the program's forward and backward passes are checked
// against.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/model/model.h"
#include "core/run/weights.h"

namespace bitlens::test {

class DoubleLlama {
 public:
  DoubleLlama(const std::shared_ptr<const model::Model>& model, WorkContext& work) : model_(model) {
    const auto source = run::file_weights(model);
    for (const io::TensorInfo& tensor : model->file().tensors()) {
      std::vector<float> values(tensor.elements());
      ok_ = ok_ && source->load(weights_.size(), values, work).has_value();
      weights_.emplace_back(values.begin(), values.end());
    }
  }
  [[nodiscard]] bool ok() const { return ok_; }
  std::vector<double>& weights(std::size_t tensor) { return weights_[tensor]; }

  /// Log-probabilities [tokens][vocabulary].
  [[nodiscard]] std::vector<std::vector<double>> run(const std::vector<std::int32_t>& tokens) const {
    const model::LlamaParameters& p = *model_->llama();
    const std::size_t embedding = *model_->global_tensor(model::Module::TokenEmbedding);
    std::vector<std::vector<double>> h;
    for (const std::int32_t token : tokens) {
      const auto begin = weights_[embedding].begin() + static_cast<std::ptrdiff_t>(token) * p.width;
      h.emplace_back(begin, begin + p.width);
    }
    for (std::uint32_t layer = 0; layer < p.layers; ++layer) block(static_cast<int>(layer), h);
    const auto& norm = weights_[*model_->global_tensor(model::Module::OutputNorm)];
    const std::size_t output = model_->global_tensor(model::Module::Output).value_or(embedding);
    for (auto& row : h) {
      row = product(weights_[output], normalized(row, norm), nullptr);
      double largest = row[0], sum = 0;
      for (const double x : row) largest = std::max(largest, x);
      for (const double x : row) sum += std::exp(x - largest);
      for (double& x : row) x -= largest + std::log(sum);
    }
    return h;
  }

 private:
  using Row = std::vector<double>;

  [[nodiscard]] Row normalized(const Row& x, const Row& weight) const {
    double squares = 0;
    for (const double value : x) squares += value * value;
    const double scale = 1 / std::sqrt(squares / static_cast<double>(x.size()) +
                                       static_cast<double>(model_->llama()->rms_epsilon));
    Row out(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] * scale * weight[i];
    return out;
  }
  static Row product(const Row& matrix, const Row& x, const Row* bias) {
    Row out(matrix.size() / x.size(), 0.0);
    for (std::size_t o = 0; o < out.size(); ++o) {
      for (std::size_t i = 0; i < x.size(); ++i) out[o] += matrix[o * x.size() + i] * x[i];
      if (bias != nullptr) out[o] += (*bias)[o];
    }
    return out;
  }
  [[nodiscard]] Row linear(int layer, model::Module module, const Row& x) const {
    const std::size_t tensor = *model_->block_tensor(layer, module);
    const auto bias = model_->file().find_tensor("blk." + std::to_string(layer) + "." +
                                                 std::string(model::module_name(module)) + ".bias");
    return product(weights_[tensor], x, bias ? &weights_[*bias] : nullptr);
  }
  void rotate(Row& row, std::size_t position) const {
    const model::LlamaParameters& p = *model_->llama();
    for (std::size_t head = 0; head * p.head_dim < row.size(); ++head)
      for (std::size_t i = 0; i < p.rope.dimensions; i += 2) {
        const double angle =
            static_cast<double>(position) *
            std::pow(p.rope.freq_base, -static_cast<double>(i) / static_cast<double>(p.rope.dimensions));
        double &x = row[head * p.head_dim + i], &y = row[head * p.head_dim + i + 1];
        const double turned = x * std::cos(angle) - y * std::sin(angle);
        y = x * std::sin(angle) + y * std::cos(angle);
        x = turned;
      }
  }
  void block(int layer, std::vector<Row>& h) const {
    using model::Module;
    const model::LlamaParameters& p = *model_->llama();
    const Row& attn_norm = weights_[*model_->block_tensor(layer, Module::AttnNorm)];
    const Row& ffn_norm = weights_[*model_->block_tensor(layer, Module::FfnNorm)];
    std::vector<Row> q, k, v;
    for (std::size_t t = 0; t < h.size(); ++t) {
      const Row x = normalized(h[t], attn_norm);
      q.push_back(linear(layer, Module::AttnQ, x));
      k.push_back(linear(layer, Module::AttnK, x));
      v.push_back(linear(layer, Module::AttnV, x));
      rotate(q[t], t);
      rotate(k[t], t);
    }
    for (std::size_t t = 0; t < h.size(); ++t) {
      Row attended(std::size_t{p.heads} * p.head_dim, 0.0);
      const std::size_t begin =
          p.sliding_window != 0 && t + 1 > p.sliding_window ? t + 1 - p.sliding_window : 0;
      for (std::size_t head = 0; head < p.heads; ++head) {
        const std::size_t at = head * p.head_dim, key_at = head / (p.heads / p.kv_heads) * p.head_dim;
        Row shares;
        double sum = 0;
        for (std::size_t j = begin; j <= t; ++j) {
          double score = 0;
          for (std::size_t c = 0; c < p.head_dim; ++c) score += q[t][at + c] * k[j][key_at + c];
          shares.push_back(std::exp(score / std::sqrt(static_cast<double>(p.head_dim))));
          sum += shares.back();
        }
        for (std::size_t j = begin; j <= t; ++j)
          for (std::size_t c = 0; c < p.head_dim; ++c)
            attended[at + c] += shares[j - begin] / sum * v[j][key_at + c];
      }
      const Row projected = linear(layer, Module::AttnOutput, attended);
      for (std::size_t i = 0; i < projected.size(); ++i) h[t][i] += projected[i];
      const Row x = normalized(h[t], ffn_norm);
      Row gate = linear(layer, Module::FfnGate, x);
      const Row up = linear(layer, Module::FfnUp, x);
      for (std::size_t i = 0; i < gate.size(); ++i) gate[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
      const Row down = linear(layer, Module::FfnDown, gate);
      for (std::size_t i = 0; i < down.size(); ++i) h[t][i] += down[i];
    }
  }

  std::shared_ptr<const model::Model> model_;
  std::vector<Row> weights_;
  bool ok_ = true;
};

}  // namespace bitlens::test
