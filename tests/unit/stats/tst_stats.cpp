// Statistics kernels against plain loops in long double, and against their definitions.
#include <QtTest>
#include <cmath>
#include <cstring>
#include <random>

#include "kernels/formats/codec.h"
#include "kernels/stats/bins.h"
#include "kernels/stats/columns.h"
#include "kernels/stats/counts.h"
#include "kernels/stats/f16_rows.h"
#include "kernels/stats/moments.h"

using namespace bitlens::kernels;

namespace {

struct Reference {
  long double mean = 0, m2 = 0, m3 = 0, m4 = 0;
  float min = INFINITY, max = -INFINITY;
};

Reference reference(const std::vector<float>& values) {
  Reference out;
  for (const float x : values) {
    out.mean += static_cast<long double>(x) / static_cast<long double>(values.size());
    out.min = std::min(out.min, x);
    out.max = std::max(out.max, x);
  }
  for (const float x : values) {
    const long double d = static_cast<long double>(x) - out.mean;
    out.m2 += d * d;
    out.m3 += d * d * d;
    out.m4 += d * d * d * d;
  }
  return out;
}

bool near(double found, long double expected, double relative, double absolute = 0) {
  return std::fabs(static_cast<long double>(found) - expected) <=
         static_cast<long double>(absolute) + static_cast<long double>(relative) * std::fabs(expected);
}

std::vector<float> random_values(std::size_t count, unsigned seed, float offset = 0.1F, float scale = 0.02F) {
  std::mt19937 random(seed);
  std::student_t_distribution<float> heavy(5.0F);
  std::vector<float> values(count);
  for (float& x : values) x = offset + scale * heavy(random);
  return values;
}

bool same_bits(const Moments& a, const Moments& b) {
  return a.count == b.count && a.mean == b.mean && a.m2 == b.m2 && a.m3 == b.m3 && a.m4 == b.m4 &&
         a.min == b.min && a.max == b.max;
}

}  // namespace

class TestStats : public QObject {
  Q_OBJECT

 private slots:
  void moments_data() {
    QTest::addColumn<int>("count");
    QTest::addColumn<float>("offset");
    for (const int count : {1, 2, 15, 16, 17, 100, 4095, 4096, 4097, 50001}) {
      QTest::addRow("%d values", count) << count << 0.1F;
      QTest::addRow("%d values far from zero", count) << count << 1000.0F;
    }
  }
  void moments() {
    QFETCH(int, count);
    QFETCH(float, offset);
    const auto values = random_values(static_cast<std::size_t>(count), 3, offset);
    const Reference expected = reference(values);
    const Moments fourth = fourth_moments(values.data(), values.size());
    const Moments second = second_moments(values.data(), values.size());
    QCOMPARE(fourth.count, double(count));
    QVERIFY(near(fourth.mean, expected.mean, 1e-14));
    QVERIFY(near(fourth.m2, expected.m2, 1e-11));
    QVERIFY(near(fourth.m3, expected.m3, 1e-9, 1e-11 * std::pow(double(expected.m2), 1.5)));
    QVERIFY(near(fourth.m4, expected.m4, 1e-11));
    QVERIFY(near(second.mean, expected.mean, 1e-14));
    QVERIFY(near(second.m2, expected.m2, 1e-11));
    QCOMPARE(fourth.min, expected.min);
    QCOMPARE(fourth.max, expected.max);
    QCOMPARE(second.min, expected.min);
    QCOMPARE(second.max, expected.max);
  }

  void merging_is_adding() {
    const auto values = random_values(10000, 5);
    const Moments whole = fourth_moments(values.data(), values.size());
    Moments parts;
    parts.merge(Moments{});  // nothing
    for (std::size_t i = 0; i < values.size();) {
      const std::size_t count = std::min<std::size_t>(1 + i / 7, values.size() - i);
      parts.merge(fourth_moments(values.data() + i, count));
      i += count;
    }
    QVERIFY(near(parts.mean, static_cast<long double>(whole.mean), 1e-13));
    QVERIFY(near(parts.m2, static_cast<long double>(whole.m2), 1e-12));
    QVERIFY(near(parts.m3, static_cast<long double>(whole.m3), 1e-9));
    QVERIFY(near(parts.m4, static_cast<long double>(whole.m4), 1e-12));
    QVERIFY(parts.min == whole.min && parts.max == whole.max);
  }

  void an_outlier_in_front_costs_no_precision() {
    auto values = random_values(5000, 9, 0.0F, 1e-3F);
    values[0] = 1e4F;
    const Reference expected = reference(values);
    QVERIFY(near(second_moments(values.data(), values.size()).m2, expected.m2, 1e-11));
  }

  void moments_do_not_depend_on_alignment() {
    const auto values = random_values(5003, 11);
    std::vector<float> shifted(values.size() + 3);
    std::copy(values.begin(), values.end(), shifted.begin() + 3);
    QVERIFY(same_bits(fourth_moments(values.data(), values.size()),
                      fourth_moments(shifted.data() + 3, values.size())));
  }

