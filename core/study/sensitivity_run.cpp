// Running a sweep: what is asked for, minus what the journal has, by whatever method.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/sensitivity/costs.h"
#include "core/sensitivity/measured.h"
#include "core/sensitivity/response.h"
#include "core/sensitivity/scores.h"
#include "core/study/cell_estimates.h"
#include "core/study/response_records.h"
#include "core/study/sensitivity.h"
#include "core/study/sensitivity_journal.h"

namespace bitlens::study {

namespace {

using sensitivity::Cell;
using sensitivity::CellRecord;
using sensitivity::Method;

}  // namespace

class SensitivityRun::Impl {
 public:
  Impl(SensitivityRequest request, SensitivityCallback on_cells)
      : request_(std::move(request)), on_cells_(std::move(on_cells)) {}

  Result<SensitivityResult> go(const WorkContext& work) {
    if (request_.formats.empty()) return fail(ErrorCode::InvalidArgument, "no formats to look at");
    if (request_.samples == 0) return fail(ErrorCode::InvalidArgument, "at least one sample is needed");
    if (!planned_)
      if (auto s = plan(work); !s) return pass(s);
    planned_ = true;
    if (auto s = work_on_missing(work); !s) return pass(s);
    SensitivityResult result = result_;
    for (std::size_t c = 0; c < cells_.size(); ++c) {
      if (records_[c])
        result.cells.push_back(*records_[c]);
      else if (request_.estimates.empty() && estimates_.find(cells_[c]) != nullptr)
        result.cells.push_back(*estimates_.find(cells_[c]));  // left to its prediction
    }
    return result;
  }

  [[nodiscard]] const SensitivityResult& head() const { return result_; }

 private:
  Status plan(const WorkContext& work) {
    auto windows = plan_windows(*request_.session, *request_.text, request_.options);
    if (!windows) return pass(windows);
    windows_ = std::move(*windows);
    result_.grouping = request_.grouping;
    auto plan = sensitivity::plan_cells(*request_.session->model, request_.tensor_glob, request_.formats,
                                        request_.quantizer, request_.grouping, request_.importance);
    if (!plan) return pass(plan);
    cells_ = std::move(plan->cells);
    result_.skipped = std::move(plan->skipped);
    auto provenance = sensitivity_provenance(request_, windows_, work);
    if (!provenance) return pass(provenance);
    result_.provenance = std::move(*provenance);
    result_.warnings = (*request_.session->tokenizer)->warnings();
    result_.warnings.insert(result_.warnings.end(), windows_.warnings.begin(), windows_.warnings.end());
    if (needs_backward(request_.method) || request_.adaptive)
      result_.positions = windows_.scored_per_window();
    records_.resize(cells_.size());
    if (!request_.journal.empty())
      if (auto s = open_journal(); !s) return s;
    return take_known();
  }

  /// What the journal or an earlier run knows is not worked on again, but told.
  Status take_known() {
    std::vector<std::size_t> indices;
    for (const CellRecord& record : request_.known)
      for (std::size_t c = 0; c < cells_.size(); ++c) {
        const bool mine = cells_[c].name == record.tensor && cells_[c].format == record.format &&
                          cells_[c].quantizer == record.quantizer && record.method == request_.method;
        const bool better = !records_[c] || records_[c]->samples < record.samples ||
                            (unfinished(*records_[c]) && !unfinished(record));
        if (!mine || !better) continue;
        records_[c] = record;
        indices.push_back(c);
      }
    if (!indices.empty() && journal_) {
      std::vector<CellRecord> records;
      for (const std::size_t index : indices) records.push_back(*records_[index]);
      if (auto s = journal_->append(records); !s) return s;
    }
    std::vector<CellRecord> kept;
    for (const std::optional<CellRecord>& record : records_) {
      if (record && !unfinished(*record)) ++result_.resumed;
      if (record) kept.push_back(*record);
    }
    if (on_cells_ && !kept.empty()) on_cells_(kept);
    return {};
  }

