// Measuring a model, a recipe or a second file, with everything needed to say where the numbers come from.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/run/weights.h"
#include "core/study/session.h"
#include "core/study/utc_time.h"

namespace bitlens::study {

namespace {

/// The other file must give the same tokens for the same text, or the comparison would pair unlike things.
Status check_same_tokens(const ModelSession& base, const TokenizedText& text) {
  const auto tokens = tokenize(base, text.text);
  if (!tokens) return pass(tokens);
  if ((*tokens)->tokens != text.tokens)
    return fail(ErrorCode::InvalidArgument,
                "the two models split the text into different tokens and cannot be compared token by token",
                {base.file().path(), "", {}});
  return {};
}

void append(std::vector<std::string>& target, const std::vector<std::string>& source) {
  target.insert(target.end(), source.begin(), source.end());
}

double bits_per_weight(const io::ModelFile& file) {
  double bytes = 0, weights = 0;
  for (const io::TensorInfo& tensor : file.tensors()) {
    bytes += static_cast<double>(tensor.bytes);
    weights += static_cast<double>(tensor.elements());
  }
  return weights > 0 ? 8 * bytes / weights : 0;
}

Result<Provenance> provenance_of(const MeasureRequest& request, const ModelSession* base,
                                 const evaluate::Measurement& measurement, const WorkContext& work) {
  Provenance out;
  const ModelSession& subject = *request.subject;
  auto hash = subject.file().sha256(work);
  if (!hash) return pass(hash);
  out.model_path = subject.file().path();
  out.model_sha256 = std::move(*hash);
  if (base != nullptr) {
    auto base_hash = base->file().sha256(work);
    if (!base_hash) return pass(base_hash);
    out.base_path = base->file().path();
    out.base_sha256 = std::move(*base_hash);
  }
  const tokenizer::Tokenizer& tokenizer = **subject.tokenizer;
  out.text_name = request.text->text->name;
  out.text_sha256 = request.text->text->sha256;
  out.tokenizer = tokenizer.description();
  out.bos = tokenizer.adds_bos() && tokenizer.bos() ? "added" : "none";
  out.protocol = evaluate::protocol_name(measurement.protocol);
  out.activations = evaluate::activations_name(measurement.activations);
  out.compute = evaluate::compute_name(measurement.compute);
  out.quantizer = request.recipe ? quantize::quantizer_name(request.quantizer) : "none";
  const ProgramInfo program = program_info();
  out.program = program.version;
  out.instruction_set = program.instruction_set;
  out.context = measurement.context;
  out.windows = measurement.perplexity.windows;
  out.scored_tokens = measurement.perplexity.scored_tokens;
  out.threads = work.pool.size();
  out.time = utc_time();
  return out;
}

}  // namespace

Result<evaluate::Windows> plan_windows(const ModelSession& session, const TokenizedText& text,
                                       const evaluate::Options& options) {
  if (!session.tokenizer) return pass(session.tokenizer);
  const auto& llama = session.model->llama();
  if (!llama) return pass(llama);
  auto windows = evaluate::make_windows(text.tokens, **session.tokenizer, options, llama->context);
  if (windows) return windows;
  Error error = windows.error();
  if (error.where.file.empty()) error.where.file = text.text->path;
  return tl::unexpected<Error>(std::move(error));
}

Result<MeasuredResult> measure(const MeasureRequest& request, const WorkContext& work) {
  const ModelSession& subject = *request.subject;
  const auto windows = plan_windows(subject, *request.text, request.options);
  if (!windows) return pass(windows);

  MeasuredResult out;
  out.recipe = request.recipe;
  out.name = std::filesystem::path(subject.file().path()).filename().string();
  out.file_bytes = subject.file().file_bytes();
  out.bits_per_weight = bits_per_weight(subject.file());
  std::vector<std::string> warnings = (*subject.tokenizer)->warnings();

  std::unique_ptr<run::WeightSource> weights;
  if (request.recipe) {
    auto resolved = quantize::resolve(*request.recipe, subject.file(), request.quantizer, request.importance);
    if (!resolved) return pass(resolved);
    if (std::any_of(resolved->tensors.begin(), resolved->tensors.end(),
                    [](const quantize::TensorChoice& choice) { return choice.weighted; })) {
      out.provenance.imatrix = request.importance->file;
      out.provenance.imatrix_sha256 = request.importance->sha256;
    }
    if (!request.recipe->name.empty()) out.name = request.recipe->name;
    out.file_bytes = resolved->file_bytes;
    out.bits_per_weight = resolved->bits_per_weight;
    append(warnings, resolved->warnings);
    weights = run::recipe_weights(subject.model, std::move(*resolved));
  } else {
    weights = run::file_weights(subject.model);
  }

  const ModelSession* base = request.base ? request.base.get() : request.recipe ? &subject : nullptr;
  std::unique_ptr<run::WeightSource> base_weights;
  if (base != nullptr) {
    if (!base->model->llama()) return pass(base->model->llama());
    if (base != &subject)
      if (const Status same = check_same_tokens(*base, *request.text); !same) return pass(same);
    base_weights = run::file_weights(base->model);
  }

  auto measurement = evaluate::measure(*weights, base_weights.get(), *windows, request.options, work);
  if (!measurement) return pass(measurement);
  out.measurement = std::move(*measurement);
  out.measurement.warnings.insert(out.measurement.warnings.begin(), warnings.begin(), warnings.end());
  auto provenance = provenance_of(request, base, out.measurement, work);
  if (!provenance) return pass(provenance);
  provenance->imatrix = std::move(out.provenance.imatrix);
  provenance->imatrix_sha256 = std::move(out.provenance.imatrix_sha256);
  out.provenance = std::move(*provenance);
  return out;
}

Result<std::vector<std::optional<analyze::ActivationStatistics>>> input_statistics(
    const ModelSession& session, const TokenizedText& text, evaluate::Options options,
    const WorkContext& work) {
  const auto& llama = session.model->llama();
  if (!llama) return pass(llama);
  if (options.context == 0) options.context = std::min(512U, llama->context);
  const auto windows = plan_windows(session, text, options);
  if (!windows) return pass(windows);
  return analyze::activation_statistics(session.model, windows->inputs, work, options.memory_budget);
}

}  // namespace bitlens::study
