// The time of day as provenance writes it.
#pragma once

#include <fmt/chrono.h>

#include <ctime>
#include <string>

namespace bitlens::study {

/// Now, ISO 8601 UTC to the second: "2026-01-31T23:59:59Z".
[[nodiscard]] inline std::string utc_time() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
}

}  // namespace bitlens::study
