#include "core/study/study.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/atomic_file.h"
#include "core/importance/imatrix.h"
#include "core/study/result_json.h"
#include "core/study/sensitivity_json.h"

namespace bitlens::study {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMaxBytes = 512U << 20U;  // mostly samples of responses
constexpr std::uint64_t kMaxU32 = 0xFFFFFFFFU;

const char* use_name(TextUse use) {
  return use == TextUse::Evaluation ? "evaluation" : "calibration";
}

/// An error with a text of its own: a newer file is not damaged.
Status check_version(const json& root, const std::string& file) {
  const auto version = root.is_object() ? root.find("bitlens_study") : root.end();
  if (!root.is_object() || version == root.end())
    return fail(ErrorCode::BadFile, "not a Bitlens study: \"bitlens_study\" is missing", {file, "", {}});
  if (!version->is_number_unsigned() || *version == 0)
    return fail(ErrorCode::BadFile,
                fmt::format("version {} found; expected a whole number from 1 to {}",
                            printable(version->dump(), 40), Study::kVersion),
                {file, "bitlens_study", {}});
  if (*version > Study::kVersion)
    return fail(ErrorCode::Unsupported,
                fmt::format("written by a newer version ({}); this program reads up to {}",
                            version->get<std::uint64_t>(), Study::kVersion),
                {file, "bitlens_study", {}});
  return {};
}

ordered_json sweep_to_json(const SweepPlan& sweep) {
  ordered_json formats = ordered_json::array();
  for (const kernels::Format format : sweep.formats) formats.push_back(kernels::info(format).name);
  return {{"formats", std::move(formats)}, {"samples", sweep.samples},      {"context", sweep.context},
          {"windows", sweep.windows},      {"measure", sweep.measure},      {"adaptive", sweep.adaptive},
          {"scores", sweep.scores},        {"unfinished", sweep.unfinished}};
}

bool read_flag(ObjectReader& reader, const char* key) {
  const json& value = reader.any(key);
  if (!value.is_boolean()) reader.document().fail_at(reader.path_of(key), "must be true or false");
  return value.is_boolean() && value.get<bool>();
}

SweepPlan read_sweep(ObjectReader reader) {
  SweepPlan out;
  for (const std::string& name : reader.strings("formats")) {
    const kernels::FormatInfo* format = kernels::find_format(std::string_view(name));
    if (format == nullptr)
      reader.document().fail_at(reader.path_of("formats"), "unknown format \"" + printable(name, 80) + "\"");
    else
      out.formats.push_back(format->format);
  }
  constexpr std::uint64_t kMostSamples = 1'000'000;
  out.samples = std::max<std::uint64_t>(1, reader.unsigned_number("samples", kMostSamples));
  out.context = static_cast<std::uint32_t>(reader.unsigned_number("context", kMaxU32));
  out.windows = static_cast<std::uint32_t>(reader.unsigned_number("windows", kMaxU32));
  out.measure = read_flag(reader, "measure");
  out.adaptive = read_flag(reader, "adaptive");
  out.scores = read_flag(reader, "scores");
  out.unfinished = read_flag(reader, "unfinished");
  reader.end();
  return out;
}

}  // namespace

std::string study_to_json(const Study& study) {
  ordered_json out;
  out["bitlens_study"] = Study::kVersion;
  out["model"] = {{"path", study.model_path}, {"sha256", study.model_sha256}};
  out["texts"] = ordered_json::array();
  for (const TextReference& text : study.texts)
    out["texts"].push_back({{"path", text.path}, {"sha256", text.sha256}, {"use", use_name(text.use)}});
  out["options"] = {{"protocol", evaluate::protocol_name(study.options.protocol)},
                    {"context", study.options.context},
                    {"windows", study.options.windows},
                    {"activations", evaluate::activations_name(study.options.activations)},
                    {"compute", evaluate::compute_name(study.options.compute)},
                    {"quantizer", quantize::quantizer_name(study.quantizer)}};
  if (study.imatrix) out["imatrix"] = {{"path", study.imatrix->path}, {"sha256", study.imatrix->sha256}};
  out["recipe"] = recipe_json(study.recipe);
  out["recipes"] = ordered_json::array();
  for (const quantize::Recipe& recipe : study.recipes) out["recipes"].push_back(recipe_json(recipe));
  out["results"] = ordered_json::array();
  for (const MeasuredResult& result : study.results) out["results"].push_back(result_to_json(result));
  if (study.sweep) out["sweep"] = sweep_to_json(*study.sweep);
  out["layout"] = study.layout;
  std::string text = dump(out);
  if (study.sensitivities.empty()) return text;
  // Hundreds of thousands of samples: a line for each result, not for each number.
  text.resize(text.rfind('}') - 1);
  text += ",\n  \"sensitivities\": [";
  for (std::size_t i = 0; i < study.sensitivities.size(); ++i)
    text += (i == 0 ? "\n    " : ",\n    ") + sensitivity_to_line(*study.sensitivities[i]);
  return text + "\n  ]\n}\n";
}

