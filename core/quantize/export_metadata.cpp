// Metadata of an exported file: the source's, and what the choices change in it.
#include <algorithm>
#include <map>

#include "core/quantize/recipe.h"
#include "core/quantize/tensor_kind.h"

namespace bitlens::quantize {

namespace {

/// The numbers of general.file_type (llama.h, enum llama_ftype): names that whole-file recipes go by, and the
/// format that most weights have in such a file.
struct FileType {
  std::string_view name;
  std::uint32_t number;
  Format format;
};
constexpr FileType kFileTypes[] = {
    // Of several with the same format, the plain one first.
    {"F32", 0, Format::F32},        {"F16", 1, Format::F16},          {"Q4_0", 2, Format::Q4_0},
    {"Q4_1", 3, Format::Q4_1},      {"Q8_0", 7, Format::Q8_0},        {"Q5_0", 8, Format::Q5_0},
    {"Q5_1", 9, Format::Q5_1},      {"Q2_K", 10, Format::Q2_K},       {"Q3_K_S", 11, Format::Q3_K},
    {"Q3_K_M", 12, Format::Q3_K},   {"Q3_K_L", 13, Format::Q3_K},     {"Q4_K_S", 14, Format::Q4_K},
    {"Q4_K_M", 15, Format::Q4_K},   {"Q5_K_S", 16, Format::Q5_K},     {"Q5_K_M", 17, Format::Q5_K},
    {"Q6_K", 18, Format::Q6_K},     {"IQ2_XXS", 19, Format::IQ2_XXS}, {"IQ2_XS", 20, Format::IQ2_XS},
    {"Q2_K_S", 21, Format::Q2_K},   {"IQ3_XXS", 23, Format::IQ3_XXS}, {"IQ1_S", 24, Format::IQ1_S},
    {"IQ4_NL", 25, Format::IQ4_NL}, {"IQ3_S", 26, Format::IQ3_S},     {"IQ2_S", 28, Format::IQ2_S},
    {"IQ4_XS", 30, Format::IQ4_XS}, {"IQ1_M", 31, Format::IQ1_M},     {"BF16", 32, Format::BF16},
    {"TQ1_0", 36, Format::TQ1_0},   {"TQ2_0", 37, Format::TQ2_0},     {"MXFP4", 38, Format::MXFP4},
    {"NVFP4", 39, Format::NVFP4},   {"Q1_0", 40, Format::Q1_0},       {"Q2_0", 41, Format::Q2_0}};

/// The format that holds more than half of the weights of all matrices, if there is one.
std::optional<Format> majority_format(const ResolvedRecipe& resolved, const io::ModelFile& file) {
  std::map<Format, std::uint64_t> weights;
  std::uint64_t total = 0;
  for (std::size_t t = 0; t < resolved.tensors.size(); ++t) {
    const io::TensorInfo& tensor = file.tensors()[t];
    if (is_norm_or_vector(tensor)) continue;
    weights[resolved.tensors[t].format] += tensor.elements();
    total += tensor.elements();
  }
  for (const auto& [format, count] : weights)
    if (count > total - count) return format;
  return std::nullopt;
}

/// What the recipe's name says, as long as a tensor has the format that it stands for; else "mostly this
/// format"; nullopt if no number names such a mixture.
std::optional<std::uint32_t> file_type(const ResolvedRecipe& resolved, const io::ModelFile& file) {
  const auto used = [&](Format format) {
    return std::ranges::any_of(resolved.tensors, [&](const TensorChoice& choice) {
      return choice.changed && choice.format == format;
    });
  };
  for (const FileType& type : kFileTypes)
    if (resolved.recipe.name == type.name && used(type.format)) return type.number;
  const auto majority = majority_format(resolved, file);
  for (const FileType& type : kFileTypes)
    if (majority == type.format) return type.number;
  return std::nullopt;
}

}  // namespace

io::Metadata export_metadata(const ResolvedRecipe& resolved, const io::ModelFile& file) {
  io::Metadata metadata = file.metadata();
  for (const char* key : {"split.no", "split.count", "split.tensors.count"}) metadata.erase(key);
  const auto& choices = resolved.tensors;
  if (std::any_of(choices.begin(), choices.end(),
                  [](const TensorChoice& choice) { return choice.changed; })) {
    if (const auto type = file_type(resolved, file))
      metadata.set("general.file_type", io::MetadataValue(*type));
    else
      metadata.erase("general.file_type");  // readers count the tensors then
  }
  if (std::any_of(choices.begin(), choices.end(),
                  [](const TensorChoice& choice) { return kernels::info(choice.format).block_size > 1; }))
    metadata.set("general.quantization_version", io::MetadataValue(std::uint32_t{2}));
  metadata.set("bitlens.recipe", io::MetadataValue(recipe_to_json(resolved.recipe)));
  metadata.set("bitlens.quantizer",
               io::MetadataValue(std::string(quantizer_name(resolved.default_quantizer))));
  if (std::any_of(choices.begin(), choices.end(),
                  [](const TensorChoice& choice) { return choice.weighted; })) {
    const Importance& importance = *resolved.importance;
    std::string datasets;
    for (const std::string& name : importance.datasets) datasets += (datasets.empty() ? "" : ", ") + name;
    metadata.set("quantize.imatrix.file", io::MetadataValue(importance.file));
    metadata.set("quantize.imatrix.dataset", io::MetadataValue(std::move(datasets)));
    metadata.set("quantize.imatrix.entries_count", io::MetadataValue(importance.entries));
    metadata.set("quantize.imatrix.chunks_count", io::MetadataValue(importance.chunks));
    metadata.set("bitlens.imatrix_sha256", io::MetadataValue(importance.sha256));
  }
  return metadata;
}

}  // namespace bitlens::quantize