  [[nodiscard]] std::size_t sampled_windows() const {
    return sensitivity::response_windows(request_.samples, windows_.inputs.size());
  }

  Status open_journal() {
    std::vector<CellRecord> found;
    auto journal = RunJournal::open(request_, result_, sampled_windows(), found);
    if (!journal) return pass(journal);
    journal_ = std::move(*journal);
    for (CellRecord& record : found) {
      if (record.method != request_.method) {
        estimates_.keep(std::move(record));
        continue;
      }
      for (std::size_t c = 0; c < cells_.size(); ++c)
        if (cells_[c].name == record.tensor && cells_[c].format == record.format) records_[c] = record;
    }
    if (journal_->damaged() > 0)
      result_.warnings.push_back(fmt::format("{} damaged record{} of the journal left out",
                                             journal_->damaged(), journal_->damaged() == 1 ? "" : "s"));
    return {};
  }

  /// Where what is not finished is kept: beside the journal.
  [[nodiscard]] sensitivity::KeepState keep_state(const char* of) {
    if (!journal_) return {};
    return {request_.journal + ".state", journal_->key() + of, sensitivity::KeepState{}.seconds,
            [this](const Error& error) {
              result_.warnings.push_back(
                  fmt::format("a kill would lose more than some seconds of work: {}", error.describe()));
            }};
  }

  /// A response that has not all its samples yet is gone on with; so is a measured cell that lacks windows.
  [[nodiscard]] bool unfinished(const CellRecord& record) const {
    if (request_.method == Method::Measured)
      return !record.adaptive && record.windows < windows_.inputs.size();
    return request_.method == Method::Response && record.samples < request_.samples;
  }

  Status work_on_missing(const WorkContext& work) {
    std::vector<std::size_t> missing;
    std::vector<Cell> cells;
    for (std::size_t c = 0; c < cells_.size(); ++c)
      if (!records_[c] || unfinished(*records_[c])) {
        missing.push_back(c);
        cells.push_back(cells_[c]);
      }
    if (cells.empty()) return {};
    if (request_.method == Method::Measured) return measure(missing, std::move(cells), work);
    return needs_backward(request_.method) ? respond(missing, std::move(cells), work)
                                           : score(missing, cells, work);
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
    for (const std::size_t index : indices) records.push_back(*records_[index]);
    if (journal_ && write)
      if (auto s = journal_->append(records); !s) return s;
    if (on_cells_) on_cells_(records);
    return {};
  }

  Status measure(std::vector<std::size_t> missing, std::vector<Cell> cells, const WorkContext& work) {
    if (request_.adaptive && request_.estimates.empty())
      if (auto s = estimate_first(work); !s) return s;
    // Predictions are those of exact activations.
    if (request_.adaptive && request_.options.activations == evaluate::Activations::Exact)
      choose(estimates_.worth_measuring(cells), missing, cells);
    if (cells.empty()) return {};
    choose(estimates_.order(cells), missing, cells);
    estimates_.plan_stops(cells, windows_);
    sensitivity::MeasureOptions options;
    options.activations = request_.options.activations;
    options.compute = request_.options.compute;
    options.memory_budget = std::max(options.memory_budget, request_.options.memory_budget);
    options.spill_folder = request_.spill_folder;
    options.keep = keep_state("");
    if (request_.adaptive)
      options.enough = [this](std::size_t at, const sensitivity::MeasuredCell& so_far) {
        return estimates_.enough(at, so_far);
      };
    options.so_far = [this](std::size_t at, const sensitivity::MeasuredCell& so_far) -> Status {
      CellRecord record = measured_record(at, so_far);
      // One window alone has no error bar yet.
      return std::isfinite(record.kl_se) ? keep_measured(at, std::move(record)) : Status{};
    };
    if (!measurer_) {  // an interrupted run goes on without running the base again
      auto measurer = sensitivity::CellMeasurer::create(request_.session->model, windows_, options);
      if (!measurer) return pass(measurer);
      measurer_ = std::move(*measurer);
    }
    // Progress of what is left as progress of the whole, cells known before counted in.
    const double known = 1.0 - cost_of(cells) / cost_of(cells_);
    const WorkContext counted{
        work.pool, work.stop, [&](const Progress& progress) {
          const auto done = static_cast<double>(progress.done), total = static_cast<double>(progress.total);
          work.report(progress.stage, static_cast<std::uint64_t>(known * total + (1.0 - known) * done),
                      progress.total);
        }};
    measuring_ = std::move(missing);
    return measurer_->measure(
        cells,
        [&](std::size_t at, const sensitivity::MeasuredCell& cell) -> Status {
          CellRecord record = measured_record(at, cell);
          record.adaptive = request_.adaptive;
          if (auto s = keep_measured(at, std::move(record)); !s) return s;
          return may_go_on();
        },
        counted);
  }

