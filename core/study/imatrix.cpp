#include "core/study/imatrix.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace bitlens::study {

Result<quantize::ImportancePtr> load_importance(const std::string& path, const ModelSession& session) {
  const auto imatrix = importance::read_imatrix(path);
  if (!imatrix) return pass(imatrix);
  return importance::match_imatrix(*imatrix, session.file());
}

Result<ImatrixOutcome> make_imatrix(const ImatrixRequest& request, const WorkContext& work) {
  const auto start = std::chrono::steady_clock::now();
  const ModelSession& session = *request.session;
  const auto& llama = session.model->llama();
  if (!llama) return pass(llama);
  if (Status usable = check_output(session, request.path, request.force, {request.text->text->path}); !usable)
    return pass(usable);
  evaluate::Options options = request.options;
  if (options.context == 0) options.context = std::min(512U, llama->context);
  const auto windows = plan_windows(session, *request.text, options);
  if (!windows) return pass(windows);
  auto imatrix = importance::collect_imatrix(session.model, windows->inputs, request.output_matrix,
                                             options.memory_budget, work);
  if (!imatrix) return pass(imatrix);
  imatrix->datasets = {request.text->text->name};
  if (Status written = importance::write_imatrix(*imatrix, request.path, request.format, request.force);
      !written)
    return pass(written);
  const auto again = importance::read_imatrix(request.path);
  if (!again) return pass(again);

  ImatrixOutcome out;
  out.path = request.path;
  out.sha256 = again->sha256;
  std::error_code error;
  out.bytes = std::filesystem::file_size(request.path, error);
  out.entries = again->entries.size();
  out.windows = imatrix->chunk_count;
  out.context = imatrix->chunk_size;
  out.warnings = (*session.tokenizer)->warnings();
  out.warnings.insert(out.warnings.end(), windows->warnings.begin(), windows->warnings.end());
  out.warnings.insert(out.warnings.end(), imatrix->warnings.begin(), imatrix->warnings.end());
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return out;
}

}  // namespace bitlens::study
