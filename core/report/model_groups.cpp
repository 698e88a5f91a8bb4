// Groups /model, /recipe and /sizes, and the attributes of the whole file.
#include "core/report/groups.h"

#include "core/quantize/recipe.h"
#include "kernels/formats/format.h"

namespace bitlens::report {

namespace {

constexpr std::int64_t kSchemaVersion = 1;

/// One number or text per tensor.
template <typename T, typename F>
std::vector<T> per_tensor(const ReportInput& input, F&& value) {
  std::vector<T> out;
  for (std::size_t t = 0; t < input.tensors.size(); ++t) out.push_back(value(t));
  return out;
}

std::string format_name(kernels::Format format) {
  return std::string(kernels::info(format).name);
}

double bits_per_weight(std::uint64_t bytes, std::uint64_t elements) {
  return elements > 0 ? 8.0 * static_cast<double>(bytes) / static_cast<double>(elements) : 0.0;
}

std::vector<std::int64_t> numbers(std::size_t count, std::int64_t first) {
  std::vector<std::int64_t> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = first + static_cast<std::int64_t>(i);
  return out;
}

void add_if_known(std::vector<Attribute>& attributes, const char* name,
                  const std::optional<std::uint64_t>& value) {
  if (value) attributes.push_back({name, static_cast<std::int64_t>(*value)});
}

/// The recipe, or one that keeps everything where there is none.
quantize::ResolvedRecipe recipe_of(const ReportInput& input) {
  if (input.recipe) return *input.recipe;
  quantize::ResolvedRecipe unchanged;
  unchanged.recipe.name = "the file as it is";
  unchanged.file_bytes = input.model_file_bytes;
  std::uint64_t bytes = 0;
  for (const io::TensorInfo& tensor : input.tensors) {
    quantize::TensorChoice choice;
    choice.source = choice.format = tensor.format;
    choice.bytes = tensor.bytes;
    unchanged.tensors.push_back(choice);
    unchanged.weights += tensor.elements();
    bytes += tensor.bytes;
  }
  unchanged.bits_per_weight = bits_per_weight(bytes, unchanged.weights);
  return unchanged;
}

}  // namespace

void add_tensor_dimension(Hdf5File& file, const ReportInput& input) {
  file.dimension("tensor",
                 per_tensor<std::string>(input, [&](std::size_t t) { return input.tensors[t].name; }),
                 {"tensor name, in file order"});
  file.variable("layer", {"tensor"},
                per_tensor<std::int32_t>(input, [&](std::size_t t) { return input.roles[t].layer; }),
                {"block index, -1 outside the blocks"});
  file.variable(
      "module", {"tensor"},
      per_tensor<std::string>(
          input, [&](std::size_t t) { return std::string(model::module_name(input.roles[t].module)); }),
      {"module of the model the tensor belongs to"});
}

void write_root(Hdf5File& file, const ReportInput& input) {
  file.attributes({{"Conventions", std::string("CF-1.8")},
                   {"title", "Quantization report of " + input.summary.name},
                   {"schema", std::string("bitlens-report")},
                   {"schema_version", kSchemaVersion},
                   {"source", input.program},
                   {"created", input.time},
                   {"model_path", input.model_path},
                   {"model_sha256", input.model_sha256},
                   {"instruction_set", input.instruction_set},
                   {"threads", std::int64_t{input.threads}}});
}

void write_model(Hdf5File& file, const ReportInput& input) {
  const model::Summary& summary = input.summary;
  std::vector<Attribute> attributes{{"path", input.model_path},
                                    {"sha256", input.model_sha256},
                                    {"file_bytes", static_cast<std::int64_t>(input.model_file_bytes)},
                                    {"architecture", summary.architecture},
                                    {"name", summary.name},
                                    {"size_label", summary.size_label},
                                    {"license", summary.license},
                                    {"parameters", static_cast<std::int64_t>(summary.parameters)},
                                    {"layers", std::int64_t{summary.layers}}};
  add_if_known(attributes, "context", summary.context);
  add_if_known(attributes, "width", summary.width);
  add_if_known(attributes, "ffn_width", summary.ffn_width);
  add_if_known(attributes, "heads", summary.heads);
  add_if_known(attributes, "kv_heads", summary.kv_heads);
  add_if_known(attributes, "head_dim", summary.head_dim);
  add_if_known(attributes, "vocabulary", summary.vocabulary);
  file.group("model", attributes);
  add_tensor_dimension(file, input);
  file.variable(
      "format", {"tensor"},
      per_tensor<std::string>(input, [&](std::size_t t) { return format_name(input.tensors[t].format); }),
      {"format the tensor is stored in"});
  file.variable("elements", {"tensor"},
                per_tensor<std::uint64_t>(input, [&](std::size_t t) { return input.tensors[t].elements(); }),
                {"number of weights"});
  file.variable("bytes", {"tensor"},
                per_tensor<std::uint64_t>(input, [&](std::size_t t) { return input.tensors[t].bytes; }),
                {"size of the data in the file, padding excluded", "byte"});
  constexpr std::size_t kDimensions = 4;
  file.dimension("axis", numbers(kDimensions, 0),
                 {"dimension of a tensor, 0 is the innermost (the row length)"});
  std::vector<std::uint64_t> shape;
  for (const io::TensorInfo& tensor : input.tensors)
    for (std::size_t i = 0; i < kDimensions; ++i)
      shape.push_back(i < tensor.shape.size() ? tensor.shape[i] : 1);
  file.variable("shape", {"tensor", "axis"}, shape, {"length of each dimension, 1 where there is none"});
  std::vector<std::string> keys, values;
  for (const auto& [key, value] : input.metadata) {
    keys.push_back(key);
    values.push_back(value);
  }
  file.dimension("metadata_key", keys, {"metadata key of the file, in file order"});
  file.variable("metadata_value", {"metadata_key"}, values, {"its value as text; arrays by type and length"});
}

void write_recipe(Hdf5File& file, const ReportInput& input) {
  const quantize::ResolvedRecipe resolved = recipe_of(input);
  const quantize::Recipe& recipe = resolved.recipe;
  const auto choice_name = [](quantize::FormatChoice choice) {
    return choice ? format_name(*choice) : std::string("keep");
  };
  std::vector<Attribute> attributes{
      {"name", recipe.name},
      {"json", quantize::recipe_to_json(recipe)},
      {"default", choice_name(recipe.fallback)},
      {"default_quantizer", std::string(quantize::quantizer_name(resolved.default_quantizer))}};
  if (resolved.importance) {
    attributes.push_back({"imatrix", resolved.importance->file});
    attributes.push_back({"imatrix_sha256", resolved.importance->sha256});
  }
  if (!resolved.warnings.empty()) attributes.push_back({"warnings", resolved.warnings});
  file.group("recipe", attributes);
  add_tensor_dimension(file, input);
  const auto choice = [&](std::size_t t) -> const quantize::TensorChoice& { return resolved.tensors[t]; };
  file.variable("source_format", {"tensor"},
                per_tensor<std::string>(input, [&](std::size_t t) { return format_name(choice(t).source); }),
                {"format before"});
  file.variable("format", {"tensor"},
                per_tensor<std::string>(input, [&](std::size_t t) { return format_name(choice(t).format); }),
                {"format after the recipe"});
  file.variable(
      "quantizer", {"tensor"},
      per_tensor<std::string>(input,
                              [&](std::size_t t) {
                                return std::string(
                                    choice(t).changed ? quantize::quantizer_name(choice(t).quantizer) : "");
                              }),
      {"how the weights are rounded; empty where nothing changes"});
  file.variable(
      "changed", {"tensor"},
      Flags{per_tensor<std::int8_t>(
          input, [&](std::size_t t) { return static_cast<std::int8_t>(choice(t).changed ? 1 : 0); })},
      {"whether the format changes"});
  file.variable(
      "weighted", {"tensor"},
      Flags{per_tensor<std::int8_t>(
          input, [&](std::size_t t) { return static_cast<std::int8_t>(choice(t).weighted ? 1 : 0); })},
      {"whether rounding weighs columns by the importance matrix"});
  file.variable("rule", {"tensor"},
                per_tensor<std::int32_t>(
                    input, [&](std::size_t t) { return choice(t).rule >= 0 ? choice(t).rule + 1 : 0; }),
                {"number of the rule that decided, 0 the default"});
  std::vector<std::string> globs, formats, quantizers;
  for (const quantize::Rule& rule : recipe.rules) {
    globs.push_back(rule.tensor);
    formats.push_back(choice_name(rule.format));
    quantizers.emplace_back(rule.quantizer ? quantize::quantizer_name(*rule.quantizer) : "");
  }
  file.dimension("rule_number", numbers(globs.size(), 1), {"rule of the recipe, the first match wins"});
  file.variable("rule_tensor", {"rule_number"}, globs, {"glob over tensor names"});
  file.variable("rule_format", {"rule_number"}, formats, {"format it asks for"});
  file.variable("rule_quantizer", {"rule_number"}, quantizers, {"its quantizer; empty: the default one"});
}

void write_sizes(Hdf5File& file, const ReportInput& input) {
  std::uint64_t weights = 0;
  std::uint64_t source = 0;
  for (const io::TensorInfo& tensor : input.tensors) {
    weights += tensor.elements();
    source += tensor.bytes;
  }
  const quantize::ResolvedRecipe resolved = recipe_of(input);
  std::vector<Attribute> attributes{{"weights", static_cast<std::int64_t>(weights)},
                                    {"source_file_bytes", static_cast<std::int64_t>(input.model_file_bytes)},
                                    {"source_bits_per_weight", bits_per_weight(source, weights)}};
  attributes.push_back({"file_bytes", static_cast<std::int64_t>(resolved.file_bytes)});
  attributes.push_back({"bits_per_weight", resolved.bits_per_weight});
  file.group("sizes", attributes);
  add_tensor_dimension(file, input);
  file.variable("elements", {"tensor"},
                per_tensor<std::uint64_t>(input, [&](std::size_t t) { return input.tensors[t].elements(); }),
                {"number of weights"});
  const auto add = [&](const std::string& prefix, const std::string& when, const auto& bytes_of) {
    file.variable(prefix + "bytes", {"tensor"}, per_tensor<std::uint64_t>(input, bytes_of),
                  {"size of the data " + when + ", padding excluded", "byte"});
    file.variable(
        prefix + "bits_per_weight", {"tensor"},
        per_tensor<double>(
            input, [&](std::size_t t) { return bits_per_weight(bytes_of(t), input.tensors[t].elements()); }),
        {"8 * bytes / elements " + when, "bit"});
  };
  add("source_", "in the file", [&](std::size_t t) { return input.tensors[t].bytes; });
  add("", "after the recipe", [&](std::size_t t) { return resolved.tensors[t].bytes; });
}

}  // namespace bitlens::report
