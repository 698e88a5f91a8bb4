// Writing a quantized model, and measuring what was written.
#include <filesystem>

#include "core/export/export.h"
#include "core/study/session.h"

namespace bitlens::study {

Status check_output(const ModelSession& session, const std::string& path, bool force,
                    const std::vector<std::string>& inputs) {
  if (Status usable = exporter::check_output(session.file(), {path, force, inputs}); !usable) return usable;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty() && !std::filesystem::is_directory(folder, error))
    return fail(ErrorCode::NotFound, "the folder of the output does not exist", {path, "", {}});
  return {};
}

Result<ExportOutcome> export_model(const ExportRequest& request, const WorkContext& work) {
  const ModelSession& session = *request.session;
  std::vector<std::string> inputs = request.inputs;
  if (request.text) {
    inputs.push_back(request.text->text->path);
    // A text that cannot be measured is found out before the work, not after it.
    if (const auto windows = plan_windows(session, *request.text, request.options); !windows)
      return pass(windows);
  }
  if (const Status usable = check_output(session, request.path, request.force, inputs); !usable)
    return pass(usable);
  const auto resolved =
      quantize::resolve(request.recipe, session.file(), request.quantizer, request.importance);
  if (!resolved) return pass(resolved);
  const auto written =
      exporter::export_gguf(session.file(), *resolved, {request.path, request.force, inputs}, work);
  if (!written) return pass(written);

  ExportOutcome out;
  out.path = written->path;
  out.file_bytes = written->file_bytes;
  out.bits_per_weight = resolved->bits_per_weight;
  out.seconds = written->seconds;
  out.encode_seconds = written->encode_seconds;
  out.sha256 = written->sha256;
  out.warnings = written->warnings;
  if (!request.text) return out;

  const auto reopened = open_model(request.path);
  if (!reopened) return pass(reopened);
  auto measured =
      measure({*reopened, {}, request.session, request.text, request.options, request.quantizer, {}}, work);
  if (!measured) return pass(measured);
  out.remeasured = std::move(*measured);
  return out;
}

}  // namespace bitlens::study