  /// These of the cells, in this order.
  static void choose(const std::vector<std::size_t>& places, std::vector<std::size_t>& missing,
                     std::vector<Cell>& cells) {
    std::vector<std::size_t> chosen;
    std::vector<Cell> chosen_cells;
    for (const std::size_t c : places) {
      chosen.push_back(missing[c]);
      chosen_cells.push_back(std::move(cells[c]));
    }
    missing = std::move(chosen);
    cells = std::move(chosen_cells);
  }

  [[nodiscard]] double cost_of(std::span<const Cell> cells) const {
    const model::Model& model = *request_.session->model;
    const sensitivity::Costs costs(*model.llama(), windows_);
    double sum = 0;
    for (const Cell& cell : cells) sum += costs.cell(model, cell);
    return sum;
  }

  /// Of the cell at this place of those being measured, from the windows it has.
  [[nodiscard]] CellRecord measured_record(std::size_t at, const sensitivity::MeasuredCell& cell) const {
    CellRecord record = blank(measuring_[at]);
    const sensitivity::AdaptiveValue value = estimates_.extrapolated(at, cell);
    record.kl_mean = value.kl_mean;
    record.kl_se = value.kl_se;
    record.windows = cell.window_kl.size();
    record.window_kl = cell.window_kl;
    record.dnll_mean = cell.dnll_mean;
    record.dnll_se = cell.dnll_se;
    record.kl_median = cell.kl_median;
    record.kl_p99 = cell.kl_p99;
    record.kl_max = cell.kl_max;
    record.top1_agreement = cell.top1_agreement;
    record.scored_tokens = cell.scored_tokens;
    record.seconds = cell.seconds;
    return record;
  }

  Status keep_measured(std::size_t at, CellRecord record) {
    const std::size_t index = measuring_[at];
    records_[index] = std::move(record);
    return keep({&index, 1}, true);
  }

  [[nodiscard]] Status may_go_on() const {
    if (request_.interrupt && request_.interrupt())
      return fail(ErrorCode::Cancelled, "interrupted; the journal knows what is done");
    return {};
  }

  /// Adaptive measuring starts from predictions of all cells: they say what matters and make up for windows
  /// left out.
  Status estimate_first(const WorkContext& work) {
    sensitivity::ResponseOptions options = response_options(request_);
    // They only say where to look and how windows differ: what is told is measured with the request's
    // products.
    options.compute = evaluate::Compute::Fast;
    options.keep = keep_state(" predictions");
    std::vector<CellRecord> known(cells_.size());
    for (std::size_t c = 0; c < cells_.size(); ++c)
      if (const CellRecord* record = estimates_.find(cells_[c])) known[c] = *record;
    const auto whole = [&](const CellRecord& record) { return record.samples >= request_.samples; };
    if (!std::ranges::all_of(known, whole)) {
      const auto take = [&](std::span<const std::size_t> updated,
                            const sensitivity::ResponseMatrix& matrix) -> Status {
        std::vector<CellRecord> records;
        for (const std::size_t c : updated) records.push_back(response_record(cells_[c], matrix, c));
        return journal_ ? journal_->append(records) : Status{};
      };
      auto matrix =
          sensitivity::response_vectors(request_.session->model, cells_, windows_, options, take, work,
                                        known_responses(known, request_.samples, sampled_windows()));
      if (!matrix) return pass(matrix);
      for (std::size_t c = 0; c < cells_.size(); ++c) known[c] = response_record(cells_[c], *matrix, c);
    }
    estimates_.replace(std::move(known), sampled_windows());
    return {};
  }

