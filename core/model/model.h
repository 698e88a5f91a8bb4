// What a file is as a language model: architecture, hyperparameters, and the role of every tensor
// (which layer, which module), so that everything else can speak of layers x modules.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/io/model_file.h"

namespace bitlens::model {

/// The module a tensor belongs to, in the order of the Map's columns.
enum class Module {
  TokenEmbedding,
  PositionEmbedding,
  AttnNorm,
  AttnQ,
  AttnK,
  AttnV,
  AttnQkv,
  AttnQNorm,
  AttnKNorm,
  AttnOutput,
  PostAttnNorm,
  FfnNorm,
  FfnGate,
  FfnUp,
  FfnDown,
  PostFfnNorm,
  OutputNorm,
  Output,
  RopeFreqs,
  Other
};
/// "attn_q", "ffn_down", "token_embd", ...: the GGUF name without block prefix and suffix.
[[nodiscard]] std::string_view module_name(Module module);

struct TensorRole {
  Module module = Module::Other;
  int layer = -1;          ///< block index; -1 for tensors outside the blocks
  bool is_weight = true;   ///< ".weight" (false: ".bias" and others)
  bool is_matrix = false;  ///< a 2-D weight that takes part in a product or look-up: what recipes are about
};
/// From the name and shape alone; bounded whatever the name holds.
[[nodiscard]] TensorRole role_of(const io::TensorInfo& tensor);

/// Rotary embedding as the llama family uses it.
struct RopeParameters {
  double freq_base = 10000.0;
  std::uint32_t dimensions = 0;  ///< rotated part of each head, even
  double linear_factor = 1.0;    ///< positions are divided by it
  // Per-frequency divisors (Llama 3 "rope_freqs.weight"), if the file has them, are read by the executor.
};

/// Hyperparameters of the llama family (Llama 1-3, Mistral, TinyLlama, SmolLM2).
struct LlamaParameters {
  std::uint32_t layers = 0, width = 0, heads = 0, kv_heads = 0, head_dim = 0, ffn_width = 0, vocabulary = 0;
  std::uint32_t context = 0;  ///< the context the model was trained for
  float rms_epsilon = 1e-5F;
  RopeParameters rope;
  std::uint32_t sliding_window = 0;  ///< tokens a position sees, itself included; 0: all before it
  bool tied_output = false;          ///< no output.weight: the embedding serves
};

/// Facts shown for any architecture; absent when the file does not say.
struct Summary {
  std::string architecture, name, size_label, license;
  std::uint64_t parameters = 0;  ///< elements of all tensors
  std::uint32_t layers = 0;      ///< highest block index + 1
  std::optional<std::uint64_t> context, width, ffn_width, heads, kv_heads, head_dim, vocabulary;
};

class Model {
 public:
  [[nodiscard]] const io::ModelFile& file() const { return *file_; }
  [[nodiscard]] const std::shared_ptr<const io::ModelFile>& shared_file() const { return file_; }
  [[nodiscard]] const Summary& summary() const { return summary_; }
  [[nodiscard]] const TensorRole& role(std::size_t tensor) const { return roles_[tensor]; }
  /// Hyperparameters, or why this model cannot be run (unknown architecture, invalid or missing
  /// hyperparameters, missing or misshapen tensors, formats that cannot be decoded). The error names key or
  /// tensor.
  [[nodiscard]] const Result<LlamaParameters>& llama() const { return llama_; }
  /// True when the file contradicts itself (invalid or missing hyperparameters, missing, misshapen or empty
  /// tensors), as opposed to an architecture or format this program does not know: such a file can only be
  /// inspected.
  [[nodiscard]] bool invalid() const { return invalid_; }
  /// Things worth telling that do not stop anything: tensors the architecture does not use.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  /// Index of a block's tensor ("attn_q.weight" of block 3), or nullopt.
  [[nodiscard]] std::optional<std::size_t> block_tensor(int layer, Module module) const;
  [[nodiscard]] std::optional<std::size_t> global_tensor(Module module) const;

  /// Bytes of KV cache (keys and values of all layers) at `context` tokens with `bits` per element;
  /// nullopt for unknown architectures. 2 * layers * kv_heads * head_dim * context * bits / 8.
  [[nodiscard]] std::optional<std::uint64_t> kv_cache_bytes(std::uint64_t context, double bits = 16.0) const;

 private:
  friend Result<std::shared_ptr<const Model>> make_model(std::shared_ptr<const io::ModelFile> file);
  Model() = default;
  std::shared_ptr<const io::ModelFile> file_;
  Summary summary_;
  std::vector<TensorRole> roles_;
  std::vector<std::array<std::int64_t, 32>> blocks_;  // tensor index by layer and module, -1 absent
  std::array<std::int64_t, 32> globals_{};
  Result<LlamaParameters> llama_ = fail(ErrorCode::Unsupported, "no model");
  bool invalid_ = false;
  std::vector<std::string> warnings_;
};

/// Never fails for a well-formed file with tensors; refuses files that are no model (imatrix, adapter,
/// mmproj).
[[nodiscard]] Result<std::shared_ptr<const Model>> make_model(std::shared_ptr<const io::ModelFile> file);

}  // namespace bitlens::model
