// Engine errors as translated sentences with a next step. The engine's own line (file, tensor, offset) stays
// in English behind them: it is what a report needs.
#pragma once

#include <QString>

#include "core/base/result.h"
#include "core/io/model_file.h"

namespace bitlens::views {

struct Refusal;

/// "The file is damaged or no GGUF file." - what kind of failure this is.
[[nodiscard]] QString error_headline(const Error& error);
/// What a person can do about it; may be empty.
[[nodiscard]] QString error_advice(const Error& error);
/// Headline and detail in one line, for notices.
[[nodiscard]] QString error_text(const Error& error);
/// The engine's own line.
[[nodiscard]] QString error_detail(const Error& error);
/// "its rows of 172 weights are no whole number of blocks of 32. F16 would fit."
[[nodiscard]] QString refusal_text(const Refusal& refusal, const io::TensorInfo& tensor);

}  // namespace bitlens::views
