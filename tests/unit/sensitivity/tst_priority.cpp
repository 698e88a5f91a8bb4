// Which cells come first, when a cell is known well enough, what few windows say about all, and runs that are
// gone on with.
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <limits>
#include <random>

#include "core/sensitivity/measured.h"
#include "core/sensitivity/priority.h"
#include "core/sensitivity/response.h"
#include "tests/unit/sensitivity/small_setting.h"

using namespace bitlens;
using sensitivity::Cell;
using sensitivity::MeasuredCell;

class PriorityTest : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  ThreadPool pool_{2};
  WorkContext work_{pool_};

  std::shared_ptr<const model::Model> model() {
    return test::draw_and_open(test::small_llama(), folder_.filePath("m.gguf").toStdString());
  }
  static std::vector<Cell> cells(const model::Model& model) {
    const auto plan = sensitivity::plan_cells(model, "*", {kernels::Format::Q4_0, kernels::Format::Q8_0},
                                              kernels::Quantizer::Rtn);
    return plan ? plan->cells : std::vector<Cell>{};
  }

 private slots:
  void large_uncertain_and_near_a_decision_first() {
    const auto m = model();
    QVERIFY(m);
    const auto all = cells(*m);
    QVERIFY(all.size() > 8);
    std::vector<sensitivity::Estimate> estimates(all.size(), {1e-4, 1e-6});
    estimates[2] = {5e-2, 1e-3};        // large
    estimates[5] = {1e-3, 5e-3};        // uncertain
    estimates[7].near_decision = true;  // no more than the others, but it matters
    estimates[3].kl_mean = std::numeric_limits<double>::quiet_NaN();  // nothing known
    const auto order = sensitivity::most_informative_first(*m, all, estimates, 1);
    QCOMPARE(order.size(), all.size());
    QCOMPARE(order[0], std::size_t{3});
    QCOMPARE(order[1], std::size_t{2});
    QCOMPARE(order[2], std::size_t{5});
    QCOMPARE(order[3], std::size_t{7});
    auto sorted = order;
    std::ranges::sort(sorted);
    for (std::size_t c = 0; c < sorted.size(); ++c) QCOMPARE(sorted[c], c);
    // Neighbours of a batch are put together by the block they start in.
    const auto batched = sensitivity::most_informative_first(*m, all, estimates, all.size());
    for (std::size_t i = 1; i < batched.size(); ++i)
      QVERIFY(sensitivity::first_layer(*m, all[batched[i - 1]]) >=
              sensitivity::first_layer(*m, all[batched[i]]));
  }

  void what_matters() {
    const double kl[] = {0.3, 0.1, std::numeric_limits<double>::quiet_NaN(), 0.0, 0.0};
    QVERIFY(std::abs(sensitivity::error_that_matters(kl) - 0.01 * 0.4 / 2) < 1e-15);
    QCOMPARE(sensitivity::error_that_matters({}), 0.0);
    QVERIFY(sensitivity::needs_more_tokens(1.0, 0.2, 0.1));
    QVERIFY(!sensitivity::needs_more_tokens(1.0, 0.2, 0.3));   // too small to matter
    QVERIFY(!sensitivity::needs_more_tokens(1.0, 0.05, 0.0));  // small beside the value
    QVERIFY(sensitivity::needs_more_tokens(1.0, std::numeric_limits<double>::infinity(), 0.1));
  }

  void few_windows_speak_for_all() {
    MeasuredCell cell;
    cell.kl_mean = 0.02;
    cell.kl_se = 0.001;
    cell.window_kl = {0.02F};
    // One window and no idea of the others: never enough.
    QVERIFY(std::isinf(sensitivity::extrapolate(cell, 8, nullptr).kl_se));
    // All windows: nothing to make up for.
    cell.window_kl.assign(8, 0.02F);
    QCOMPARE(sensitivity::extrapolate(cell, 8, nullptr).kl_mean, 0.02);
    QCOMPARE(sensitivity::extrapolate(cell, 8, nullptr).kl_se, 0.001);
    // The measured window is predicted to cost twice the mean: the value is halved, and its error with it.
    sensitivity::WindowPrediction prediction{{0.04, 0.01, 0.01, 0.02}, 0.0};
    cell.window_kl = {0.04F};
    cell.kl_mean = 0.04;
    const auto value = sensitivity::extrapolate(cell, 4, &prediction);
    QVERIFY(std::abs(value.kl_mean - 0.02) < 1e-12);
    QVERIFY(std::abs(value.kl_se - 0.0005) < 1e-12);
    // Predictions that are nothing but noise say nothing.
    prediction.noise = 1.0;
    QCOMPARE(sensitivity::extrapolate(cell, 4, &prediction).kl_mean, 0.04);
  }

  // Windows differ, predictions know it up to noise: the extrapolated value is closer to the truth than the
  // plain mean of the windows measured, and its error bar is honest.
  void control_variates_help_data() {
    QTest::addColumn<int>("windows");
    QTest::addColumn<int>("draws");
    QTest::addColumn<int>("done");
    QTest::addColumn<double>("spread");
    QTest::addColumn<double>("gain");  // at most so much of the plain mean's squared error is left
    QTest::newRow("windows that differ much") << 16 << 24 << 3 << 0.7 << 0.6;
    // One window, and differences about as large as the noise of their predictions.
    QTest::newRow("differences in noise") << 8 << 28 << 1 << 0.3 << 1.0;
    QTest::newRow("few draws") << 8 << 10 << 2 << 0.4 << 1.0;
  }
  void control_variates_help() {
    QFETCH(int, windows);
    QFETCH(int, draws);
    QFETCH(int, done);
    QFETCH(double, spread);
    QFETCH(double, gain);
    check_control_variates(static_cast<std::size_t>(windows), static_cast<std::size_t>(draws),
                           static_cast<std::size_t>(done), spread, gain);
  }

 private:
  static void check_control_variates(std::size_t windows, std::size_t draws, std::size_t done, double spread,
                                     double gain) {
    std::mt19937 random(5);
    std::normal_distribution<double> normal;
    constexpr std::size_t runs = 400;
    constexpr std::uint64_t positions = 100;
    double plain = 0, corrected = 0, outside = 0;
    for (std::size_t run = 0; run < runs; ++run) {
      std::vector<double> truth(windows);
      for (double& kl : truth) kl = 0.01 * std::exp(spread * normal(random));
      std::vector<float> response(windows * draws);
      for (std::size_t i = 0; i < response.size(); ++i)
        response[i] = static_cast<float>(
            normal(random) * std::sqrt(2.0 * static_cast<double>(positions) * truth[i % windows]));
      const auto prediction = sensitivity::predict_windows(response, windows, positions);
      MeasuredCell cell;
      double mean = 0;
      for (const double kl : truth) mean += kl / static_cast<double>(windows);
      for (std::size_t w = 0; w < done; ++w) {
        cell.window_kl.push_back(static_cast<float>(truth[w]));
        cell.kl_mean += truth[w] / static_cast<double>(done);
      }
      cell.kl_se = 0.02 * cell.kl_mean;
      const auto value = sensitivity::extrapolate(cell, windows, &prediction);
      plain += std::pow(cell.kl_mean / mean - 1, 2);
      corrected += std::pow(value.kl_mean / mean - 1, 2);
      if (std::abs(value.kl_mean - mean) > 2 * value.kl_se) outside += 1.0 / static_cast<double>(runs);
    }
    QVERIFY2(corrected < gain * plain, qPrintable(QString::number(corrected / plain)));
    QVERIFY2(outside < 0.1, qPrintable(QString::number(outside)));
  }

 private slots:

  void one_draw_is_no_prediction_of_windows() {
    const std::vector<float> response(8, 1.0F);
    QVERIFY(sensitivity::predict_windows(response, 8, 10).kl.empty());
    QCOMPARE(sensitivity::predict_windows(response, 4, 10).kl.size(), std::size_t{4});
    QVERIFY(sensitivity::predict_windows(response, 0, 10).kl.empty());
  }

  // A cell that may stop after some windows has exactly the value those windows alone give.
  void stopping_early_measures_the_first_windows() {
    const auto m = model();
    QVERIFY(m);
    auto all = cells(*m);
    const auto windows = test::small_windows(40, 12);
    const std::size_t scored = windows.scored_per_window();
    const std::size_t step = (128 + scored - 1) / scored;
    evaluate::Windows fewer = windows;
    fewer.inputs.resize(step);
    fewer.targets.resize(step);
    const auto sweep = [&](const evaluate::Windows& some, bool stop) {
      sensitivity::MeasureOptions options;
      if (stop) options.enough = [](std::size_t index, const MeasuredCell&) { return index % 2 == 0; };
      std::vector<MeasuredCell> out(all.size());
      auto measurer = sensitivity::CellMeasurer::create(m, some, options);
      if (!measurer) return std::vector<MeasuredCell>{};
      const auto status = (*measurer)->measure(
          all,
          [&](std::size_t index, const MeasuredCell& cell) -> Status {
            out[index] = cell;
            return {};
          },
          work_);
      return status ? out : std::vector<MeasuredCell>{};
    };
    const auto adaptive = sweep(windows, true), whole = sweep(windows, false), part = sweep(fewer, false);
    QCOMPARE(adaptive.size(), all.size());
    for (std::size_t c = 0; c < all.size(); ++c) {
      const MeasuredCell& expected = c % 2 == 0 ? part[c] : whole[c];
      QCOMPARE(adaptive[c].kl_mean, expected.kl_mean);
      QCOMPARE(adaptive[c].kl_se, expected.kl_se);
      QCOMPARE(adaptive[c].window_kl, expected.window_kl);
      QCOMPARE(adaptive[c].scored_tokens, expected.scored_tokens);
    }
  }

  // Two draws, then four more: the same bits as six at once, the text's own responses included.
  void responses_go_on_where_they_stopped() {
    const auto m = model();
    QVERIFY(m);
    const auto windows = test::small_windows(40, 3);
    sensitivity::ResponseOptions options;
    options.seed = 11;
    options.samples = 18;
    const auto whole = sensitivity::response_vectors(m, cells(*m), windows, options, {}, work_);
    QVERIFY(whole);
    options.samples = 6;
    const auto first = sensitivity::response_vectors(m, cells(*m), windows, options, {}, work_);
    QVERIFY(first);
    sensitivity::KnownResponses known;
    known.draws = 2;
    for (std::size_t c = 0; c < first->cells().size(); ++c) {
      known.rows.emplace_back(first->row(c).begin(), first->row(c).end());
      known.text.emplace_back(first->text_row(c).begin(), first->text_row(c).end());
    }
    options.samples = 18;
    std::size_t least = 1000;
    const auto resumed = sensitivity::response_vectors(
        m, cells(*m), windows, options,
        [&](std::span<const std::size_t> updated, const sensitivity::ResponseMatrix& matrix) -> Status {
          for (const std::size_t c : updated) least = std::min(least, matrix.known(c));
          return {};
        },
        work_, known);
    QVERIFY(resumed);
    QVERIFY(least > 6);  // what was known is not done again
    for (std::size_t c = 0; c < whole->cells().size(); ++c) {
      QVERIFY(std::ranges::equal(whole->row(c), resumed->row(c)));
      QVERIFY(std::ranges::equal(whole->text_row(c), resumed->text_row(c)));
    }
    known.rows.pop_back();
    QVERIFY(!sensitivity::response_vectors(m, cells(*m), windows, options, {}, work_, known));
  }
};

QTEST_APPLESS_MAIN(PriorityTest)
#include "tst_priority.moc"
