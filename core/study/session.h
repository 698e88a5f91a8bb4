// The one door to the engine for the command line and the studio: open a model, load texts, measure, analyse,
// export, report. Every call is synchronous and takes a WorkContext; the studio runs them on the JobQueue's
// thread, the command line on its own. The same call gives the same numbers in both.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/analyze/statistics.h"
#include "core/base/parallel.h"
#include "core/base/result.h"
#include "core/evaluate/perplexity.h"
#include "core/model/model.h"
#include "core/quantize/recipe.h"
#include "core/tokenizer/tokenizer.h"

namespace bitlens::study {

/// Environment variable that names the best instruction set to use; see limit_instruction_set().
inline constexpr const char* kInstructionsVariable = "BITLENS_INSTRUCTIONS";
/// Keeps the whole process from using better instructions than `name` (amx, avx512, avx2, sse4, plain); null:
/// no limit. To be called before anything else. InvalidArgument if there is no such name.
[[nodiscard]] Status limit_instruction_set(const char* name);

/// Program name and version ("bitlens 1.2.3"), and the instruction set in use ("AVX2", "AVX-512 + AMX", ...).
struct ProgramInfo {
  std::string version, instruction_set;
};
[[nodiscard]] ProgramInfo program_info();

/// An opened model. Immutable; shared by jobs and snapshots.
struct ModelSession {
  std::string requested;  ///< what the user typed: a path, or "sample"
  std::shared_ptr<const model::Model> model;
  /// The tokenizer, or why there is none.
  Result<std::shared_ptr<const tokenizer::Tokenizer>> tokenizer =
      fail(ErrorCode::Unsupported, "no tokenizer");
  [[nodiscard]] const io::ModelFile& file() const { return model->file(); }
};
/// Opens a GGUF file, or the sample model for the name "sample". Only headers are read. Refuses files whose
/// hyperparameters are invalid unless `inspect_only`.
[[nodiscard]] Result<std::shared_ptr<const ModelSession>> open_model(const std::string& path_or_sample,
                                                                     bool inspect_only = false);
/// The tokenizer of a file alone, which need not be a model that can be opened: vocabulary-only files have no
/// tensors.
[[nodiscard]] Result<std::shared_ptr<const tokenizer::Tokenizer>> open_tokenizer(
    const std::string& path_or_sample);
/// Folder with the sample model and texts (beside the program, in the source tree or installed); empty if
/// absent.
[[nodiscard]] std::string sample_folder();

enum class TextUse { Evaluation, Calibration };
/// A text as it is: bytes unchanged.
struct Text {
  std::string name;  ///< file name, or "sample"
  std::string path;
  std::string content;
  std::string sha256;
};
/// Reads a text file (at most 1 GiB, regular file, not empty), or the sample's held-out ("sample") or
/// calibration
/// ("sample-calibration") text.
[[nodiscard]] Result<std::shared_ptr<const Text>> load_text(const std::string& path_or_sample);

/// Tokens of a text under a model's tokenizer, BOS at the head if the model adds it.
struct TokenizedText {
  std::shared_ptr<const Text> text;
  std::vector<tokenizer::TokenId> tokens;
};
[[nodiscard]] Result<std::shared_ptr<const TokenizedText>> tokenize(const ModelSession& session,
                                                                    std::shared_ptr<const Text> text);
/// The windows a measurement of `text` would score, or why it cannot be measured (too short, model cannot be
/// run).
[[nodiscard]] Result<evaluate::Windows> plan_windows(const ModelSession& session, const TokenizedText& text,
                                                     const evaluate::Options& options);

/// Everything needed to say where a number comes from; written beside every number.
struct Provenance {
  std::string model_path, model_sha256, text_name, text_sha256, tokenizer, bos;  ///< bos: "added" or "none"
  std::string base_path, base_sha256;   ///< what it was compared with; empty without a comparison
  std::string imatrix, imatrix_sha256;  ///< importance matrix of the encoders; empty without one
  std::string protocol, activations, quantizer, program, instruction_set;
  std::string compute = "exact";  ///< of the products: "exact" or "fast"
  std::uint64_t context = 0, windows = 0, scored_tokens = 0;
  int threads = 0;
  std::uint64_t seed = 0;  ///< 0: nothing random was used
  std::string time;        ///< ISO 8601 UTC, when it was measured
};

struct MeasureRequest {
  std::shared_ptr<const ModelSession> subject;
  std::optional<quantize::Recipe> recipe;     ///< applied to `subject`; the base is then `subject` as it is
  std::shared_ptr<const ModelSession> base;   ///< or another file as the base (recipe may be set too)
  std::shared_ptr<const TokenizedText> text;  ///< under the subject's tokenizer
  evaluate::Options options;
  quantize::Quantizer quantizer = quantize::Quantizer::Search;
  quantize::ImportancePtr importance{};  ///< matched to `subject`; used by the recipe's encoders
};

/// One measured recipe (or the model as it is): a row of the Compare table.
struct MeasuredResult {
  std::string name;  ///< of the recipe, or of the file
  std::optional<quantize::Recipe> recipe;
  std::uint64_t file_bytes = 0;  ///< exact size of the exported file (of the file itself without a recipe)
  double bits_per_weight = 0;
  evaluate::Measurement measurement;
  Provenance provenance;
};
[[nodiscard]] Result<MeasuredResult> measure(const MeasureRequest& request, const WorkContext& work);

/// Seconds a measurement will take, from a short timed run's rate remembered by the caller:
/// tokens * parameters * 2 / rate. 0 if unknown.
[[nodiscard]] double estimate_seconds(const ModelSession& session, std::uint64_t tokens,
                                      double flops_per_second);

/// Statistics of every linear layer's input over a calibration text, by index of the weight tensor; nullopt
/// for tensors that are no linear layer. Windows as plan_windows() cuts them; context 0: 512, or the model's
/// own if less.
[[nodiscard]] Result<std::vector<std::optional<analyze::ActivationStatistics>>> input_statistics(
    const ModelSession& session, const TokenizedText& text, evaluate::Options options,
    const WorkContext& work);

/// Everything that can be known to be wrong with an output before work: it is the model or one of `inputs`
/// (same file, by whatever name), exists and may not be replaced, is no regular file, or its folder is not
/// there.
[[nodiscard]] Status check_output(const ModelSession& session, const std::string& path, bool force,
                                  const std::vector<std::string>& inputs);

struct ExportRequest {
  std::shared_ptr<const ModelSession> session;
  quantize::Recipe recipe;
  quantize::Quantizer quantizer = quantize::Quantizer::Search;
  std::string path;
  bool force = false;
  /// Re-measure the written file (opened anew) on this text against the source, if set.
  std::shared_ptr<const TokenizedText> text;
  evaluate::Options options;
  std::vector<std::string> inputs;       ///< other files that were read (the recipe's): refused as output
  quantize::ImportancePtr importance{};  ///< matched to the session's file
};
struct ExportOutcome {
  std::string path;
  std::uint64_t file_bytes = 0;
  double bits_per_weight = 0;
  double seconds = 0, encode_seconds = 0;  ///< whole export; without syncing and verification
  std::string sha256;                      ///< of the written file
  std::vector<std::string> warnings;
  std::optional<MeasuredResult> remeasured;
};
[[nodiscard]] Result<ExportOutcome> export_model(const ExportRequest& request, const WorkContext& work);

struct ReportRequest {
  std::shared_ptr<const ModelSession> session;
  std::optional<quantize::Recipe> recipe;
  quantize::Quantizer quantizer = quantize::Quantizer::Search;
  std::vector<MeasuredResult> results;  ///< already measured rows
  std::shared_ptr<const TokenizedText>
      calibration;  ///< optional: activation statistics are computed and written
  evaluate::Options options;
  std::string path;
  bool force = false;
  std::vector<std::string> inputs;  ///< other files that were read (the recipe's, texts): refused as output
  quantize::ImportancePtr importance{};  ///< matched to the session's file
};
[[nodiscard]] Status write_report(const ReportRequest& request, const WorkContext& work);

}  // namespace bitlens::study
