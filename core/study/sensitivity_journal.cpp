#include "core/study/sensitivity_journal.h"

#include "core/study/result_json.h"
#include "core/study/sensitivity_json.h"

namespace bitlens::study {

using sensitivity::Method;

namespace {

/// What the records depend on. Paths, times and threads do not count; what is asked for does not either:
/// a journal may be gone on with for more formats, other tensors or more samples.
std::string key_of(const SensitivityRequest& request, const SensitivityResult& head,
                   std::size_t sampled_windows) {
  Provenance settled = head.provenance;
  settled.time.clear();
  settled.threads = 0;
  settled.model_path.clear();
  settled.text_name.clear();
  if (!settled.imatrix.empty()) settled.imatrix = "imatrix";  // its hash counts
  const bool samples = request.method == Method::Response || (request.adaptive && request.estimates.empty());
  nlohmann::ordered_json key;
  key["request"] = {{"method", sensitivity::method_name(request.method)},
                    {"grouping", grouping_name(request.grouping)},
                    {"samples", request.method == Method::Fisher ? request.samples : 0},
                    {"sampled_windows", samples ? sampled_windows : 0},
                    {"adaptive", request.adaptive}};
  key["positions"] = head.positions;
  key["provenance"] = provenance_to_json(settled);
  return key.dump();
}

}  // namespace

Result<RunJournal> RunJournal::open(const SensitivityRequest& request, const SensitivityResult& head,
                                    std::size_t sampled_windows,
                                    std::vector<sensitivity::CellRecord>& found) {
  std::string key = key_of(request, head, sampled_windows);
  sensitivity::JournalContent content;
  auto journal = sensitivity::Journal::open(request.journal, key, request.resume, content);
  if (!journal) return pass(journal);
  JsonDocument document{request.journal, {}};
  for (const std::string& payload : content.payloads) {
    const auto value = parse_json(payload, request.journal, "journal");
    if (!value) return pass(value);
    found.push_back(read_record(*value, "record", document));
    if (document.error) return tl::unexpected<Error>(std::move(*document.error));
  }
  return RunJournal(std::move(*journal), std::move(key), content.damaged);
}

Status RunJournal::append(std::span<const sensitivity::CellRecord> records) {
  std::vector<std::string> payloads;
  payloads.reserve(records.size());
  for (const sensitivity::CellRecord& record : records) payloads.push_back(record_to_json(record).dump());
  return file_.append(payloads);
}

}  // namespace bitlens::study
