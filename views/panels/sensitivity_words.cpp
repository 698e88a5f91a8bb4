#include "views/panels/sensitivity_words.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>

#include "views/document/document.h"
#include "views/text/cell_text.h"
#include "views/text/units.h"

namespace bitlens::views {

using sensitivity::Method;

namespace {
struct Tr {
  Q_DECLARE_TR_FUNCTIONS(bitlens::views::Sensitivity)
};

/// Median of the relative standard errors, NaN without any.
double median_error(const study::SensitivityResult& result) {
  std::vector<double> errors;
  for (const sensitivity::CellRecord& record : result.cells)
    if (record.kl_mean > 0 && std::isfinite(record.kl_se)) errors.push_back(record.kl_se / record.kl_mean);
  if (errors.empty()) return sensitivity::kUnknown;
  const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
  std::ranges::nth_element(errors, middle);
  return *middle;
}
}  // namespace

QString plan_words(const Document& document) {
  const study::SweepPlan& plan = document.sensitivity().plan();
  const TextEntry* text = document.texts().evaluation();
  if (!text || !text->tokens || !document.session()) return {};
  const evaluate::Options options = document.sweep_options();
  const quint64 windows = Measurements::windows_of(options, text->tokens->tokens.size());
  std::size_t matrices = 0;
  for (std::size_t t = 0; t < document.model().file().tensors().size(); ++t)
    if (document.model().role(t).is_matrix) ++matrices;
  QStringList lines;
  lines << Tr::tr("%1 matrices × %2 formats over %n window(s) of %3 tokens", nullptr,
                  static_cast<int>(windows))
               .arg(matrices)
               .arg(plan.formats.size())
               .arg(Measurements::context_of(options));
  if (document.measurements().importance())
    lines << Tr::tr("Searches round by the importance matrix, as an export does.");
  return lines.join(QLatin1Char('\n'));
}

QString stage_words(const Sensitivity& sensitivity) {
  using State = Sensitivity::State;
  const SweepProgress& at = sensitivity.progress();
  QString text;
  switch (at.stage) {
    case Method::Response:
      text = Tr::tr("Predicting: %1 cells, %2 of %3 samples")
                 .arg(at.cells)
                 .arg(at.samples)
                 .arg(sensitivity.plan().samples);
      break;
    case Method::Measured:
      text = Tr::tr("Measuring: %1 of %2 cells").arg(at.cells).arg(at.all_cells);
      break;
    case Method::Fisher:
      text = Tr::tr("Fisher scores");
      break;
    default:
      text = Tr::tr("Cheaper scores");
  }
  if (sensitivity.state() == State::Paused) return Tr::tr("%1 (paused)").arg(text);
  if (sensitivity.state() == State::Pausing) return Tr::tr("%1 (pausing…)").arg(text);
  const study::JobStatus& job = sensitivity.job();
  if (job.state == study::JobState::Waiting) return Tr::tr("%1 (waiting)").arg(text);
  if (job.seconds_left >= 0) return Tr::tr("%1, %2 left").arg(text, duration_text(job.seconds_left));
  return text;
}

QString found_words(const Document& document) {
  const SensitivityPtr& known = document.sensitivity().known();
  if (!known)
    return document.session()
               ? Tr::tr(
                     "Each matrix alone in each format: what it costs the model. Predictions fill the map in "
                     "seconds, measured values replace them one by one.")
               : QString();
  QStringList lines;
  for (const SweepPtr& result : known->results) {
    if (result->grouping != sensitivity::Grouping::Tensor) continue;
    const Method method = result->cells.front().method;
    if (method != Method::Measured && method != Method::Response) continue;
    const QString error = share_text(median_error(*result), 2);
    const auto cells = static_cast<int>(result->cells.size());
    lines << (method == Method::Measured
                  ? Tr::tr("%n cell(s) measured, median error %1", nullptr, cells).arg(error)
                  : Tr::tr("%n cell(s) predicted, median error %1", nullptr, cells).arg(error));
    lines.back() += QStringLiteral(" · ") + provenance_text(result->provenance);
    if (result->provenance.quantizer != quantize::quantizer_name(document.measurements().quantizer()))
      lines << Tr::tr("Found with another quantizer than the study's.");
    if (!result->skipped.empty() && method == Method::Response)
      lines << Tr::tr("%n cell(s) left out: their shape cannot take the format, or they have it already.",
                      nullptr, static_cast<int>(result->skipped.size()));
  }
  return lines.join(QLatin1Char('\n'));
}

}  // namespace bitlens::views
