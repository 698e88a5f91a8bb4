#include "core/study/sensitivity.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "core/sensitivity/journal.h"
#include "core/sensitivity/measured.h"
#include "core/sensitivity/response.h"
#include "core/sensitivity/scores.h"
#include "core/study/result_json.h"
#include "core/study/sensitivity_json.h"

namespace bitlens::study {

namespace {

using sensitivity::Cell;
using sensitivity::CellRecord;
using sensitivity::Method;

const char* grouping_name(sensitivity::Grouping grouping) {
  switch (grouping) {
    case sensitivity::Grouping::Tensor:
      return "tensor";
    case sensitivity::Grouping::Fused:
      return "fused";
    case sensitivity::Grouping::Module:
      return "module";
    case sensitivity::Grouping::Layer:
      return "layer";
    case sensitivity::Grouping::All:
      return "all";
  }
  return "";
}

bool needs_backward(Method method) {
  return method == Method::Response || method == Method::Fisher;
}

Result<Provenance> provenance_of(const SensitivityRequest& request, const evaluate::Windows& windows,
                                 const WorkContext& work) {
  Provenance out;
  auto hash = request.session->file().sha256(work);
  if (!hash) return pass(hash);
  out.model_path = request.session->file().path();
  out.model_sha256 = std::move(*hash);
  const tokenizer::Tokenizer& tokenizer = **request.session->tokenizer;
  out.text_name = request.text->text->name;
  out.text_sha256 = request.text->text->sha256;
  out.tokenizer = tokenizer.description();
  out.bos = tokenizer.adds_bos() && tokenizer.bos() ? "added" : "none";
  out.protocol = evaluate::protocol_name(request.options.protocol);
  const bool measured = request.method == Method::Measured;
  out.activations =
      evaluate::activations_name(measured ? request.options.activations : evaluate::Activations::Exact);
  out.quantizer = quantize::quantizer_name(request.quantizer);
  const ProgramInfo program = program_info();
  out.program = program.version;
  out.instruction_set = program.instruction_set;
  out.context = windows.context;
  out.windows = windows.inputs.size();
  out.scored_tokens = windows.inputs.size() * windows.scored_per_window();
  out.threads = work.pool.size();
  if (needs_backward(request.method)) out.seed = request.seed;
  const auto now = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  out.time = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
  return out;
}

class Run {
 public:
  Run(const SensitivityRequest& request, const SensitivityCallback& on_cells, const WorkContext& work)
      : request_(request), on_cells_(on_cells), work_(work) {}

  Result<SensitivityResult> run() {
    auto windows = plan_windows(*request_.session, *request_.text, request_.options);
    if (!windows) return pass(windows);
    windows_ = std::move(*windows);
    auto plan = sensitivity::plan_cells(*request_.session->model, request_.tensor_glob, request_.formats,
                                        request_.quantizer, request_.grouping);
    if (!plan) return pass(plan);
    cells_ = std::move(plan->cells);
    result_.skipped = std::move(plan->skipped);
    auto provenance = provenance_of(request_, windows_, work_);
    if (!provenance) return pass(provenance);
    result_.provenance = std::move(*provenance);
    result_.warnings = (*request_.session->tokenizer)->warnings();
    result_.warnings.insert(result_.warnings.end(), windows_.warnings.begin(), windows_.warnings.end());
    if (needs_backward(request_.method)) result_.positions = windows_.scored_per_window();
    records_.resize(cells_.size());
    if (!request_.journal.empty())
      if (auto s = open_journal(); !s) return pass(s);
    if (auto s = work_on_missing(); !s) return pass(s);
    for (std::optional<CellRecord>& record : records_)
      if (record) result_.cells.push_back(std::move(*record));
    return std::move(result_);
  }

 private:
  /// What the records depend on. Paths, times and threads do not count; what is asked for does not either:
  /// a journal may be gone on with for more formats or other tensors.
  [[nodiscard]] std::string journal_key() const {
    Provenance settled = result_.provenance;
    settled.time.clear();
    settled.threads = 0;
    settled.model_path.clear();
    settled.text_name.clear();
    nlohmann::ordered_json key;
    key["request"] = {{"method", sensitivity::method_name(request_.method)},
                      {"grouping", grouping_name(request_.grouping)},
                      {"samples", needs_backward(request_.method) ? request_.samples : 0}};
    key["positions"] = result_.positions;
    key["provenance"] = provenance_to_json(settled);
    return key.dump();
  }

