// Dot products of one vector with several against sums in double.
#include <hwy/highway.h>

#include <QtTest>

#include "kernels/dense/dots.h"
#include "tests/unit/dense/samples.h"
#include "tests/unit/formats/targets.h"

using namespace bitlens;

class DotsTest : public QObject {
  Q_OBJECT

 private slots:
  void match_sums_in_double_data() {
    QTest::addColumn<int>("length");
    QTest::addColumn<int>("count");
    QTest::newRow("nothing") << 0 << 2;
    QTest::newRow("one number") << 1 << 1;
    QTest::newRow("less than a vector") << 13 << 3;
    QTest::newRow("a few vectors and a rest") << 16 * 7 + 5 << 6;
    QTest::newRow("several pieces, all widths of groups") << 3 * 4096 + 771 << 13;
  }
  void match_sums_in_double() {
    QFETCH(int, length);
    QFETCH(int, count);
    const auto n = static_cast<std::size_t>(length), c = static_cast<std::size_t>(count);
    const auto vector = testing::normal_values(n, 1);
    std::vector<std::vector<float>> others;
    std::vector<const float*> pointers;
    std::vector<double> expected(c, 0.5);
    for (std::size_t i = 0; i < c; ++i) {
      others.push_back(testing::normal_values(n, 2 + static_cast<unsigned>(i)));
      for (std::size_t j = 0; j < n; ++j)
        expected[i] += static_cast<double>(vector[j]) * static_cast<double>(others[i][j]);
    }
    for (const auto& other : others) pointers.push_back(other.data());
    testing::on_every_target([&](const char* target) {
      std::vector<double> sums(c, 0.5);  // added to
      kernels::add_dots(vector.data(), pointers.data(), c, n, sums.data());
      for (std::size_t i = 0; i < c; ++i) {
        QVERIFY2(std::abs(sums[i] - expected[i]) <= 1e-6 * std::sqrt(static_cast<double>(n) + 1) * 4, target);
        // However many others there are beside it.
        double alone = 0.5;
        kernels::add_dots(vector.data(), &pointers[i], 1, n, &alone);
        QVERIFY2(sums[i] == alone, target);
      }
    });
  }
};

QTEST_APPLESS_MAIN(DotsTest)
#include "tst_dots.moc"
