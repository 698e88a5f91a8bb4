// Statistics of weights against their definitions, computed plainly (long double, sorting) on the decoded
// values.
#include <fmt/format.h>

#include <QtTest>
#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "core/analyze/statistics.h"
#include "memory_file.h"

using namespace bitlens;
using kernels::Format;

namespace {

using Values = std::vector<float>;

Values heavy_tailed(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::student_t_distribution<float> heavy(4.0F);
  Values values(count);
  for (float& x : values) x = 0.003F + 0.02F * heavy(random);
  return values;
}

analyze::Statistics plain_statistics(const Values& all) {
  analyze::Statistics out;
  Values finite, magnitudes;
  for (const float x : all) {
    if (!std::isfinite(x)) {
      ++out.non_finite;
      continue;
    }
    finite.push_back(x);
    if (x == 0.0F)
      ++out.zeros;
    else
      magnitudes.push_back(std::fabs(x));
  }
  out.count = finite.size();
  if (finite.empty()) return out;
  const auto n = static_cast<long double>(finite.size());
  long double mean = 0, square = 0, m2 = 0, m4 = 0;
  for (const float x : finite) mean += static_cast<long double>(x) / n;
  for (const float x : finite) {
    const long double d = static_cast<long double>(x) - mean;
    square += static_cast<long double>(x) * static_cast<long double>(x) / n;
    m2 += d * d / n;
    m4 += d * d * d * d / n;
  }
  out.min = static_cast<double>(*std::min_element(finite.begin(), finite.end()));
  out.max = static_cast<double>(*std::max_element(finite.begin(), finite.end()));
  out.mean = static_cast<double>(mean);
  out.sigma = out.min < out.max ? static_cast<double>(std::sqrt(m2)) : 0.0;
  out.rms = static_cast<double>(std::sqrt(square));
  out.abs_max = std::max(std::fabs(out.min), std::fabs(out.max));
  out.excess_kurtosis = out.sigma > 0 ? static_cast<double>(m4 / m2 / m2) - 3.0 : 0.0;
  std::sort(magnitudes.begin(), magnitudes.end());
  if (!magnitudes.empty())
    out.median_abs = (static_cast<double>(magnitudes[(magnitudes.size() - 1) / 2]) +
                      static_cast<double>(magnitudes[magnitudes.size() / 2])) /
                     2;
  out.dynamic_range = out.median_abs > 0 ? out.abs_max / out.median_abs : 0.0;
  out.zero_share = static_cast<double>(out.zeros) / static_cast<double>(out.count);
  std::size_t outliers = 0;
  if (out.sigma > 0)
    for (const float x : finite)
      if (std::fabs(static_cast<double>(x) - out.mean) > 6.0 * out.sigma) ++outliers;
  out.outliers_6sigma = static_cast<double>(outliers) / static_cast<double>(out.count);
  return out;
}

analyze::Histogram plain_histogram(const Values& all, double low, double high, bool logarithmic) {
  analyze::Histogram out;
  out.low = low;
  out.high = high;
  out.counts.resize(analyze::kHistogramBins);
  std::vector<double> edges;
  for (std::size_t i = 0; i <= out.counts.size(); ++i)
    edges.push_back(logarithmic ? std::pow(10.0, out.edge(i)) : out.edge(i));
  for (const float value : all) {
    if (!std::isfinite(value) || (logarithmic && value == 0.0F)) continue;
    const double x = logarithmic ? std::fabs(static_cast<double>(value)) : static_cast<double>(value);
    if (x < edges.front())
      ++out.below;
    else if (x > edges.back())
      ++out.above;
    else {
      std::size_t bin = 0;
      while (bin + 1 < out.counts.size() && x >= edges[bin + 1]) ++bin;
      ++out.counts[bin];
    }
  }
  return out;
}

bool close(double found, double expected, double relative) {
  return found == expected || std::fabs(found - expected) <= relative * std::fabs(expected);
}

#define SAME(member) QCOMPARE(found.member, expected.member)
#define NEAR(member, relative)                             \
  QVERIFY2(close(found.member, expected.member, relative), \
           qPrintable(QString("%1: %2, expected %3")       \
                          .arg(#member)                    \
                          .arg(found.member, 0, 'g', 17)   \
                          .arg(expected.member, 0, 'g', 17)))

void compare_statistics(const analyze::Statistics& found, const analyze::Statistics& expected) {
  SAME(count);
  SAME(non_finite);
  SAME(zeros);
  SAME(min);
  SAME(max);
  SAME(abs_max);
  SAME(median_abs);
  SAME(dynamic_range);
  SAME(zero_share);
  SAME(outliers_6sigma);
  QVERIFY(std::fabs(found.mean - expected.mean) <= 1e-13 * (std::fabs(expected.mean) + expected.sigma));
  // The mean itself is rounded to a double: that is all sigma may lose.
  NEAR(sigma, 1e-11 + 4e-16 * std::fabs(expected.mean) / (expected.sigma + 1e-300));
  NEAR(rms, 1e-11);
  QVERIFY(std::fabs(found.excess_kurtosis - expected.excess_kurtosis) <=
          1e-9 * (3 + std::fabs(expected.excess_kurtosis)));
}

void compare_histograms(const analyze::Histogram& found, const analyze::Histogram& expected) {
  SAME(low);
  SAME(high);
  SAME(below);
  SAME(above);
  SAME(counts);
}

/// Mean and population sigma and abs-max of some of the values.
void compare_channel(const Values& values, float abs_max, float sigma) {
  const analyze::Statistics expected = plain_statistics(values);
  QCOMPARE(abs_max, static_cast<float>(expected.abs_max));
  QVERIFY2(std::fabs(static_cast<double>(sigma) - expected.sigma) <= 1e-6 * expected.sigma + 2e-45,
           qPrintable(QString("%1 %2").arg(sigma).arg(expected.sigma)));
}

void compare_all(const analyze::WeightStatistics& found, const Values& values, std::size_t columns) {
  const analyze::Statistics expected = plain_statistics(values);
  compare_statistics(found.all, expected);
  const double range = expected.abs_max > 0 ? expected.abs_max : 1.0;
  compare_histograms(found.histogram, plain_histogram(values, -range, range, false));
  compare_histograms(found.log_histogram, plain_histogram(values, -12, 6, true));
  const std::size_t rows = values.size() / columns;
  QCOMPARE(found.channels.output_abs_max.size(), rows);
  QCOMPARE(found.channels.input_abs_max.size(), columns);
  for (std::size_t r = 0; r < rows; r += rows / 17 + 1)
    compare_channel(Values(values.begin() + static_cast<std::ptrdiff_t>(r * columns),
                           values.begin() + static_cast<std::ptrdiff_t>((r + 1) * columns)),
                    found.channels.output_abs_max[r], found.channels.output_sigma[r]);
  for (std::size_t c = 0; c < columns; c += columns / 17 + 1) {
    Values column;
    for (std::size_t r = 0; r < rows; ++r) column.push_back(values[r * columns + c]);
    compare_channel(column, found.channels.input_abs_max[c], found.channels.input_sigma[c]);
  }
}

bool same_bits(const analyze::WeightStatistics& a, const analyze::WeightStatistics& b) {
  return std::memcmp(&a.all, &b.all, sizeof a.all) == 0 && a.histogram.counts == b.histogram.counts &&
         a.log_histogram.counts == b.log_histogram.counts &&
         a.channels.input_sigma == b.channels.input_sigma &&
         a.channels.output_sigma == b.channels.output_sigma &&
         a.channels.input_abs_max == b.channels.input_abs_max;
}

}  // namespace

class TestWeightStatistics : public QObject {
  Q_OBJECT
  ThreadPool pool_{2};