  void columns() {
    constexpr std::size_t kRows = 101, kColumns = 37;
    const auto values = random_values(kRows * kColumns, 13);
    ColumnStatistics found(kColumns);
    std::size_t row = 0;
    for (const std::size_t rows : {1U, 40U, 7U, 53U}) {
      found.add_rows(values.data() + row * kColumns, rows, kColumns, 0);
      row += rows;
    }
    QCOMPARE(row, kRows);
    for (std::size_t c = 0; c < kColumns; ++c) {
      std::vector<float> column;
      for (std::size_t r = 0; r < kRows; ++r) column.push_back(values[r * kColumns + c]);
      const Reference expected = reference(column);
      QCOMPARE(found.count[c], double(kRows));
      QVERIFY(near(found.mean[c], expected.mean, 1e-13));
      QVERIFY(near(found.m2[c], expected.m2, 1e-11));
      QCOMPARE(found.abs_max[c], std::max(std::fabs(expected.min), std::fabs(expected.max)));
    }
  }

  void f16_rows_data() {
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("width");
    QTest::addColumn<float>("offset");
    for (const int width : {1, 3, 16, 37, 64, 2048})
      for (const int rows : {1, 5, 32, 33, 100})
        for (const float offset : {0.0F, 900.0F})
          QTest::addRow("%d x %d, around %g", rows, width, double(offset)) << rows << width << offset;
  }
  void f16_rows() {
    QFETCH(int, rows);
    QFETCH(int, width);
    QFETCH(float, offset);
    const auto height = static_cast<std::size_t>(rows);
    const auto breadth = static_cast<std::size_t>(width);
    auto values = random_values(height * breadth, 23, offset);
    values[0] = 6e4F;  // an outlier in front
    std::vector<std::byte> codes(2 * values.size());
    encode(Format::F16, Quantizer::Rtn, values.data(), nullptr, codes.data(), values.size());
    decode(Format::F16, codes.data(), values.data(), values.size());
    constexpr std::size_t kBefore = 2;  // columns that belong to another block
    ColumnStatistics found(kBefore + breadth);
    std::vector<Moments> moments(height);
    const std::size_t upper = height / 2;
    QVERIFY(add_f16_rows(codes.data(), upper, breadth, found, kBefore, moments.data()));
    QVERIFY(add_f16_rows(codes.data() + 2 * upper * breadth, height - upper, breadth, found, kBefore,
                         moments.data() + upper));
    for (std::size_t r = 0; r < height; ++r) {
      const Reference expected = reference(
          {values.begin() + std::ptrdiff_t(r * breadth), values.begin() + std::ptrdiff_t((r + 1) * breadth)});
      QCOMPARE(moments[r].count, double(width));
      QVERIFY(near(moments[r].mean, expected.mean, 1e-6, 1e-6 * std::sqrt(double(expected.m2))));
      QVERIFY(near(moments[r].m2, expected.m2, 1e-6, 1e-12));  // of equal values the reference is not quite 0
      QCOMPARE(moments[r].min, expected.min);
      QCOMPARE(moments[r].max, expected.max);
    }
    QCOMPARE(found.count[1], 0.0);
    for (std::size_t c = 0; c < breadth; ++c) {
      std::vector<float> column;
      for (std::size_t r = 0; r < height; ++r) column.push_back(values[r * breadth + c]);
      const Reference expected = reference(column);
      QCOMPARE(found.count[kBefore + c], double(rows));
      QVERIFY(near(found.mean[kBefore + c], expected.mean, 1e-6, 1e-6 * std::sqrt(double(expected.m2))));
      QVERIFY(near(found.m2[kBefore + c], expected.m2, 1e-6, 1e-12));
      QCOMPARE(found.abs_max[kBefore + c], std::max(std::fabs(expected.min), std::fabs(expected.max)));
    }
  }

  void f16_rows_refuse_what_is_not_finite() {
    for (const auto bad : std::vector<std::uint16_t>{0x7C00, 0xFC00, 0x7E01, 0xFFFF})
      for (const std::size_t at : {0U, 31U, 149U}) {
        std::vector<std::uint16_t> codes(150, 0x3C00U);
        codes[at] = bad;
        ColumnStatistics found(50);
        std::vector<Moments> moments(3);
        QVERIFY(
            !add_f16_rows(reinterpret_cast<const std::byte*>(codes.data()), 3, 50, found, 0, moments.data()));
        QCOMPARE(found.count, std::vector<double>(50, 0.0));
      }
  }

