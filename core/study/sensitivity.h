// Sensitivity through the one door: what each (tensor, format) costs, measured or predicted, kept in a
// journal while it runs, written as JSON when it is done, and used to predict recipes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/sensitivity/cell.h"
#include "core/sensitivity/record.h"
#include "core/study/session.h"

namespace bitlens::study {

struct SensitivityRequest {
  std::shared_ptr<const ModelSession> session;
  std::shared_ptr<const TokenizedText> text;  ///< under the session's tokenizer
  evaluate::Options options;                  ///< predictions are always those of exact activations
  quantize::Quantizer quantizer = quantize::Quantizer::Search;
  std::vector<kernels::Format> formats;
  std::string tensor_glob = "*";
  sensitivity::Grouping grouping = sensitivity::Grouping::Tensor;
  sensitivity::Method method = sensitivity::Method::Measured;
  std::uint64_t samples = 200, seed = 1;  ///< of Response and Fisher
  std::string journal;                    ///< path of the journal; empty: none is kept
  bool resume = false;                    ///< go on from the journal
  std::string spill_folder;               ///< for hidden states beyond the memory budget; empty: the system's
};

struct SensitivityResult {
  std::vector<sensitivity::CellRecord> cells;     ///< in the order of the plan
  std::vector<sensitivity::SkippedCell> skipped;  ///< asked for, but their shape cannot take the format
  std::uint64_t positions = 0;  ///< scored positions behind one sample of a response; 0 without responses
  Provenance provenance;
  std::vector<std::string> warnings;
  std::size_t resumed = 0;  ///< cells that were in the journal
};

/// Called whenever cells are new or better known, on the thread that runs the work.
using SensitivityCallback = std::function<void(std::span<const sensitivity::CellRecord> cells)>;

/// The journal is left behind, complete, for the caller to remove once the result is safe elsewhere.
[[nodiscard]] Result<SensitivityResult> run_sensitivity(const SensitivityRequest& request,
                                                        const SensitivityCallback& on_cells,
                                                        const WorkContext& work);

/// {"bitlens_sensitivity": 1, "cells": [{"tensor", "format", "quantizer", "source", "method", "kl_mean",
/// "kl_se", "dnll_mean", "dnll_se", ...}], "skipped": [{"tensor", "format", "reason"}], "provenance"}.
[[nodiscard]] std::string sensitivity_to_json(const SensitivityResult& result);
/// Errors name the path inside the file.
[[nodiscard]] Result<SensitivityResult> parse_sensitivity(std::string_view json, const std::string& file);
/// Reads JSON, or the journal of a run that has not finished.
[[nodiscard]] Result<SensitivityResult> load_sensitivity(const std::string& path);
/// Writes JSON atomically, then removes the journal, if any.
[[nodiscard]] Status save_sensitivity(const SensitivityResult& result, const std::string& path,
                                      bool overwrite, const std::string& journal);
/// Where the journal of a run that writes `output` stands: beside it.
[[nodiscard]] std::string sensitivity_journal_path(const std::string& output);

/// What a recipe is predicted to cost.
struct RecipePrediction {
  double kl_mean = 0, kl_se = 0;  ///< nats per scored token
  double sum_of_single_kl = 0;    ///< if the tensors did not interact
  bool joint = false;             ///< from responses, interactions included; else the plain sum
  std::uint64_t samples = 0;      ///< behind a joint prediction
  std::uint64_t file_bytes = 0;
  double bits_per_weight = 0;
  std::size_t changed = 0;           ///< tensors the recipe changes
  std::vector<std::string> missing;  ///< changed tensors nothing is known about: not in the sum
  std::vector<std::string> warnings;
};
/// Uses the responses when every changed tensor that is known has one, else measured values before predicted
/// ones in nats. InvalidArgument if nothing is known about any changed tensor.
[[nodiscard]] Result<RecipePrediction> predict_recipe(const ModelSession& session,
                                                      const quantize::Recipe& recipe,
                                                      quantize::Quantizer quantizer,
                                                      const SensitivityResult& known);

}  // namespace bitlens::study