  void check_memory(const Values& values, std::size_t columns) {
    compare_all(analyze::weight_statistics(values, columns, WorkContext{pool_}), values, columns);
  }

 private slots:
  void f32_values_data() {
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("columns");
    QTest::newRow("a norm") << 1 << 576;
    QTest::newRow("one value") << 1 << 1;
    QTest::newRow("two values") << 2 << 1;
    QTest::newRow("odd shape") << 61 << 173;
    QTest::newRow("several tiles") << 700 << 300;
    QTest::newRow("several tasks") << 5000 << 320;
    QTest::newRow("rows longer than a tile") << 3 << 70000;
    QTest::newRow("one column") << 40000 << 1;
  }
  void f32_values() {
    QFETCH(int, rows);
    QFETCH(int, columns);
    check_memory(heavy_tailed(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns), 1),
                 static_cast<std::size_t>(columns));
  }

  void special_values_data() {
    QTest::addColumn<Values>("values");
    QTest::newRow("all zero") << Values(640, 0.0F);
    QTest::newRow("negative zeros") << Values(640, -0.0F);
    QTest::newRow("constant") << Values(640, 0.1F);
    QTest::newRow("two values of one pattern") << Values{0.1F, std::nextafter(0.1F, 1.0F), 0.1F, 0.1F};
    QTest::newRow("subnormal") << Values{1e-45F, -1e-45F, 0.0F, 3e-40F, 1e-39F, 0.0F, 0.0F, 2e-44F};
    QTest::newRow("subnormals and zeros in one pattern")
        << Values{1e-45F, 0.0F, 4e-44F, 8e-41F, 1.0F, 2.0F, 0.0F, 0.0F};
    QTest::newRow("huge") << Values{3e38F, -3.4e38F, 1e30F, 2e38F};
    QTest::newRow("not finite") << Values{1.0F, NAN, -2.0F, INFINITY, 3.0F, -INFINITY, 0.0F, 5.0F};
    QTest::newRow("nothing finite") << Values{NAN, NAN, INFINITY, NAN};
    QTest::newRow("one outlier") << [] {
      Values values = heavy_tailed(6400, 2);
      values[77] = 50.0F;
      return values;
    }();
    QTest::newRow("sparse") << [] {
      Values values = heavy_tailed(6400, 3);
      for (std::size_t i = 0; i < values.size(); ++i)
        if (i % 3 != 0) values[i] = 0.0F;
      return values;
    }();
    QTest::newRow("narrow, far from zero") << [] {
      Values values = heavy_tailed(6400, 4);
      for (float& x : values) x = 100.0F + 1e-3F * x;
      return values;
    }();
    QTest::newRow("on the bin edges") << [] {
      Values values;
      for (int i = -128; i <= 128; ++i) values.push_back(static_cast<float>(i) / 128.0F);
      values.push_back(1.0F);
      values.push_back(-1.0F);
      values.push_back(0.5F);
      return values;
    }();
  }
  void special_values() {
    QFETCH(Values, values);
    check_memory(values, values.size() % 4 == 0 ? 4 : 1);
  }

