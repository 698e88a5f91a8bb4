// Measuring from the window gives the numbers the engine gives when called directly; cancel, calibration and
// the background work around it.
#include <QAbstractButton>
#include <QComboBox>
#include <QContextMenuEvent>
#include <QLabel>
#include <QMenu>
#include <QSignalSpy>
#include <QTableView>
#include <QTimer>

#include "tests/gui/studio/studio_test.h"
#include "views/models/map_metric.h"
#include "views/panels/map_panel.h"
#include "views/panels/map_view.h"
#include "views/plots/plot.h"

using namespace bitlens;
using kernels::Format;

namespace {

/// What the engine is asked for without a window.
Result<study::MeasureRequest> direct_request(const QString& model, const QString& text,
                                             const evaluate::Options& options) {
  const auto session = study::open_model(model.toStdString());
  if (!session) return pass(session);
  const auto content = study::load_text(text.toStdString());
  if (!content) return pass(content);
  const auto tokens = study::tokenize(**session, *content);
  if (!tokens) return pass(tokens);
  study::MeasureRequest request;
  request.subject = *session;
  request.text = *tokens;
  request.options = options;
  return request;
}

}  // namespace

class MeasuringTest : public QObject {
  Q_OBJECT
 public:
  static void initMain() { test::set_up_studio_tests(); }

 private slots:
  void initTestCase() { test::watch_warnings(); }
  void cleanup() { VERIFY_NO_WARNINGS(); }

  void the_window_measures_what_the_engine_measures() {
    test::Studio studio;
    const QString model = folder_.small_model(), text = folder_.text();
    QVERIFY(studio.open(model));
    views::Document& document = studio.document();
    QVERIFY(!document.measure_obstacle().isEmpty());
    document.texts().add(text, study::TextUse::Evaluation);
    evaluate::Options options;
    options.context = 32;
    options.windows = 12;
    document.measurements().set_options(options);
    QVERIFY(studio.wait_idle());
    QTRY_COMPARE(document.measure_obstacle(), QString());
    document.assign({studio.tensor("blk.0.attn_q.weight"), studio.tensor("blk.1.ffn_up.weight")},
                    Format::Q4_0);
    QTRY_COMPARE(studio.format("blk.1.ffn_up.weight"), std::string("Q4_0"));
    studio.window->action("measure")->trigger();
    QVERIFY(document.measurements().measuring());
    QTRY_COMPARE_WITH_TIMEOUT(document.measurements().results().size(), 2U, 60000);
    const study::MeasuredResult& shown = document.measurements().results()[1];

    const auto asked = direct_request(model, text, options);
    QVERIFY(asked.has_value());
    study::MeasureRequest request = *asked;
    request.recipe = *shown.recipe;
    ThreadPool pool(1);
    const auto truth = study::measure(request, {pool, {}, {}});
    QVERIFY(truth.has_value());
    QCOMPARE(shown.measurement.perplexity.ppl, truth->measurement.perplexity.ppl);
    QCOMPARE(shown.measurement.perplexity.ppl_se, truth->measurement.perplexity.ppl_se);
    QVERIFY(shown.measurement.comparison && truth->measurement.comparison);
    QCOMPARE(shown.measurement.comparison->kl_mean, truth->measurement.comparison->kl_mean);
    QVERIFY(shown.measurement.comparison->kl_mean > 0);
    QCOMPARE(shown.file_bytes, truth->file_bytes);
    QCOMPARE(shown.file_bytes, document.resolved()->file_bytes);
    QVERIFY(document.measurements().find(document.effective_recipe()));

    // The comparison measured the model as it is too: that is the row before.
    study::MeasureRequest as_is = request;
    as_is.recipe.reset();
    const auto base = study::measure(as_is, {pool, {}, {}});
    QVERIFY(base.has_value());
    const study::MeasuredResult* base_row = document.measurements().find(std::nullopt);
    QCOMPARE(base_row, &document.measurements().results()[0]);
    QCOMPARE(base_row->measurement.perplexity.ppl, base->measurement.perplexity.ppl);
    QCOMPARE(base_row->file_bytes, base->file_bytes);
    QCOMPARE(base_row->bits_per_weight, base->bits_per_weight);
    QCOMPARE(base_row->name, base->name);
    QCOMPARE(base_row->provenance.model_sha256, base->provenance.model_sha256);

    // Another edit: the number on screen belongs to an earlier recipe.
    document.assign({studio.tensor("output.weight")}, Format::Q8_0);
    QTRY_COMPARE(studio.format("output.weight"), std::string("Q8_0"));
    QVERIFY(!document.measurements().find(document.effective_recipe()));
    document.undo_stack().undo();
    QTRY_VERIFY(document.measurements().find(document.effective_recipe()));
  }

