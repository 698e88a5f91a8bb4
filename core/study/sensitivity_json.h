// Records of cells as JSON objects: the same keys in the written file and in the journal.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/study/json_reader.h"
#include "core/study/sensitivity.h"

namespace bitlens::study {

[[nodiscard]] nlohmann::ordered_json record_to_json(const sensitivity::CellRecord& record);
[[nodiscard]] sensitivity::CellRecord read_record(const nlohmann::json& value, const std::string& path,
                                                  JsonDocument& document);

/// A whole result, as parse_sensitivity() takes it.
[[nodiscard]] SensitivityResult read_sensitivity(const nlohmann::json& value, const std::string& path,
                                                 JsonDocument& document);

}  // namespace bitlens::study