  void stored_formats_data() {
    QTest::addColumn<QString>("format");
    for (const auto& format : kernels::all_formats())
      if (format.decodes && format.encodes)
        QTest::newRow(std::string(format.name).c_str())
            << QString::fromLatin1(format.name.data(), static_cast<qsizetype>(format.name.size()));
  }
  void stored_formats() {
    QFETCH(QString, format);
    MemoryFile file;
    const auto tensor = file.add("w", {512, 300}, kernels::find_format(format.toStdString())->format,
                                 heavy_tailed(512 * 300, 5));
    const auto found = analyze::weight_statistics(file, tensor, WorkContext{pool_});
    QVERIFY(found.has_value());
    compare_all(*found, file.values(tensor), 512);
  }

  void half_precision_with_special_values() {
    for (const Format format : {Format::F16, Format::BF16}) {
      std::vector<std::byte> bytes(2 * 65536);  // every code there is
      for (std::size_t i = 0; i < 65536; ++i) {
        bytes[2 * i] = static_cast<std::byte>(i & 0xFF);
        bytes[2 * i + 1] = static_cast<std::byte>(i >> 8);
      }
      MemoryFile file;
      const auto tensor = file.add_bytes("w", {256, 256}, format, bytes);
      const auto found = analyze::weight_statistics(file, tensor, WorkContext{pool_});
      QVERIFY(found.has_value());
      compare_all(*found, file.values(tensor), 256);
      QCOMPARE(found->all.non_finite, std::uint64_t{format == Format::F16 ? 2048U : 256U});
    }
  }

