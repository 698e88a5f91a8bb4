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
  quantize::ImportancePtr importance{};  ///< matched to the session's file; cells are rounded as an export
  std::vector<kernels::Format> formats;
  std::string tensor_glob = "*";
  sensitivity::Grouping grouping = sensitivity::Grouping::Tensor;
  sensitivity::Method method = sensitivity::Method::Measured;
  std::uint64_t samples = 224, seed = 1;  ///< of Response and Fisher
  /// Measured: a cell's windows end when its error is a tenth of its value or too small to matter. A cell is
  /// not measured at all when that is so of its prediction's error.
  bool adaptive = false;
  /// Measured: what is predicted (Response), for the order and for adaptive stops. The most informative cells
  /// come first; without estimates an adaptive run makes its own, another one keeps the order of the plan.
  std::vector<sensitivity::CellRecord> estimates;
  std::size_t estimate_windows = 0;  ///< windows their samples are spread over
  /// Measured: names and formats of cells a choice hangs on.
  std::vector<std::pair<std::string, kernels::Format>> decisions;
  /// Asked when stopping loses nothing (after a batch of cells, between rounds of samples): true ends go()
  /// with Cancelled.
  std::function<bool()> interrupt;
  /// Records of an earlier run of the same kind whose journal may be gone: not worked on again.
  std::vector<sensitivity::CellRecord> known;
  std::string journal;       ///< path of the journal; empty: none is kept
  bool resume = false;       ///< go on from the journal
  std::string spill_folder;  ///< for hidden states beyond the memory budget; empty: the system's
};

struct SensitivityResult {
  /// In the order of the plan. Of an adaptive run that made its own estimates, with the predictions that
  /// cells were left to.
  std::vector<sensitivity::CellRecord> cells;
  std::vector<sensitivity::SkippedCell> skipped;  ///< asked for, but their shape cannot take the format
  std::uint64_t positions = 0;  ///< scored positions behind one sample of a response; 0 without responses
  sensitivity::Grouping grouping = sensitivity::Grouping::Tensor;
  Provenance provenance;
  std::vector<std::string> warnings;
  std::size_t resumed = 0;  ///< cells that were in the journal
};

[[nodiscard]] const char* grouping_name(sensitivity::Grouping grouping);  ///< "tensor", "fused", ...

/// Called whenever cells are new or better known, on the thread that runs the work; with a journal first with
/// what it holds.
using SensitivityCallback = std::function<void(std::span<const sensitivity::CellRecord> cells)>;

