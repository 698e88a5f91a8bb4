// Sensitivity from the window: the map fills and holds the engine's numbers; runs pause, step aside and are
// gone on with; cells live in studies and journals; predictions follow the mouse and equal the command
// line's.
#include <QComboBox>
#include <QDir>
#include <QDockWidget>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTabWidget>
#include <QTableWidget>
#include <algorithm>
#include <cmath>

#include "core/quantize/recipe.h"
#include "tests/e2e/cli/cli_runner.h"
#include "tests/gui/studio/studio_test.h"
#include "views/models/map_model.h"
#include "views/models/profile.h"
#include "views/panels/map_panel.h"
#include "views/plots/scatter_plot.h"
#include "views/text/units.h"
#include "views/text/why_text.h"

using namespace bitlens;
using kernels::Format;
using sensitivity::Method;
using State = views::Sensitivity::State;

namespace {

constexpr std::uint32_t kContext = 32;

study::SweepPlan small_plan() {
  study::SweepPlan plan;
  plan.formats = {Format::Q8_0, Format::Q4_0};
  plan.samples = 40;
  plan.windows = 6;
  return plan;
}

/// A window on the small model with a text, ready for a run.
bool make_ready(test::Studio& studio, const QString& model, const QString& text,
                const study::SweepPlan& plan) {
  if (!studio.open(model)) return false;
  studio.document().texts().add(text, study::TextUse::Evaluation);
  evaluate::Options options;
  options.context = kContext;
  options.windows = 6;
  studio.document().measurements().set_options(options);
  studio.document().sensitivity().set_plan(plan);
  return studio.wait_idle() &&
         QTest::qWaitFor([&] { return studio.document().sensitivity_obstacle().isEmpty(); }, 20'000);
}

bool wait_done(test::Studio& studio) {
  return QTest::qWaitFor([&] { return studio.document().sensitivity().state() == State::Idle; }, 120'000) &&
         studio.wait_idle();
}

const study::SensitivityResult* result_of(const views::Sensitivity& known, Method method,
                                          sensitivity::Grouping grouping = sensitivity::Grouping::Tensor) {
  if (!known.known()) return nullptr;
  for (const views::SweepPtr& result : known.known()->results)
    if (result->cells.front().method == method && result->grouping == grouping) return result.get();
  return nullptr;
}

/// What the engine gives when asked directly.
Result<study::SensitivityResult> by_the_engine(const QString& model, const QString& text, Method method,
                                               const study::SweepPlan& plan) {
  const auto session = study::open_model(model.toStdString());
  const auto content = study::load_text(text.toStdString());
  if (!session) return pass(session);
  if (!content) return pass(content);
  const auto tokens = study::tokenize(**session, *content);
  if (!tokens) return pass(tokens);
  study::SensitivityRequest request;
  request.session = *session;
  request.text = *tokens;
  request.options.context = kContext;
  request.options.windows = plan.windows;
  request.formats = plan.formats;
  request.method = method;
  request.samples = plan.samples;
  ThreadPool pool(1);
  return study::run_sensitivity(request, {}, {pool, {}, {}});
}

bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b));
}

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

}  // namespace

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
    study::SweepPlan plan = small_plan();
    plan.adaptive = false;
    test::Studio studio;
    QVERIFY(make_ready(studio, model, text, plan));
    views::Document& document = studio.document();
    views::MapModel& map = studio.window->map_panel().map();
    QSignalSpy told(&document.sensitivity(), &views::Sensitivity::cells_changed);
    QSignalSpy done(&document.sensitivity(), &views::Sensitivity::finished);
    studio.window->action("sensitivity")->trigger();
    QVERIFY(document.sensitivity().busy());
    QVERIFY(wait_done(studio));
    QCOMPARE(done.size(), 1);
    QVERIFY(told.size() >= 4);
    QVERIFY2(map.metric() == views::Metric::Sensitivity, "a run's first cells are shown at once");
    QVERIFY(std::ranges::find(plan.formats, map.metric_format()) != plan.formats.end());

    for (const Method method : {Method::Response, Method::Measured}) {
      const auto truth = by_the_engine(model, text, method, plan);
      QVERIFY(truth.has_value());
      const auto* shown = result_of(document.sensitivity(), method);
      QVERIFY(shown && same_cells(*shown, *truth));
      QCOMPARE(shown->provenance.text_sha256, truth->provenance.text_sha256);
    }
    for (const Method method : {Method::Fisher, Method::Energy, Method::EnergyShift, Method::Rounding,
                                Method::ActivationRule, Method::HessianTrace})
      QVERIFY(result_of(document.sensitivity(), method));

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
    study::SweepPlan plan = small_plan();
    plan.samples = 600;
    plan.adaptive = false;
    plan.scores = false;
    test::Studio studio;
    QVERIFY(make_ready(studio, model, text, plan));
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
    QVERIFY(wait_done(studio));
    for (const Method method : {Method::Response, Method::Measured}) {
      const auto truth = by_the_engine(model, text, method, plan);
      QVERIFY(truth && same_cells(*result_of(run, method), *truth));
    }
  }

  void a_run_steps_aside_for_what_is_asked_for() {
    study::SweepPlan plan = small_plan();
    plan.samples = 3000;
    test::Studio studio;
    QVERIFY(make_ready(studio, folder_.small_model(), folder_.text(), plan));
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
    study::SweepPlan plan = small_plan();
    plan.samples = 3000;
    test::Studio studio;
    QVERIFY(make_ready(studio, folder_.small_model(), folder_.text(), plan));
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

  void a_study_keeps_cells_and_predictions() {
    const QString path = folder_.path(QStringLiteral("cells.bitlens"));
    const study::SweepPlan plan = small_plan();
    std::optional<study::RecipePrediction> before;
    std::vector<views::SweepPtr> results;
    {
      test::Studio studio;
      QVERIFY(make_ready(studio, folder_.small_model(), folder_.text(), plan));
      views::Document& document = studio.document();
      document.find_sensitivity();
      QVERIFY(wait_done(studio));
      document.assign({studio.tensor("blk.0.attn_q.weight"), studio.tensor("blk.1.ffn_up.weight")},
                      Format::Q4_0);
      QTRY_VERIFY(document.prediction() && document.prediction()->changed == 2);
      before = document.prediction();
      results = document.sensitivity().results();
      document.save_study(path);
      QTRY_VERIFY(!document.modified());
    }
    QDir(views::journal_folder()).removeRecursively();
    test::Studio studio;
    QVERIFY(studio.open(path));
    views::Document& document = studio.document();
    QTRY_VERIFY(document.sensitivity().known());
    QCOMPARE(document.sensitivity().results().size(), results.size());
    for (const views::SweepPtr& result : results) {
      const auto* again = result_of(document.sensitivity(), result->cells.front().method);
      QVERIFY(again && same_cells(*again, *result));
    }
    QVERIFY(document.sensitivity().plan() == plan);
    QCOMPARE(document.sensitivity().state(), State::Idle);
    QTRY_VERIFY(document.prediction() && document.prediction()->changed == 2);
    QCOMPARE(document.prediction()->kl_mean, before->kl_mean);
    QCOMPARE(document.prediction()->kl_se, before->kl_se);
    QVERIFY(before->joint && before->kl_mean > 0 && before->kl_se > 0);
  }

  void an_unfinished_run_is_found_again_in_its_journals() {
    const QString path = folder_.path(QStringLiteral("unfinished.bitlens")), model = folder_.small_model(),
                  text = folder_.text();
    study::SweepPlan plan = small_plan();
    plan.adaptive = false;
    plan.scores = false;
    {
      test::Studio studio;
      QVERIFY(make_ready(studio, model, text, plan));
      views::Document& document = studio.document();
      document.find_sensitivity();
      // As a kill would leave it: the study was saved at the start, the journals hold the rest.
      study::Study study = document.to_study();
      QVERIFY(study.sweep && study.sweep->unfinished);
      study.sensitivities.clear();
      QVERIFY(study::save_study(study, path.toStdString()));
      QVERIFY(wait_done(studio));
    }
    test::Studio studio;
    QVERIFY(studio.open(path));
    views::Sensitivity& run = studio.document().sensitivity();
    QCOMPARE(run.state(), State::Paused);
    QTRY_VERIFY_WITH_TIMEOUT(run.known() && result_of(run, Method::Measured), 60'000);
    const auto truth = by_the_engine(model, text, Method::Measured, plan);
    QVERIFY(truth && same_cells(*result_of(run, Method::Measured), *truth));
    // Going on finds nothing left to do.
    QVERIFY(studio.wait_idle());
    studio.window->action("sensitivity")->trigger();
    QVERIFY(wait_done(studio));
    QVERIFY(same_cells(*result_of(run, Method::Measured), *truth));
    QVERIFY(!studio.document().to_study().sweep->unfinished);
  }

  void predictions_follow_the_mouse_and_equal_the_command_lines() {
    const QString model = folder_.small_model();
    study::SweepPlan plan = small_plan();
    plan.measure = plan.scores = false;
    test::Studio studio;
    QVERIFY(make_ready(studio, model, folder_.text(), plan));
    views::Document& document = studio.document();
    auto* strip = studio.window->findChild<QLabel*>(QStringLiteral("stripPredicted"));
    QVERIFY(!strip->isVisible());
    document.find_sensitivity();
    QVERIFY(wait_done(studio));
    QTRY_VERIFY(strip->isVisible());

    const std::vector<std::size_t> tensors{studio.tensor("blk.0.attn_v.weight"),
                                           studio.tensor("blk.1.ffn_down.weight"),
                                           studio.tensor("output.weight")};
    document.preview_assign(tensors, Format::Q4_0);
    QTRY_VERIFY(document.preview_prediction() && document.preview_prediction()->changed == 3);
    const study::RecipePrediction hovering = *document.preview_prediction();
    QVERIFY(hovering.joint && hovering.missing.empty());
    QCOMPARE(strip->text().section(QStringLiteral(" ·"), 0, 0),
             views::value_text(hovering.kl_mean, hovering.kl_se));
    document.assign(tensors, Format::Q4_0);
    QTRY_VERIFY(document.prediction() && document.prediction()->changed == 3);
    QVERIFY(!document.preview_prediction());
    QCOMPARE(document.prediction()->kl_mean, hovering.kl_mean);

    const QString cells = folder_.path(QStringLiteral("cells.json"));
    QVERIFY(study::save_sensitivity(*result_of(document.sensitivity(), Method::Response), cells.toStdString(),
                                    true, {}));
    const QString recipe =
        folder_.file(QStringLiteral("three.json"), quantize::recipe_to_json(document.named_recipe()));
    const test::Outcome predicted =
        test::cli({QStringLiteral("predict"), model, QStringLiteral("--recipe"), recipe,
                   QStringLiteral("--sensitivity"), cells, QStringLiteral("--json")});
    QVERIFY2(predicted.ok(), predicted.describe());
    QCOMPARE(predicted.json()["kl_mean"].get<double>(), document.prediction()->kl_mean);
    QCOMPARE(predicted.json()["kl_se"].get<double>(), document.prediction()->kl_se);
    QCOMPARE(predicted.json()["sum_of_single_kl"].get<double>(), document.prediction()->sum_of_single_kl);
    QCOMPARE(predicted.json()["file_bytes"].get<std::uint64_t>(), document.resolved()->file_bytes);

    // A format nothing is known about: said, not guessed.
    document.assign({studio.tensor("blk.0.attn_q.weight")}, Format::Q5_0);
    QTRY_VERIFY(document.prediction() && document.prediction()->missing.size() == 1);
    QVERIFY(strip->toolTip().contains(QStringLiteral("attn_q")));
  }

  void the_compare_table_has_predicted_beside_measured() {
    test::Studio studio;
    QVERIFY(make_ready(studio, folder_.small_model(), folder_.text(), small_plan()));
    views::Document& document = studio.document();
    document.assign({studio.tensor("blk.0.attn_v.weight"), studio.tensor("output.weight")}, Format::Q4_0);
    QTRY_COMPARE(studio.format("output.weight"), std::string("Q4_0"));
    document.measure();
    QTRY_COMPARE_WITH_TIMEOUT(document.measurements().results().size(), 2U, 60'000);
    document.find_sensitivity();
    QVERIFY(wait_done(studio));
    auto* table = studio.window->findChild<QTableView*>(QStringLiteral("compareTable"));
    int column = -1;
    for (int c = 0; c < table->model()->columnCount(); ++c)
      if (table->model()->headerData(c, Qt::Horizontal).toString() == QLatin1String("KL predicted"))
        column = c;
    QVERIFY(column > 0);
    QTRY_VERIFY(document.prediction());
    const QString expected = views::value_text(document.prediction()->kl_mean, document.prediction()->kl_se);
    QTRY_COMPARE(table->model()->index(1, column).data().toString(), expected);
    QCOMPARE(table->model()->index(0, column).data().toString(), QStringLiteral("—"));  // the model as it is

    // The plot has both marks of the row, and a predicted one of a recipe not measured yet.
    auto* plot = studio.window->findChild<views::ScatterPlot*>(QStringLiteral("comparePlot"));
    studio.window->findChild<QComboBox*>(QStringLiteral("compareLoss"))->setCurrentIndex(1);
    QTRY_COMPARE(plot->csv().count(QStringLiteral(",predicted\n")), 1);
    QCOMPARE(plot->csv().count(QStringLiteral(",measured\n")), 1);
    document.assign({studio.tensor("output.weight")}, Format::Q8_0);
    QTRY_COMPARE(plot->csv().count(QStringLiteral(",predicted\n")), 2);
  }

  void why_says_it_in_words_with_the_numbers() {
    const QString model = folder_.small_model(), text = folder_.text();
    study::SweepPlan plan = small_plan();
    plan.adaptive = false;
    test::Studio studio;
    QVERIFY(make_ready(studio, model, text, plan));
    views::Document& document = studio.document();
    const std::size_t t = studio.tensor("blk.1.ffn_down.weight");
    auto* tabs = studio.window->findChild<QTabWidget*>(QStringLiteral("inspectorTabs"));
    auto* words = studio.window->findChild<QPlainTextEdit*>(QStringLiteral("whyWords"));
    tabs->setCurrentIndex(4);
    document.selection().set({t}, std::nullopt);
    QTRY_VERIFY(words->toPlainText().contains(QStringLiteral("F8")));
    document.find_sensitivity();
    QVERIFY(wait_done(studio));
    const auto* cell = document.sensitivity().known()->cells.best(t, Format::Q4_0);
    QVERIFY(cell && cell->method == Method::Measured);
    QTRY_VERIFY(words->toPlainText().contains(views::value_text(cell->kl_mean, cell->kl_se)));
    // Its place, counted here.
    int place = 1, of = 0;
    for (std::size_t other = 0; other < document.session()->file().tensors().size(); ++other)
      if (const auto* its = document.sensitivity().known()->cells.best(other, Format::Q4_0)) {
        ++of;
        if (its->kl_mean > cell->kl_mean) ++place;
      }
    QVERIFY2(words->toPlainText().contains(QStringLiteral("place %1 of %2").arg(place).arg(of)),
             qPrintable(words->toPlainText()));
    QVERIFY(words->toPlainText().contains(
        views::number_text(document.analysis().weights(t)->all.excess_kurtosis, 3)));
    QVERIFY(words->toPlainText().contains(QStringLiteral("Calibrate")));

    studio.window->findChild<QPushButton*>(QStringLiteral("whyFind"))->click();
    QTRY_VERIFY_WITH_TIMEOUT(document.sensitivity().places(t, Format::Q4_0), 60'000);
    const views::LossPlaces& places = *document.sensitivity().places(t, Format::Q4_0);
    QVERIFY(std::abs(places.kl_mean - cell->kl_mean) <= 1e-6 * cell->kl_mean);
    QCOMPARE(places.windows.size(), 6U);
    for (std::size_t w = 0; w < 6; ++w)
      QVERIFY(std::abs(places.windows[w] - static_cast<double>(cell->window_kl[w])) <= 1e-5 * cell->kl_mean);
    QVERIFY(places.half > 0 && places.half < places.tokens);
    QVERIFY(std::ranges::is_sorted(places.places, std::greater<>{}, &views::LossPlace::kl));
    auto* table = studio.window->findChild<QTableWidget*>(QStringLiteral("whyPlaces"));
    QCOMPARE(table->rowCount(), static_cast<int>(places.places.size()));
    // The words stand in the text as shown.
    const views::LossPlace& first = places.places.front();
    QFile file(text);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QVERIFY(QString::fromUtf8(file.readAll()).contains(first.before.right(4) + first.token));
  }

  void profiles_agreement_groups_and_additivity_tell_the_same_story() {
    study::SweepPlan plan = small_plan();
    plan.adaptive = false;
    test::Studio studio;
    QVERIFY(make_ready(studio, folder_.small_model(), folder_.text(), plan));
    views::Document& document = studio.document();
    document.find_sensitivity();
    QVERIFY(wait_done(studio));
    const views::CellTable& cells = document.sensitivity().known()->cells;

    double sum = 0, squares = 0;
    const auto& tensors = document.session()->file().tensors();
    for (std::size_t t = 0; t < tensors.size(); ++t)
      if (document.model().role(t).layer == 1 && document.model().role(t).is_matrix) {
        sum += cells.best(t, Format::Q4_0)->kl_mean;
        squares += cells.best(t, Format::Q4_0)->kl_se * cells.best(t, Format::Q4_0)->kl_se;
      }
    const auto layers = views::layer_profile(document, views::Metric::Sensitivity, Format::Q4_0);
    QCOMPARE(layers.size(), 2U);
    QCOMPARE(layers[1].value, sum);
    QCOMPARE(layers[1].error, std::sqrt(squares));
    QVERIFY(!layers[1].predicted && layers[1].unknown == 0);
    QVERIFY(views::layer_profile(document, views::Metric::Predicted, Format::Q4_0)[0].predicted);
    const auto modules = views::module_profile(document, views::Metric::Sensitivity, Format::Q4_0);
    double by_module = 0, outside = 0;
    for (const auto& entry : modules) by_module += entry.value;
    for (std::size_t t = 0; t < tensors.size(); ++t)
      if (document.model().role(t).layer < 0 && document.model().role(t).is_matrix)
        outside += cells.best(t, Format::Q4_0)->kl_mean;
    QVERIFY(std::abs(by_module - layers[0].value - layers[1].value - outside) < 1e-12);

    const auto pairs = views::metric_pairs(document, views::Metric::Predicted, views::Metric::Measured,
                                           {Format::Q8_0, Format::Q4_0});
    QCOMPARE(pairs.size(), result_of(document.sensitivity(), Method::Measured)->cells.size());
    QVERIFY2(views::rank_agreement(pairs) > 0.9, qPrintable(QString::number(views::rank_agreement(pairs))));

    // The pages, as shown.
    studio.window->findChild<QDockWidget*>(QStringLiteral("profilesDock"))->raise();
    auto* tabs = studio.window->findChild<QTabWidget*>(QStringLiteral("profilesTabs"));
    tabs->setCurrentIndex(1);
    auto* agreement = studio.window->findChild<QTableWidget*>(QStringLiteral("agreementTable"));
    QTRY_VERIFY(agreement->rowCount() >= 6);
    auto* spearman = studio.window->findChild<QLabel*>(QStringLiteral("agreementSpearman"));
    QTRY_VERIFY(spearman->text().contains(QStringLiteral("Spearman")));
    tabs->setCurrentIndex(2);
    auto* groups = studio.window->findChild<QTableWidget*>(QStringLiteral("groupsTable"));
    studio.window->findChild<QComboBox*>(QStringLiteral("groupsGrouping"))->setCurrentIndex(2);
    studio.window->map_panel().set_format(Format::Q4_0);
    QTRY_COMPARE(groups->rowCount(), 4);  // two layers, the embedding, the output
    const auto row_of = [groups](const QString& name) {
      for (int r = 0; r < groups->rowCount(); ++r)
        if (groups->item(r, 0)->text() == name) return r;
      return 0;
    };
    const int row = row_of(QStringLiteral("blk.0"));
    std::vector<std::size_t> layer;
    for (std::size_t t = 0; t < tensors.size(); ++t)
      if (document.model().role(t).layer == 0 && document.model().role(t).is_matrix) layer.push_back(t);
    const auto joint = document.sensitivity().known()->predictor.predict(layer, Format::Q4_0);
    QVERIFY(joint && joint->joint);
    QTRY_COMPARE(groups->item(row, 2)->text(), views::value_text(joint->kl_mean, joint->kl_se));
    QCOMPARE(groups->item(row, 4)->text(), QStringLiteral("—"));
    studio.window->findChild<QPushButton*>(QStringLiteral("groupsMeasure"))->click();
    QVERIFY(wait_done(studio));
    const auto* measured = result_of(document.sensitivity(), Method::Measured, sensitivity::Grouping::Layer);
    QVERIFY(measured && measured->cells.size() == 8);
    QVERIFY2(result_of(document.sensitivity(), Method::Measured), "the single cells stay");
    const auto cell = std::ranges::find_if(measured->cells, [](const auto& record) {
      return record.tensor == "blk.0" && record.format == Format::Q4_0;
    });
    QTRY_COMPARE(groups->item(row, 4)->text(), views::value_text(cell->kl_mean, cell->kl_se));

    tabs->setCurrentIndex(3);
    auto* table = studio.window->findChild<QTableWidget*>(QStringLiteral("additivityTable"));
    document.assign(layer, Format::Q4_0);
    QTRY_VERIFY(document.prediction() && document.prediction()->changed == layer.size());
    document.measure();
    QTRY_COMPARE_WITH_TIMEOUT(document.measurements().results().size(), 2U, 60'000);
    const auto& comparison = *document.measurements().results()[1].measurement.comparison;
    QTRY_COMPARE(table->item(2, 1)->text(), views::value_text(comparison.kl_mean, comparison.kl_se));
    QCOMPARE(table->item(1, 1)->text(), views::value_text(joint->kl_mean, joint->kl_se));
    // The same windows and the same tensors: the group's cell measured the same thing.
    QVERIFY(std::abs(comparison.kl_mean - cell->kl_mean) <= 1e-6 * cell->kl_mean);
  }

  void closing_in_the_middle_of_a_run_is_clean() {
    study::SweepPlan plan = small_plan();
    plan.samples = 3000;
    for (int round = 0; round < 3; ++round) {
      test::Studio studio;
      QVERIFY(make_ready(studio, folder_.small_model(), folder_.text(), plan));
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
    study::SweepPlan plan = small_plan();
    plan.formats.clear();
    plan.context = kContext;
    studio.document().sensitivity().set_plan(plan);
    QVERIFY(!studio.document().sensitivity_obstacle().isEmpty());
  }

 private:
  test::ModelFolder folder_;
};

QTEST_MAIN(SensitivityTest)
#include "tst_sensitivity.moc"
