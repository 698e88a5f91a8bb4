// A Study: one model, texts, recipes, results and the window's layout, saved as one `.bitlens` file (JSON).
// The model is referred to by path and SHA-256, not copied. A damaged or newer file gives a clear error,
// never a partial study.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/quantize/recipe.h"
#include "core/study/sensitivity.h"
#include "core/study/session.h"

namespace bitlens::study {

struct TextReference {
  std::string path;  ///< as load_text() takes it
  std::string sha256;
  TextUse use = TextUse::Evaluation;
  bool operator==(const TextReference&) const = default;
};

/// What the studio's sensitivity run was asked for, beside the study's own options and quantizer.
struct SweepPlan {
  std::vector<kernels::Format> formats;
  std::uint64_t samples = 224;  ///< of predictions
  std::uint32_t context = 0;    ///< tokens per window; 0: as the study's options
  std::uint32_t windows = 8;    ///< at most so many; 0: all
  bool measure = true;          ///< measured cells follow the predictions
  bool adaptive = true;         ///< measured until known well enough, else on all windows
  bool scores = true;           ///< the cheap scores and the Fisher score too
  bool unfinished = false;      ///< begun and not yet done: to be gone on with
  bool operator==(const SweepPlan&) const = default;
};

/// The importance matrix in use.
struct ImatrixReference {
  std::string path;  ///< absolute
  std::string sha256;
  bool operator==(const ImatrixReference&) const = default;
};

struct Study {
  static constexpr int kVersion = 1;
  std::string model_path;    ///< absolute, or "sample"
  std::string model_sha256;  ///< empty until first computed
  std::vector<TextReference> texts;
  quantize::Recipe recipe;                ///< the one being edited
  std::vector<quantize::Recipe> recipes;  ///< named ones the user kept
  std::vector<MeasuredResult> results;    ///< without the per-token values
  evaluate::Options options;              ///< the memory budget is this machine's business and is not saved
  quantize::Quantizer quantizer = quantize::Quantizer::Search;
  std::optional<ImatrixReference> imatrix;
  /// What is known about cells: a result per method and grouping, with its samples.
  std::vector<std::shared_ptr<const SensitivityResult>> sensitivities;
  std::optional<SweepPlan> sweep;  ///< none: never asked for
  std::string layout;              ///< opaque to the engine (the studio's window state), UTF-8 text
};

[[nodiscard]] std::string study_to_json(const Study& study);
/// Errors name the path inside the file; version above kVersion: "written by a newer version".
[[nodiscard]] Result<Study> parse_study(std::string_view json, const std::string& file);
[[nodiscard]] Status save_study(const Study& study, const std::string& path);  ///< atomic
[[nodiscard]] Result<Study> load_study(const std::string& path);

/// What the study refers to and is no longer there, or no longer the same bytes (SHA-256): one sentence each,
/// for the user to act on; results of such a model or text are stale. Reads the model, the texts and the
/// importance matrix once.
[[nodiscard]] Result<std::vector<std::string>> check_references(const Study& study, const WorkContext& work);

/// Where an unsaved study is autosaved and found again after a crash: one file per running program under
/// `folder`. Returns the newest leftover of a program that is no longer running.
[[nodiscard]] std::optional<std::string> find_recovery(const std::string& folder);
/// This program's file; `folder` is not created.
[[nodiscard]] std::string recovery_path(const std::string& folder);

}  // namespace bitlens::study
