// Measured results as JSON: the keys of the `.bitlens` file and of the command line's --json are the same.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/study/json_reader.h"
#include "core/study/session.h"

namespace bitlens::study {

[[nodiscard]] nlohmann::ordered_json provenance_to_json(const Provenance& provenance);
[[nodiscard]] Provenance read_provenance(ObjectReader reader);

/// The numbers of a measurement at the top level of `target`: ppl, ppl_se, nll_mean, ..., with a comparison
/// also kl_mean, ..., base_ppl, ... Per-token values are left out.
void put_measurement(nlohmann::ordered_json& target, const evaluate::Measurement& measurement);
[[nodiscard]] evaluate::Measurement read_measurement(ObjectReader& reader);

[[nodiscard]] nlohmann::ordered_json result_to_json(const MeasuredResult& result);
[[nodiscard]] MeasuredResult read_result(const nlohmann::json& value, const std::string& path,
                                         JsonDocument& document);

[[nodiscard]] nlohmann::ordered_json recipe_json(const quantize::Recipe& recipe);
[[nodiscard]] quantize::Recipe read_recipe(const nlohmann::json& value, const std::string& path,
                                           JsonDocument& document);

/// Pretty-printed with a newline at the end; bytes that are not UTF-8 become U+FFFD; NaN and infinity become
/// null.
[[nodiscard]] std::string dump(const nlohmann::ordered_json& value);

}  // namespace bitlens::study