  Status open_journal() {
    sensitivity::JournalContent content;
    auto journal = sensitivity::Journal::open(request_.journal, journal_key(), request_.resume, content);
    if (!journal) return pass(journal);
    journal_ = std::move(*journal);
    JsonDocument document{request_.journal, {}};
    for (const std::string& payload : content.payloads) {
      const auto value = parse_json(payload, request_.journal, "journal");
      if (!value) return pass(value);
      CellRecord record = read_record(*value, "record", document);
      if (document.error) return tl::unexpected<Error>(std::move(*document.error));
      for (std::size_t c = 0; c < cells_.size(); ++c)
        if (cells_[c].name == record.tensor && cells_[c].format == record.format) records_[c] = record;
    }
    if (content.damaged > 0)
      result_.warnings.push_back(fmt::format("{} damaged record{} of the journal left out", content.damaged,
                                             content.damaged == 1 ? "" : "s"));
    // A response that has not all its samples yet has to be taken again.
    for (std::optional<CellRecord>& record : records_) {
      if (record && request_.method == Method::Response && record->samples < request_.samples) record.reset();
      if (record) ++result_.resumed;
    }
    return {};
  }

  Status work_on_missing() {
    std::vector<std::size_t> missing;
    std::vector<Cell> cells;
    for (std::size_t c = 0; c < cells_.size(); ++c)
      if (!records_[c]) {
        missing.push_back(c);
        cells.push_back(cells_[c]);
      }
    if (cells.empty()) return {};
    if (request_.method == Method::Measured) return measure(missing, cells);
    return needs_backward(request_.method) ? respond(missing, std::move(cells)) : score(missing, cells);
  }

  [[nodiscard]] CellRecord blank(std::size_t index) const {
    CellRecord record;
    record.tensor = cells_[index].name;
    record.format = cells_[index].format;
    record.quantizer = cells_[index].quantizer;
    record.method = request_.method;
    return record;
  }

  Status keep(std::span<const std::size_t> indices, bool write) {
    std::vector<CellRecord> records;
    std::vector<std::string> payloads;
    for (const std::size_t index : indices) {
      records.push_back(*records_[index]);
      if (journal_ && write) payloads.push_back(record_to_json(records.back()).dump());
    }
    if (journal_ && write)
      if (auto s = journal_->append(payloads); !s) return s;
    if (on_cells_) on_cells_(records);
    return {};
  }

  Status measure(const std::vector<std::size_t>& missing, const std::vector<Cell>& cells) {
    sensitivity::MeasureOptions options;
    options.activations = request_.options.activations;
    options.memory_budget = std::max(options.memory_budget, request_.options.memory_budget);
    options.spill_folder = request_.spill_folder;
    auto measurer = sensitivity::CellMeasurer::create(request_.session->model, windows_, options, work_);
    if (!measurer) return pass(measurer);
    return (*measurer)->measure(
        cells,
        [&](std::size_t at, const sensitivity::MeasuredCell& cell) -> Status {
          const std::size_t index = missing[at];
          CellRecord record = blank(index);
          record.kl_mean = cell.kl_mean;
          record.kl_se = cell.kl_se;
          record.dnll_mean = cell.dnll_mean;
          record.dnll_se = cell.dnll_se;
          record.kl_median = cell.kl_median;
          record.kl_p99 = cell.kl_p99;
          record.kl_max = cell.kl_max;
          record.top1_agreement = cell.top1_agreement;
          record.scored_tokens = cell.scored_tokens;
          record.seconds = cell.seconds;
          records_[index] = std::move(record);
          return keep({&index, 1}, true);
        },
        work_);
  }

  Status respond(const std::vector<std::size_t>& missing, std::vector<Cell> cells) {
    sensitivity::ResponseOptions options;
    options.samples = request_.samples;
    options.seed = request_.seed;
    options.diagonal_fisher = request_.method == Method::Fisher;
    options.memory_budget = std::max(options.memory_budget, request_.options.memory_budget);
    options.spill_folder = request_.spill_folder;
    // The diagonal Fisher score takes the draws of one round.
    options.one_round = options.diagonal_fisher;
    options.text_slope = !options.diagonal_fisher;
    const auto update = [&](std::span<const std::size_t> updated,
                            const sensitivity::ResponseMatrix& matrix) -> Status {
      std::vector<std::size_t> indices;
      bool complete = true;
      for (const std::size_t at : updated) {
        const std::size_t index = missing[at];
        CellRecord record = blank(index);
        record.samples = matrix.known(at);
        complete = complete && record.samples == matrix.capacity();
        if (request_.method == Method::Fisher) {
          record.kl_mean = matrix.diagonal_fisher(at);
        } else {
          const sensitivity::Prediction prediction = matrix.predict(at);
          record.kl_mean = prediction.kl_mean;
          record.kl_se = prediction.kl_se;
          record.dnll_mean = prediction.dnll_mean;
          record.dnll_se = prediction.dnll_se;
          const auto row = matrix.row(at);
          record.response.assign(row.begin(), row.end());
        }
        records_[index] = std::move(record);
        indices.push_back(index);
      }
      // Estimates that will be sharpened are shown, not kept.
      return keep(indices, complete);
    };
    auto matrix = sensitivity::response_vectors(request_.session->model, std::move(cells), windows_, options,
                                                update, work_);
    if (!matrix) return pass(matrix);
    return {};
  }

