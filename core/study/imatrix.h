// Importance matrices through the one door: read for a model, or made from a calibration text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/importance/imatrix.h"
#include "core/study/session.h"

namespace bitlens::study {

/// Reads an importance matrix and matches it to the session's model: what encoders take. Errors of
/// importance::read_imatrix and importance::match_imatrix.
[[nodiscard]] Result<quantize::ImportancePtr> load_importance(const std::string& path,
                                                              const ModelSession& session);

struct ImatrixRequest {
  std::shared_ptr<const ModelSession> session;
  std::shared_ptr<const TokenizedText> text;  ///< calibration text under the session's tokenizer
  evaluate::Options options;                  ///< context 0: 512, or the model's own if less; windows 0: all
  bool output_matrix = false;                 ///< an entry for the output matrix too
  std::string path;
  importance::ImatrixFormat format = importance::ImatrixFormat::Gguf;
  bool force = false;
};
struct ImatrixOutcome {
  std::string path, sha256;
  std::uint64_t bytes = 0;
  std::size_t entries = 0;
  std::uint32_t windows = 0, context = 0;
  double seconds = 0;
  std::vector<std::string> warnings;
};
/// Windows as plan_windows() cuts them; every position counts. Outputs are checked before the work, written
/// atomically and read back. Progress "forward".
[[nodiscard]] Result<ImatrixOutcome> make_imatrix(const ImatrixRequest& request, const WorkContext& work);

}  // namespace bitlens::study
