// The cheap scores of a sweep's cells, all methods from one pass over weights and inputs.
#include "core/sensitivity/scores.h"

#include <algorithm>

#include "core/study/sensitivity.h"

namespace bitlens::study {

Result<std::vector<SensitivityResult>> run_cheap_scores(const SensitivityRequest& request,
                                                        const WorkContext& work) {
  SensitivityRequest one = request;
  one.method = sensitivity::kCheapMethods[0];
  const auto windows = plan_windows(*request.session, *request.text, request.options);
  if (!windows) return pass(windows);
  auto plan = sensitivity::plan_cells(*request.session->model, request.tensor_glob, request.formats,
                                      request.quantizer, request.grouping, request.importance);
  if (!plan) return pass(plan);
  auto provenance = sensitivity_provenance(one, *windows, work);
  if (!provenance) return pass(provenance);
  const auto scores = sensitivity::cheap_scores(request.session->model, plan->cells, *windows,
                                                request.options.memory_budget, work);
  if (!scores) return pass(scores);

  std::vector<SensitivityResult> out;
  for (const sensitivity::Method method : sensitivity::kCheapMethods) {
    SensitivityResult& result = out.emplace_back();
    result.grouping = request.grouping;
    result.provenance = *provenance;
    result.skipped = plan->skipped;
    result.warnings = windows->warnings;
    for (std::size_t c = 0; c < plan->cells.size(); ++c) {
      sensitivity::CellRecord record;
      record.tensor = plan->cells[c].name;
      record.format = plan->cells[c].format;
      record.quantizer = plan->cells[c].quantizer;
      record.method = method;
      record.kl_mean = sensitivity::score_of((*scores)[c], method);
      record.kl_se = 0;
      result.cells.push_back(std::move(record));
    }
  }
  return out;
}

}  // namespace bitlens::study
