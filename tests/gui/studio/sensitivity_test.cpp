#include "tests/gui/studio/sensitivity_test.h"

#include <algorithm>
#include <cmath>

namespace bitlens::test {

study::SweepPlan small_plan() {
  study::SweepPlan plan;
  plan.formats = {kernels::Format::Q8_0, kernels::Format::Q4_0};
  plan.samples = 40;
  plan.windows = 6;
  return plan;
}

bool make_ready(Studio& studio, const QString& model, const QString& text, const study::SweepPlan& plan) {
  if (!studio.open(model)) return false;
  studio.document().texts().add(text, study::TextUse::Evaluation);
  evaluate::Options options;
  options.context = kSweepContext;
  options.windows = 6;
  studio.document().measurements().set_options(options);
  studio.document().sensitivity().set_plan(plan);
  return studio.wait_idle() &&
         QTest::qWaitFor([&] { return studio.document().sensitivity_obstacle().isEmpty(); }, 20'000);
}

bool wait_done(Studio& studio) {
  return QTest::qWaitFor(
             [&] { return studio.document().sensitivity().state() == views::Sensitivity::State::Idle; },
             120'000) &&
         studio.wait_idle();
}

const study::SensitivityResult* result_of(const views::Sensitivity& known, sensitivity::Method method,
                                          sensitivity::Grouping grouping) {
  if (!known.known()) return nullptr;
  for (const views::SweepPtr& result : known.known()->results)
    if (result->cells.front().method == method && result->grouping == grouping) return result.get();
  return nullptr;
}

Result<study::SensitivityResult> by_the_engine(const QString& model, const QString& text,
                                               sensitivity::Method method, const study::SweepPlan& plan,
                                               const quantize::ImportancePtr& importance) {
  const auto session = study::open_model(model.toStdString());
  const auto content = study::load_text(text.toStdString());
  if (!session) return pass(session);
  if (!content) return pass(content);
  const auto tokens = study::tokenize(**session, *content);
  if (!tokens) return pass(tokens);
  study::SensitivityRequest request;
  request.session = *session;
  request.text = *tokens;
  request.options.context = kSweepContext;
  request.options.windows = plan.windows;
  request.formats = plan.formats;
  request.method = method;
  request.samples = plan.samples;
  request.importance = importance;
  ThreadPool pool(1);
  return study::run_sensitivity(request, {}, {pool, {}, {}});
}

namespace {

bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

}  // namespace

bool same_cells(const study::SensitivityResult& a, const study::SensitivityResult& b) {
  if (a.cells.size() != b.cells.size()) return false;
  for (const sensitivity::CellRecord& cell : a.cells) {
    const auto found = std::ranges::find_if(b.cells, [&](const auto& other) {
      return other.tensor == cell.tensor && other.format == cell.format;
    });
    if (found == b.cells.end() || !same(found->kl_mean, cell.kl_mean) || !same(found->kl_se, cell.kl_se))
      return false;
  }
  return true;
}

}  // namespace bitlens::test
