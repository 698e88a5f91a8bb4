// A tiny random model of the llama family in a GGUF file, and its forward pass written down plainly in
// double: what the executor is checked against. Shares no code with it.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/model/model.h"
#include "tests/support/gguf_builder.h"

namespace bitlens::testing {

struct TinyLlama {
  std::uint32_t layers = 2, width = 24, heads = 4, kv_heads = 2, head_dim = 6, ffn = 37, vocabulary = 53;
  std::uint32_t rope_dimensions = 6, sliding_window = 0;
  double freq_base = 10000.0, linear_factor = 1.0, epsilon = 1e-5;
  bool tied = false, rope_freqs = false, biases = false;
  std::map<std::string, std::vector<std::uint64_t>> shapes{};
  std::map<std::string, std::vector<float>> tensors{};

  /// Draws all tensors. Call once the numbers above are set.
  TinyLlama& draw(unsigned seed = 1) {
    std::mt19937 generator(seed);
    const auto add = [&](const std::string& name, std::vector<std::uint64_t> shape, float mean, float sigma) {
      std::normal_distribution<float> normal(mean, sigma);
      std::uint64_t count = 1;
      for (const std::uint64_t size : shape) count *= size;
      std::vector<float> values(count);
      for (float& value : values) value = normal(generator);
      shapes[name] = std::move(shape);
      tensors[name] = std::move(values);
    };
    const auto linear = [&](const std::string& name, std::uint64_t inputs, std::uint64_t outputs) {
      add(name + ".weight", {inputs, outputs}, 0.0F, 1.2F / std::sqrt(static_cast<float>(inputs)));
      if (biases) add(name + ".bias", {outputs}, 0.0F, 0.3F);
    };
    const std::uint64_t queries = std::uint64_t{heads} * head_dim, keys = std::uint64_t{kv_heads} * head_dim;
    add("token_embd.weight", {width, vocabulary}, 0.0F, 1.0F);
    for (std::uint32_t layer = 0; layer < layers; ++layer) {
      const std::string block = "blk." + std::to_string(layer) + ".";
      add(block + "attn_norm.weight", {width}, 1.0F, 0.2F);
      linear(block + "attn_q", width, queries);
      linear(block + "attn_k", width, keys);
      linear(block + "attn_v", width, keys);
      linear(block + "attn_output", queries, width);
      add(block + "ffn_norm.weight", {width}, 1.0F, 0.2F);
      linear(block + "ffn_gate", width, ffn);
      linear(block + "ffn_up", width, ffn);
      linear(block + "ffn_down", ffn, width);
    }
    add("output_norm.weight", {width}, 1.0F, 0.2F);
    if (!tied) add("output.weight", {width, vocabulary}, 0.0F, 2.0F / std::sqrt(static_cast<float>(width)));
    if (rope_freqs) {
      add("rope_freqs.weight", {rope_dimensions / 2}, 0.0F, 0.0F);
      float divisor = 1.0F;
      for (float& value : tensors["rope_freqs.weight"]) value = divisor *= 1.7F;
    }
    return *this;
  }

  /// Keys and tensors as a file; `edit` may change the keys.
  [[nodiscard]] std::string bytes(
      const std::function<void(std::vector<std::pair<std::string, io::MetadataValue>>&)>& edit = {}) const {
    std::vector<std::pair<std::string, io::MetadataValue>> keys = {
        {"general.architecture", std::string("llama")},
        {"llama.block_count", layers},
        {"llama.context_length", std::uint32_t{64}},
        {"llama.embedding_length", width},
        {"llama.feed_forward_length", ffn},
        {"llama.attention.head_count", heads},
        {"llama.attention.head_count_kv", kv_heads},
        {"llama.attention.key_length", head_dim},
        {"llama.attention.value_length", head_dim},
        {"llama.attention.layer_norm_rms_epsilon", static_cast<float>(epsilon)},
        {"llama.rope.dimension_count", rope_dimensions},
        {"llama.rope.freq_base", static_cast<float>(freq_base)}};
    if (linear_factor != 1.0) {
      keys.emplace_back("llama.rope.scaling.type", std::string("linear"));
      keys.emplace_back("llama.rope.scaling.factor", static_cast<float>(linear_factor));
    }
    if (sliding_window != 0) keys.emplace_back("llama.attention.sliding_window", sliding_window);
    if (edit) edit(keys);
    test::GgufBuilder builder;
    for (const auto& [key, value] : keys) builder.kv(key, value);
    for (const auto& [name, values] : tensors) builder.f32(name, shapes.at(name), values);
    return builder.bytes();
  }

  /// Writes the file and opens it.
  [[nodiscard]] std::shared_ptr<const model::Model> open(const std::string& path) const {
    if (!test::write_bytes(path, bytes())) return nullptr;
    auto file = io::open_gguf(path);
    if (!file) return nullptr;
    auto model = model::make_model(*file);
    return model ? *model : nullptr;
  }

