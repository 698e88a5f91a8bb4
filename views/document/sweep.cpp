#include "views/document/sweep.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFileInfo>
#include <algorithm>
#include <stop_token>

#include "core/sensitivity/cell.h"
#include "core/sensitivity/response.h"
#include "core/sensitivity/scores.h"

namespace bitlens::views {

using sensitivity::CellRecord;
using sensitivity::Grouping;
using sensitivity::Method;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::uint64_t kFisherSamples = 32;  // the diagonal needs fewer than a prediction in nats
constexpr auto kTellEvery = std::chrono::milliseconds(200);
constexpr int kJournalsKept = 24;

/// How long a stage may take to reach a moment where stopping loses nothing, once it should stop.
std::chrono::milliseconds patience(Method method) {
  // A batch of measured cells takes about three seconds; a late round of samples takes far longer.
  return std::chrono::milliseconds(method == Method::Measured ? 4000 : 1500);
}

std::string key_of(const CellRecord& record) {
  return record.tensor + '\n' + std::string(kernels::info(record.format).name);
}

QString hash_of(const QString& text) {
  return QString::fromLatin1(
      QCryptographicHash::hash(text.toUtf8(), QCryptographicHash::Sha256).toHex().left(24));
}

}  // namespace

bool same_source(const study::Provenance& a, const study::Provenance& b) {
  return a.model_sha256 == b.model_sha256 && a.text_sha256 == b.text_sha256 && a.protocol == b.protocol &&
         a.activations == b.activations && a.quantizer == b.quantizer && a.context == b.context &&
         a.windows == b.windows && a.seed == b.seed && a.imatrix_sha256 == b.imatrix_sha256;
}

Sweep::Sweep(SweepRequest request, Deliver deliver, std::function<bool()> others_wait)
    : request_(std::move(request)),
      deliver_(std::move(deliver)),
      others_wait_(std::move(others_wait)),
      results_(request_.known) {}

std::vector<Method> Sweep::stages() const {
  if (request_.grouping != Grouping::Tensor) return {Method::Measured};
  std::vector<Method> out{Method::Response};
  if (request_.plan.scores) out.insert(out.end(), {Method::Rounding, Method::Fisher});
  if (request_.plan.measure) out.push_back(Method::Measured);
  return out;
}

study::SensitivityRequest Sweep::engine_request(Method method) const {
  study::SensitivityRequest out;
  out.session = request_.session;
  out.text = request_.text;
  out.options = request_.options;
  out.quantizer = request_.quantizer;
  out.importance = request_.importance;
  out.formats = request_.plan.formats;
  out.grouping = request_.grouping;
  out.method = method;
  out.samples =
      method == Method::Fisher ? std::min(request_.plan.samples, kFisherSamples) : request_.plan.samples;
  out.adaptive = request_.plan.adaptive;
  return out;
}

/// Where each method's numbers come from, and how many cells there are.
Status Sweep::prepare(const WorkContext& work) {
  const auto windows = study::plan_windows(*request_.session, *request_.text, request_.options);
  if (!windows) return pass(windows);
  windows_ = static_cast<std::uint32_t>(windows->inputs.size());
  const auto plan = sensitivity::plan_cells(*request_.session->model, "*", request_.plan.formats,
                                            request_.quantizer, request_.grouping);
  if (!plan) return pass(plan);
  cells_ = plan->cells.size();
  for (const Method method : stages()) {
    auto from = study::sensitivity_provenance(engine_request(method), *windows, work);
    if (!from) return pass(from);
    provenance_[method] = std::move(*from);
  }
  prepared_ = true;
  return {};
}

/// The name says everything the records depend on, so a journal is found again by asking for the same.
std::string Sweep::journal_of(Method method) const {
  if (request_.journal_folder.empty() || !with_journal_) return {};
  const study::Provenance& from = provenance_.at(method);
  QStringList parts{QString::fromStdString(from.model_sha256),
                    QString::fromStdString(from.text_sha256),
                    QString::fromStdString(from.protocol),
                    QString::fromStdString(from.activations),
                    QString::fromStdString(from.quantizer + from.imatrix_sha256),
                    QString::fromStdString(from.program + from.instruction_set),
                    QString::number(from.context),
                    QString::number(from.windows),
                    QString::fromLatin1(study::grouping_name(request_.grouping)),
                    QString::number(method == Method::Measured && request_.plan.adaptive)};
  if (method == Method::Response || method == Method::Fisher)
    parts << QString::number(sensitivity::response_windows(engine_request(method).samples, windows_));
  const QString name =
      QStringLiteral("%1-%2.journal")
          .arg(hash_of(parts.join(QLatin1Char('\n'))), QLatin1String(sensitivity::method_name(method)));
  return QDir(QString::fromStdString(request_.journal_folder)).filePath(name).toStdString();
}

