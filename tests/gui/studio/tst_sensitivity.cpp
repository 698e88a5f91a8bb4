// Sensitivity runs from the window: the map fills and holds the engine's numbers; runs pause, step aside and
// are gone on with.
#include <QDir>
#include <QLabel>
#include <QSignalSpy>
#include <algorithm>
#include <cmath>

#include "tests/gui/studio/sensitivity_test.h"
#include "views/models/map_model.h"
#include "views/panels/map_panel.h"
#include "views/text/units.h"

using namespace bitlens;
using kernels::Format;
using sensitivity::Method;
using State = views::Sensitivity::State;

class SensitivityTest : public QObject {
  Q_OBJECT
 public:
  static void initMain() { test::set_up_studio_tests(); }

 private slots:
  void initTestCase() { test::watch_warnings(); }
  void init() { QDir(views::journal_folder()).removeRecursively(); }
  void cleanup() { VERIFY_NO_WARNINGS(); }

  void the_map_fills_with_the_engines_numbers() {
    const QString model = folder_.small_model(), text = folder_.text();
    study::SweepPlan plan = test::small_plan();
    plan.adaptive = false;
    test::Studio studio;
    QVERIFY(test::make_ready(studio, model, text, plan));
    views::Document& document = studio.document();
    views::MapModel& map = studio.window->map_panel().map();
    QSignalSpy told(&document.sensitivity(), &views::Sensitivity::cells_changed);
    QSignalSpy done(&document.sensitivity(), &views::Sensitivity::finished);
    studio.window->action("sensitivity")->trigger();
    QVERIFY(document.sensitivity().busy());
    QVERIFY(test::wait_done(studio));
    QCOMPARE(done.size(), 1);
    QVERIFY(told.size() >= 4);
    QVERIFY2(map.metric() == views::Metric::Sensitivity, "a run's first cells are shown at once");
    QVERIFY(std::ranges::find(plan.formats, map.metric_format()) != plan.formats.end());

    for (const Method method : {Method::Response, Method::Measured}) {
      const auto truth = test::by_the_engine(model, text, method, plan);
      QVERIFY(truth.has_value());
      const auto* shown = test::result_of(document.sensitivity(), method);
      QVERIFY(shown && test::same_cells(*shown, *truth));
      QCOMPARE(shown->provenance.text_sha256, truth->provenance.text_sha256);
    }
    for (const Method method : {Method::Fisher, Method::Energy, Method::EnergyShift, Method::Rounding,
                                Method::ActivationRule, Method::HessianTrace})
      QVERIFY(test::result_of(document.sensitivity(), method));

    studio.window->map_panel().set_format(Format::Q4_0);
    const std::size_t t = studio.tensor("blk.0.ffn_down.weight");
    const auto* cell = document.sensitivity().known()->cells.find(t, Format::Q4_0, Method::Measured);
    QVERIFY(cell);
    const QModelIndex at = map.index_of(t);
    QCOMPARE(at.data(views::MapModel::ValueRole).toDouble(), cell->kl_mean);
    QCOMPARE(at.data(views::MapModel::PredictedRole).toBool(), false);
    QVERIFY(!at.data(views::MapModel::ErrorTextRole).toString().isEmpty());
    QVERIFY(at.data(Qt::ToolTipRole).toString().contains(views::value_text(cell->kl_mean, cell->kl_se)));
    QVERIFY(at.data(Qt::AccessibleTextRole).toString().contains(QStringLiteral("measured")));
    QVERIFY(map.scale().valid() && map.scale().logarithmic());
    studio.window->map_panel().set_metric(views::Metric::Predicted);
    QCOMPARE(at.data(views::MapModel::PredictedRole).toBool(), true);
    int metrics = 0;
    for (const views::Metric metric : views::kMetrics) {
      studio.window->map_panel().set_metric(metric);
      metrics += views::metric_method(metric) && std::isfinite(at.data(views::MapModel::ValueRole).toDouble())
                     ? 1
                     : 0;
    }
    QCOMPARE(metrics, 8);
    studio.window->map_panel().set_format(Format::Q6_K);  // not looked at
    studio.window->map_panel().set_metric(views::Metric::Sensitivity);
    QVERIFY(!map.scale().valid());
    QVERIFY(!studio.window->findChild<QLabel*>(QStringLiteral("metricHint"))->text().isEmpty());
  }