  using Row = std::vector<double>;
  /// Hidden states after every layer: [layer + 1][position][width], the embedding first.
  [[nodiscard]] std::vector<std::vector<Row>> hidden_states(const std::vector<std::int32_t>& tokens) const {
    std::vector<Row> hidden;
    for (const std::int32_t token : tokens)
      hidden.push_back(row("token_embd.weight", static_cast<std::uint64_t>(token)));
    std::vector<std::vector<Row>> states = {hidden};
    for (std::uint32_t layer = 0; layer < layers; ++layer) {
      run_block("blk." + std::to_string(layer) + ".", hidden);
      states.push_back(hidden);
    }
    return states;
  }
  /// Logits of every position: [position][vocabulary].
  [[nodiscard]] std::vector<Row> logits(const std::vector<std::int32_t>& tokens) const {
    std::vector<Row> result;
    const auto states = hidden_states(tokens);
    for (const Row& state : states.back())
      result.push_back(apply(tied ? "token_embd" : "output", norm("output_norm.weight", state)));
    return result;
  }

 private:
  [[nodiscard]] Row row(const std::string& name, std::uint64_t index) const {
    const auto& values = tensors.at(name);
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(index * shapes.at(name)[0]);
    return {begin, begin + static_cast<std::ptrdiff_t>(shapes.at(name)[0])};
  }
  [[nodiscard]] Row norm(const std::string& name, const Row& x) const {
    double squares = 0.0;
    for (const double value : x) squares += value * value;
    Row y = row(name, 0);
    for (std::size_t i = 0; i < y.size(); ++i)
      y[i] *= x[i] / std::sqrt(squares / static_cast<double>(x.size()) + epsilon);
    return y;
  }
  [[nodiscard]] Row apply(const std::string& name, const Row& x) const {
    const std::uint64_t outputs = shapes.at(name + ".weight")[1];
    Row y(outputs);
    for (std::uint64_t o = 0; o < outputs; ++o) {
      const Row weights = row(name + ".weight", o);
      for (std::size_t i = 0; i < x.size(); ++i) y[o] += weights[i] * x[i];
      if (tensors.contains(name + ".bias")) y[o] += static_cast<double>(tensors.at(name + ".bias")[o]);
    }
    return y;
  }
  void turn(Row& x, std::size_t position) const {
    for (std::size_t head = 0; head < x.size(); head += head_dim)
      for (std::uint32_t i = 0; i < rope_dimensions / 2; ++i) {
        double angle = static_cast<double>(position) / linear_factor *
                       std::pow(freq_base, -2.0 * i / static_cast<double>(rope_dimensions));
        if (rope_freqs) angle /= static_cast<double>(tensors.at("rope_freqs.weight")[i]);
        const double a = x[head + 2 * i], b = x[head + 2 * i + 1];
        x[head + 2 * i] = a * std::cos(angle) - b * std::sin(angle);
        x[head + 2 * i + 1] = a * std::sin(angle) + b * std::cos(angle);
      }
  }
  void run_block(const std::string& block, std::vector<Row>& hidden) const {
    std::vector<Row> q, k, v;
    for (std::size_t p = 0; p < hidden.size(); ++p) {
      const Row x = norm(block + "attn_norm.weight", hidden[p]);
      q.push_back(apply(block + "attn_q", x));
      k.push_back(apply(block + "attn_k", x));
      v.push_back(apply(block + "attn_v", x));
      turn(q.back(), p);
      turn(k.back(), p);
    }
    for (std::size_t p = 0; p < hidden.size(); ++p) {
      Row attended(std::size_t{heads} * head_dim);
      for (std::uint32_t head = 0; head < heads; ++head) attend(q, k, v, p, head, attended);
      const Row projected = apply(block + "attn_output", attended);
      for (std::size_t i = 0; i < width; ++i) hidden[p][i] += projected[i];
      const Row x = norm(block + "ffn_norm.weight", hidden[p]);
      Row gate = apply(block + "ffn_gate", x);
      const Row up = apply(block + "ffn_up", x);
      for (std::size_t i = 0; i < gate.size(); ++i) gate[i] = gate[i] / (1.0 + std::exp(-gate[i])) * up[i];
      const Row down = apply(block + "ffn_down", gate);
      for (std::size_t i = 0; i < width; ++i) hidden[p][i] += down[i];
    }
  }
  void attend(const std::vector<Row>& q, const std::vector<Row>& k, const std::vector<Row>& v,
              std::size_t position, std::uint32_t head, Row& attended) const {
    const std::size_t mine = std::size_t{head} * head_dim,
                      shared = std::size_t{head / (heads / kv_heads)} * head_dim;
    const std::size_t low =
        sliding_window != 0 && position + 1 > sliding_window ? position + 1 - sliding_window : 0;
    std::vector<double> weights;
    double sum = 0.0;
    for (std::size_t t = low; t <= position; ++t) {
      double score = 0.0;
      for (std::size_t i = 0; i < head_dim; ++i) score += q[position][mine + i] * k[t][shared + i];
      weights.push_back(std::exp(score / std::sqrt(static_cast<double>(head_dim))));
      sum += weights.back();
    }
    for (std::size_t t = low; t <= position; ++t)
      for (std::size_t i = 0; i < head_dim; ++i)
        attended[mine + i] += weights[t - low] / sum * v[t][shared + i];
  }
};

/// Windows of random tokens.
inline std::vector<std::vector<std::int32_t>> random_windows(std::size_t count, std::size_t context,
                                                             std::uint32_t vocabulary, unsigned seed = 9) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<std::int32_t> token(0, static_cast<std::int32_t>(vocabulary) - 1);
  std::vector<std::vector<std::int32_t>> windows(count, std::vector<std::int32_t>(context));
  for (auto& window : windows)
    for (std::int32_t& id : window) id = token(generator);
  return windows;
}

}  // namespace bitlens::testing
