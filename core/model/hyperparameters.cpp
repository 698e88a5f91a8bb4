#include "core/model/hyperparameters.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace bitlens::model {

namespace {

constexpr std::uint64_t max_blocks = 65536;
constexpr std::uint64_t max_size = std::uint64_t{1}
                                   << 26;  ///< of width, heads, feed-forward width, head size
constexpr std::uint64_t max_context = std::numeric_limits<std::uint32_t>::max();

/// The elements of an integer array of any width, or nullopt. Negative elements become nullopt inside.
std::optional<std::vector<std::optional<std::uint64_t>>> integers(const io::MetadataArray& array) {
  return std::visit(
      [](const auto& elements) -> std::optional<std::vector<std::optional<std::uint64_t>>> {
        using Elements = std::decay_t<decltype(elements)>;
        if constexpr (std::is_same_v<Elements, io::BoolArray>) {
          return std::nullopt;
        } else if constexpr (!std::is_integral_v<typename Elements::value_type>) {
          return std::nullopt;
        } else {
          std::vector<std::optional<std::uint64_t>> values;
          values.reserve(elements.size());
          for (const auto element : elements) {
            if constexpr (std::is_signed_v<typename Elements::value_type>) {
              if (element < 0) {
                values.emplace_back(std::nullopt);
                continue;
              }
            }
            values.emplace_back(static_cast<std::uint64_t>(+element));
          }
          return values;
        }
      },
      array);
}

/// Reads keys below "llama."; the first error sticks, so that a list of keys reads as a list.
class KeyReader {
 public:
  explicit KeyReader(const io::ModelFile& file) : file_(file) {}

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] bool has(const std::string& name) const { return file_.metadata().has(key(name)); }

  void refuse(ErrorCode code, const std::string& name, std::string message) {
    if (!error_) error_ = Error{code, std::move(message), {file_.path(), key(name), {}}, nullptr};
  }

  std::uint32_t size(const std::string& name, std::uint64_t limit = max_size) {
    if (error_) return 0;
    return checked(name, limit, file_.metadata().get_uint(key(name)));
  }
  std::uint32_t size_or(const std::string& name, std::uint32_t otherwise) {
    return has(name) ? size(name) : otherwise;
  }
  /// One number for all blocks, written as a number or as an array with an equal entry for every block.
  std::uint32_t per_block(const std::string& name, std::uint32_t blocks) {
    if (error_) return 0;
    const io::MetadataValue* value = file_.metadata().find(key(name));
    const auto* array = value == nullptr ? nullptr : std::get_if<io::MetadataArray>(value);
    if (array == nullptr) return size(name);
    const auto entries = integers(*array);
    if (!entries) {
      refuse(ErrorCode::BadFile, name, "has the wrong element type, expected integers");
    } else if (entries->size() != blocks) {
      refuse(ErrorCode::BadFile, name,
             fmt::format("array has {} entries, expected {}", entries->size(), blocks));
    } else {
      for (std::size_t i = 0; i < entries->size(); ++i)
        if (!(*entries)[i] || *(*entries)[i] == 0)
          refuse(ErrorCode::BadFile, name, fmt::format("array entry {} is not a positive number", i));
      for (std::size_t i = 1; i < entries->size(); ++i)
        if ((*entries)[i] != entries->front())
          refuse(ErrorCode::Unsupported, name, "differs between blocks; such models cannot be run yet");
    }
    if (error_) return 0;
    return checked(name, max_size, *entries->front());
  }
  double positive(const std::string& name, double limit) {
    if (error_) return 0.0;
    const auto value = file_.metadata().get_float(key(name));
    if (!value) {
      take(value.error());
      return 0.0;
    }
    if (!(*value > 0.0) || !std::isfinite(*value) || *value > limit)
      refuse(ErrorCode::BadFile, name, fmt::format("is {}, must be a positive number", *value));
    return *value;
  }
  double positive_or(const std::string& name, double otherwise, double limit) {
    return has(name) ? positive(name, limit) : otherwise;
  }
  std::string text_or(const std::string& name, std::string otherwise) {
    if (error_ || !has(name)) return otherwise;
    auto value = file_.metadata().get_string(key(name));
    if (value) return *value;
    take(value.error());
    return otherwise;
  }
  std::uint64_t count_or_zero(const std::string& name) {
    if (error_ || !has(name)) return 0;
    const auto value = file_.metadata().get_uint(key(name));
    if (value) return *value;
    take(value.error());
    return 0;
  }

