#include "core/study/tasks.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "core/base/atomic_file.h"
#include "core/base/hash.h"
#include "core/run/weights.h"
#include "core/study/json_reader.h"
#include "core/study/result_json.h"
#include "core/study/sample.h"
#include "core/study/utc_time.h"

namespace bitlens::study {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMaxTaskBytes = 64U << 20U;
constexpr std::size_t kMaxCandidates = 64;

evaluate::TaskItem read_item(const json& value, const std::string& path, JsonDocument& document) {
  ObjectReader reader(value, path, document);
  evaluate::TaskItem item;
  item.kind = reader.string("kind");
  item.prompt = reader.string("prompt");
  item.candidates = reader.strings("candidates");
  const std::size_t count = item.candidates.size();
  if (count < 2 || count > kMaxCandidates)
    document.fail_at(reader.path_of("candidates"), std::to_string(count) + " candidates; 2 to " +
                                                       std::to_string(kMaxCandidates) + " expected");
  if (item.kind.empty()) document.fail_at(reader.path_of("kind"), "must not be empty");
  item.answer = static_cast<std::uint32_t>(reader.unsigned_number("answer", count == 0 ? 0 : count - 1));
  reader.end();
  return item;
}

void put_score(ordered_json& target, const evaluate::TaskScore& score) {
  target["items"] = score.items;
  target["right"] = score.right;
  target["accuracy"] = score.accuracy();
  target["accuracy_se"] = score.standard_error();
  target["chance"] = score.chance;
}

Result<Provenance> provenance_of(const TaskRequest& request, const WorkContext& work) {
  Provenance out;
  auto hash = request.subject->file().sha256(work);
  if (!hash) return pass(hash);
  out.model_path = request.subject->file().path();
  out.model_sha256 = *hash;
  if (request.recipe) {
    out.base_path = out.model_path;
    out.base_sha256 = out.model_sha256;
  }
  const tokenizer::Tokenizer& tokenizer = **request.subject->tokenizer;
  out.text_name = request.tasks->name;
  out.text_sha256 = request.tasks->sha256;
  out.tokenizer = tokenizer.description();
  out.bos = tokenizer.adds_bos() && tokenizer.bos() ? "added" : "none";
  out.protocol = "cloze";
  out.activations = evaluate::activations_name(request.activations);
  out.compute = evaluate::compute_name(request.compute);
  out.quantizer = request.recipe ? quantize::quantizer_name(request.quantizer) : "none";
  const ProgramInfo program = program_info();
  out.program = program.version;
  out.instruction_set = program.instruction_set;
  out.windows = request.tasks->items.size();
  out.threads = work.pool.size();
  out.time = utc_time();
  return out;
}

}  // namespace

Result<std::shared_ptr<const TaskSet>> load_tasks(const std::string& path_or_sample) {
  const bool sample = path_or_sample == kSampleName;
  const auto path = sample ? sample_file(kSampleTasks) : Result<std::string>(path_or_sample);
  if (!path) return pass(path);
  const auto content = read_file(*path, kMaxTaskBytes);
  if (!content) return pass(content);
  const auto parsed = parse_json(*content, *path, "task file");
  if (!parsed) return pass(parsed);
  JsonDocument document{*path, {}};
  ObjectReader reader(*parsed, "", document);
  auto out = std::make_shared<TaskSet>();
  if (reader.has("about")) out->about = reader.string("about");
  if (reader.has("seed")) (void)reader.any("seed");  // of whoever made them
  reader.array("items", [&](const json& value, const std::string& where) {
    out->items.push_back(read_item(value, where, document));
  });
  reader.end();
  if (out->items.empty()) document.fail_at("items", "no items");
  if (document.error) return tl::unexpected<Error>(*document.error);
  out->name = sample ? path_or_sample : std::filesystem::path(*path).filename().string();
  out->path = *path;
  out->sha256 = sha256_hex(*content);
  return out;
}

Result<TaskReport> score_tasks(const TaskRequest& request, const WorkContext& work) {
  const auto begun = std::chrono::steady_clock::now();
  const ModelSession& subject = *request.subject;
  if (!subject.model->llama()) return pass(subject.model->llama());
  if (!subject.tokenizer) return pass(subject.tokenizer);
  // With a recipe two models are scored: each is half of the work.
  const std::uint64_t parts = request.recipe ? 2 : 1;
  std::uint64_t part = 0;
  const auto score = [&](const run::WeightSource& weights, evaluate::Activations activations) {
    WorkContext share = work;
    share.on_progress = [&work, parts, from = part++](const Progress& p) {
      work.report(p.stage, from * p.total + p.done, parts * p.total);
    };
    return evaluate::score_tasks(weights, **subject.tokenizer, request.tasks->items, activations,
                                 request.compute, request.memory_budget, share);
  };

  TaskReport out;
  out.name = std::filesystem::path(subject.file().path()).filename().string();
  out.recipe = request.recipe;
  std::unique_ptr<run::WeightSource> weights;
  std::vector<std::string> warnings;
  if (request.recipe) {  // refused before any work
    auto resolved = quantize::resolve(*request.recipe, subject.file(), request.quantizer, request.importance);
    if (!resolved) return pass(resolved);
    if (!request.recipe->name.empty()) out.name = request.recipe->name;
    warnings = resolved->warnings;
    weights = run::recipe_weights(subject.model, std::move(*resolved));
    auto base = score(*run::file_weights(subject.model), evaluate::Activations::Exact);
    if (!base) return pass(base);
    out.base = std::move(*base);
  } else {
    weights = run::file_weights(subject.model);
  }
  auto scored = score(*weights, request.activations);
  if (!scored) return pass(scored);
  out.subject = std::move(*scored);
  out.subject.warnings.insert(out.subject.warnings.begin(), warnings.begin(), warnings.end());
  for (std::size_t i = 0; out.base && i < request.tasks->items.size(); ++i) {
    const std::uint32_t answer = request.tasks->items[i].answer;
    const bool before = out.base->items[i].chosen == answer, now = out.subject.items[i].chosen == answer;
    out.lost += before && !now ? 1 : 0;
    out.gained += now && !before ? 1 : 0;
  }
  auto provenance = provenance_of(request, work);
  if (!provenance) return pass(provenance);
  out.provenance = std::move(*provenance);
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return out;
}

ordered_json task_report_to_json(const TaskReport& report) {
  ordered_json out;
  out["name"] = report.name;
  put_score(out, report.subject.all);
  if (report.base) {
    out["base_right"] = report.base->all.right;
    out["base_accuracy"] = report.base->all.accuracy();
    out["base_accuracy_se"] = report.base->all.standard_error();
    out["lost"] = report.lost;
    out["gained"] = report.gained;
  }
  ordered_json& kinds = out["kinds"] = ordered_json::array();
  for (std::size_t k = 0; k < report.subject.kinds.size(); ++k) {
    ordered_json& row = kinds.emplace_back(ordered_json::object());
    row["kind"] = report.subject.kinds[k].kind;
    put_score(row, report.subject.kinds[k]);
    if (!report.base) continue;
    row["base_right"] = report.base->kinds[k].right;
    row["base_accuracy"] = report.base->kinds[k].accuracy();
  }
  if (report.recipe) out["recipe"] = recipe_json(*report.recipe);
  out["seconds"] = report.seconds;
  out["provenance"] = provenance_to_json(report.provenance);
  return out;
}

}  // namespace bitlens::study
