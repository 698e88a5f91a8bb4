// inspect MODEL: what is in a file, from its headers alone.
#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <type_traits>

#include "app/cli/command.h"
#include "app/cli/options.h"
#include "app/cli/table.h"
#include "core/study/session.h"

namespace bitlens::cli {

namespace {

using nlohmann::ordered_json;

constexpr const char* kHelp =
    "Reads headers only. The one command that also opens files with invalid hyperparameters or empty "
    "tensors.\n"
    "\nJSON KEYS\n"
    "  path, gguf_version, alignment, file_bytes, shards; architecture, name, size_label, license, "
    "parameters, layers,\n"
    "  bits_per_weight; hyperparameters {context, width, ffn_width, heads, kv_heads, head_dim, vocabulary, "
    "and for the\n"
    "  llama family rms_epsilon, rope_freq_base, rope_dimensions, rope_linear_factor, tied_output}; "
    "runnable,\n"
    "  not_runnable_reason; tokenizer {description, size, adds_bos, bos} or {error}; formats [{type, "
    "tensors, bytes}];\n"
    "  tensors [{name, shape, type, elements, bytes, shard, offset, role, layer}] with the innermost "
    "dimension first and\n"
    "  absolute byte offsets; metadata {key: {type, value} or {type, element_type, count, first}}; warnings";

constexpr std::size_t kFirstItems = 10;  // of an array, in JSON
constexpr std::size_t kTextItems = 5;    // of an array, in text

/// The shortest decimal that reads back as the same float, as a JSON number.
double plain(float value) {
  return std::strtod(fmt::format("{}", value).c_str(), nullptr);
}

template <typename T>
ordered_json scalar_json(const T& value) {
  if constexpr (std::is_same_v<T, float>)
    return plain(value);
  else
    return value;
}

template <typename T>
std::string scalar_text(const T& value) {
  if constexpr (std::is_same_v<T, std::string>)
    return fmt::format("\"{}\"", printable(value, 60));
  else
    return fmt::format("{}", value);
}

const char* type_name_of(io::MetadataType type) {
  return io::metadata_type_name(type);
}

struct ArrayView {
  std::size_t count = 0;
  ordered_json first = ordered_json::array();
  std::string text;  // of the first items
};

ArrayView view_of(const io::MetadataArray& array) {
  ArrayView out;
  const auto look = [&](const auto& values, auto&& convert) {
    out.count = values.size();
    for (std::size_t i = 0; i < std::min(values.size(), kFirstItems); ++i) {
      const auto value = convert(values[i]);
      out.first.push_back(scalar_json(value));
      if (i < kTextItems) out.text += (i > 0 ? ", " : "") + scalar_text(value);
    }
    if (out.count > kTextItems) out.text += ", ...";
  };
  std::visit(
      [&](const auto& values) {
        using Values = std::decay_t<decltype(values)>;
        if constexpr (std::is_same_v<Values, io::BoolArray>)
          look(values.values, [](std::uint8_t value) { return value != 0; });
        else
          look(values, [](const auto& value) { return value; });
      },
      array);
  return out;
}

ordered_json metadata_json(const io::MetadataValue& value) {
  ordered_json out;
  out["type"] = type_name_of(io::type_of(value));
  std::visit(
      [&](const auto& held) {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, io::MetadataArray>) {
          ArrayView view = view_of(held);
          out["element_type"] = type_name_of(io::element_type_of(held));
          out["count"] = view.count;
          out["first"] = std::move(view.first);
        } else {
          out["value"] = scalar_json(held);
        }
      },
      value);
  return out;
}

std::string metadata_text(const io::MetadataValue& value) {
  return std::visit(
      [&](const auto& held) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, io::MetadataArray>) {
          const ArrayView view = view_of(held);
          return fmt::format("{} x {}: [{}]", view.count, type_name_of(io::element_type_of(held)), view.text);
        } else {
          return scalar_text(held);
        }
      },
      value);
}

void put(ordered_json& target, const char* key, const std::optional<std::uint64_t>& value) {
  if (value) target[key] = *value;
}