 private:
  static std::string key(const std::string& name) { return "llama." + name; }
  void take(Error error) {
    if (error_) return;
    error.code = ErrorCode::BadFile;  // a missing key is a fault of the file
    error.where.file = file_.path();
    error_ = std::move(error);
  }
  std::uint32_t checked(const std::string& name, std::uint64_t limit, Result<std::uint64_t> value) {
    if (!value) {
      take(value.error());
    } else if (*value == 0) {
      refuse(ErrorCode::BadFile, name, "is 0, must be at least 1");
    } else if (*value > limit) {
      refuse(ErrorCode::BadFile, name, fmt::format("{} is unreasonable (limit {})", *value, limit));
    } else {
      return static_cast<std::uint32_t>(*value);
    }
    return 0;
  }

  const io::ModelFile& file_;
  std::optional<Error> error_;
};

void read_rope(KeyReader& keys, LlamaParameters& p) {
  p.rope.freq_base = keys.positive_or("rope.freq_base", 10000.0, 1e18);
  p.rope.dimensions = keys.size_or("rope.dimension_count", p.head_dim);
  if (!keys.error() && p.rope.dimensions > p.head_dim)
    keys.refuse(ErrorCode::BadFile, "rope.dimension_count",
                fmt::format("is {}, must be at most the head size {}", p.rope.dimensions, p.head_dim));
  if (p.rope.dimensions % 2 != 0)
    keys.refuse(ErrorCode::BadFile, "rope.dimension_count",
                fmt::format("is {}, must be even", p.rope.dimensions));
  // Checked even where the type makes no use of it.
  const double factor = keys.positive_or("rope.scaling.factor", 1.0, 1e9);
  const std::string type = keys.text_or("rope.scaling.type", "linear");
  if (type == "linear") {
    p.rope.linear_factor = factor;
  } else if (type == "yarn" || type == "longrope") {
    keys.refuse(ErrorCode::Unsupported, "rope.scaling.type",
                fmt::format("rope scaling type \"{}\" cannot be run yet", type));
  } else if (type != "none") {
    keys.refuse(ErrorCode::BadFile, "rope.scaling.type",
                fmt::format("unknown rope scaling type \"{}\"", printable(type)));
  }
}

void read_keys(KeyReader& keys, LlamaParameters& p) {
  p.layers = keys.size("block_count", max_blocks);
  p.context = keys.size("context_length", max_context);
  p.width = keys.size("embedding_length");
  p.ffn_width = keys.per_block("feed_forward_length", p.layers);
  p.heads = keys.per_block("attention.head_count", p.layers);
  p.kv_heads =
      keys.has("attention.head_count_kv") ? keys.per_block("attention.head_count_kv", p.layers) : p.heads;
  p.rms_epsilon = static_cast<float>(keys.positive("attention.layer_norm_rms_epsilon", 1.0));
  if (keys.error()) return;
  if (p.kv_heads > p.heads || p.heads % p.kv_heads != 0)
    keys.refuse(ErrorCode::BadFile, "attention.head_count_kv",
                fmt::format("{} heads cannot share {} key/value heads", p.heads, p.kv_heads));
  if (keys.has("attention.key_length")) {
    p.head_dim = keys.size("attention.key_length");
  } else if (p.width % p.heads == 0) {
    p.head_dim = p.width / p.heads;
  } else {
    keys.refuse(ErrorCode::BadFile, "embedding_length",
                fmt::format("{} is not a multiple of {}", p.width, p.heads));
  }
  if (const auto values = keys.size_or("attention.value_length", p.head_dim);
      !keys.error() && values != p.head_dim)
    keys.refuse(
        ErrorCode::Unsupported, "attention.value_length",
        fmt::format("values of size {} beside keys of size {} cannot be run yet", values, p.head_dim));
  read_rope(keys, p);
  const std::uint64_t experts = keys.count_or_zero("expert_count"),
                      used = keys.count_or_zero("expert_used_count");
  if (used > experts)
    keys.refuse(ErrorCode::BadFile, "expert_used_count", fmt::format("{} of {} experts", used, experts));
  if (experts > 0)
    keys.refuse(ErrorCode::Unsupported, "expert_count", "mixtures of experts cannot be run yet");
  p.sliding_window =
      static_cast<std::uint32_t>(std::min(keys.count_or_zero("attention.sliding_window"), max_context));
}

