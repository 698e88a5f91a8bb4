// Norm, rotation and gate against their formulas in double.
#include <hwy/highway.h>

#include <QtTest>

#include "kernels/dense/elementwise.h"
#include "tests/unit/dense/samples.h"
#include "tests/unit/formats/targets.h"

using namespace bitlens;

class ElementwiseTest : public QObject {
  Q_OBJECT

 private slots:
  void rms_norm_matches_double() {
    for (const std::size_t width : {std::size_t{1}, std::size_t{17}, std::size_t{64}, std::size_t{576}}) {
      constexpr std::size_t rows = 3;
      const auto x = testing::normal_values(rows * width, 1, 30.0F),
                 weight = testing::normal_values(width, 2);
      std::vector<double> expected(rows * width);
      for (std::size_t r = 0; r < rows; ++r) {
        double squares = 0.0;
        for (std::size_t i = 0; i < width; ++i)
          squares += static_cast<double>(x[r * width + i]) * static_cast<double>(x[r * width + i]);
        const double scale = 1.0 / std::sqrt(squares / static_cast<double>(width) + 1e-5);
        for (std::size_t i = 0; i < width; ++i)
          expected[r * width + i] =
              static_cast<double>(x[r * width + i]) * scale * static_cast<double>(weight[i]);
      }
      std::vector<float> first;
      testing::on_every_target([&](const char* target) {
        std::vector<float> y(rows * width);
        kernels::rms_norm(x.data(), weight.data(), rows, width, 1e-5F, y.data());
        QVERIFY2(testing::largest_difference(y, expected) < 1e-6, target);
        if (first.empty()) first = y;
        QVERIFY2(y == first, target);  // the same bits on every instruction set
      });
    }
  }

  void rotation_turns_neighbouring_pairs() {
    // Two heads of 6, of which 4 components turn: by 90 degrees and by 0.
    std::vector<float> row = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const std::vector<float> angles = {0, 1, 1, 0};
    kernels::rotate(row.data(), 2, 6, 4, angles.data());
    QVERIFY((row == std::vector<float>{-2, 1, 3, 4, 5, 6, -8, 7, 9, 10, 11, 12}));
  }

  void swiglu_matches_double() {
    std::vector<float> gate = testing::normal_values(203, 3, 8.0F);
    gate[0] = -200.0F;
    gate[1] = 200.0F;
    gate[2] = 0.0F;
    const auto up = testing::normal_values(gate.size(), 4);
    std::vector<double> expected;
    for (std::size_t i = 0; i < gate.size(); ++i) {
      const double z = static_cast<double>(gate[i]);
      expected.push_back(z / (1.0 + std::exp(-z)) * static_cast<double>(up[i]));
    }
    testing::on_every_target([&](const char* target) {
      std::vector<float> y(gate.size());
      kernels::swiglu(gate.data(), up.data(), gate.size(), y.data());
      for (std::size_t i = 0; i < y.size(); ++i) {
        const double error = std::fabs(static_cast<double>(y[i]) - expected[i]);
        QVERIFY2(error <= 1e-6 * std::fabs(expected[i]) + 1e-20, target);
      }
    });
  }
};

QTEST_APPLESS_MAIN(ElementwiseTest)
#include "tst_elementwise.moc"
