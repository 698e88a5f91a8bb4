#include "core/study/response_records.h"

#include <algorithm>

namespace bitlens::study {

using sensitivity::CellRecord;

bool needs_backward(sensitivity::Method method) {
  return method == sensitivity::Method::Response || method == sensitivity::Method::Fisher;
}

sensitivity::ResponseOptions response_options(const SensitivityRequest& request) {
  sensitivity::ResponseOptions options;
  options.compute = request.options.compute;
  options.samples = request.samples;
  options.seed = request.seed;
  options.memory_budget = std::max(options.memory_budget, request.options.memory_budget);
  options.spill_folder = request.spill_folder;
  return options;
}

sensitivity::KnownResponses known_responses(std::span<const CellRecord> records, std::size_t samples,
                                            std::size_t windows) {
  sensitivity::KnownResponses known;
  known.draws = samples;
  for (const CellRecord& record : records) {
    known.draws = std::min<std::size_t>(known.draws, record.response.size() / windows);
    known.rows.push_back(record.response);
    known.text.push_back(record.text_response);
  }
  return known;
}

CellRecord response_record(const sensitivity::Cell& cell, const sensitivity::ResponseMatrix& matrix,
                           std::size_t at) {
  CellRecord record;
  record.tensor = cell.name;
  record.format = cell.format;
  record.quantizer = cell.quantizer;
  record.method = sensitivity::Method::Response;
  record.samples = matrix.known(at);
  const sensitivity::Prediction prediction = matrix.predict(at);
  record.kl_mean = prediction.kl_mean;
  record.kl_se = prediction.kl_se;
  record.dnll_mean = prediction.dnll_mean;
  record.dnll_se = prediction.dnll_se;
  const auto row = matrix.row(at);
  record.response.assign(row.begin(), row.end());
  const auto text = matrix.text_row(at);
  record.text_response.assign(text.begin(), text.end());
  return record;
}

}  // namespace bitlens::study
