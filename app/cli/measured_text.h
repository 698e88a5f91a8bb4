// A measured result as a table for people.
#pragma once

#include <string>

#include "core/study/session.h"

namespace bitlens::cli {

[[nodiscard]] std::string measured_text(const study::MeasuredResult& result);

}  // namespace bitlens::cli