/// Checks the tensors a run will read.
class TensorChecker {
 public:
  explicit TensorChecker(const io::ModelFile& file) : file_(file), used_(file.tensors().size(), false) {}

  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] const std::vector<bool>& used() const { return used_; }

  void require(const std::string& name, const std::vector<std::uint64_t>& shape) {
    if (!check(name, shape)) refuse(ErrorCode::BadFile, name, fmt::format("tensor \"{}\" is missing", name));
  }
  void allow(const std::string& name, const std::vector<std::uint64_t>& shape) { check(name, shape); }

 private:
  void refuse(ErrorCode code, const std::string& name, std::string message) {
    if (!error_) error_ = Error{code, std::move(message), {file_.path(), name, {}}, nullptr};
  }
  bool check(const std::string& name, const std::vector<std::uint64_t>& shape) {
    const auto index = file_.find_tensor(name);
    if (!index) return false;
    used_[*index] = true;
    const io::TensorInfo& tensor = file_.tensors()[*index];
    std::vector<std::uint64_t> actual = tensor.shape;
    while (actual.size() > shape.size() && actual.back() == 1) actual.pop_back();
    if (actual != shape)
      refuse(ErrorCode::BadFile, name,
             fmt::format("tensor \"{}\" is [{}], expected [{}]", name, fmt::join(tensor.shape, ", "),
                         fmt::join(shape, ", ")));
    const kernels::FormatInfo& format = kernels::info(tensor.format);
    if (!format.decodes)
      refuse(ErrorCode::Unsupported, name,
             fmt::format("tensor \"{}\" has type {}, which cannot be decoded yet", name, format.name));
    return true;
  }

  const io::ModelFile& file_;
  std::vector<bool> used_;
  std::optional<Error> error_;
};

void check_blocks(TensorChecker& check, const LlamaParameters& p) {
  const std::uint64_t width = p.width, ffn = p.ffn_width;
  const std::uint64_t queries = std::uint64_t{p.heads} * p.head_dim,
                      keys = std::uint64_t{p.kv_heads} * p.head_dim;
  for (std::uint32_t layer = 0; layer < p.layers && !check.error(); ++layer) {
    const auto name = [&](const char* rest) { return fmt::format("blk.{}.{}", layer, rest); };
    check.require(name("attn_norm.weight"), {width});
    check.require(name("attn_q.weight"), {width, queries});
    check.require(name("attn_k.weight"), {width, keys});
    check.require(name("attn_v.weight"), {width, keys});
    check.require(name("attn_output.weight"), {queries, width});
    check.require(name("ffn_norm.weight"), {width});
    check.require(name("ffn_gate.weight"), {width, ffn});
    check.require(name("ffn_up.weight"), {width, ffn});
    check.require(name("ffn_down.weight"), {ffn, width});
    check.allow(name("attn_q.bias"), {queries});
    check.allow(name("attn_k.bias"), {keys});
    check.allow(name("attn_v.bias"), {keys});
    check.allow(name("attn_output.bias"), {width});
    check.allow(name("ffn_gate.bias"), {ffn});
    check.allow(name("ffn_up.bias"), {ffn});
    check.allow(name("ffn_down.bias"), {width});
    check.allow(name("rope_freqs.weight"), {std::uint64_t{p.rope.dimensions} / 2});
  }
}