  Status score(const std::vector<std::size_t>& missing, const std::vector<Cell>& cells) {
    const auto scores = sensitivity::cheap_scores(request_.session->model, cells, windows_,
                                                  request_.options.memory_budget, work_);
    if (!scores) return pass(scores);
    const std::map<Method, double sensitivity::CellScores::*> members = {
        {Method::Energy, &sensitivity::CellScores::energy},
        {Method::EnergyShift, &sensitivity::CellScores::energy_shift},
        {Method::Rounding, &sensitivity::CellScores::rounding},
        {Method::ActivationRule, &sensitivity::CellScores::activation_rule},
        {Method::HessianTrace, &sensitivity::CellScores::hessian_trace}};
    for (std::size_t at = 0; at < missing.size(); ++at) {
      CellRecord record = blank(missing[at]);
      record.kl_mean = (*scores)[at].*members.at(request_.method);
      record.kl_se = 0;
      records_[missing[at]] = std::move(record);
    }
    return keep(missing, true);
  }

  const SensitivityRequest& request_;
  const SensitivityCallback& on_cells_;
  const WorkContext& work_;
  evaluate::Windows windows_;
  std::vector<Cell> cells_;
  std::vector<std::optional<CellRecord>> records_;
  std::optional<sensitivity::Journal> journal_;
  SensitivityResult result_;
};

}  // namespace

Result<SensitivityResult> run_sensitivity(const SensitivityRequest& request,
                                          const SensitivityCallback& on_cells, const WorkContext& work) {
  if (request.formats.empty()) return fail(ErrorCode::InvalidArgument, "no formats to look at");
  if (request.samples == 0) return fail(ErrorCode::InvalidArgument, "at least one sample is needed");
  return Run(request, on_cells, work).run();
}

Result<RecipePrediction> predict_recipe(const ModelSession& session, const quantize::Recipe& recipe,
                                        quantize::Quantizer quantizer, const SensitivityResult& known) {
  const io::ModelFile& file = session.file();
  const auto resolved = quantize::resolve(recipe, file, quantizer);
  if (!resolved) return pass(resolved);
  RecipePrediction out;
  out.file_bytes = resolved->file_bytes;
  out.bits_per_weight = resolved->bits_per_weight;
  out.warnings = known.warnings;
  std::map<std::pair<std::string, kernels::Format>, std::vector<const CellRecord*>> of_cell;
  for (const CellRecord& record : known.cells) of_cell[{record.tensor, record.format}].push_back(&record);
  const auto find = [&](std::size_t tensor, Method method) -> const CellRecord* {
    const auto found = of_cell.find({file.tensors()[tensor].name, resolved->tensors[tensor].format});
    if (found == of_cell.end()) return nullptr;
    for (const CellRecord* record : found->second)
      if (record->method == method && !std::isnan(record->kl_mean)) return record;
    return nullptr;
  };
  std::vector<const CellRecord*> best, responses;
  bool other_quantizer = false;
  for (std::size_t t = 0; t < file.tensors().size(); ++t) {
    if (!resolved->tensors[t].changed) continue;
    ++out.changed;
    const CellRecord* response = find(t, Method::Response);
    const CellRecord* single = find(t, Method::Measured);
    if (single == nullptr) single = response;
    if (single == nullptr) single = find(t, Method::Fisher);
    if (single == nullptr) {
      out.missing.push_back(file.tensors()[t].name);
      continue;
    }
    best.push_back(single);
    other_quantizer = other_quantizer || single->quantizer != resolved->tensors[t].quantizer;
    if (response != nullptr && !response->response.empty()) responses.push_back(response);
  }
  if (out.changed > 0 && best.empty())
    return fail(ErrorCode::InvalidArgument,
                "the sensitivity file knows no tensor and format that this recipe changes",
                {file.path(), {}, {}});
  if (other_quantizer)
    out.warnings.emplace_back("some cells were rounded by another quantizer than the recipe's");
  if (!out.missing.empty())
    out.warnings.push_back(fmt::format("{} of {} changed tensors are unknown and left out (first: {})",
                                       out.missing.size(), out.changed, printable(out.missing.front(), 80)));
  double variance = 0;
  for (const CellRecord* record : best) {
    out.sum_of_single_kl += record->kl_mean;
    if (!std::isnan(record->kl_se)) variance += record->kl_se * record->kl_se;
  }
  out.kl_mean = out.sum_of_single_kl;
  out.kl_se = std::sqrt(variance);
  if (best.empty() || responses.size() != best.size() || known.positions == 0) return out;
  std::size_t samples = responses.front()->response.size();
  for (const CellRecord* record : responses) samples = std::min(samples, record->response.size());
  std::vector<double> sum(samples, 0.0);
  for (const CellRecord* record : responses)
    for (std::size_t s = 0; s < samples; ++s) sum[s] += static_cast<double>(record->response[s]);
  const sensitivity::Prediction joint = sensitivity::predict_from(sum, {}, known.positions);
  out.kl_mean = joint.kl_mean;
  out.kl_se = joint.kl_se;
  out.samples = joint.samples;
  out.joint = true;
  return out;
}

}  // namespace bitlens::study