ordered_json hyperparameters_json(const model::Model& model) {
  const model::Summary& summary = model.summary();
  ordered_json out = ordered_json::object();
  put(out, "context", summary.context);
  put(out, "width", summary.width);
  put(out, "ffn_width", summary.ffn_width);
  put(out, "heads", summary.heads);
  put(out, "kv_heads", summary.kv_heads);
  put(out, "head_dim", summary.head_dim);
  put(out, "vocabulary", summary.vocabulary);
  if (const auto& llama = model.llama()) {
    out["rms_epsilon"] = plain(llama->rms_epsilon);
    out["rope_freq_base"] = llama->rope.freq_base;
    out["rope_dimensions"] = llama->rope.dimensions;
    out["rope_linear_factor"] = llama->rope.linear_factor;
    out["tied_output"] = llama->tied_output;
  }
  return out;
}

ordered_json tokenizer_json(const study::ModelSession& session) {
  if (!session.tokenizer) return {{"error", session.tokenizer.error().describe()}};
  const tokenizer::Tokenizer& tokenizer = **session.tokenizer;
  ordered_json out{{"description", tokenizer.description()},
                   {"size", tokenizer.size()},
                   {"adds_bos", tokenizer.adds_bos()}};
  out["bos"] = tokenizer.bos() ? ordered_json(*tokenizer.bos()) : ordered_json(nullptr);
  return out;
}

struct FormatUse {
  std::size_t tensors = 0;
  std::uint64_t bytes = 0;
};

struct Totals {
  std::map<kernels::Format, FormatUse> formats;
  std::uint64_t bytes = 0, elements = 0;
  [[nodiscard]] double bits_per_weight() const {
    return elements == 0 ? 0 : 8 * static_cast<double>(bytes) / static_cast<double>(elements);
  }
};

Totals totals_of(const io::ModelFile& file) {
  Totals out;
  for (const io::TensorInfo& tensor : file.tensors()) {
    FormatUse& use = out.formats[tensor.format];
    ++use.tensors;
    use.bytes += tensor.bytes;
    out.bytes += tensor.bytes;
    out.elements += tensor.elements();
  }
  return out;
}

ordered_json to_json(const study::ModelSession& session, const Totals& totals) {
  const io::ModelFile& file = session.file();
  const model::Summary& summary = session.model->summary();
  ordered_json out;
  out["path"] = file.path();
  out["gguf_version"] = file.version();
  out["alignment"] = file.alignment();
  out["file_bytes"] = file.file_bytes();
  out["shards"] = file.shard_paths();
  out["architecture"] = summary.architecture;
  out["name"] = summary.name;
  out["size_label"] = summary.size_label;
  out["license"] = summary.license;
  out["parameters"] = summary.parameters;
  out["layers"] = summary.layers;
  out["bits_per_weight"] = totals.bits_per_weight();
  out["hyperparameters"] = hyperparameters_json(*session.model);
  const auto& llama = session.model->llama();
  out["runnable"] = llama.has_value();
  out["not_runnable_reason"] = llama ? ordered_json(nullptr) : ordered_json(llama.error().describe());
  out["tokenizer"] = tokenizer_json(session);
  out["formats"] = ordered_json::array();
  for (const auto& [format, use] : totals.formats)
    out["formats"].push_back(
        {{"type", kernels::info(format).name}, {"tensors", use.tensors}, {"bytes", use.bytes}});
  auto& tensors = out["tensors"] = ordered_json::array();
  for (std::size_t i = 0; i < file.tensors().size(); ++i) {
    const io::TensorInfo& tensor = file.tensors()[i];
    const model::TensorRole& role = session.model->role(i);
    tensors.push_back({{"name", tensor.name},
                       {"shape", tensor.shape},
                       {"type", kernels::info(tensor.format).name},
                       {"elements", tensor.elements()},
                       {"bytes", tensor.bytes},
                       {"shard", tensor.shard},
                       {"offset", tensor.file_offset},
                       {"role", model::module_name(role.module)},
                       {"layer", role.layer >= 0 ? ordered_json(role.layer) : ordered_json(nullptr)}});
  }
  auto& metadata = out["metadata"] = ordered_json::object();
  for (const io::MetadataEntry& entry : file.metadata().entries())
    metadata[entry.key] = metadata_json(entry.value);
  return out;
}