const study::SensitivityResult* Sweep::known_of(Method method) const {
  for (const SweepPtr& result : results_)
    if (!result->cells.empty() && result->cells.front().method == method &&
        result->grouping == request_.grouping)
      return result.get();
  return nullptr;
}

/// The stage starts from what is known of it already, if that was found in the same way.
void Sweep::begin(Method method) {
  current_ = {};
  current_.grouping = request_.grouping;
  current_.provenance = provenance_[method];
  place_.clear();
  const study::SensitivityResult* known = known_of(method);
  if (!known || !same_source(known->provenance, provenance_[method])) return;
  const std::size_t sampled = sensitivity::response_windows(request_.plan.samples, windows_);
  // One number per window sampled, unless the text's labels have not come yet: then all windows were.
  const auto fits = [&](const CellRecord& record) {
    return record.text_response.size() == sampled || (record.text_response.empty() && sampled == windows_);
  };
  for (const CellRecord& record : known->cells)
    if (method != Method::Response || fits(record)) take({&record, 1});
  current_.positions = known->positions;
}

void Sweep::take(std::span<const CellRecord> cells) {
  for (const CellRecord& record : cells) {
    const auto [place, fresh] = place_.try_emplace(key_of(record), current_.cells.size());
    if (fresh)
      current_.cells.push_back(record);
    else
      current_.cells[place->second] = record;
  }
}

/// In place of what was known by the same method and grouping.
void Sweep::put(study::SensitivityResult result) {
  if (result.cells.empty()) return;
  const auto same = [&](const SweepPtr& other) {
    return other->cells.front().method == result.cells.front().method && other->grouping == result.grouping;
  };
  const auto place = std::ranges::find_if(results_, same);
  auto shared = std::make_shared<const study::SensitivityResult>(std::move(result));
  if (place == results_.end())
    results_.push_back(std::move(shared));
  else
    *place = std::move(shared);
}

/// Is this all that the plan wants to know of the cell?
bool Sweep::finished(const CellRecord& record) const {
  if (record.method == Method::Measured) return record.adaptive || record.windows >= windows_;
  return record.method != Method::Response || record.samples >= request_.plan.samples;
}

void Sweep::tell(bool now) {
  if (!now && Clock::now() - told_ < kTellEvery) return;
  told_ = Clock::now();
  put(current_);
  const auto all = stages();
  SweepProgress progress;
  progress.stage = all[std::min(stage_, all.size() - 1)];
  progress.all_cells = cells_;
  if (const study::SensitivityResult* known = known_of(progress.stage)) {
    // Predictions count from their first samples on, which are told beside them; measured cells when done.
    const auto counts = [&](const CellRecord& record) {
      return progress.stage == Method::Response || finished(record);
    };
    progress.cells = static_cast<std::size_t>(std::ranges::count_if(known->cells, counts));
    progress.samples = known->cells.front().samples;
    for (const CellRecord& record : known->cells)
      progress.samples = std::min(progress.samples, record.samples);
  }
  deliver_(std::make_shared<const SensitivitySnapshot>(request_.session, results_), progress);
}

Status Sweep::run_stage(Method method, const WorkContext& work) {
  if (method == Method::Rounding) return run_scores(work);
  if (!run_) {
    begin(method);
    study::SensitivityRequest request = engine_request(method);
    request.known = current_.cells;
    if (method == Method::Measured && !request.adaptive)
      std::erase_if(request.known, [](const CellRecord& record) { return record.adaptive; });
    if (method == Method::Measured) {
      if (const study::SensitivityResult* responses = known_of(Method::Response))
        request.estimates = responses->cells;
      request.estimate_windows = sensitivity::response_windows(request_.plan.samples, windows_);
      request.decisions = request_.decisions;
      request.adaptive = request.adaptive && request_.grouping == Grouping::Tensor;
    }
    request.journal = journal_of(method);
    request.resume = true;
    request.interrupt = [this] { return pause_ || others_wait_(); };
    if (!request.journal.empty()) QDir().mkpath(QString::fromStdString(request_.journal_folder));
    run_ = std::make_unique<study::SensitivityRun>(std::move(request),
                                                   [this](std::span<const CellRecord> cells) {
                                                     const study::SensitivityResult& head = run_->head();
                                                     current_.provenance = head.provenance;
                                                     current_.positions = head.positions;
                                                     current_.skipped = head.skipped;
                                                     current_.warnings = head.warnings;
                                                     take(cells);
                                                     tell(false);
                                                   });
  }
  const auto result = run_->go(work);
  if (!result) {
    // Another program works on the same cells, or the journal cannot be read: go on without one.
    const ErrorCode code = result.error().code;
    const bool about_journal =
        code == ErrorCode::Exists || code == ErrorCode::BadFile || code == ErrorCode::InvalidArgument;
    if (with_journal_ && about_journal && !run_->head().provenance.model_sha256.empty() &&
        result.error().where.file == journal_of(method)) {
      with_journal_ = false;
      run_.reset();
      return run_stage(method, work);
    }
    tell(true);
    return pass(result);
  }
  take(result->cells);
  current_.provenance = result->provenance;
  current_.positions = result->positions;
  current_.skipped = result->skipped;
  current_.warnings = result->warnings;
  run_.reset();
  tell(true);
  return {};
}