  void fast_products_are_chosen_in_the_panel() {
    test::Studio studio;
    const QString model = folder_.small_model(), text = folder_.text();
    QVERIFY(studio.open(model));
    views::Document& document = studio.document();
    document.texts().add(text, study::TextUse::Evaluation);
    evaluate::Options options;
    options.context = 32;
    options.windows = 12;
    document.measurements().set_options(options);
    QVERIFY(studio.wait_idle());
    QTRY_COMPARE(document.measure_obstacle(), QString());
    auto* products = studio.window->findChild<QComboBox*>(QStringLiteral("measureCompute"));
    QVERIFY(products && products->isEnabled());
    QCOMPARE(products->currentIndex(), 0);
    document.measure();
    QTRY_COMPARE_WITH_TIMEOUT(document.measurements().results().size(), 1U, 60000);
    products->setCurrentIndex(1);
    QCOMPARE(document.measurements().options().compute, evaluate::Compute::Fast);
    document.measure();
    QTRY_COMPARE_WITH_TIMEOUT(document.measurements().results().size(), 2U, 60000);
    const study::MeasuredResult& exact = document.measurements().results()[0];
    const study::MeasuredResult& fast = document.measurements().results()[1];

    const auto request = direct_request(model, text, document.measurements().options());
    QVERIFY(request.has_value());
    ThreadPool pool(1);
    const auto truth = study::measure(*request, {pool, {}, {}});
    QVERIFY(truth && truth->measurement.deviation);
    QCOMPARE(fast.measurement.perplexity.ppl, truth->measurement.perplexity.ppl);
    QCOMPARE(fast.provenance.compute, std::string("fast"));
    QVERIFY(fast.measurement.deviation && !exact.measurement.deviation);
    QCOMPARE(fast.measurement.deviation->kl_mean, truth->measurement.deviation->kl_mean);
    QVERIFY(!views::comparable(exact, fast));
    const auto* panel = studio.window->findChild<QLabel*>(QStringLiteral("measureResult"));
    QVERIFY(panel->text().contains(QStringLiteral("fast products against exact ones")));

    // A study keeps the choice.
    QSignalSpy saved(&document, &views::Document::study_saved);
    document.save_study(folder_.path(QStringLiteral("fast.bitlens")));
    QTRY_COMPARE(saved.size(), 1);
    test::Studio again;
    again.document().open_study(folder_.path(QStringLiteral("fast.bitlens")));
    QTRY_COMPARE(again.document().measurements().options().compute, evaluate::Compute::Fast);
    QCOMPARE(again.window->findChild<QComboBox*>(QStringLiteral("measureCompute"))->currentIndex(), 1);
  }

  void comparing_with_another_file_makes_a_row() {
    test::Studio studio;
    const QString model = folder_.small_model();
    QVERIFY(studio.open(model));
    views::Document& document = studio.document();
    document.texts().add(folder_.text(), study::TextUse::Evaluation);
    evaluate::Options options;
    options.context = 32;
    options.windows = 4;
    document.measurements().set_options(options);
    QVERIFY(studio.wait_idle());
    const QString copy = folder_.path(QStringLiteral("copy.gguf"));
    QVERIFY(QFile::copy(model, copy));
    QTRY_COMPARE(document.measure_obstacle(), QString());
    document.compare_with(copy);
    QTRY_COMPARE_WITH_TIMEOUT(document.measurements().results().size(), 2U, 60000);
    const auto& row = document.measurements().results()[1];
    QVERIFY(row.measurement.comparison);
    QCOMPARE(row.measurement.comparison->kl_mean, 0.0);  // the same weights
    // A row of another file says nothing of this one; its base is this one.
    QCOMPARE(document.measurements().find(std::nullopt), &document.measurements().results()[0]);
    QCOMPARE(document.measurements().latest(), &document.measurements().results()[0]);
    document.compare_with(copy);
    QTRY_COMPARE_WITH_TIMEOUT(document.measurements().results().size(), 3U, 60000);  // the base stays one row
  }

