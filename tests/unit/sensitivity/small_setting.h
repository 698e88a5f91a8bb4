// The executor tests' tiny llama, with rows of whole blocks, and windows to score.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/evaluate/perplexity.h"
#include "tests/unit/run/tiny_llama.h"

namespace bitlens::test {

inline testing::TinyLlama small_llama() {
  testing::TinyLlama out;
  out.layers = 3;
  out.width = 64;
  out.head_dim = out.rope_dimensions = 16;
  out.ffn = 96;
  out.vocabulary = 96;
  return out;
}

/// Draws it, with matrices and biases of 0.8 of the usual size: responses are the beginning of an expansion,
/// checked where the rest of it is small.
inline std::shared_ptr<const model::Model> draw_and_open(testing::TinyLlama llama, const std::string& path) {
  llama.draw();
  for (auto& [name, values] : llama.tensors)
    if (name.find("norm") == std::string::npos)
      for (float& value : values) value *= 0.8F;
  return llama.open(path);
}

/// Windows of random tokens, the second half scored as in the llama protocol.
inline evaluate::Windows small_windows(std::uint32_t context, std::size_t count,
                                       std::uint32_t vocabulary = 96) {
  evaluate::Windows windows;
  windows.context = context;
  windows.first_scored = context / 2;
  windows.last_scored = context - 2;
  windows.inputs = testing::random_windows(count, context, vocabulary, 7);
  for (const auto& input : windows.inputs) windows.targets.emplace_back(input.begin() + 1, input.end());
  return windows;
}

}  // namespace bitlens::test