  Status respond(const std::vector<std::size_t>& missing, std::vector<Cell> cells, const WorkContext& work) {
    sensitivity::ResponseOptions options = response_options(request_);
    options.keep = keep_state("");
    options.diagonal_fisher = request_.method == Method::Fisher;
    // The diagonal Fisher score takes the draws of one round.
    options.one_round = options.diagonal_fisher;
    options.text_slope = !options.diagonal_fisher;
    const auto update = [&](std::span<const std::size_t> updated,
                            const sensitivity::ResponseMatrix& matrix) -> Status {
      std::vector<std::size_t> indices;
      bool complete = true;  // the diagonal Fisher score is known at the end only
      for (const std::size_t at : updated) {
        const std::size_t index = missing[at];
        CellRecord record = response_record(cells_[index], matrix, at);
        complete = complete && record.samples == matrix.capacity();
        if (request_.method == Method::Fisher) {
          record = blank(index);
          record.samples = matrix.known(at);
          record.kl_mean = matrix.diagonal_fisher(at);
        }
        records_[index] = std::move(record);
        indices.push_back(index);
      }
      if (auto s = keep(indices, complete || request_.method == Method::Response); !s) return s;
      // Between rounds, when all cells have the same samples, nothing is lost by stopping.
      bool between = true;
      for (std::size_t c = 0; c < missing.size() && between; ++c)
        between = matrix.known(c) == matrix.known(updated.front());
      return between ? may_go_on() : Status{};
    };
    std::vector<CellRecord> kept;
    for (const std::size_t index : missing) kept.push_back(records_[index].value_or(CellRecord{}));
    const auto known = request_.method == Method::Response
                           ? known_responses(kept, request_.samples, sampled_windows())
                           : sensitivity::KnownResponses{};
    auto matrix = sensitivity::response_vectors(request_.session->model, std::move(cells), windows_, options,
                                                update, work, known);
    if (!matrix) return pass(matrix);
    return {};
  }

  Status score(const std::vector<std::size_t>& missing, const std::vector<Cell>& cells,
               const WorkContext& work) {
    const auto scores = sensitivity::cheap_scores(request_.session->model, cells, windows_,
                                                  request_.options.memory_budget, work);
    if (!scores) return pass(scores);
    for (std::size_t at = 0; at < missing.size(); ++at) {
      CellRecord record = blank(missing[at]);
      record.kl_mean = sensitivity::score_of((*scores)[at], request_.method);
      record.kl_se = 0;
      records_[missing[at]] = std::move(record);
    }
    return keep(missing, true);
  }

  SensitivityRequest request_;
  SensitivityCallback on_cells_;
  bool planned_ = false;
  evaluate::Windows windows_;
  std::vector<Cell> cells_;
  std::vector<std::optional<CellRecord>> records_;
  CellEstimates estimates_{request_};
  std::vector<std::size_t> measuring_;  // places in cells_ of those that are measured
  std::optional<RunJournal> journal_;
  std::unique_ptr<sensitivity::CellMeasurer> measurer_;
  SensitivityResult result_;  // without its cells
};

SensitivityRun::SensitivityRun(SensitivityRequest request, SensitivityCallback on_cells)
    : impl_(std::make_unique<Impl>(std::move(request), std::move(on_cells))) {}
SensitivityRun::~SensitivityRun() = default;

Result<SensitivityResult> SensitivityRun::go(const WorkContext& work) {
  return impl_->go(work);
}

const SensitivityResult& SensitivityRun::head() const {
  return impl_->head();
}

Result<SensitivityResult> run_sensitivity(const SensitivityRequest& request,
                                          const SensitivityCallback& on_cells, const WorkContext& work) {
  return SensitivityRun(request, on_cells).go(work);
}

}  // namespace bitlens::study
