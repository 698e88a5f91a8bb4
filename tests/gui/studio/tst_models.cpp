// The item models: sound under Qt's own tester while things change, and right in what they say.
#include <QAbstractItemModelTester>
#include <QFontDatabase>

#include "tests/gui/studio/studio_test.h"
#include "views/models/compare_model.h"
#include "views/models/map_model.h"
#include "views/models/tensor_tree_model.h"
#include "views/models/texts_model.h"
#include "views/panels/map_panel.h"
#include "views/panels/table_export.h"

using namespace bitlens;
using views::MapModel;
using views::Metric;

class ModelsTest : public QObject {
  Q_OBJECT
 public:
  static void initMain() { test::set_up_studio_tests(); }

 private slots:
  void initTestCase() { test::watch_warnings(); }
  void cleanup() { VERIFY_NO_WARNINGS(); }

  void models_stay_sound_while_things_change() {
    test::Studio studio;
    views::Document& document = studio.document();
    MapModel map(document);
    views::TensorTreeModel tree(document);
    views::CompareModel compare(document);
    views::TextsModel texts(document);
    const auto mode = QAbstractItemModelTester::FailureReportingMode::QtTest;
    QAbstractItemModelTester map_tester(&map, mode), tree_tester(&tree, mode), compare_tester(&compare, mode),
        texts_tester(&texts, mode);
    QVERIFY(studio.open(folder_.small_model()));
    for (const Metric metric : views::kMetrics) map.set_metric(metric, kernels::Format::Q4_0);
    document.assign({studio.tensor("blk.0.attn_q.weight")}, kernels::Format::Q4_0);
    document.texts().add(folder_.text(), study::TextUse::Evaluation);
    document.texts().add(folder_.text(), study::TextUse::Calibration);
    QVERIFY(studio.wait_idle());
    QCOMPARE(texts.rowCount(), 2);
    study::MeasuredResult result;
    result.name = "one";
    document.measurements().add(result);
    result.name = "two";
    document.measurements().add(result);
    QCOMPARE(compare.rowCount(), 2);
    document.measurements().remove(0);
    document.texts().remove(0);
    QVERIFY(studio.open(folder_.odd_model()));
    document.close();
    QCOMPARE(map.rowCount(), 0);
    QCOMPARE(tree.rowCount(), 0);
  }

  void the_map_holds_every_weight_once() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    MapModel& map = studio.window->map_panel().map();
    std::set<int> seen;
    for (int r = 0; r < map.rowCount(); ++r)
      for (int c = 0; c < map.columnCount(); ++c)
        if (const int t = map.tensor_at(map.index(r, c)); t >= 0) QVERIFY(seen.insert(t).second);
    QCOMPARE(seen.size(), studio.document().session()->file().tensors().size());
    // Embedding above, final norm and output below, two layers between.
    QCOMPARE(map.rowCount(), 5);
    QVERIFY(map.is_global_row(0) && map.is_global_row(3) && map.is_global_row(4));
    QCOMPARE(map.headerData(1, Qt::Vertical).toString(), QStringLiteral("0"));
    QStringList columns;
    for (int c = 0; c < map.columnCount(); ++c) columns << map.headerData(c, Qt::Horizontal).toString();
    QCOMPARE(columns, (QStringList{"q", "k", "v", "o", "gate", "up", "down", "attn norm", "ffn norm"}));
    QCOMPARE(map.first_vector_column(), 7);
  }

  void metrics_show_what_the_engine_says() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    const views::Document& document = studio.document();
    const std::size_t t = studio.tensor("blk.1.ffn_gate.weight");
    ThreadPool pool(1);
    const WorkContext work{pool, {}, {}};
    const auto truth = analyze::weight_statistics(document.session()->file(), t, work);
    QVERIFY(truth.has_value());
    QCOMPARE(views::metric_value(document, Metric::WeightOutliers, t, {}), truth->all.outliers_6sigma);
    QCOMPARE(views::metric_value(document, Metric::DynamicRange, t, {}), truth->all.dynamic_range);
    QCOMPARE(views::metric_value(document, Metric::Bytes, t, {}), 32.0 * 64 * 4);
    QCOMPARE(views::metric_value(document, Metric::Precision, t, {}), 32.0);
    studio.window->map_panel().set_format(kernels::Format::Q5_0);
    studio.window->map_panel().set_metric(Metric::RoundingError);
    QVERIFY(studio.wait_idle());
    const auto error = analyze::rounding_error(document.session()->file(), t, kernels::Format::Q5_0,
                                               quantize::Quantizer::Search, {}, work);
    QVERIFY(error.has_value());
    QTRY_COMPARE(views::metric_value(document, Metric::RoundingError, t, kernels::Format::Q5_0),
                 error->relative_rmse);
    QCOMPARE(studio.window->map_panel().map().unknown_cells(), 0);
  }

  void scales_keep_order_and_stay_inside() {
    for (const Metric metric : views::kMetrics) {
      const views::MetricScale scale(metric, 0.001, 10);
      double before = -1;
      for (double v = 0.0005; v < 100; v *= 1.7) {
        const double p = scale.position(v);
        QVERIFY(p >= before && p >= 0 && p <= 1);
        before = p;
      }
    }
    QCOMPARE(views::MetricScale(Metric::Bytes, 3, 3).position(3), 0.5);
  }

  void a_table_is_copied_as_csv() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    study::MeasuredResult result;
    result.name = "with, comma and \"quotes\"";
    result.measurement.perplexity.ppl = 12.5;
    studio.document().measurements().add(result);
    views::CompareModel model(studio.document());
    const QStringList lines = views::table_csv(model).split(QStringLiteral("\r\n"));
    QCOMPARE(lines.size(), 3);  // head, row, end
    QVERIFY(lines[0].startsWith(QStringLiteral("Recipe,File size,bpw,PPL")));
    QVERIFY2(lines[1].startsWith(QStringLiteral("\"with, comma and \"\"quotes\"\"\",")),
             qPrintable(lines[1]));
    QVERIFY(lines[1].contains(QStringLiteral("12.5")));
  }

  void a_foreign_model_opens_and_says_why_it_cannot_be_measured() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.foreign_model()));
    QVERIFY(studio.window->map_panel().map().rowCount() > 0);
    QVERIFY(studio.document().analysis().weights(0));
    QVERIFY(studio.document().measure_obstacle().contains(QStringLiteral("unheard-of")));
    studio.document().assign({studio.tensor("blk.0.attn_q.weight")}, kernels::Format::Q8_0);
    QTRY_COMPARE(studio.format("blk.0.attn_q.weight"), std::string("Q8_0"));
  }

 private:
  test::ModelFolder folder_;
};

QTEST_MAIN(ModelsTest)
#include "tst_models.moc"
