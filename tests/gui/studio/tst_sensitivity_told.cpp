// What sensitivity tells: predictions that follow the mouse and equal the command line's, Compare, Why,
// profiles, agreement, groups, additivity.
#include <QComboBox>
#include <QDir>
#include <QDockWidget>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTabWidget>
#include <QTableWidget>
#include <algorithm>
#include <cmath>

#include "core/quantize/recipe.h"
#include "tests/e2e/cli/cli_runner.h"
#include "tests/gui/studio/sensitivity_test.h"
#include "views/models/profile.h"
#include "views/panels/map_panel.h"
#include "views/plots/scatter_plot.h"
#include "views/text/units.h"
#include "views/text/why_text.h"

using namespace bitlens;
using kernels::Format;
using sensitivity::Method;

class SensitivityToldTest : public QObject {
  Q_OBJECT
 public:
  static void initMain() { test::set_up_studio_tests(); }

 private slots:
  void initTestCase() { test::watch_warnings(); }
  void init() { QDir(views::journal_folder()).removeRecursively(); }
  void cleanup() { VERIFY_NO_WARNINGS(); }

  void predictions_follow_the_mouse_and_equal_the_command_lines() {
    const QString model = folder_.small_model();
    study::SweepPlan plan = test::small_plan();
    plan.measure = plan.scores = false;
    test::Studio studio;
    QVERIFY(test::make_ready(studio, model, folder_.text(), plan));
    views::Document& document = studio.document();
    auto* strip = studio.window->findChild<QLabel*>(QStringLiteral("stripPredicted"));
    QVERIFY(!strip->isVisible());
    document.find_sensitivity();
    QVERIFY(test::wait_done(studio));
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
    QVERIFY(study::save_sensitivity(*test::result_of(document.sensitivity(), Method::Response),
                                    cells.toStdString(), true, {}));
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
    QVERIFY(test::make_ready(studio, folder_.small_model(), folder_.text(), test::small_plan()));
    views::Document& document = studio.document();
    document.assign({studio.tensor("blk.0.attn_v.weight"), studio.tensor("output.weight")}, Format::Q4_0);
    QTRY_COMPARE(studio.format("output.weight"), std::string("Q4_0"));
    document.measure();
    QTRY_COMPARE_WITH_TIMEOUT(document.measurements().results().size(), 2U, 60'000);
    document.find_sensitivity();
    QVERIFY(test::wait_done(studio));
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
    study::SweepPlan plan = test::small_plan();
    plan.adaptive = false;
    test::Studio studio;
    QVERIFY(test::make_ready(studio, model, text, plan));
    views::Document& document = studio.document();
    const std::size_t t = studio.tensor("blk.1.ffn_down.weight");
    auto* tabs = studio.window->findChild<QTabWidget*>(QStringLiteral("inspectorTabs"));
    auto* words = studio.window->findChild<QPlainTextEdit*>(QStringLiteral("whyWords"));
    tabs->setCurrentIndex(4);
    document.selection().set({t}, std::nullopt);
    QTRY_VERIFY(words->toPlainText().contains(QStringLiteral("F8")));
    document.find_sensitivity();
    QVERIFY(test::wait_done(studio));
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
    study::SweepPlan plan = test::small_plan();
    plan.adaptive = false;
    test::Studio studio;
    QVERIFY(test::make_ready(studio, folder_.small_model(), folder_.text(), plan));
    views::Document& document = studio.document();
    document.find_sensitivity();
    QVERIFY(test::wait_done(studio));
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
    QCOMPARE(pairs.size(), test::result_of(document.sensitivity(), Method::Measured)->cells.size());
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
    QVERIFY(test::wait_done(studio));
    const auto* measured =
        test::result_of(document.sensitivity(), Method::Measured, sensitivity::Grouping::Layer);
    QVERIFY(measured && measured->cells.size() == 8);
    QVERIFY2(test::result_of(document.sensitivity(), Method::Measured), "the single cells stay");
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

 private:
  test::ModelFolder folder_;
};

QTEST_MAIN(SensitivityToldTest)
#include "tst_sensitivity_told.moc"