  void a_paused_run_goes_on_to_the_same_numbers() {
    const QString model = folder_.small_model(), text = folder_.text();
    study::SweepPlan plan = test::small_plan();
    plan.samples = 600;
    plan.adaptive = false;
    plan.scores = false;
    test::Studio studio;
    QVERIFY(test::make_ready(studio, model, text, plan));
    views::Sensitivity& run = studio.document().sensitivity();
    studio.window->action("sensitivity")->trigger();
    int pauses = 0;
    for (; pauses < 4 && run.state() == State::Running; ++pauses) {
      QVERIFY(QTest::qWaitFor([&] { return run.known() != nullptr; }, 60'000));
      studio.window->action("pauseSensitivity")->trigger();
      QTRY_VERIFY_WITH_TIMEOUT(run.state() == State::Paused || run.state() == State::Idle, 60'000);
      QVERIFY(studio.window->engine().jobs().empty());
      if (run.state() == State::Idle) break;
      QVERIFY(studio.window->action("sensitivity")->isEnabled());
      studio.window->action("sensitivity")->trigger();
    }
    QVERIFY(pauses > 0);
    QVERIFY(test::wait_done(studio));
    for (const Method method : {Method::Response, Method::Measured}) {
      const auto truth = test::by_the_engine(model, text, method, plan);
      QVERIFY(truth && test::same_cells(*test::result_of(run, method), *truth));
    }
  }

  void a_run_steps_aside_for_what_is_asked_for() {
    study::SweepPlan plan = test::small_plan();
    plan.samples = 3000;
    test::Studio studio;
    QVERIFY(test::make_ready(studio, folder_.small_model(), folder_.text(), plan));
    views::Document& document = studio.document();
    studio.window->action("sensitivity")->trigger();
    QVERIFY(QTest::qWaitFor([&] { return document.sensitivity().known() != nullptr; }, 60'000));
    QCOMPARE(document.sensitivity().state(), State::Running);
    studio.window->action("measure")->trigger();
    QTRY_VERIFY_WITH_TIMEOUT(!document.measurements().results().empty(), 60'000);
    QVERIFY2(document.sensitivity().busy(), "it measured in between, and the run goes on");
    document.sensitivity().cancel();
    QCOMPARE(document.sensitivity().state(), State::Idle);
    QVERIFY(studio.wait_idle());
    QVERIFY2(document.sensitivity().known(), "what is known stays");
  }

  void the_status_bars_buttons_work_on_a_run_too() {
    study::SweepPlan plan = test::small_plan();
    plan.samples = 3000;
    test::Studio studio;
    QVERIFY(test::make_ready(studio, folder_.small_model(), folder_.text(), plan));
    views::Sensitivity& run = studio.document().sensitivity();
    studio.window->action("sensitivity")->trigger();
    QVERIFY(QTest::qWaitFor([&] { return run.known() != nullptr; }, 60'000));
    QTRY_VERIFY(!studio.window->engine().jobs().empty());
    studio.window->engine().pause(studio.window->engine().jobs().front().id);
    QTRY_COMPARE_WITH_TIMEOUT(run.state(), State::Paused, 60'000);
    QVERIFY2(studio.window->engine().jobs().empty(), "a paused run does not keep the engine to itself");
    QVERIFY(run.resume());
    QTRY_VERIFY(!studio.window->engine().jobs().empty());
    studio.window->engine().cancel(studio.window->engine().jobs().front().id);
    QTRY_COMPARE_WITH_TIMEOUT(run.state(), State::Paused, 60'000);
  }

  void closing_in_the_middle_of_a_run_is_clean() {
    study::SweepPlan plan = test::small_plan();
    plan.samples = 3000;
    for (int round = 0; round < 3; ++round) {
      test::Studio studio;
      QVERIFY(test::make_ready(studio, folder_.small_model(), folder_.text(), plan));
      studio.document().find_sensitivity();
      QTest::qWait(round * 60);
      if (round == 2) continue;  // the window goes while it runs
      studio.document().close();
      QVERIFY(!studio.document().sensitivity().known());
      QVERIFY(studio.open(folder_.odd_model()));
    }
  }

  void what_is_missing_is_said() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    QSignalSpy notices(&studio.document(), &views::Document::notice);
    studio.window->action("sensitivity")->trigger();
    QCOMPARE(notices.size(), 1);
    QVERIFY(!studio.document().sensitivity().busy());
    studio.document().texts().add(folder_.text(), study::TextUse::Evaluation);
    QVERIFY(studio.wait_idle());
    study::SweepPlan plan = test::small_plan();
    plan.formats.clear();
    plan.context = test::kSweepContext;
    studio.document().sensitivity().set_plan(plan);
    QVERIFY(!studio.document().sensitivity_obstacle().isEmpty());
  }

 private:
  test::ModelFolder folder_;
};

QTEST_MAIN(SensitivityTest)
#include "tst_sensitivity.moc"
