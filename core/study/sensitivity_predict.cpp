// What a recipe, or some tensors together, will cost: from responses with interactions, else a plain sum.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "core/quantize/weighing.h"
#include "core/sensitivity/response_matrix.h"
#include "core/study/sensitivity.h"

namespace bitlens::study {

using sensitivity::CellRecord;
using sensitivity::Method;

Predictor::Predictor(std::shared_ptr<const ModelSession> session,
                     std::vector<std::shared_ptr<const SensitivityResult>> known)
    : session_(std::move(session)), results_(std::move(known)) {
  const auto& tensors = session_->file().tensors();
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t t = 0; t < tensors.size(); ++t) index.emplace(tensors[t].name, t);
  of_tensor_.resize(tensors.size());
  for (const auto& result : results_) {
    if (result->grouping != sensitivity::Grouping::Tensor) continue;
    for (const CellRecord& record : result->cells) {
      const auto found = index.find(record.tensor);
      if (found == index.end() || std::isnan(record.kl_mean)) continue;
      auto& formats = of_tensor_[found->second];
      auto at = std::ranges::find(formats, record.format, &std::pair<kernels::Format, Known>::first);
      if (at == formats.end()) at = formats.insert(formats.end(), {record.format, {}});
      Known& cell = at->second;
      if (record.method == Method::Measured && cell.measured == nullptr) cell.measured = &record;
      if (record.method == Method::Fisher && cell.fisher == nullptr) cell.fisher = &record;
      if (record.method != Method::Response || cell.response != nullptr) continue;
      // Responses of different windows do not add.
      if (positions_ != 0 && positions_ != result->positions) continue;
      positions_ = result->positions;
      cell.response = &record;
    }
  }
}

const Predictor::Known* Predictor::find(std::size_t tensor, kernels::Format format) const {
  const auto& formats = of_tensor_[tensor];
  const auto at = std::ranges::find(formats, format, &std::pair<kernels::Format, Known>::first);
  return at == formats.end() ? nullptr : &at->second;
}

Result<RecipePrediction> Predictor::predict(const quantize::ResolvedRecipe& recipe) const {
  std::vector<Choice> choices;
  for (std::size_t t = 0; t < recipe.tensors.size(); ++t)
    if (recipe.tensors[t].changed) choices.push_back({t, recipe.tensors[t].format});
  return predict(choices, &recipe);
}

Result<RecipePrediction> Predictor::predict(std::span<const std::size_t> tensors,
                                            kernels::Format format) const {
  std::vector<Choice> choices;
  for (const std::size_t tensor : tensors) choices.push_back({tensor, format});
  return predict(choices, nullptr);
}

Result<RecipePrediction> Predictor::predict(std::span<const Choice> choices,
                                            const quantize::ResolvedRecipe* recipe) const {
  const io::ModelFile& file = session_->file();
  RecipePrediction out;
  out.changed = choices.size();
  if (recipe != nullptr) {
    out.file_bytes = recipe->file_bytes;
    out.bits_per_weight = recipe->bits_per_weight;
  }
  for (const auto& result : results_)
    for (const std::string& warning : result->warnings)
      if (std::ranges::find(out.warnings, warning) == out.warnings.end()) out.warnings.push_back(warning);
  std::vector<const CellRecord*> best, responses;
  bool other_quantizer = false, other_importance = false;
  const auto known_with = [&](const std::string& sha256) {
    return std::ranges::all_of(results_, [&](const auto& result) {
      return result->provenance.imatrix_sha256 == sha256 || result->cells.empty();
    });
  };
  for (const Choice& choice : choices) {
    const Known* cell = find(choice.tensor, choice.format);
    const CellRecord* single = cell == nullptr             ? nullptr
                               : cell->measured != nullptr ? cell->measured
                               : cell->response != nullptr ? cell->response
                                                           : cell->fisher;
    if (single == nullptr) {
      out.missing.push_back(file.tensors()[choice.tensor].name);
      continue;
    }
    best.push_back(single);
    if (recipe != nullptr && quantize::can_weigh(choice.format, recipe->tensors[choice.tensor].quantizer))
      other_importance =
          other_importance || !known_with(recipe->importance ? recipe->importance->sha256 : "");
    if (recipe != nullptr)
      other_quantizer = other_quantizer || single->quantizer != recipe->tensors[choice.tensor].quantizer;
    if (cell->response != nullptr && !cell->response->response.empty()) responses.push_back(cell->response);
  }
  if (out.changed > 0 && best.empty())
    return fail(ErrorCode::InvalidArgument,
                "the sensitivity file knows no tensor and format that this recipe changes",
                {file.path(), {}, {}});
  if (other_quantizer)
    out.warnings.emplace_back("some cells were rounded by another quantizer than the recipe's");
  if (other_importance)
    out.warnings.emplace_back(
        "some cells were rounded with another importance matrix than the recipe, or without");
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
  if (best.empty() || responses.size() != best.size() || positions_ == 0) return out;
  std::size_t samples = responses.front()->response.size(), windows = responses.front()->text_response.size();
  for (const CellRecord* record : responses) {
    samples = std::min(samples, record->response.size());
    windows = std::min(windows, record->text_response.size());
  }
  std::vector<double> sum(samples, 0.0), text(windows, 0.0);
  for (const CellRecord* record : responses) {
    for (std::size_t s = 0; s < samples; ++s) sum[s] += static_cast<double>(record->response[s]);
    for (std::size_t w = 0; w < windows; ++w) text[w] += static_cast<double>(record->text_response[w]);
  }
  const sensitivity::Prediction joint = sensitivity::predict_from(sum, text, positions_);
  out.kl_mean = joint.kl_mean;
  out.kl_se = joint.kl_se;
  out.dnll_mean = joint.dnll_mean;
  out.dnll_se = joint.dnll_se;
  out.samples = joint.samples;
  out.joint = true;
  return out;
}

Result<RecipePrediction> predict_recipe(const ModelSession& session, const quantize::Recipe& recipe,
                                        quantize::Quantizer quantizer, const SensitivityResult& known,
                                        const quantize::ImportancePtr& importance) {
  const auto resolved = quantize::resolve(recipe, session.file(), quantizer, importance);
  if (!resolved) return pass(resolved);
  // Neither is kept beyond this call.
  const std::shared_ptr<const ModelSession> borrowed_session(std::shared_ptr<void>(), &session);
  const std::shared_ptr<const SensitivityResult> borrowed(std::shared_ptr<void>(), &known);
  return Predictor(borrowed_session, {borrowed}).predict(*resolved);
}

}  // namespace bitlens::study
