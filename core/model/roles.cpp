// Tensor names to roles. GGUF names tensors "<module>.weight" or "blk.<layer>.<module>.weight".
#include <algorithm>
#include <array>
#include <charconv>

#include "core/model/model.h"

namespace bitlens::model {

namespace {

struct Name {
  std::string_view text;
  Module module;
};
// In the order of the enumeration; module_name() relies on it.
constexpr std::array module_names = {Name{"token_embd", Module::TokenEmbedding},
                                     Name{"position_embd", Module::PositionEmbedding},
                                     Name{"attn_norm", Module::AttnNorm},
                                     Name{"attn_q", Module::AttnQ},
                                     Name{"attn_k", Module::AttnK},
                                     Name{"attn_v", Module::AttnV},
                                     Name{"attn_qkv", Module::AttnQkv},
                                     Name{"attn_q_norm", Module::AttnQNorm},
                                     Name{"attn_k_norm", Module::AttnKNorm},
                                     Name{"attn_output", Module::AttnOutput},
                                     Name{"post_attention_norm", Module::PostAttnNorm},
                                     Name{"ffn_norm", Module::FfnNorm},
                                     Name{"ffn_gate", Module::FfnGate},
                                     Name{"ffn_up", Module::FfnUp},
                                     Name{"ffn_down", Module::FfnDown},
                                     Name{"post_ffw_norm", Module::PostFfnNorm},
                                     Name{"output_norm", Module::OutputNorm},
                                     Name{"output", Module::Output},
                                     Name{"rope_freqs", Module::RopeFreqs},
                                     Name{"other", Module::Other}};

/// Block indices go up to here; larger ones name no block.
constexpr std::size_t max_layer_digits = 5;
constexpr int max_layer = 65535;

bool strip_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

/// "blk.<n>." in front of `text`: removes it and returns n, else -1.
int strip_block(std::string_view& text) {
  constexpr std::string_view prefix = "blk.";
  if (!text.starts_with(prefix)) return -1;
  const std::string_view rest = text.substr(prefix.size());
  const std::size_t dot = rest.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot > max_layer_digits) return -1;
  if (dot > 1 && rest[0] == '0') return -1;
  int layer = -1;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + dot, layer);
  if (error != std::errc() || end != rest.data() + dot || layer < 0 || layer > max_layer) return -1;
  text = rest.substr(dot + 1);
  return layer;
}

/// Mixtures of experts: "ffn_up_exps" (all in one tensor) and "ffn_up.3" (one each) belong to ffn_up.
std::string_view without_expert(std::string_view name) {
  if (strip_suffix(name, "_exps")) return name;
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || !name.starts_with("ffn_")) return name;
  const std::string_view index = name.substr(dot + 1);
  const bool number =
      !index.empty() && std::ranges::all_of(index, [](char c) { return c >= '0' && c <= '9'; });
  return number ? name.substr(0, dot) : name;
}

bool is_integer(kernels::Format format) {
  using kernels::Format;
  return format == Format::I8 || format == Format::I16 || format == Format::I32 || format == Format::I64;
}

}  // namespace

std::string_view module_name(Module module) {
  return module_names[static_cast<std::size_t>(module)].text;
}

TensorRole role_of(const io::TensorInfo& tensor) {
  TensorRole role;
  std::string_view name = tensor.name;
  role.layer = strip_block(name);
  role.is_weight = strip_suffix(name, ".weight");
  if (!role.is_weight) strip_suffix(name, ".bias");
  name = without_expert(name);
  for (const Name& known : module_names)
    if (known.text == name) role.module = known.module;
  const auto long_dimensions = std::ranges::count_if(tensor.shape, [](std::uint64_t n) { return n > 1; });
  const bool norm = name.find("norm") != std::string_view::npos;
  role.is_matrix = role.is_weight && !norm && long_dimensions >= 2 && !is_integer(tensor.format);
  return role;
}

}  // namespace bitlens::model
