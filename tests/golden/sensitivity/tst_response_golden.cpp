// Predicted cells against measured ones on a real, small model: no constant is fitted, so the ratio has to be
// one by itself.
#include <QTest>
#include <cmath>

#include "core/sensitivity/agreement.h"
#include "core/sensitivity/measured.h"
#include "core/sensitivity/response.h"
#include "tests/golden/sensitivity/golden.h"

using namespace bitlens;

class ResponseGoldenTest : public QObject {
  Q_OBJECT

 private slots:
  void stories() {
    if (!test::have_shared("models/stories260K-f32.gguf"))
      QSKIP("needs the shared test data: models/stories260K-f32.gguf");
    ThreadPool pool(2);
    const WorkContext work{pool};
    const auto setting = test::open_setting("models/stories260K-f32.gguf", "texts/tinystories.txt", 256, 60);
    QVERIFY2(setting, setting ? "" : setting.error().describe().c_str());
    const std::vector<kernels::Format> formats = {kernels::Format::Q8_0, kernels::Format::Q5_0,
                                                  kernels::Format::Q4_0};
    const auto plan = sensitivity::plan_cells(*setting->model, "*", formats, kernels::Quantizer::Rtn);
    QVERIFY(plan);
    QCOMPARE(plan->cells.size(), std::size_t{96});
    sensitivity::ResponseOptions options;
    options.samples = 400;
    const auto matrix =
        sensitivity::response_vectors(setting->model, plan->cells, setting->windows, options, {}, work);
    QVERIFY2(matrix, matrix ? "" : matrix.error().describe().c_str());
    auto measurer = sensitivity::CellMeasurer::create(setting->model, setting->windows, {});
    QVERIFY(measurer);
    std::vector<double> measured(plan->cells.size());
    const auto status = (*measurer)->measure(
        plan->cells,
        [&](std::size_t index, const sensitivity::MeasuredCell& cell) -> Status {
          measured[index] = cell.kl_mean;
          return {};
        },
        work);
    QVERIFY(status);
    std::vector<double> ratios;
    for (const kernels::Format format : formats) {
      std::vector<double> a, b;
      for (std::size_t c = 0; c < measured.size(); ++c)
        if (plan->cells[c].format == format) {
          const auto predicted = matrix->predict(c);
          QVERIFY(predicted.kl_se > 0 && predicted.samples >= 400);
          a.push_back(predicted.kl_mean);
          b.push_back(measured[c]);
          ratios.push_back(predicted.kl_mean / measured[c]);
        }
      const double rank = sensitivity::spearman(a, b);
      qInfo("%s: Spearman %.4f", std::string(kernels::info(format).name).c_str(), rank);
      QVERIFY(rank >= 0.98);
    }
    const double middle = test::median(ratios);
    qInfo("median predicted / measured %.4f", middle);
    QVERIFY(middle >= 0.95 && middle <= 1.05);
  }
};

QTEST_APPLESS_MAIN(ResponseGoldenTest)
#include "tst_response_golden.moc"
