// Where the model, texts and tasks that come with Bitlens are.
#pragma once

#include <string>

#include "core/base/result.h"

namespace bitlens::study {

inline constexpr const char* kSampleName = "sample";  ///< what a person types instead of a path
inline constexpr const char* kSampleModel = "sample-f16.gguf";
inline constexpr const char* kSampleText = "heldout.txt";
inline constexpr const char* kSampleCalibration = "calibration.txt";
inline constexpr const char* kSampleTasks = "tasks.json";

/// The path of one of the files above: in $BITLENS_DATA_DIR, beside the installed program, or in the source
/// tree. NotFound if it is nowhere.
[[nodiscard]] Result<std::string> sample_file(const char* name);

}  // namespace bitlens::study