  void columns_in_pieces_and_merged() {
    constexpr std::size_t kRows = 64, kColumns = 50;
    const auto values = random_values(kRows * kColumns, 17);
    ColumnStatistics whole(kColumns), upper(kColumns), lower(kColumns);
    whole.add_rows(values.data(), kRows, kColumns, 0);
    upper.add_rows(values.data(), 20, kColumns, 0);
    for (std::size_t r = 20; r < kRows; ++r) {
      lower.add_rows(values.data() + r * kColumns, 1, 30, 0);
      lower.add_rows(values.data() + r * kColumns + 30, 1, 20, 30);
    }
    upper.merge(lower);
    for (std::size_t c = 0; c < kColumns; ++c) {
      QCOMPARE(upper.count[c], whole.count[c]);
      QVERIFY(near(upper.mean[c], static_cast<long double>(whole.mean[c]), 1e-13));
      QVERIFY(near(upper.m2[c], static_cast<long double>(whole.m2[c]), 1e-11));
      QCOMPARE(upper.abs_max[c], whole.abs_max[c]);
    }
  }

  void columns_leave_non_finite_values_out() {
    const std::vector<float> values{1, NAN, 3, 3, INFINITY, 5, 5, NAN, 7};
    ColumnStatistics found(3);
    found.add_rows_with_non_finite(values.data(), 3, 3, 0);
    QCOMPARE(found.count, (std::vector<double>{3, 0, 3}));
    QCOMPARE(found.mean[0], 3.0);
    QCOMPARE(found.m2[0], 8.0);
    QCOMPARE(found.mean[2], 5.0);
    QCOMPARE(found.abs_max, (std::vector<float>{5, 0, 7}));
  }

  void patterns_are_counted() {
    std::mt19937 random(19);
    std::vector<std::uint16_t> codes(100003);
    std::vector<std::uint64_t> expected(kPatterns);
    for (auto& code : codes) ++expected[code = static_cast<std::uint16_t>(random())];
    PatternCounts counts, other;
    counts.add_codes(reinterpret_cast<const std::byte*>(codes.data()), 50001);
    other.add_codes(reinterpret_cast<const std::byte*>(codes.data() + 50001), codes.size() - 50001);
    counts.absorb(other);
    QCOMPARE(counts.totals(), expected);

    std::vector<float> values(codes.size());
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const std::uint32_t bits = (std::uint32_t{codes[i]} << 16U) | (random() & 0xFFFFU);
      std::memcpy(&values[i], &bits, sizeof bits);
    }
    PatternCounts halves;
    halves.add_upper_halves(values.data(), values.size());
    QCOMPARE(halves.totals(), expected);
  }

  void steps_follow_their_definition() {
    const std::vector<float> values{0.0F,   -0.0F, 1e-30F, -1e-30F, 0.5F,  0.4999999F, -0.5F,
                                    -0.51F, 3.99F, 4.0F,   -4.0F,   -3.5F, 1.0F};
    std::vector<std::uint64_t> bins(16), expected(16);
    count_in_steps(values.data(), values.size(), 1, bins.data(), bins.size());  // steps of 0.5 from -4 to 4
    for (const float x : values)
      ++expected[std::min<std::size_t>(
          15, static_cast<std::size_t>(std::floor(static_cast<double>(x) * 2.0) + 8))];
    QCOMPARE(bins, expected);
    QCOMPARE(bins[7], std::uint64_t{2});  // -1e-30 and -0.5: just below zero is below zero
  }

  void bins_follow_their_edges() {
    const Bins bins = Bins::linear(-3.0, 5.0, 7);
    QCOMPARE(bins.size(), std::size_t{7});
    QCOMPARE(bins.slot(std::nextafter(-3.0, -4.0)), std::size_t{0});
    QCOMPARE(bins.slot(5.0), std::size_t{7});
    QCOMPARE(bins.slot(std::nextafter(5.0, 6.0)), std::size_t{8});
    for (std::size_t i = 0; i < 7; ++i) {
      QCOMPARE(bins.slot(bins.edges()[i]), i + 1);
      QCOMPARE(bins.slot(std::nextafter(bins.edges()[i + 1], -10.0)), i + 1);
    }
    std::mt19937 random(23);
    std::uniform_real_distribution<double> spread(-4.0, 6.0);
    for (int i = 0; i < 10000; ++i) {
      const double x = i % 50 == 0 ? bins.edges()[random() % 8] : spread(random);
      for (std::size_t start = 0; start <= 8; ++start) QCOMPARE(bins.slot_near(x, start), bins.slot(x));
    }
  }

  void logarithmic_bins() {
    const Bins bins = Bins::logarithmic(-2, 2, 4);
    QCOMPARE(bins.slot(0.5), std::size_t{2});
    QCOMPARE(bins.slot(1.0), std::size_t{3});
    QCOMPARE(bins.slot(100.0), std::size_t{4});
    QCOMPARE(bins.slot(0.009), std::size_t{0});
    QCOMPARE(bins.slot(101.0), std::size_t{5});
  }
};

QTEST_APPLESS_MAIN(TestStats)
#include "tst_stats.moc"
