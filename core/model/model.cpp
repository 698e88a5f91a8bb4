#include "core/model/model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "core/model/hyperparameters.h"

namespace bitlens::model {

namespace {

std::string text(const io::Metadata& metadata, const char* key) {
  const auto value = metadata.get_string(key);
  return value ? *value : std::string();
}

Summary summarize(const io::ModelFile& file, const std::vector<TensorRole>& roles) {
  const io::Metadata& metadata = file.metadata();
  Summary summary;
  summary.architecture = text(metadata, "general.architecture");
  summary.name = text(metadata, "general.name");
  summary.size_label = text(metadata, "general.size_label");
  summary.license = text(metadata, "general.license");
  const auto number = [&](const char* name) {
    return find_uint(metadata, summary.architecture + "." + name);
  };
  summary.context = number("context_length");
  summary.width = number("embedding_length");
  summary.ffn_width = number("feed_forward_length");
  summary.heads = number("attention.head_count");
  summary.kv_heads = number("attention.head_count_kv");
  if (!summary.kv_heads) summary.kv_heads = summary.heads;
  summary.head_dim = number("attention.key_length");
  if (!summary.head_dim && summary.width && summary.heads && *summary.heads > 0 &&
      *summary.width % *summary.heads == 0)
    summary.head_dim = *summary.width / *summary.heads;
  summary.vocabulary = number("vocab_size");
  for (std::size_t i = 0; i < roles.size(); ++i) {
    const io::TensorInfo& tensor = file.tensors()[i];
    summary.parameters += tensor.elements();
    summary.layers = std::max(summary.layers, static_cast<std::uint32_t>(roles[i].layer + 1));
    if (roles[i].module == Module::TokenEmbedding && roles[i].is_weight) summary.vocabulary = tensor.rows();
  }
  if (!summary.vocabulary) {
    const io::MetadataValue* tokens = metadata.find("tokenizer.ggml.tokens");
    if (const auto* array = tokens == nullptr ? nullptr : std::get_if<io::MetadataArray>(tokens))
      summary.vocabulary = io::length_of(*array);
  }
  return summary;
}

/// Files that hold something else than a model, although in the same container.
Status check_kind(const io::ModelFile& file) {
  const auto type = file.metadata().get_string("general.type");
  if (!type || *type == "model") return {};
  std::string what = fmt::format("a file of type \"{}\"", printable(*type, 40));
  if (*type == "imatrix") what = "an importance matrix";
  if (*type == "adapter") what = "an adapter";
  if (*type == "mmproj") what = "a multimodal projector";
  return fail(ErrorCode::Unsupported, fmt::format("this file is {}, not a model", what),
              {file.path(), {}, {}});
}

std::optional<Error> find_empty_tensor(const io::ModelFile& file) {
  for (const io::TensorInfo& tensor : file.tensors())
    if (tensor.elements() == 0)
      return Error{
          ErrorCode::BadFile,
          fmt::format("tensor \"{}\" is empty ([{}])", printable(tensor.name), fmt::join(tensor.shape, ", ")),
          {file.path(), tensor.name, {}},
          nullptr};
  return std::nullopt;
}

std::optional<std::size_t> entry(const std::array<std::int64_t, 32>& table, Module module) {
  const std::int64_t index = table[static_cast<std::size_t>(module)];
  return index < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(index));
}

}  // namespace

std::optional<std::size_t> Model::block_tensor(int layer, Module module) const {
  if (layer < 0 || static_cast<std::size_t>(layer) >= blocks_.size()) return std::nullopt;
  return entry(blocks_[static_cast<std::size_t>(layer)], module);
}

std::optional<std::size_t> Model::global_tensor(Module module) const {
  return entry(globals_, module);
}

std::optional<std::uint64_t> Model::kv_cache_bytes(std::uint64_t context, double bits) const {
  if (!llama_) return std::nullopt;
  const double bytes =
      2.0 * llama_->layers * llama_->kv_heads * llama_->head_dim * static_cast<double>(context) * bits / 8.0;
  if (!(bytes >= 0.0) || bytes >= 0x1p63) return std::nullopt;
  return static_cast<std::uint64_t>(std::ceil(bytes));
}

Result<std::shared_ptr<const Model>> make_model(std::shared_ptr<const io::ModelFile> file) {
  if (auto status = check_kind(*file); !status) return pass(status);
  auto model = std::shared_ptr<Model>(new Model());
  model->file_ = std::move(file);
  const std::vector<io::TensorInfo>& tensors = model->file_->tensors();

  model->roles_.reserve(tensors.size());
  for (const io::TensorInfo& tensor : tensors) model->roles_.push_back(role_of(tensor));
  model->summary_ = summarize(*model->file_, model->roles_);

  std::array<std::int64_t, 32> nothing{};
  nothing.fill(-1);
  model->globals_ = nothing;
  model->blocks_.assign(model->summary_.layers, nothing);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TensorRole& role = model->roles_[i];
    if (!role.is_weight || role.module == Module::Other) continue;
    auto& table = role.layer < 0 ? model->globals_ : model->blocks_[static_cast<std::size_t>(role.layer)];
    std::int64_t& slot = table[static_cast<std::size_t>(role.module)];
    if (slot < 0) slot = static_cast<std::int64_t>(i);
  }

  const std::string& architecture = model->summary_.architecture;
  if (auto empty = find_empty_tensor(*model->file_)) {
    model->llama_ = tl::unexpected<Error>(std::move(*empty));
  } else if (architecture == "llama") {
    model->llama_ = read_llama(*model->file_, model->warnings_);
  } else {
    model->llama_ =
        fail(ErrorCode::Unsupported,
             fmt::format("architecture \"{}\" cannot be run; it can be inspected, measured by its weights "
                         "and exported",
                         printable(architecture, 60)),
             {model->file_->path(), "general.architecture", {}});
  }
  model->invalid_ = !model->llama_ && model->llama_.error().code == ErrorCode::BadFile;
  return model;
}

}  // namespace bitlens::model
