#include "core/study/cell_estimates.h"

#include <algorithm>
#include <numeric>

namespace bitlens::study {

using sensitivity::Cell;
using sensitivity::CellRecord;

void CellEstimates::keep(CellRecord record) {
  const auto same = std::ranges::find_if(own_, [&](const CellRecord& other) {
    return other.tensor == record.tensor && other.format == record.format;
  });
  if (same == own_.end())
    own_.push_back(std::move(record));
  else
    *same = std::move(record);
}

void CellEstimates::replace(std::vector<CellRecord> records, std::size_t windows) {
  own_ = std::move(records);
  windows_ = windows;
}

const CellRecord* CellEstimates::find(const Cell& cell) const {
  const auto found = std::ranges::find_if(all(), [&](const CellRecord& record) {
    return record.tensor == cell.name && record.format == cell.format && record.quantizer == cell.quantizer;
  });
  return found == all().end() ? nullptr : &*found;
}

bool CellEstimates::near_decision(const Cell& cell) const {
  return std::ranges::find(request_.decisions, std::pair(cell.name, cell.format)) != request_.decisions.end();
}

std::map<kernels::Format, double> CellEstimates::errors_that_matter() const {
  std::map<kernels::Format, std::vector<double>> of_format;
  for (const CellRecord& record : all()) of_format[record.format].push_back(record.kl_mean);
  std::map<kernels::Format, double> out;
  for (const auto& [format, values] : of_format) out[format] = sensitivity::error_that_matters(values);
  return out;
}

std::vector<std::size_t> CellEstimates::worth_measuring(std::span<const Cell> cells) const {
  const auto matters = errors_that_matter();
  std::vector<std::size_t> out;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const CellRecord* known = find(cells[c]);
    const auto format = matters.find(cells[c].format);
    if (known == nullptr || format == matters.end() || near_decision(cells[c]) ||
        !(known->kl_se <= format->second))
      out.push_back(c);
  }
  return out;
}

std::vector<std::size_t> CellEstimates::order(std::span<const Cell> cells) const {
  std::vector<std::size_t> out(cells.size());
  std::iota(out.begin(), out.end(), std::size_t{0});
  if (all().empty()) return out;
  std::vector<sensitivity::Estimate> thought(cells.size(), {sensitivity::kUnknown, sensitivity::kUnknown});
  for (std::size_t c = 0; c < cells.size(); ++c) {
    if (const CellRecord* known = find(cells[c])) {
      thought[c].kl_mean = known->kl_mean;
      thought[c].kl_se = known->kl_se;
    }
    thought[c].near_decision = near_decision(cells[c]);
  }
  return sensitivity::most_informative_first(*request_.session->model, cells, thought);
}

void CellEstimates::plan_stops(std::span<const Cell> cells, const evaluate::Windows& windows) {
  all_windows_ = windows.inputs.size();
  stops_.assign(cells.size(), {});
  if (!request_.adaptive) return;
  auto matters = errors_that_matter();
  for (std::size_t c = 0; c < cells.size(); ++c) {
    stops_[c].error_that_matters = matters[cells[c].format];
    const CellRecord* known = find(cells[c]);
    if (known == nullptr || windows_ != all_windows_) continue;
    stops_[c].prediction =
        sensitivity::predict_windows(known->response, all_windows_, windows.scored_per_window());
  }
}

sensitivity::AdaptiveValue CellEstimates::extrapolated(std::size_t at,
                                                       const sensitivity::MeasuredCell& so_far) const {
  return sensitivity::extrapolate(so_far, all_windows_,
                                  stops_[at].prediction.kl.empty() ? nullptr : &stops_[at].prediction);
}

bool CellEstimates::enough(std::size_t at, const sensitivity::MeasuredCell& so_far) const {
  const sensitivity::AdaptiveValue value = extrapolated(at, so_far);
  return !sensitivity::needs_more_tokens(value.kl_mean, value.kl_se, stops_[at].error_that_matters);
}

}  // namespace bitlens::study
