// Statistics of layer inputs fed in batches, against plain computation on all of them at once.
#include <QtTest>
#include <algorithm>
#include <cmath>
#include <random>

#include "core/analyze/input_accumulator.h"

using namespace bitlens;

namespace {

constexpr std::size_t kColumns = 48;

/// Rows whose columns differ in scale, so that some pass 6.0; later rows are larger (the range has to grow).
std::vector<float> input_rows(std::size_t rows) {
  std::mt19937 random(41);
  std::normal_distribution<float> normal(0.0F, 1.0F);
  std::vector<float> values(rows * kColumns);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < kColumns; ++c) {
      const float scale = c == 5 ? 20.0F : c == 9 ? 3.0F : 0.05F;
      values[r * kColumns + c] = c == 11 ? 0.0F : (r < 40 ? 0.01F : 1.0F) * scale * (normal(random) + 0.3F);
    }
  return values;
}

analyze::ActivationStatistics collect(const std::vector<float>& values,
                                      const std::vector<std::size_t>& batches, int threads) {
  ThreadPool pool(threads);
  analyze::InputAccumulator accumulator(kColumns);
  analyze::InputScratch scratch;
  std::size_t row = 0;
  for (const std::size_t rows : batches) {
    if (!accumulator.add(values.data() + row * kColumns, rows, scratch, WorkContext{pool})) return {};
    row += rows;
  }
  return accumulator.finish();
}

}  // namespace

class TestInputAccumulator : public QObject {
  Q_OBJECT

 private slots:
  void matches_plain_computation() {
    const std::size_t rows = 1000;
    const auto values = input_rows(rows);
    const auto found = collect(values, {40, 300, 1, 659}, 2);
    QCOMPARE(found.tokens, std::uint64_t{rows});
    QCOMPARE(found.all.count, std::uint64_t{rows * kColumns});
    QCOMPARE(found.all.zeros, std::uint64_t{rows});

    long double mean = 0, m2 = 0, m4 = 0;
    const auto n = static_cast<long double>(values.size());
    for (const float x : values) mean += static_cast<long double>(x) / n;
    for (const float x : values) {
      const long double d = static_cast<long double>(x) - mean;
      m2 += d * d / n;
      m4 += d * d * d * d / n;
    }
    const auto sigma = static_cast<double>(std::sqrt(m2));
    QVERIFY(std::fabs(found.all.mean - static_cast<double>(mean)) <= 1e-12 * sigma);
    QVERIFY(std::fabs(found.all.sigma - sigma) <= 1e-12 * sigma);
    QVERIFY(std::fabs(found.all.excess_kurtosis - static_cast<double>(m4 / m2 / m2 - 3)) <= 1e-9);
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    QCOMPARE(found.all.min, static_cast<double>(*low));
    QCOMPARE(found.all.max, static_cast<double>(*high));

    std::vector<float> magnitudes;
    std::size_t outliers = 0;
    for (const float x : values) {
      if (x != 0.0F) magnitudes.push_back(std::fabs(x));
      if (std::fabs(static_cast<double>(x) - found.all.mean) > 6 * sigma) ++outliers;
    }
    std::sort(magnitudes.begin(), magnitudes.end());
    const auto median = static_cast<double>(magnitudes[magnitudes.size() / 2]);
    QVERIFY(std::fabs(found.all.median_abs - median) <= median / 128);
    QVERIFY(outliers > 0);
    QVERIFY(std::fabs(found.all.outliers_6sigma * static_cast<double>(values.size()) -
                      static_cast<double>(outliers)) <= 3 + 0.05 * static_cast<double>(outliers));

    QCOMPARE(found.outliers_llm_int8, 2.0 / static_cast<double>(kColumns));
    for (std::size_t c = 0; c < kColumns; ++c) {
      long double sum = 0, squares = 0;
      float peak = 0;
      for (std::size_t r = 0; r < rows; ++r) {
        const float x = values[r * kColumns + c];
        sum += static_cast<long double>(x);
        squares += static_cast<long double>(x) * static_cast<long double>(x);
        peak = std::max(peak, std::fabs(x));
      }
      const auto energy = static_cast<double>(squares / rows);
      QVERIFY(std::fabs(found.energy[c] - energy) <= 1e-12 * energy);
      QVERIFY(std::fabs(found.mean[c] - static_cast<double>(sum / rows)) <= 1e-12 * std::sqrt(energy));
      QCOMPARE(found.channels.input_abs_max[c], peak);
    }
  }

  void the_linear_histogram_is_exact_although_its_range_grew() {
    const auto values = input_rows(500);
    const auto found = collect(values, {40, 460}, 2).histogram;
    double abs_max = 0;
    for (const float x : values) abs_max = std::max(abs_max, static_cast<double>(std::fabs(x)));
    QVERIFY(found.high > abs_max && found.high <= 2 * abs_max);
    QCOMPARE(std::exp2(std::round(std::log2(found.high))), found.high);
    QCOMPARE(found.low, -found.high);
    std::vector<std::uint64_t> expected(analyze::kHistogramBins);
    for (const float x : values) {
      std::size_t bin = 0;
      while (static_cast<double>(x) >= found.edge(bin + 1)) ++bin;
      ++expected[bin];
    }
    QCOMPARE(found.counts, expected);
    QCOMPARE(found.below + found.above, std::uint64_t{0});
  }

  void the_log_histogram_is_right_to_bfloat16() {
    const auto values = input_rows(500);
    const auto found = collect(values, {500}, 2).log_histogram;
    std::uint64_t total = found.below + found.above, expected_total = 0;
    for (const std::uint64_t count : found.counts) total += count;
    for (const float x : values) expected_total += x != 0.0F ? 1U : 0U;
    QCOMPARE(total, expected_total);
    std::uint64_t below = 0, expected_below = 0;
    const std::size_t bin = 150;
    for (std::size_t i = 0; i < bin; ++i) below += found.counts[i];
    for (const float x : values)
      expected_below += x != 0.0F && std::log10(std::fabs(x)) < found.edge(bin) ? 1U : 0U;
    QVERIFY(expected_below > 100);
    QVERIFY(std::fabs(static_cast<double>(below) - static_cast<double>(expected_below)) <=
            0.02 * static_cast<double>(expected_below));
  }

  void nothing_but_zeros() {
    const auto found = collect(std::vector<float>(10 * kColumns), {10}, 2);
    QCOMPARE(found.all.abs_max, 0.0);
    QCOMPARE(found.all.zero_share, 1.0);
    QCOMPARE(found.histogram.high, 1.0);
    QCOMPARE(found.histogram.counts[analyze::kHistogramBins / 2], std::uint64_t{10 * kColumns});
  }

  void same_bits_at_any_thread_count() {
    const auto values = input_rows(1000);
    const auto a = collect(values, {600, 400}, 1);
    const auto b = collect(values, {600, 400}, 4);
    QVERIFY(std::memcmp(&a.all, &b.all, sizeof a.all) == 0);
    QCOMPARE(a.energy, b.energy);
    QCOMPARE(a.histogram.counts, b.histogram.counts);
  }
};

QTEST_APPLESS_MAIN(TestInputAccumulator)
#include "tst_input_accumulator.moc"