  void tasks_are_scored_as_the_engine_scores_them() {
    test::Studio studio;
    const QString model = folder_.small_model();
    QVERIFY(studio.open(model));
    views::Document& document = studio.document();
    const QString tasks =
        folder_.file(QStringLiteral("tasks.json"),
                     R"({"items": [{"kind": "one", "prompt": "abc", "candidates": ["de", "f"], "answer": 1},
                      {"kind": "two", "prompt": "b", "candidates": ["a", "c", "d"], "answer": 0},
                      {"kind": "two", "prompt": "xyz", "candidates": ["k", "q", "v"], "answer": 2}]})");
    document.tasks().set_tasks(tasks);
    document.assign({studio.tensor("blk.0.attn_q.weight"), studio.tensor("output.weight")}, Format::Q4_0);
    QTRY_COMPARE(studio.format("output.weight"), std::string("Q4_0"));
    studio.window->action("scoreTasks")->trigger();
    QVERIFY(document.tasks().scoring());
    QTRY_VERIFY_WITH_TIMEOUT(!document.tasks().scoring() && document.tasks().report(), 60000);
    const study::TaskReport& shown = *document.tasks().report();

    study::TaskRequest request;
    const auto session = study::open_model(model.toStdString());
    const auto set = study::load_tasks(tasks.toStdString());
    QVERIFY(session && set);
    request.subject = *session;
    request.tasks = *set;
    request.recipe = *shown.recipe;
    ThreadPool pool(1);
    const auto truth = study::score_tasks(request, {pool, {}, {}});
    QVERIFY(truth.has_value());
    QCOMPARE(shown.subject.all.right, truth->subject.all.right);
    QCOMPARE(shown.base->all.right, truth->base->all.right);
    for (std::size_t i = 0; i < 3; ++i)
      QCOMPARE(shown.subject.items[i].margin, truth->subject.items[i].margin);

    auto* table = studio.window->findChild<QTableView*>(QStringLiteral("tasksTable"));
    QVERIFY(table);
    QCOMPARE(table->model()->rowCount(), 3);  // all, one, two
    QCOMPARE(table->model()->index(2, 1).data().toString(), QStringLiteral("2"));
    QCOMPARE(table->model()->columnCount(), 6);

    // A file that is none: said, and nothing is shown as if it were its score.
    document.tasks().set_tasks(folder_.file(QStringLiteral("bad.json"), R"({"items": [{"kind": "x"}]})"));
    QVERIFY(!document.tasks().report());
    QSignalSpy notices(&document, &views::Document::notice);
    document.score_tasks();
    QTRY_COMPARE_WITH_TIMEOUT(notices.size(), 1, 60000);
    QVERIFY2(notices[0][1].toString().contains(QStringLiteral("items[0]")),
             qPrintable(notices[0][1].toString()));
    QVERIFY(!document.tasks().report());
  }

  void a_plot_offers_its_picture_and_numbers() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    studio.window->show();
    auto* plot = studio.window->findChild<views::Plot*>(QStringLiteral("comparePlot"));
    QVERIFY(plot);
    // Whether asked for on the plot by mouse or by its button, the same menu opens.
    QStringList seen[2];
    for (int way = 0; way < 2; ++way) {
      QTimer::singleShot(0, plot, [&seen, way, plot] {
        auto* menu = plot->findChild<QMenu*>();
        if (!menu) return;
        for (const QAction* action : menu->actions()) seen[way] << action->text();
        menu->close();
      });
      if (way == 0) {
        QWidget* picture = plot->findChild<QWidget*>(QStringLiteral("plot"));
        QContextMenuEvent ask(QContextMenuEvent::Mouse, QPoint(20, 20), picture->mapToGlobal(QPoint(20, 20)));
        QApplication::sendEvent(picture, &ask);
      } else {
        plot->findChild<QAbstractButton*>(QStringLiteral("comparePlotMenu"))->click();
      }
      QCOMPARE(seen[way].size(), 6);
    }
    QCOMPARE(seen[0], seen[1]);
    // The offscreen platform has no menus of its own and says so.
    for (const QString& warning : test::take_warnings())
      QVERIFY2(warning.startsWith(QStringLiteral("This plugin does not support")), qPrintable(warning));
    QVERIFY(!QImage::fromData(plot->png(), "PNG").isNull());
    const QByteArray pdf = plot->pdf();
    QVERIFY(pdf.startsWith("%PDF-") && pdf.trimmed().endsWith("%%EOF"));
    QCOMPARE(pdf.count("/Type /Page\n"), 1);
  }

  void saving_a_study_keeps_the_selection() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    views::Document& document = studio.document();
    document.selection().set({studio.tensor("blk.1.ffn_up.weight")}, std::nullopt);
    QTRY_VERIFY(studio.window->map_panel().view().selectionModel()->hasSelection());
    QSignalSpy saved(&document, &views::Document::study_saved);
    document.save_study(folder_.path(QStringLiteral("kept.bitlens")));
    QTRY_COMPARE(saved.size(), 1);
    QCOMPARE(document.selection().tensors(), std::vector<std::size_t>{studio.tensor("blk.1.ffn_up.weight")});
    QVERIFY(studio.window->map_panel().view().selectionModel()->hasSelection());
    QVERIFY(studio.window->windowTitle().contains(QStringLiteral("kept.bitlens")));
    QVERIFY(studio.window->windowTitle().contains(document.model_name()));
  }

  void calibration_fills_the_input_metrics() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    views::Document& document = studio.document();
    document.texts().add(folder_.text(), study::TextUse::Calibration);
    evaluate::Options options;
    options.context = 32;
    options.windows = 4;
    document.measurements().set_options(options);
    QVERIFY(studio.wait_idle());
    QVERIFY(std::isnan(views::metric_value(document, views::Metric::InputOutliersInt8,
                                           studio.tensor("blk.0.attn_q.weight"), Format::Q4_0)));
    QTRY_VERIFY(document.texts().calibration() && document.texts().calibration()->tokens);
    document.calibrate();
    QTRY_VERIFY_WITH_TIMEOUT(document.analysis().calibrated(), 60000);
    const auto* inputs = document.analysis().inputs(studio.tensor("blk.0.attn_q.weight"));
    QVERIFY(inputs && inputs->all.count > 0);
    QCOMPARE(views::metric_value(document, views::Metric::InputOutliersSigma,
                                 studio.tensor("blk.0.attn_q.weight"), Format::Q4_0),
             inputs->all.outliers_6sigma);
    QVERIFY(!document.analysis().inputs(studio.tensor("output_norm.weight")));
  }

  void closing_in_the_middle_of_work_is_clean() {
    for (int round = 0; round < 5; ++round) {
      test::Studio studio;
      studio.window->open_path(folder_.small_model());
      QTest::qWait(round * 15);
      studio.document().close();
      QVERIFY(studio.open(folder_.odd_model()));
      studio.document().analysis().want_all_rounding(Format::Q8_0, quantize::Quantizer::Search);
    }
  }

  void what_is_asked_for_overtakes_the_background() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    views::Document& document = studio.document();
    for (const Format f : views::choosable_formats())
      document.analysis().want_all_rounding(f, quantize::Quantizer::Search);
    bool done = false;
    studio.window->engine().start<int>(
        "asked", {}, views::Urgency::Asked, [](const WorkContext&) -> Result<int> { return 7; },
        &studio.document(), [&](const Result<int>& r) { done = r && *r == 7; });
    QTRY_VERIFY(done);
    // And the background goes on after it.
    QVERIFY(studio.wait_idle());
    QTRY_VERIFY(!document.analysis().incomplete());
  }

  void the_engine_refuses_to_run_on_the_windows_thread() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    ThreadPool pool(1);
    (void)views::describe_weights(*studio.document().session(), 0, {pool, {}, {}});
    const QStringList seen = test::take_warnings();
    QCOMPARE(seen.size(), 1);
    QVERIFY(seen[0].contains(QStringLiteral("weight_statistics")));
  }

  void a_grid_holds_what_the_format_can_store() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    const std::size_t t = studio.tensor("blk.0.ffn_up.weight");
    for (const auto& [format, most] :
         {std::pair(Format::Q4_0, 16U), {Format::Q4_1, 16U}, {Format::Q5_0, 32U}, {Format::Q8_0, 255U}}) {
      studio.document().analysis().want_grid(t, format);
      QTRY_VERIFY(studio.document().analysis().grid(t, format));
      const auto* grid = studio.document().analysis().grid(t, format);
      QVERIFY2(grid->levels.size() <= most && grid->levels.size() > most * 7 / 10,
               qPrintable(QString::number(grid->levels.size())));
      QVERIFY(std::is_sorted(grid->levels.begin(), grid->levels.end()));
    }
  }

 private:
  test::ModelFolder folder_;
};

QTEST_MAIN(MeasuringTest)
#include "tst_measuring.moc"
