// Where a sweep's numbers come from.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "core/quantize/weighing.h"
#include "core/study/response_records.h"
#include "core/study/sensitivity.h"

namespace bitlens::study {

Result<Provenance> sensitivity_provenance(const SensitivityRequest& request, const evaluate::Windows& windows,
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
  const bool measured = request.method == sensitivity::Method::Measured;
  out.activations =
      evaluate::activations_name(measured ? request.options.activations : evaluate::Activations::Exact);
  // Scores of weights and inputs have no such choice.
  const bool runs = measured || needs_backward(request.method);
  out.compute = evaluate::compute_name(runs ? request.options.compute : evaluate::Compute::Exact);
  out.quantizer = quantize::quantizer_name(request.quantizer);
  const auto weighs = [&](kernels::Format format) { return quantize::can_weigh(format, request.quantizer); };
  if (request.importance && std::ranges::any_of(request.formats, weighs)) {
    out.imatrix = request.importance->file;
    out.imatrix_sha256 = request.importance->sha256;
  }
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

}  // namespace bitlens::study
