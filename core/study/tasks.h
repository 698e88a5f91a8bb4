// Cloze tasks through the one door: a file of items read, a model or a recipe scored on them, accuracy beside
// perplexity. The file is JSON:
//   {"about": "...", "seed": "1", "items": [{"kind": "sum", "prompt": "...", "candidates": [" 4.", " 5."],
//   "answer": 1}]}
// ("about" and "seed" may be missing; "answer" counts from 0).
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/evaluate/tasks.h"
#include "core/study/session.h"

namespace bitlens::study {

struct TaskSet {
  std::string name;  ///< file name, or "sample"
  std::string path, sha256, about;
  std::vector<evaluate::TaskItem> items;
};
/// Reads a task file (at most 64 MiB), or the sample's for the name "sample".
[[nodiscard]] Result<std::shared_ptr<const TaskSet>> load_tasks(const std::string& path_or_sample);

struct TaskRequest {
  std::shared_ptr<const ModelSession> subject;
  std::optional<quantize::Recipe> recipe;  ///< applied to `subject`, which as it is then is the base
  std::shared_ptr<const TaskSet> tasks;
  evaluate::Activations activations = evaluate::Activations::Exact;  ///< of the subject; the base is exact
  evaluate::Compute compute = evaluate::Compute::Exact;              ///< of both
  quantize::Quantizer quantizer = quantize::Quantizer::Search;
  quantize::ImportancePtr importance{};
  std::uint64_t memory_budget = 1ULL << 30U;
};

struct TaskReport {
  std::string name;  ///< of the recipe, or of the file
  std::optional<quantize::Recipe> recipe;
  evaluate::TaskResults subject;
  std::optional<evaluate::TaskResults> base;  ///< with a recipe
  /// Items the base has right and the subject wrong, and the other way round: the pairs a sign test looks at.
  std::uint64_t lost = 0, gained = 0;
  Provenance provenance;  ///< text: the task file; protocol "cloze"; windows: items
  double seconds = 0;
};
[[nodiscard]] Result<TaskReport> score_tasks(const TaskRequest& request, const WorkContext& work);

/// Keys: name, accuracy, accuracy_se, chance, items, right, kinds [{kind, items, right, accuracy,
/// accuracy_se, chance}], with a recipe also recipe, base_accuracy, base_accuracy_se, lost, gained and in
/// kinds base_right, base_accuracy; provenance, seconds, warnings.
[[nodiscard]] nlohmann::ordered_json task_report_to_json(const TaskReport& report);

}  // namespace bitlens::study
