// Model files with random weights: of real shapes, good for measuring speed and nothing else.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.h"

namespace bitlens::bench {

/// Hyperparameters of a llama model; `name` is how tables call it.
struct Shape {
  std::string name;
  std::uint32_t layers = 0, width = 0, heads = 0, kv_heads = 0, ffn_width = 0, vocabulary = 0;
  bool tied = false;  ///< the output matrix is the embedding

  [[nodiscard]] std::uint32_t kv_width() const { return width / heads * kv_heads; }
  /// Weights every token is multiplied with, the output matrix left out.
  [[nodiscard]] double product_weights() const {
    const double w = width;
    return layers * (2.0 * w * w + 2.0 * w * kv_width() + 3.0 * w * ffn_width);
  }
};

/// SmolLM2-135M and TinyLlama-1.1B.
inline const Shape k135M{"135M", 30, 576, 9, 3, 1536, 49152, true};
inline const Shape k1100M{"1.1B", 22, 2048, 32, 4, 5632, 32000, false};

/// Writes a GGUF file: matrices F16 from N(0, 0.02), norms of ones, a SentencePiece vocabulary of short
/// made-up pieces that llama.cpp reads too.
[[nodiscard]] Status write_random_model(const Shape& shape, const std::string& path);

/// The same headers for a model of 7B size, its data a hole in the file.
[[nodiscard]] Status write_sparse_model(const std::string& path);

/// `bytes` of lower-case words, the same every time.
[[nodiscard]] std::string random_text(std::size_t bytes);

}  // namespace bitlens::bench