std::string to_text(const study::ModelSession& session, const Totals& totals) {
  const io::ModelFile& file = session.file();
  const model::Summary& summary = session.model->summary();
  Facts facts;
  facts.add("File", printable(file.path(), 1000));
  if (file.shard_paths().size() > 1) facts.add("Shards", fmt::format("{}", file.shard_paths().size()));
  facts.add("Format", fmt::format("GGUF {}, data aligned to {} bytes", file.version(), file.alignment()));
  facts.add("Size", fmt::format("{}, {:.3f} bits per weight", exact_bytes(file.file_bytes()),
                                totals.bits_per_weight()));
  facts.add("Name", printable(summary.name));
  facts.add("Architecture", printable(summary.architecture));
  if (!summary.license.empty()) facts.add("License", printable(summary.license));
  facts.add("Parameters", fmt::format("{} in {} tensors, {} layers", summary.parameters,
                                      file.tensors().size(), summary.layers));
  const auto hyperparameters = hyperparameters_json(*session.model);
  for (const auto& [key, value] : hyperparameters.items()) facts.add("  " + key, value.dump());
  if (session.tokenizer) {
    const tokenizer::Tokenizer& tokenizer = **session.tokenizer;
    facts.add("Tokenizer", fmt::format("{}, {} tokens, {}", printable(tokenizer.description()),
                                       tokenizer.size(), tokenizer.adds_bos() ? "adds BOS" : "adds no BOS"));
  } else {
    facts.add("Tokenizer", "none usable: " + session.tokenizer.error().describe());
  }
  const auto& llama = session.model->llama();
  facts.add("Can be measured", llama ? "yes" : "no: " + llama.error().describe());
  std::string out = facts.render();

  Table formats({{"Type"}, {"Tensors", Align::Right}, {"Bytes", Align::Right}});
  for (const auto& [format, use] : totals.formats)
    formats.add({std::string(kernels::info(format).name), fmt::format("{}", use.tensors),
                 fmt::format("{}", use.bytes)});
  out += "\n" + formats.render();

  Table metadata({{"Metadata"}, {"Type"}, {"Value"}});
  for (const io::MetadataEntry& entry : file.metadata().entries())
    metadata.add({printable(entry.key), type_name_of(io::type_of(entry.value)), metadata_text(entry.value)});
  out += "\n" + metadata.render();

  Table tensors({{"Tensor"},
                 {"Shape", Align::Right},
                 {"Type"},
                 {"Bytes", Align::Right},
                 {"Offset", Align::Right},
                 {"Role"}});
  for (std::size_t i = 0; i < file.tensors().size(); ++i) {
    const io::TensorInfo& tensor = file.tensors()[i];
    tensors.add({printable(tensor.name), shape_text(tensor.shape),
                 std::string(kernels::info(tensor.format).name), fmt::format("{}", tensor.bytes),
                 fmt::format("{}", tensor.file_offset),
                 std::string(model::module_name(session.model->role(i).module))});
  }
  return out + "\n" + tensors.render();
}

}  // namespace

Command add_inspect(CLI::App& parent) {
  CLI::App* app =
      parent.add_subcommand("inspect", "Show what is in a model file: architecture, metadata, tensors");
  app->footer(kHelp);
  auto model = std::make_shared<std::string>();
  add_model(*app, *model);
  return {app, [model](const Environment& environment) -> Result<Output> {
            const auto session = study::open_model(*model, true);
            if (!session) return pass(session);
            const Totals totals = totals_of((*session)->file());
            Output out;
            out.warnings = model_warnings(**session);
            if (environment.json)
              out.json = to_json(**session, totals);
            else
              out.text = to_text(**session, totals);
            return out;
          }};
}

}  // namespace bitlens::cli