Result<Study> parse_study(std::string_view text, const std::string& file) {
  const auto root = parse_json(text, file, "study file");
  if (!root) return pass(root);
  if (const auto version = check_version(*root, file); !version) return pass(version);

  JsonDocument document{file, {}};
  ObjectReader reader(*root, "", document);
  static_cast<void>(reader.any("bitlens_study"));
  Study out;
  ObjectReader model = reader.object("model");
  out.model_path = model.string("path");
  out.model_sha256 = model.string("sha256");
  model.end();
  reader.array("texts", [&](const json& item, const std::string& path) {
    ObjectReader one(item, path, document);
    TextReference reference;
    reference.path = one.string("path");
    reference.sha256 = one.string("sha256");
    reference.use = one.one_of("use", {TextUse::Evaluation, TextUse::Calibration}, use_name);
    one.end();
    out.texts.push_back(std::move(reference));
  });
  ObjectReader options = reader.object("options");
  out.options.protocol = options.one_of("protocol", {evaluate::Protocol::Llama, evaluate::Protocol::Paper},
                                        evaluate::protocol_name);
  out.options.context = static_cast<std::uint32_t>(options.unsigned_number("context", kMaxU32));
  out.options.windows = static_cast<std::uint32_t>(options.unsigned_number("windows", kMaxU32));
  out.options.activations = options.one_of(
      "activations", {evaluate::Activations::Exact, evaluate::Activations::Q8}, evaluate::activations_name);
  if (options.has("compute"))  // older files: exact
    out.options.compute = options.one_of("compute", {evaluate::Compute::Exact, evaluate::Compute::Fast},
                                         evaluate::compute_name);
  out.quantizer = options.one_of("quantizer", {quantize::Quantizer::Rtn, quantize::Quantizer::Search},
                                 quantize::quantizer_name);
  options.end();
  if (reader.has("imatrix")) {
    ObjectReader imatrix = reader.object("imatrix");
    out.imatrix.emplace();
    out.imatrix->path = imatrix.string("path");
    out.imatrix->sha256 = imatrix.string("sha256");
    imatrix.end();
  }
  out.recipe = read_recipe(reader.any("recipe"), "recipe", document);
  reader.array("recipes", [&](const json& item, const std::string& path) {
    out.recipes.push_back(read_recipe(item, path, document));
  });
  reader.array("results", [&](const json& item, const std::string& path) {
    out.results.push_back(read_result(item, path, document));
  });
  if (reader.has("sweep")) out.sweep = read_sweep(reader.object("sweep"));
  out.layout = reader.string("layout");
  if (reader.has("sensitivities"))
    reader.array("sensitivities", [&](const json& item, const std::string& path) {
      out.sensitivities.push_back(
          std::make_shared<const SensitivityResult>(read_sensitivity(item, path, document)));
    });
  reader.end();
  if (document.error) return tl::unexpected<Error>(*document.error);
  return out;
}

Status save_study(const Study& study, const std::string& path) {
  return write_file_atomically(path, study_to_json(study));
}

Result<Study> load_study(const std::string& path) {
  const auto content = read_file(path, kMaxBytes);
  if (!content) return pass(content);
  return parse_study(*content, path);
}

Result<std::vector<std::string>> check_references(const Study& study, const WorkContext& work) {
  std::vector<std::string> problems;
  const auto model = open_model(study.model_path, true);
  if (!model) {
    problems.push_back(fmt::format("the model cannot be opened: {}", model.error().describe()));
  } else if (!study.model_sha256.empty()) {
    const auto hash = (*model)->file().sha256(work);
    if (!hash && hash.error().code == ErrorCode::Cancelled) return pass(hash);
    if (!hash)
      problems.push_back(fmt::format("the model cannot be read: {}", hash.error().describe()));
    else if (*hash != study.model_sha256)
      problems.push_back(fmt::format("the model {} is no longer the file this study was made with",
                                     printable(study.model_path)));
  }
  for (const TextReference& reference : study.texts) {
    if (work.stopped()) return WorkContext::cancelled();
    const auto text = load_text(reference.path);
    if (!text)
      problems.push_back(fmt::format("a text cannot be read: {}", text.error().describe()));
    else if (!reference.sha256.empty() && (*text)->sha256 != reference.sha256)
      problems.push_back(fmt::format("the text {} is no longer the one this study was made with",
                                     printable(reference.path)));
  }
  if (study.imatrix) {
    const auto imatrix = importance::read_imatrix(study.imatrix->path);
    if (!imatrix)
      problems.push_back(fmt::format("the importance matrix cannot be read: {}", imatrix.error().describe()));
    else if (imatrix->sha256 != study.imatrix->sha256)
      problems.push_back(fmt::format("the importance matrix {} is no longer the one this study was made with",
                                     printable(study.imatrix->path)));
  }
  return problems;
}

}  // namespace bitlens::study
