// Measured cells against the reference's: one tensor at Q4_0, the rest as it is.
#include <QTest>
#include <cmath>

#include "core/sensitivity/agreement.h"
#include "tests/golden/sensitivity/golden.h"
#include "tests/support/measured_cells.h"

using namespace bitlens;
using sensitivity::MeasuredCell;

class MeasuredGoldenTest : public QObject {
  Q_OBJECT

  ThreadPool pool_{2};
  WorkContext work_{pool_};

  Result<std::vector<MeasuredCell>> measure(const test::Setting& setting,
                                            const std::vector<sensitivity::Cell>& cells,
                                            evaluate::Activations activations) {
    sensitivity::MeasureOptions options;
    options.activations = activations;
    return test::measure_cells(setting.model, setting.windows, cells, options, work_);
  }

 private slots:
  // The reference rounds the inputs of the changed matrix to 8 bits.
  void stories() {
    if (!test::have_shared("golden/stories260K/results.json"))
      QSKIP("needs the shared test data: golden/stories260K/results.json");
    const QJsonObject one = test::golden_results("stories260K")["one_tensor"].toObject();
    const auto setting = test::open_setting("models/stories260K-f32.gguf", "texts/tinystories.txt", 256,
                                            static_cast<std::uint32_t>(one["windows"].toInt()));
    QVERIFY2(setting, setting ? "" : setting.error().describe().c_str());
    const auto golden = test::golden_cells(*setting, one["rows"].toArray());
    QCOMPARE(golden.cells.size(), std::size_t{32});
    const auto measured = measure(*setting, golden.cells, evaluate::Activations::Q8);
    QVERIFY2(measured, measured ? "" : measured.error().describe().c_str());
    std::vector<double> kl;
    double worst = 0;
    for (std::size_t c = 0; c < golden.kl.size(); ++c) {
      kl.push_back((*measured)[c].kl_mean);
      const double off = std::abs(kl[c] / golden.kl[c] - 1);
      worst = std::max(worst, off);
      QVERIFY2(off <= 0.05, qPrintable(QStringLiteral("%1: %2, reference %3")
                                           .arg(QString::fromStdString(golden.cells[c].name))
                                           .arg(kl[c])
                                           .arg(golden.kl[c])));
      QVERIFY((*measured)[c].kl_se > 0 && (*measured)[c].kl_se < 0.15 * kl[c]);
    }
    const double rank = sensitivity::spearman(kl, golden.kl);
    qInfo("largest deviation %.2f %%, Spearman %.4f", 100 * worst, rank);
    QVERIFY(rank >= 0.99);
  }

  // Weights only. All cells with BITLENS_ALL_CELLS=1; a few of the last blocks otherwise, for time.
  void smollm2() {
    if (!test::have_shared("golden/smollm2-135m/results.json") ||
        !test::have_shared("models/smollm2-135m-instruct-q4_1.gguf"))
      QSKIP("needs the shared test data: golden/smollm2-135m/results.json");
    const QJsonArray rows = test::golden_results("smollm2-135m")["one_tensor"].toObject()["rows"].toArray();
    const auto setting =
        test::open_setting("models/smollm2-135m-instruct-q4_1.gguf", "texts/wikitext2-test.txt", 512, 20);
    QVERIFY2(setting, setting ? "" : setting.error().describe().c_str());
    auto golden = test::golden_cells(*setting, rows);
    QVERIFY(golden.cells.size() >= 16);
    if (!qEnvironmentVariableIsSet("BITLENS_ALL_CELLS"))
      for (std::size_t c = golden.cells.size(); c-- > 0;)
        if (sensitivity::first_layer(*setting->model, golden.cells[c]) < 29) {
          golden.cells.erase(golden.cells.begin() + static_cast<std::ptrdiff_t>(c));
          golden.kl.erase(golden.kl.begin() + static_cast<std::ptrdiff_t>(c));
        }
    QVERIFY(!golden.cells.empty());
    const auto measured = measure(*setting, golden.cells, evaluate::Activations::Exact);
    QVERIFY2(measured, measured ? "" : measured.error().describe().c_str());
    for (std::size_t c = 0; c < golden.kl.size(); ++c) {
      const double kl = (*measured)[c].kl_mean;
      qInfo("%-28s %.6f reference %.6f", golden.cells[c].name.c_str(), kl, golden.kl[c]);
      QVERIFY2(std::abs(kl - golden.kl[c]) <= std::max(0.03 * golden.kl[c], 1e-6),
               golden.cells[c].name.c_str());
    }
  }
};

QTEST_APPLESS_MAIN(MeasuredGoldenTest)
#include "tst_measured_golden.moc"
