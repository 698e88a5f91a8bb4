// Packed products against sums in double, on every instruction set, and the promise about bits.
#include <hwy/highway.h>

#include <QtTest>

#include "kernels/dense/product.h"
#include "tests/unit/dense/samples.h"
#include "tests/unit/formats/targets.h"

using namespace bitlens;
using kernels::PackedMatrix;

namespace {

PackedMatrix packed(const std::vector<float>& weights, std::size_t outputs, std::size_t inputs) {
  PackedMatrix matrix;
  if (!matrix.reset(outputs, inputs)) return matrix;
  for (std::size_t panel = 0; panel < matrix.panels(); ++panel)
    matrix.pack_panel(panel, weights.data() + panel * matrix.width() * inputs);
  return matrix;
}

std::vector<double> reference(const std::vector<float>& x, const std::vector<float>& w, std::size_t rows,
                              std::size_t inputs, std::size_t outputs) {
  std::vector<double> y(rows * outputs);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t o = 0; o < outputs; ++o)
      for (std::size_t i = 0; i < inputs; ++i)
        y[r * outputs + o] += static_cast<double>(x[r * inputs + i]) * static_cast<double>(w[o * inputs + i]);
  return y;
}

}  // namespace

class ProductTest : public QObject {
  Q_OBJECT

 private slots:
  void products_match_double_data() {
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("inputs");
    QTest::addColumn<int>("outputs");
    QTest::newRow("one of each") << 1 << 1 << 1;
    QTest::newRow("a tile and a bit") << 7 << 5 << 17;
    QTest::newRow("stories260K ffn") << 100 << 172 << 64;
    QTest::newRow("one chain exactly") << 13 << 288 << 33;
    QTest::newRow("two chains") << 13 << 289 << 64;
    QTest::newRow("odd depth over several chains") << 97 << 1001 << 70;
    QTest::newRow("two row tiles") << 193 << 64 << 96;
  }
  void products_match_double() {
    QFETCH(int, rows);
    QFETCH(int, inputs);
    QFETCH(int, outputs);
    const auto m = static_cast<std::size_t>(rows), k = static_cast<std::size_t>(inputs);
    const auto n = static_cast<std::size_t>(outputs);
    const auto x = testing::normal_values(m * k, 1), w = testing::normal_values(n * k, 2);
    const auto expected = reference(x, w, m, k, n);
    // Each sum of k terms of size 1: rounding grows at most linearly with k.
    const double tolerance = 1e-6 * std::sqrt(static_cast<double>(k)) * 4.0 + 1e-6;
    std::vector<float> fused;  // the first result computed with fused multiply-add
    testing::on_every_target([&](const char* target) {
      const PackedMatrix matrix = packed(w, n, k);
      std::vector<float> y(m * n, 7.0F);
      kernels::multiply(matrix, 0, matrix.panels(), x.data(), m, k, y.data(), n, false);
      QVERIFY2(testing::largest_difference(y, expected) < tolerance, target);
      const bool fma = QLatin1String(target).startsWith(QLatin1String("AVX"));
      if (fma && fused.empty()) fused = y;
      if (fma) QVERIFY2(y == fused, target);

      std::vector<float> twice = y;
      kernels::multiply(matrix, 0, matrix.panels(), x.data(), m, k, twice.data(), n, true);
      std::vector<double> doubled = expected;
      for (double& value : doubled) value *= 2.0;
      QVERIFY2(testing::largest_difference(twice, doubled) < 2.0 * tolerance, target);
    });
  }

  void bits_depend_on_the_row_alone() {
    constexpr std::size_t rows = 131, inputs = 700, outputs = 90;
    const auto x = testing::normal_values(rows * inputs, 3), w = testing::normal_values(outputs * inputs, 4);
    const PackedMatrix matrix = packed(w, outputs, inputs);
    std::vector<float> whole(rows * outputs);
    kernels::multiply(matrix, 0, matrix.panels(), x.data(), rows, inputs, whole.data(), outputs, false);
    for (const std::size_t block : {std::size_t{1}, std::size_t{5}, std::size_t{64}, std::size_t{100}}) {
      std::vector<float> pieces(rows * outputs);
      for (std::size_t first = 0; first < rows; first += block)
        for (std::size_t panel = 0; panel < matrix.panels(); ++panel)
          kernels::multiply(matrix, panel, 1, x.data() + first * inputs, std::min(block, rows - first),
                            inputs, pieces.data() + first * outputs + panel * matrix.width(), outputs, false);
      QVERIFY(pieces == whole);
    }
  }

  void strided_input_and_output() {
    constexpr std::size_t rows = 9, inputs = 20, outputs = 3, stride = 31;
    const auto x = testing::normal_values(rows * stride, 5), w = testing::normal_values(outputs * inputs, 6);
    const PackedMatrix matrix = packed(w, outputs, inputs);
    std::vector<float> y(rows * stride, -1.0F);
    kernels::multiply(matrix, 0, matrix.panels(), x.data(), rows, stride, y.data(), stride, false);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t o = 0; o < outputs; ++o) {
        double sum = 0.0;
        for (std::size_t i = 0; i < inputs; ++i)
          sum += static_cast<double>(x[r * stride + i]) * static_cast<double>(w[o * inputs + i]);
        QVERIFY(std::fabs(static_cast<double>(y[r * stride + o]) - sum) < 1e-5);
      }
      for (std::size_t o = outputs; o < stride; ++o) QCOMPARE(y[r * stride + o], -1.0F);  // nothing beyond
    }
  }

  void chains_cover_the_inputs() {
    for (std::size_t inputs = 1; inputs < 5000; ++inputs) {
      const std::size_t length = kernels::chain_length(inputs);
      QVERIFY(length >= 1 && length <= kernels::kDepth);
      const std::size_t fewest = (inputs + kernels::kDepth - 1) / kernels::kDepth;
      QCOMPARE((inputs + length - 1) / length, fewest);
    }
  }

  void refuses_sizes_beyond_memory() {
    PackedMatrix matrix;
    QVERIFY(!matrix.reset(static_cast<std::size_t>(1) << 62, 64));
    QCOMPARE(matrix.outputs(), std::size_t{0});
  }
};

QTEST_APPLESS_MAIN(ProductTest)
#include "tst_product.moc"
