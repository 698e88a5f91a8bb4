#include "core/study/sensitivity_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "core/base/atomic_file.h"
#include "core/sensitivity/journal.h"
#include "core/study/result_json.h"

namespace bitlens::study {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using sensitivity::CellRecord;
using sensitivity::Method;

constexpr const char* kVersionKey = "bitlens_sensitivity";
constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kLargestFile = std::size_t{1} << 30;

constexpr std::array<std::pair<const char*, double CellRecord::*>, 8> kNumbers{{
    {"kl_mean", &CellRecord::kl_mean},
    {"kl_se", &CellRecord::kl_se},
    {"dnll_mean", &CellRecord::dnll_mean},
    {"dnll_se", &CellRecord::dnll_se},
    {"kl_median", &CellRecord::kl_median},
    {"kl_p99", &CellRecord::kl_p99},
    {"kl_max", &CellRecord::kl_max},
    {"top1_agreement", &CellRecord::top1_agreement},
}};
/// These are always written, null when unknown; the others only when known.
constexpr std::size_t kAlways = 4;
constexpr std::array<std::pair<const char*, std::vector<float> CellRecord::*>, 3> kLists{{
    {"response", &CellRecord::response},
    {"text_response", &CellRecord::text_response},
    {"window_kl", &CellRecord::window_kl},
}};

kernels::Format read_format(ObjectReader& reader, const char* key) {
  const std::string name = reader.string(key);
  const kernels::FormatInfo* format = kernels::find_format(std::string_view(name));
  if (format != nullptr) return format->format;
  reader.document().fail_at(reader.path_of(key), "unknown format \"" + printable(name, 80) + "\"");
  return kernels::Format::F32;
}

/// What a journal's key is made of, so that an unfinished run can be read like a finished one.
SensitivityResult read_head(ObjectReader& reader) {
  SensitivityResult out;
  out.positions = reader.unsigned_number("positions");
  out.provenance = read_provenance(reader.object("provenance"));
  return out;
}

sensitivity::Grouping read_grouping(ObjectReader& reader) {
  using sensitivity::Grouping;
  return reader.one_of("grouping",
                       {Grouping::Tensor, Grouping::Fused, Grouping::Module, Grouping::Layer, Grouping::All},
                       grouping_name);
}

}  // namespace

const char* grouping_name(sensitivity::Grouping grouping) {
  switch (grouping) {
    case sensitivity::Grouping::Tensor:
      return "tensor";
    case sensitivity::Grouping::Fused:
      return "fused";
    case sensitivity::Grouping::Module:
      return "module";
    case sensitivity::Grouping::Layer:
      return "layer";
    case sensitivity::Grouping::All:
      return "all";
  }
  return "";
}

ordered_json record_to_json(const CellRecord& record) {
  ordered_json out;
  out["tensor"] = record.tensor;
  out["format"] = kernels::info(record.format).name;
  out["quantizer"] = quantize::quantizer_name(record.quantizer);
  out["source"] = sensitivity::source_name(record.method);
  out["method"] = sensitivity::method_name(record.method);
  for (std::size_t i = 0; i < kNumbers.size(); ++i) {
    const double value = record.*kNumbers[i].second;
    if (i < kAlways || !std::isnan(value)) out[kNumbers[i].first] = value;
  }
  if (record.scored_tokens != 0) out["scored_tokens"] = record.scored_tokens;
  if (record.windows != 0) out["windows"] = record.windows;
  if (record.adaptive) out["adaptive"] = true;
  if (record.samples != 0) out["samples"] = record.samples;
  out["seconds"] = record.seconds;
  for (const auto& [key, member] : kLists) {
    if ((record.*member).empty()) continue;
    ordered_json& values = out[key] = ordered_json::array();
    for (const float value : record.*member) values.push_back(value);
  }
  return out;
}

CellRecord read_record(const json& value, const std::string& path, JsonDocument& document) {
  ObjectReader reader(value, path, document);
  CellRecord out;
  out.tensor = reader.string("tensor");
  out.format = read_format(reader, "format");
  out.quantizer = reader.one_of("quantizer", {quantize::Quantizer::Rtn, quantize::Quantizer::Search},
                                quantize::quantizer_name);
  out.method =
      reader.one_of("method",
                    {Method::Measured, Method::Response, Method::Fisher, Method::Energy, Method::EnergyShift,
                     Method::Rounding, Method::ActivationRule, Method::HessianTrace},
                    sensitivity::method_name);
  if (const std::string source = reader.string("source");
      !document.error && source != sensitivity::source_name(out.method))
    document.fail_at(reader.path_of("source"), "\"" + printable(source, 80) + "\" does not fit the method");
  for (std::size_t i = 0; i < kNumbers.size(); ++i)
    if (i < kAlways || reader.has(kNumbers[i].first))
      out.*kNumbers[i].second = reader.number(kNumbers[i].first);
  if (reader.has("scored_tokens")) out.scored_tokens = reader.unsigned_number("scored_tokens");
  if (reader.has("windows")) out.windows = reader.unsigned_number("windows");
  if (reader.has("adaptive")) {
    const json& flag = reader.any("adaptive");
    if (flag.is_boolean())
      out.adaptive = flag.get<bool>();
    else
      document.fail_at(reader.path_of("adaptive"), "expected true or false");
  }
  if (reader.has("samples")) out.samples = reader.unsigned_number("samples");
  out.seconds = reader.number("seconds");
  for (const auto& [key, member] : kLists) {
    if (!reader.has(key)) continue;
    std::vector<float>& values = out.*member;
    reader.array(key, [&](const json& item, const std::string& where) {
      if (item.is_number())
        values.push_back(item.get<float>());
      else
        document.fail_at(where, std::string("expected a number, found ") + item.type_name());
    });
  }
  if (!out.response.empty() && out.response.size() != out.samples)
    document.fail_at(reader.path_of("response"), "as many values as samples are needed");
  reader.end();
  return out;
}