  void same_bits_at_any_thread_count() {
    MemoryFile file;
    const auto values = heavy_tailed(3000 * 512, 6);
    for (const Format format : {Format::F32, Format::F16, Format::Q8_0}) {
      const auto tensor = file.add("w", {512, 3000}, format, values);
      ThreadPool one(1), five(5);
      const auto a = analyze::weight_statistics(file, tensor, WorkContext{one});
      const auto b = analyze::weight_statistics(file, tensor, WorkContext{five});
      QVERIFY(a.has_value() && b.has_value());
      QVERIFY(same_bits(*a, *b));
    }
  }

  void many_tensors_are_the_same_as_one_by_one() {
    MemoryFile file;
    std::vector<std::size_t> tensors;
    for (int i = 0; i < 9; ++i)  // one that all threads share, others that one thread takes
      tensors.push_back(file.add(fmt::format("w{}", i), {256, i == 4 ? 9000U : 40U},
                                 i % 2 == 0 ? Format::F16 : Format::Q8_0,
                                 heavy_tailed(256 * (i == 4 ? 9000 : 40), unsigned(i))));
    std::swap(tensors[1], tensors[4]);
    for (const int threads : {1, 3}) {
      ThreadPool pool(threads);
      std::uint64_t reported = 0;
      const auto all = analyze::weight_statistics(
          file, tensors,
          WorkContext{pool, {}, [&](const Progress& p) { reported = std::max(reported, p.done); }});
      QVERIFY(all.has_value());
      QVERIFY(reported > 0);
      for (std::size_t i = 0; i < tensors.size(); ++i)
        QVERIFY(same_bits((*all)[i], *analyze::weight_statistics(file, tensors[i], WorkContext{pool})));
    }
    tensors.push_back(file.add_bytes("cut", {256, 40}, Format::F16, std::vector<std::byte>(1000)));
    const auto broken = analyze::weight_statistics(file, tensors, WorkContext{pool_});
    QVERIFY(!broken.has_value());
    QVERIFY(broken.error().describe().find("cut") != std::string::npos);
    std::stop_source stop;
    stop.request_stop();
    const auto stopped = analyze::weight_statistics(file, tensors, WorkContext{pool_, stop.get_token(), {}});
    QVERIFY(!stopped.has_value());
    QVERIFY(stopped.error().code == ErrorCode::Cancelled);
  }

  void errors_are_passed_up() {
    MemoryFile file;
    const auto cut = file.add_bytes("cut", {512, 3000}, Format::F16, std::vector<std::byte>(1000));
    const auto broken = analyze::weight_statistics(file, cut, WorkContext{pool_});
    QVERIFY(!broken.has_value());
    QVERIFY(broken.error().describe().find("cut") != std::string::npos);
    for (const auto& format : kernels::all_formats()) {
      if (format.decodes) continue;
      const auto unknown = file.add_bytes(
          "w", {256, 2}, format.format, std::vector<std::byte>(512 / format.block_size * format.block_bytes));
      const auto refused = analyze::weight_statistics(file, unknown, WorkContext{pool_});
      QVERIFY(!refused.has_value());
      QVERIFY(refused.error().code == ErrorCode::Unsupported);
    }
  }

  void can_be_cancelled() {
    MemoryFile file;
    const auto tensor = file.add("w", {512, 300}, Format::F16, heavy_tailed(512 * 300, 7));
    std::stop_source stop;
    stop.request_stop();
    const auto result = analyze::weight_statistics(file, tensor, WorkContext{pool_, stop.get_token(), {}});
    QVERIFY(!result.has_value());
    QVERIFY(result.error().code == ErrorCode::Cancelled);
  }
};

QTEST_APPLESS_MAIN(TestWeightStatistics)
#include "tst_weight_statistics.moc"
