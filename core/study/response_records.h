// Responses as records that are kept, and records as responses that are gone on with.
#pragma once

#include <cstddef>
#include <span>

#include "core/sensitivity/response.h"
#include "core/study/sensitivity.h"

namespace bitlens::study {

/// Response and Fisher: methods that have samples, and a seed.
[[nodiscard]] bool needs_backward(sensitivity::Method method);

[[nodiscard]] sensitivity::ResponseOptions response_options(const SensitivityRequest& request);

/// What is known of all these cells, whose records may be empty.
[[nodiscard]] sensitivity::KnownResponses known_responses(std::span<const sensitivity::CellRecord> records,
                                                          std::size_t samples, std::size_t windows);

[[nodiscard]] sensitivity::CellRecord response_record(const sensitivity::Cell& cell,
                                                      const sensitivity::ResponseMatrix& matrix,
                                                      std::size_t at);

}  // namespace bitlens::study
