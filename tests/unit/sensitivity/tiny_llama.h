// A llama small enough to run in double beside the program: random weights, grouped queries, an odd feed
// forward width, written as a GGUF file.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/evaluate/perplexity.h"
#include "core/io/model_file.h"
#include "core/model/model.h"
#include "tests/support/gguf_builder.h"

namespace bitlens::test {

struct TinyShape {
  std::uint32_t layers = 3, width = 64, heads = 4, kv_heads = 2, ffn = 96, vocabulary = 96;
  bool tied = false;
  bool bias = false;
  std::uint32_t sliding_window = 0;
  std::uint32_t rotated = 0;  ///< components of a head; 0: all
};

inline std::string tiny_llama_bytes(const TinyShape& shape, std::uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  const auto values = [&](std::size_t count, float scale, float mean = 0.0F) {
    std::vector<float> out(count);
    for (float& value : out) value = mean + scale * normal(random);
    return out;
  };
  GgufBuilder gguf;
  gguf.kv("general.architecture", std::string("llama"));
  gguf.kv("llama.block_count", shape.layers);
  gguf.kv("llama.context_length", std::uint32_t{128});
  gguf.kv("llama.embedding_length", shape.width);
  gguf.kv("llama.feed_forward_length", shape.ffn);
  gguf.kv("llama.attention.head_count", shape.heads);
  gguf.kv("llama.attention.head_count_kv", shape.kv_heads);
  gguf.kv("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  if (shape.sliding_window != 0) gguf.kv("llama.attention.sliding_window", shape.sliding_window);
  if (shape.rotated != 0) gguf.kv("llama.rope.dimension_count", shape.rotated);
  const std::uint32_t keys = shape.width / shape.heads * shape.kv_heads;
  const auto matrix = [&](const std::string& name, std::uint32_t inputs, std::uint32_t outputs, float scale) {
    gguf.f32(name, {inputs, outputs}, values(std::size_t{inputs} * outputs, scale));
  };
  const float scale = 1.2F / std::sqrt(static_cast<float>(shape.width));
  matrix("token_embd.weight", shape.width, shape.vocabulary, 0.7F);
  for (std::uint32_t layer = 0; layer < shape.layers; ++layer) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    gguf.f32(block + "attn_norm.weight", {shape.width}, values(shape.width, 0.1F, 1.0F));
    matrix(block + "attn_q.weight", shape.width, shape.width, scale);
    matrix(block + "attn_k.weight", shape.width, keys, scale);
    matrix(block + "attn_v.weight", shape.width, keys, scale);
    if (shape.bias) {
      gguf.f32(block + "attn_q.bias", {shape.width}, values(shape.width, 0.2F));
      gguf.f32(block + "attn_k.bias", {keys}, values(keys, 0.2F));
      gguf.f32(block + "attn_v.bias", {keys}, values(keys, 0.2F));
    }
    matrix(block + "attn_output.weight", shape.width, shape.width, scale);
    gguf.f32(block + "ffn_norm.weight", {shape.width}, values(shape.width, 0.1F, 1.0F));
    matrix(block + "ffn_gate.weight", shape.width, shape.ffn, scale);
    matrix(block + "ffn_up.weight", shape.width, shape.ffn, scale);
    matrix(block + "ffn_down.weight", shape.ffn, shape.width, scale);
  }
  gguf.f32("output_norm.weight", {shape.width}, values(shape.width, 0.1F, 1.0F));
  if (!shape.tied) matrix("output.weight", shape.width, shape.vocabulary, scale);
  return gguf.bytes();
}

inline std::shared_ptr<const model::Model> open_bytes(const std::string& bytes, const std::string& path) {
  if (!write_bytes(path, bytes)) return nullptr;
  auto file = io::open_gguf(path);
  if (!file) return nullptr;
  auto model = model::make_model(std::move(*file));
  return model && (*model)->llama() ? *model : nullptr;
}

/// Windows of random tokens, the second half scored as in the llama protocol.
inline evaluate::Windows random_windows(std::uint32_t vocabulary, std::uint32_t context, std::size_t count,
                                        std::uint64_t seed = 7) {
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::int32_t> token(0, static_cast<std::int32_t>(vocabulary) - 1);
  evaluate::Windows windows;
  windows.context = context;
  windows.first_scored = context / 2;
  windows.last_scored = context - 2;
  for (std::size_t w = 0; w < count; ++w) {
    std::vector<std::int32_t> input(context);
    for (std::int32_t& value : input) value = token(random);
    windows.targets.emplace_back(input.begin() + 1, input.end());
    windows.inputs.push_back(std::move(input));
  }
  return windows;
}

}  // namespace bitlens::test