/// A run that can be interrupted and gone on with, keeping the base's hidden states.
class SensitivityRun {
 public:
  SensitivityRun(SensitivityRequest request, SensitivityCallback on_cells);
  ~SensitivityRun();
  /// Until it is done. Cancelled when stopped, or by the request's `interrupt`: call again to go on.
  [[nodiscard]] Result<SensitivityResult> go(const WorkContext& work);
  /// The result without its cells: complete before the first cell is told of.
  [[nodiscard]] const SensitivityResult& head() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The journal is left behind, complete, for the caller to remove once the result is safe elsewhere.
[[nodiscard]] Result<SensitivityResult> run_sensitivity(const SensitivityRequest& request,
                                                        const SensitivityCallback& on_cells,
                                                        const WorkContext& work);

/// All cheap scores of the request's cells from one pass: a result for each of sensitivity::kCheapMethods.
/// Short beside the other methods, so without a journal; `method` and what belongs to it are not looked at.
[[nodiscard]] Result<std::vector<SensitivityResult>> run_cheap_scores(const SensitivityRequest& request,
                                                                      const WorkContext& work);
/// Where a run's numbers come from, with the hash of the model file.
[[nodiscard]] Result<Provenance> sensitivity_provenance(const SensitivityRequest& request,
                                                        const evaluate::Windows& windows,
                                                        const WorkContext& work);

/// {"bitlens_sensitivity": 1, "cells": [{"tensor", "format", "quantizer", "source", "method", "kl_mean",
/// "kl_se", "dnll_mean", "dnll_se", ...}], "skipped": [{"tensor", "format", "reason"}], "provenance"}.
[[nodiscard]] std::string sensitivity_to_json(const SensitivityResult& result);
/// Without line breaks, and without one at the end.
[[nodiscard]] std::string sensitivity_to_line(const SensitivityResult& result);
/// Errors name the path inside the file.
[[nodiscard]] Result<SensitivityResult> parse_sensitivity(std::string_view json, const std::string& file);
/// Reads JSON, or the journal of a run that has not finished.
[[nodiscard]] Result<SensitivityResult> load_sensitivity(const std::string& path);
/// Writes JSON atomically, then removes the journal, if any.
[[nodiscard]] Status save_sensitivity(const SensitivityResult& result, const std::string& path,
                                      bool overwrite, const std::string& journal);
/// Where the journal of a run that writes `output` stands: beside it.
[[nodiscard]] std::string sensitivity_journal_path(const std::string& output);

/// A report with sweeps over cells; `statistics`: also of every tensor's weights. Otherwise as
/// write_report().
struct SweepReport {
  std::vector<std::shared_ptr<const SensitivityResult>> sweeps;
  bool statistics = true;
};
[[nodiscard]] Status write_report(const ReportRequest& request, const SweepReport& sweeps,
                                  const WorkContext& work);

/// What a recipe is predicted to cost.
struct RecipePrediction {
  double kl_mean = 0, kl_se = 0;  ///< nats per scored token
  double sum_of_single_kl = 0;    ///< if the tensors did not interact
  /// Predicted ln(ppl / base ppl); NaN when not joint, or without responses to the text's own labels.
  double dnll_mean = sensitivity::kUnknown, dnll_se = sensitivity::kUnknown;
  bool joint = false;         ///< from responses, interactions included; else the plain sum
  std::uint64_t samples = 0;  ///< behind a joint prediction
  std::uint64_t file_bytes = 0;
  double bits_per_weight = 0;
  std::size_t changed = 0;           ///< tensors the recipe changes
  std::vector<std::string> missing;  ///< changed tensors nothing is known about: not in the sum
  std::vector<std::string> warnings;
};
/// Makes predictions of many recipes from what is known; building it looks at every record once, a
/// prediction costs one pass over the samples of the changed tensors. Immutable: any number of threads.
class Predictor {
 public:
  /// Several results may be about the same cells: the first that knows a cell by a method is used. Results
  /// about groups are left out.
  Predictor(std::shared_ptr<const ModelSession> session,
            std::vector<std::shared_ptr<const SensitivityResult>> known);

  /// Uses the responses when every changed tensor that is known has one, else measured values before
  /// predicted ones in nats. InvalidArgument if nothing is known about any changed tensor.
  [[nodiscard]] Result<RecipePrediction> predict(const quantize::ResolvedRecipe& recipe) const;
  /// Of some tensors changed together to one format; tensors that cannot take it or are unknown are missing.
  [[nodiscard]] Result<RecipePrediction> predict(std::span<const std::size_t> tensors,
                                                 kernels::Format format) const;

 private:
  struct Known {
    const sensitivity::CellRecord *measured = nullptr, *response = nullptr, *fisher = nullptr;
  };
  struct Choice {
    std::size_t tensor;
    kernels::Format format;
  };
  [[nodiscard]] const Known* find(std::size_t tensor, kernels::Format format) const;
  [[nodiscard]] Result<RecipePrediction> predict(std::span<const Choice> choices,
                                                 const quantize::ResolvedRecipe* recipe) const;

  std::shared_ptr<const ModelSession> session_;
  std::vector<std::shared_ptr<const SensitivityResult>> results_;
  std::vector<std::vector<std::pair<kernels::Format, Known>>> of_tensor_;
  std::uint64_t positions_ = 0;
};

/// As Predictor, for one recipe.
[[nodiscard]] Result<RecipePrediction> predict_recipe(const ModelSession& session,
                                                      const quantize::Recipe& recipe,
                                                      quantize::Quantizer quantizer,
                                                      const SensitivityResult& known,
                                                      const quantize::ImportancePtr& importance = {});

}  // namespace bitlens::study