Status Sweep::run_scores(const WorkContext& work) {
  if (cells_ == 0) return {};
  // Known from before and nothing missing: not worked out again.
  const study::SensitivityResult* known = known_of(Method::Rounding);
  if (known && same_source(known->provenance, provenance_[Method::Rounding])) {
    const auto wanted = std::ranges::count_if(known->cells, [&](const CellRecord& record) {
      return std::ranges::find(request_.plan.formats, record.format) != request_.plan.formats.end();
    });
    if (static_cast<std::size_t>(wanted) == cells_) return {};
  }
  auto scores = study::run_cheap_scores(engine_request(Method::Rounding), work);
  if (!scores) return pass(scores);
  for (study::SensitivityResult& result : *scores) {
    begin(result.cells.front().method);
    take(result.cells);
    result.cells = current_.cells;
    current_ = std::move(result);
    tell(true);
  }
  return {};
}

Result<Sweep::End> Sweep::go(const WorkContext& work) {
  // Stopped from outside, or by ourselves when a stage takes too long to come to a good moment.
  std::stop_source own;
  const std::stop_callback chain(work.stop, [&own] { own.request_stop(); });
  std::optional<Clock::time_point> since;
  const WorkContext inner{
      work.pool, own.get_token(), [&](const Progress& progress) {
        if (work.on_progress) work.on_progress(progress);
        const bool out = pause_ || others_wait_();
        if (!out) since.reset();
        if (out && !since) since = Clock::now();
        const auto all = stages();
        if (since && Clock::now() - *since > patience(all[std::min(stage_, all.size() - 1)]))
          own.request_stop();
      }};
  const auto left = [&](const Error& error) -> Result<End> {
    if (error.code != ErrorCode::Cancelled || work.stopped()) return tl::unexpected<Error>(error);
    return pause_ ? End::Paused : End::SteppedAside;
  };
  if (!prepared_) {
    if (auto s = prepare(inner); !s) return left(s.error());
    prune_journals();
  }
  const auto all = stages();
  for (; stage_ < all.size(); ++stage_) {
    if (pause_) return End::Paused;
    if (auto s = run_stage(all[stage_], inner); !s) return left(s.error());
  }
  return End::Done;
}

Status Sweep::look(const WorkContext& work) {
  if (auto s = prepare(work); !s) return s;
  for (const Method method : stages()) {
    const std::string path = journal_of(method);
    if (method == Method::Rounding || path.empty() || !QFileInfo::exists(QString::fromStdString(path)))
      continue;
    const auto kept = study::load_sensitivity(path);
    if (!kept || !same_source(kept->provenance, provenance_[method])) continue;
    begin(method);
    current_.positions = kept->positions;
    take(kept->cells);
    put(current_);
  }
  current_ = {};
  // The stage that a run would go on with.
  const auto all = stages();
  const auto open = std::ranges::find_if(all, [&](Method method) {
    const study::SensitivityResult* known = known_of(method);
    const auto done = [&](const CellRecord& record) { return finished(record); };
    return !known || static_cast<std::size_t>(std::ranges::count_if(known->cells, done)) < cells_;
  });
  stage_ = open == all.end() ? all.size() - 1 : static_cast<std::size_t>(open - all.begin());
  tell(true);
  return {};
}

/// Journals serve as a memory of runs; only the newest are kept. The states beside them are large and serve
/// one run that was cut off: the newest two files are those of the last one.
void Sweep::prune_journals() const {
  if (request_.journal_folder.empty()) return;
  const QDir folder(QString::fromStdString(request_.journal_folder));
  const QFileInfoList files = folder.entryInfoList({QStringLiteral("*.journal")}, QDir::Files, QDir::Time);
  for (qsizetype i = kJournalsKept; i < files.size(); ++i) QFile::remove(files[i].filePath());
  const QFileInfoList states =
      folder.entryInfoList({QStringLiteral("*.journal.state.*")}, QDir::Files, QDir::Time);
  for (qsizetype i = 2; i < states.size(); ++i) QFile::remove(states[i].filePath());
}

}  // namespace bitlens::views
