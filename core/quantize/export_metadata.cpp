// Metadata of an exported file: the source's, and what the choices change in it.
#include <algorithm>
#include <map>

#include "core/quantize/recipe.h"
#include "core/quantize/tensor_kind.h"

namespace bitlens::quantize {

namespace {

/// The general.file_type number of "mostly this format" (llama.h, enum llama_ftype); nullopt if it has none.
std::optional<std::uint32_t> file_type(Format format) {
  switch (format) {
    case Format::F32:
      return 0;
    case Format::F16:
      return 1;
    case Format::Q4_0:
      return 2;
    case Format::Q4_1:
      return 3;
    case Format::Q8_0:
      return 7;
    case Format::Q5_0:
      return 8;
    case Format::Q5_1:
      return 9;
    case Format::Q2_K:
      return 10;
    case Format::Q3_K:
      return 11;
    case Format::Q4_K:
      return 14;
    case Format::Q5_K:
      return 16;
    case Format::Q6_K:
      return 18;
    case Format::IQ2_XXS:
      return 19;
    case Format::IQ2_XS:
      return 20;
    case Format::IQ3_XXS:
      return 23;
    case Format::IQ1_S:
      return 24;
    case Format::IQ4_NL:
      return 25;
    case Format::IQ3_S:
      return 26;
    case Format::IQ2_S:
      return 28;
    case Format::IQ4_XS:
      return 30;
    case Format::IQ1_M:
      return 31;
    case Format::BF16:
      return 32;
    case Format::TQ1_0:
      return 36;
    case Format::TQ2_0:
      return 37;
    case Format::MXFP4:
      return 38;
    default:
      return std::nullopt;
  }
}

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

}  // namespace

io::Metadata export_metadata(const ResolvedRecipe& resolved, const io::ModelFile& file) {
  io::Metadata metadata = file.metadata();
  for (const char* key : {"split.no", "split.count", "split.tensors.count"}) metadata.erase(key);
  const auto& choices = resolved.tensors;
  if (std::any_of(choices.begin(), choices.end(),
                  [](const TensorChoice& choice) { return choice.changed; })) {
    const auto majority = majority_format(resolved, file);
    const auto type = majority ? file_type(*majority) : std::nullopt;
    if (type)
      metadata.set("general.file_type", io::MetadataValue(*type));
    else
      metadata.erase("general.file_type");  // no number names such a mixture; readers count the tensors then
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