/// Tensors nothing reads: those whose role would change the result make the model one we cannot run.
Status check_unused(const io::ModelFile& file, const std::vector<bool>& used, const LlamaParameters& p,
                    std::vector<std::string>& warnings) {
  std::size_t extra = 0;
  std::string first;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) continue;
    const io::TensorInfo& tensor = file.tensors()[i];
    const TensorRole role = role_of(tensor);
    const bool inside = role.layer >= 0 && static_cast<std::uint32_t>(role.layer) < p.layers;
    const bool matters = role.module != Module::Other && (inside || role.layer < 0);
    if (matters || tensor.name.starts_with("rope_factors"))
      return fail(ErrorCode::Unsupported,
                  fmt::format("tensor \"{}\" is no part of the llama architecture as this program knows it",
                              printable(tensor.name)),
                  {file.path(), tensor.name, {}});
    if (extra++ == 0) first = printable(tensor.name);
  }
  if (extra > 0)
    warnings.push_back(fmt::format("{} tensor{} not used by the architecture, such as \"{}\"", extra,
                                   extra == 1 ? " is" : "s are", first));
  return {};
}

}  // namespace

std::optional<std::uint64_t> find_uint(const io::Metadata& metadata, const std::string& key) {
  const io::MetadataValue* value = metadata.find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* array = std::get_if<io::MetadataArray>(value)) {
    const auto entries = integers(*array);
    if (!entries || entries->empty()) return std::nullopt;
    const bool equal =
        std::ranges::all_of(*entries, [&](const auto& entry) { return entry == entries->front(); });
    return equal ? entries->front() : std::nullopt;
  }
  const auto number = metadata.get_uint(key);
  return number ? std::optional(*number) : std::nullopt;
}

Result<LlamaParameters> read_llama(const io::ModelFile& file, std::vector<std::string>& warnings) {
  LlamaParameters p;
  KeyReader keys(file);
  read_keys(keys, p);
  if (keys.error()) return tl::unexpected<Error>(*keys.error());

  const auto embedding = file.find_tensor("token_embd.weight");
  const std::uint64_t rows = embedding ? file.tensors()[*embedding].rows() : 0;
  if (rows > max_size)
    return fail(ErrorCode::BadFile, fmt::format("{} rows are unreasonable (limit {})", rows, max_size),
                {file.path(), "token_embd.weight", {}});
  TensorChecker check(file);
  check.require("token_embd.weight", {p.width, rows});
  check_blocks(check, p);
  check.require("output_norm.weight", {p.width});
  check.allow("output.weight", {p.width, rows});
  check.allow("rope_freqs.weight", {std::uint64_t{p.rope.dimensions} / 2});
  if (check.error()) return tl::unexpected<Error>(*check.error());
  p.vocabulary = static_cast<std::uint32_t>(rows);
  p.tied_output = !file.find_tensor("output.weight").has_value();

  constexpr const char* tokens_key = "tokenizer.ggml.tokens";
  if (const io::MetadataValue* tokens = file.metadata().find(tokens_key)) {
    const auto* array = std::get_if<io::MetadataArray>(tokens);
    if (array != nullptr && io::length_of(*array) != rows)
      return fail(ErrorCode::BadFile,
                  fmt::format("{} tokens but embedding has {} rows", io::length_of(*array), rows),
                  {file.path(), tokens_key, {}});
  }
  if (auto status = check_unused(file, check.used(), p, warnings); !status) return pass(status);
  return p;
}

}  // namespace bitlens::model