std::string sensitivity_to_line(const SensitivityResult& result) {
  ordered_json out;
  out[kVersionKey] = kVersion;
  ordered_json& cells = out["cells"] = ordered_json::array();
  for (const CellRecord& record : result.cells) cells.push_back(record_to_json(record));
  ordered_json& skipped = out["skipped"] = ordered_json::array();
  for (const sensitivity::SkippedCell& cell : result.skipped)
    skipped.push_back(
        {{"tensor", cell.name}, {"format", kernels::info(cell.format).name}, {"reason", cell.reason}});
  out["positions"] = result.positions;
  out["grouping"] = grouping_name(result.grouping);
  out["provenance"] = provenance_to_json(result.provenance);
  out["warnings"] = result.warnings;
  // Responses would take a line for every number if it were indented.
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string sensitivity_to_json(const SensitivityResult& result) {
  return sensitivity_to_line(result) + "\n";
}

SensitivityResult read_sensitivity(const json& value, const std::string& where, JsonDocument& document) {
  ObjectReader reader(value, where, document);
  const std::uint64_t version = reader.unsigned_number(kVersionKey);
  if (!document.error && version > kVersion) {
    document.error = Error{ErrorCode::Unsupported, "written by a newer version", {document.file, {}, {}}, {}};
    return {};
  }
  SensitivityResult out = read_head(reader);
  if (reader.has("grouping")) out.grouping = read_grouping(reader);
  reader.array("cells", [&](const json& item, const std::string& path) {
    out.cells.push_back(read_record(item, path, document));
  });
  reader.array("skipped", [&](const json& item, const std::string& path) {
    ObjectReader cell(item, path, document);
    out.skipped.push_back({cell.string("tensor"), read_format(cell, "format"), cell.string("reason")});
    cell.end();
  });
  out.warnings = reader.strings("warnings");
  reader.end();
  return out;
}

Result<SensitivityResult> parse_sensitivity(std::string_view text, const std::string& file) {
  const auto parsed = parse_json(text, file, "sensitivity file");
  if (!parsed) return pass(parsed);
  JsonDocument document{file, {}};
  SensitivityResult out = read_sensitivity(*parsed, "", document);
  if (document.error) return tl::unexpected<Error>(std::move(*document.error));
  return out;
}

Result<SensitivityResult> load_sensitivity(const std::string& path) {
  const auto text = read_file(path, kLargestFile);
  if (!text) return pass(text);
  if (!sensitivity::is_journal(*text)) return parse_sensitivity(*text, path);
  const auto content = sensitivity::read_journal(path);
  if (!content) return pass(content);
  const auto key = parse_json(content->key, path, "journal");
  if (!key) return pass(key);
  JsonDocument document{path, {}};
  ObjectReader reader(*key, "", document);
  ObjectReader request = reader.object("request");
  SensitivityResult out = read_head(reader);
  out.grouping = read_grouping(request);
  reader.end();
  for (const std::string& payload : content->payloads) {
    const auto value = parse_json(payload, path, "journal");
    if (!value) return pass(value);
    CellRecord record = read_record(*value, "record", document);
    // Later records of a cell replace earlier ones.
    const auto same = [&](const CellRecord& other) {
      return other.tensor == record.tensor && other.format == record.format && other.method == record.method;
    };
    const auto found = std::ranges::find_if(out.cells, same);
    if (found == out.cells.end())
      out.cells.push_back(std::move(record));
    else
      *found = std::move(record);
  }
  if (document.error) return tl::unexpected<Error>(std::move(*document.error));
  out.warnings.emplace_back("this is the journal of a run that has not finished");
  return out;
}

Status save_sensitivity(const SensitivityResult& result, const std::string& path, bool overwrite,
                        const std::string& journal) {
  if (auto s = write_file_atomically(path, sensitivity_to_json(result), overwrite); !s) return s;
  if (journal.empty()) return {};
  std::error_code error;
  std::filesystem::remove(journal, error);
  if (error) return fail(ErrorCode::Io, "cannot remove the journal: " + error.message(), {journal, {}, {}});
  return {};
}

std::string sensitivity_journal_path(const std::string& output) {
  return output + ".journal";
}

}  // namespace bitlens::study
