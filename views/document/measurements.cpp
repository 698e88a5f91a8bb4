#include "views/document/measurements.h"

#include <QFileInfo>
#include <QSettings>
#include <algorithm>

#include "views/bridge/engine.h"
#include "views/text/units.h"

namespace bitlens::views {

namespace {
/// Where the speed of earlier measurements is kept, in products per second: fast ones have their own.
QString rate_key(evaluate::Compute compute) {
  return compute == evaluate::Compute::Fast ? QStringLiteral("measure/fast_flops_per_second")
                                            : QStringLiteral("measure/flops_per_second");
}

/// Not a file the model was compared with.
bool of_this_model(const study::MeasuredResult& r) {
  return r.recipe || !r.measurement.comparison;
}
}  // namespace

bool same_choices(const std::optional<quantize::Recipe>& a, const std::optional<quantize::Recipe>& b) {
  const auto plain = [](const std::optional<quantize::Recipe>& r) {
    return !r || (r->rules.empty() && !r->fallback);
  };
  if (plain(a) || plain(b)) return plain(a) && plain(b);
  return a->rules == b->rules && a->fallback == b->fallback;
}

bool comparable(const study::MeasuredResult& a, const study::MeasuredResult& b) {
  const study::Provenance &x = a.provenance, &y = b.provenance;
  return x.text_sha256 == y.text_sha256 && x.protocol == y.protocol && x.context == y.context &&
         x.windows == y.windows && x.activations == y.activations && x.compute == y.compute;
}

Measurements::Measurements(Engine& engine, QObject* parent) : QObject(parent), engine_(engine) {
  connect(&engine_, &Engine::job_changed, this, [this](const study::JobStatus& status) {
    const bool over = status.state == study::JobState::Finished || status.state == study::JobState::Failed ||
                      status.state == study::JobState::Cancelled;
    if (over && status.id == running_) set_running(0);
  });
}

void Measurements::restore(std::vector<study::MeasuredResult> results) {
  results_ = std::move(results);
  emit results_changed();
}

void Measurements::remove(std::size_t index) {
  if (index >= results_.size()) return;
  results_.erase(results_.begin() + static_cast<std::ptrdiff_t>(index));
  emit results_changed();
}

void Measurements::add(study::MeasuredResult result) {
  result.name = unique_name(result);
  // The table needs the summary only; the per-token values of many rows would add up to gigabytes.
  result.measurement.token_nll = {};
  result.measurement.token_kl = {};
  results_.push_back(std::move(result));
  emit results_changed();
  emit measured(static_cast<int>(results_.size()) - 1);
}

void Measurements::set_options(const evaluate::Options& options) {
  options_ = options;
  emit options_changed();
}

void Measurements::set_quantizer(quantize::Quantizer quantizer) {
  if (quantizer == quantizer_) return;
  quantizer_ = quantizer;
  emit options_changed();
}

void Measurements::set_importance(quantize::ImportancePtr importance) {
  if (importance == importance_) return;
  importance_ = std::move(importance);
  emit options_changed();
}

void Measurements::measure(SessionPtr session, std::optional<quantize::Recipe> recipe, TokensPtr text) {
  study::MeasureRequest request;
  const QString detail = shown(recipe ? recipe->name : session->requested, 80);
  request.subject = std::move(session);
  request.recipe = std::move(recipe);
  request.importance = importance_;
  request.text = std::move(text);
  start(detail, request, {});
}

void Measurements::compare_with(SessionPtr session, const QString& path, TokensPtr text) {
  study::MeasureRequest request;
  request.base = std::move(session);
  request.text = std::move(text);
  start(QFileInfo(path).fileName(), request, path);
}

void Measurements::start(const QString& detail, const study::MeasureRequest& request,
                         const QString& other_file) {
  study::MeasureRequest full = request;
  full.options = options_;
  full.quantizer = quantizer_;
  const SessionPtr timed = full.subject ? full.subject : full.base;
  const study::JobId id = engine_.start<study::MeasuredResult>(
      "measure", detail, Urgency::Asked,
      [full, other_file](const WorkContext& work) mutable -> Result<study::MeasuredResult> {
        if (!other_file.isEmpty()) {
          auto opened = study::open_model(other_file.toStdString());
          if (!opened) return pass(opened);
          full.subject = *opened;
        }
        return study::measure(full, work);
      },
      this, [this, timed](Result<study::MeasuredResult> result) { finished(std::move(result), *timed); });
  set_running(id);
}

void Measurements::finished(Result<study::MeasuredResult> result, const study::ModelSession& session) {
  if (!result) {
    if (result.error().code != ErrorCode::Cancelled) emit failed(result.error());
    return;
  }
  const study::MeasuredResult& r = *result;
  const double tokens = static_cast<double>(r.provenance.windows) * static_cast<double>(r.provenance.context);
  const double passes = r.measurement.comparison ? 2.0 : 1.0;
  if (r.measurement.seconds > 0.05)
    QSettings().setValue(rate_key(r.measurement.compute),
                         2.0 * passes * tokens * static_cast<double>(session.model->summary().parameters) /
                             r.measurement.seconds);
  add_base_row(*result, session);
  add(std::move(*result));
}

/// A comparison measures the model as it is too: that is a row of its own, the mark the others are held
/// against.
void Measurements::add_base_row(const study::MeasuredResult& result, const study::ModelSession& base) {
  if (!result.measurement.comparison) return;
  study::MeasuredResult row;
  row.name = QFileInfo(QString::fromStdString(base.file().path())).fileName().toStdString();
  row.file_bytes = base.file().file_bytes();
  if (const auto as_is = quantize::resolve({}, base.file(), quantizer_))
    row.bits_per_weight = as_is->bits_per_weight;
  row.measurement.perplexity = result.measurement.comparison->base;
  row.measurement.protocol = result.measurement.protocol;
  row.measurement.compute = result.measurement.compute;
  row.measurement.context = result.measurement.context;
  row.provenance = result.provenance;
  row.provenance.base_path.clear();
  row.provenance.base_sha256.clear();
  row.provenance.imatrix.clear();
  row.provenance.imatrix_sha256.clear();
  row.provenance.model_path = result.provenance.base_path;
  row.provenance.model_sha256 = result.provenance.base_sha256;
  row.provenance.activations = evaluate::activations_name(evaluate::Activations::Exact);
  row.provenance.quantizer = "none";
  const bool known = std::any_of(results_.begin(), results_.end(), [&](const study::MeasuredResult& r) {
    return of_this_model(r) && same_choices(r.recipe, {}) && comparable(r, row);
  });
  if (known) return;
  results_.push_back(std::move(row));
}

void Measurements::set_running(study::JobId id) {
  if (running_ == id) return;
  running_ = id;
  emit running_changed();
}

const study::MeasuredResult* Measurements::find(const std::optional<quantize::Recipe>& recipe) const {
  const auto it = std::find_if(results_.rbegin(), results_.rend(), [&](const study::MeasuredResult& r) {
    return same_choices(r.recipe, recipe) && of_this_model(r);
  });
  return it == results_.rend() ? nullptr : &*it;
}

const study::MeasuredResult* Measurements::latest() const {
  const auto it = std::find_if(results_.rbegin(), results_.rend(), of_this_model);
  return it == results_.rend() ? nullptr : &*it;
}

std::uint32_t Measurements::context_of(const evaluate::Options& options) {
  if (options.context != 0) return options.context;
  return options.protocol == evaluate::Protocol::Paper ? 2048 : 512;
}

quint64 Measurements::windows_of(const evaluate::Options& options, quint64 tokens) {
  const quint64 all = tokens / context_of(options);
  return options.windows == 0 ? all : std::min<quint64>(all, options.windows);
}

double Measurements::seconds_for(const study::ModelSession& session, quint64 windows, bool with_base) const {
  const double rate = QSettings().value(rate_key(options_.compute), 0.0).toDouble();
  if (rate <= 0) return 0;
  return study::estimate_seconds(session, windows * context_of(options_) * (with_base ? 2 : 1), rate);
}

std::string Measurements::unique_name(const study::MeasuredResult& result) const {
  const auto taken = [&](const std::string& name) {
    return std::any_of(results_.begin(), results_.end(), [&](const study::MeasuredResult& r) {
      return r.name == name && !same_choices(r.recipe, result.recipe);
    });
  };
  std::string name = result.name;
  for (int n = 2; taken(name); ++n) name = result.name + " (" + std::to_string(n) + ")";
  return name;
}

}  // namespace bitlens::views
