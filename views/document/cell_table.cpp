#include "views/document/cell_table.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_map>

#include "core/sensitivity/priority.h"

namespace bitlens::views {

using sensitivity::CellRecord;
using sensitivity::Method;

namespace {
constexpr std::size_t at(Method method) {
  return static_cast<std::size_t>(method);
}

template <typename ValueOf>
CellTable::Rank rank_among(std::size_t count, std::size_t tensor, ValueOf value_of) {
  CellTable::Rank rank;
  const double own = value_of(tensor);
  if (std::isnan(own)) return rank;
  rank.place = 1;
  for (std::size_t t = 0; t < count; ++t) {
    const double value = value_of(t);
    if (std::isnan(value)) continue;
    ++rank.of;
    if (value > own) ++rank.place;
  }
  return rank;
}
}  // namespace

CellTable::CellTable(const study::ModelSession& session, const std::vector<SweepPtr>& results)
    : results_(results) {
  const auto& tensors = session.file().tensors();
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t t = 0; t < tensors.size(); ++t) index.emplace(tensors[t].name, t);
  tensors_.resize(tensors.size());
  for (const SweepPtr& result : results_) {
    if (result->grouping != sensitivity::Grouping::Tensor) continue;
    for (const CellRecord& record : result->cells) {
      const auto found = index.find(record.tensor);
      if (found == index.end() || std::isnan(record.kl_mean)) continue;
      auto& formats = tensors_[found->second];
      auto place = std::ranges::find(formats, record.format, &std::pair<kernels::Format, Row>::first);
      if (place == formats.end()) place = formats.insert(formats.end(), {record.format, Row{}});
      place->second[at(record.method)] = &record;
    }
  }
  std::map<kernels::Format, std::vector<double>> known;
  for (const auto& formats : tensors_)
    for (const auto& [format, row] : formats) {
      const CellRecord* record =
          row[at(Method::Measured)] ? row[at(Method::Measured)] : row[at(Method::Response)];
      if (record) known[format].push_back(record->kl_mean);
    }
  for (const auto& [format, values] : known) {
    formats_.push_back(format);
    matters_[format] = sensitivity::error_that_matters(values);
  }
  std::ranges::stable_sort(formats_, std::greater<>{},
                           [](kernels::Format f) { return kernels::info(f).bits_per_weight(); });
}

const CellTable::Row* CellTable::row(std::size_t tensor, kernels::Format format) const {
  if (tensor >= tensors_.size()) return nullptr;
  const auto& formats = tensors_[tensor];
  const auto place = std::ranges::find(formats, format, &std::pair<kernels::Format, Row>::first);
  return place == formats.end() ? nullptr : &place->second;
}

const CellRecord* CellTable::find(std::size_t tensor, kernels::Format format, Method method) const {
  const Row* found = row(tensor, format);
  return found ? (*found)[at(method)] : nullptr;
}

const CellRecord* CellTable::best(std::size_t tensor, kernels::Format format) const {
  const CellRecord* measured = find(tensor, format, Method::Measured);
  return measured ? measured : find(tensor, format, Method::Response);
}

double CellTable::error_that_matters(kernels::Format format) const {
  const auto found = matters_.find(format);
  return found == matters_.end() ? 0.0 : found->second;
}

bool CellTable::needs_more_tokens(const CellRecord& record) const {
  return sensitivity::needs_more_tokens(record.kl_mean, record.kl_se, error_that_matters(record.format));
}

CellTable::Rank CellTable::rank(std::size_t tensor, kernels::Format format, Method method) const {
  return rank_among(tensors_.size(), tensor, [&](std::size_t t) {
    const CellRecord* record = find(t, format, method);
    return record ? record->kl_mean : sensitivity::kUnknown;
  });
}

CellTable::Rank CellTable::rank_of_best(std::size_t tensor, kernels::Format format) const {
  return rank_among(tensors_.size(), tensor, [&](std::size_t t) {
    const CellRecord* record = best(t, format);
    return record ? record->kl_mean : sensitivity::kUnknown;
  });
}

std::optional<study::RecipePrediction> predict(const SensitivityPtr& known,
                                               const quantize::ResolvedRecipe& recipe) {
  if (!known) return std::nullopt;
  auto predicted = known->predictor.predict(recipe);
  if (!predicted) return std::nullopt;
  return std::move(*predicted);
}

}  // namespace bitlens::views
