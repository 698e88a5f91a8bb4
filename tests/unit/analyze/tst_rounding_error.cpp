// Rounding errors against their definitions on whole tensors in memory.
#include <QtTest>
#include <cmath>
#include <random>

#include "core/analyze/statistics.h"
#include "core/quantize/recipe.h"
#include "memory_file.h"

using namespace bitlens;
using kernels::Format;
using kernels::Quantizer;

namespace {

std::vector<float> normal_values(std::size_t count) {
  std::mt19937 random(31);
  std::normal_distribution<float> normal(0.001F, 0.02F);
  std::vector<float> values(count);
  for (float& x : values) x = normal(random);
  return values;
}

bool close(double a, double b) {
  return std::fabs(a - b) <= 1e-12 * std::fabs(b);
}

}  // namespace

class TestRoundingError : public QObject {
  Q_OBJECT
  ThreadPool pool_{2};
  WorkContext work_{pool_};

 private slots:
  void follows_the_definitions_data() {
    QTest::addColumn<int>("format");
    QTest::addColumn<int>("quantizer");
    for (const auto& format : kernels::all_formats())
      if (format.decodes && format.encodes && format.format != Format::F32)
        for (const Quantizer quantizer : {Quantizer::Rtn, Quantizer::Search})
          QTest::addRow("%s %s", std::string(format.name).c_str(), quantize::quantizer_name(quantizer))
              << static_cast<int>(format.format) << static_cast<int>(quantizer);
  }
  void follows_the_definitions() {
    QFETCH(int, format);
    QFETCH(int, quantizer);
    constexpr std::size_t kColumns = 256, kRows = 200;
    const auto target = static_cast<Format>(format);
    MemoryFile file;
    const auto tensor = file.add("w", {kColumns, kRows}, Format::F32, normal_values(kRows * kColumns));
    std::vector<double> energy(kColumns);
    for (std::size_t j = 0; j < kColumns; ++j) energy[j] = 0.01 + static_cast<double>(j % 7);
    const auto found =
        analyze::rounding_error(file, tensor, target, static_cast<Quantizer>(quantizer), energy, work_);
    QVERIFY2(found.has_value(), found ? "" : found.error().describe().c_str());

    const auto w = file.values(tensor);
    std::vector<float> v(w.size());
    const auto& info = kernels::info(target);
    std::vector<std::byte> bytes(w.size() / info.block_size * info.block_bytes);
    for (std::size_t r = 0; r < kRows; ++r)
      kernels::encode(target, static_cast<Quantizer>(quantizer), w.data() + r * kColumns, nullptr,
                      bytes.data() + r * kColumns / info.block_size * info.block_bytes, kColumns);
    kernels::decode(target, bytes.data(), v.data(), v.size());
    long double error = 0, weight = 0, rounded = 0, product = 0, energy_error = 0, energy_weight = 0;
    double max_abs = 0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      const auto a = static_cast<long double>(w[i]), b = static_cast<long double>(v[i]);
      error += (a - b) * (a - b);
      weight += a * a;
      rounded += b * b;
      product += a * b;
      const auto e = static_cast<long double>(energy[i % kColumns]);
      energy_error += e * (a - b) * (a - b);
      energy_weight += e * a * a;
      max_abs = std::max(max_abs, static_cast<double>(std::fabs(a - b)));
    }
    QVERIFY(error > 0);
    QVERIFY(close(found->mse, static_cast<double>(error / static_cast<long double>(w.size()))));
    QVERIFY(close(found->relative_rmse, static_cast<double>(std::sqrt(error / weight))));
    QVERIFY(close(found->sqnr_db, static_cast<double>(10 * std::log10(weight / error))));
    QVERIFY(close(found->cosine, static_cast<double>(product / std::sqrt(weight * rounded))));
    QCOMPARE(found->max_abs, max_abs);
    QVERIFY(close(found->energy_weighted_rmse, static_cast<double>(std::sqrt(energy_error / energy_weight))));
  }

  void nothing_changes_in_the_same_format() {
    MemoryFile file;
    const auto tensor = file.add("w", {64, 2}, Format::Q4_0, normal_values(128));
    const auto found = analyze::rounding_error(file, tensor, Format::Q4_0, Quantizer::Search, {}, work_);
    QCOMPARE(found->mse, 0.0);
    QVERIFY(std::isinf(found->sqnr_db));
    QCOMPARE(found->cosine, 1.0);
    QVERIFY(std::isnan(found->energy_weighted_rmse));
  }

  void all_zero_is_exact() {
    MemoryFile file;
    const auto tensor = file.add("w", {64, 2}, Format::F32, std::vector<float>(128));
    const auto found = analyze::rounding_error(file, tensor, Format::Q4_0, Quantizer::Search, {}, work_);
    QCOMPARE(found->relative_rmse, 0.0);
    QCOMPARE(found->cosine, 1.0);
  }

  void refuses_with_names() {
    MemoryFile file;
    auto values = normal_values(128);
    values[70] = NAN;
    const auto tensor = file.add("bad", {64, 2}, Format::F32, values);
    const auto nan = analyze::rounding_error(file, tensor, Format::Q4_0, Quantizer::Rtn, {}, work_);
    QVERIFY(!nan.has_value());
    QCOMPARE(nan.error().describe(),
             std::string("memory.gguf: bad: element 70 is nan; only finite weights can be quantized"));
    values[70] = 70000.0F;
    const auto large = file.add("large", {64, 2}, Format::F32, values);
    const auto overflow = analyze::rounding_error(file, large, Format::F16, Quantizer::Rtn, {}, work_);
    QVERIFY(!overflow.has_value());
    QCOMPARE(overflow.error().describe(),
             std::string("memory.gguf: large: element 70 is 70000, beyond the largest F16 value"));
    QVERIFY(analyze::rounding_error(file, large, Format::Q8_0, Quantizer::Rtn, {}, work_).has_value());
    const auto narrow = file.add("narrow", {20, 2}, Format::F32, normal_values(40));
    QVERIFY(!analyze::rounding_error(file, narrow, Format::Q4_0, Quantizer::Rtn, {}, work_).has_value());
    const std::vector<double> energy(3, 1.0);
    QVERIFY(!analyze::rounding_error(file, large, Format::Q8_0, Quantizer::Rtn, energy, work_).has_value());
  }

  void same_bits_at_any_thread_count() {
    MemoryFile file;
    const auto tensor = file.add("w", {256, 9000}, Format::F32, normal_values(256 * 9000));
    ThreadPool one(1), five(5);
    const auto a = analyze::rounding_error(file, tensor, Format::Q8_0, Quantizer::Rtn, {}, WorkContext{one});
    const auto b = analyze::rounding_error(file, tensor, Format::Q8_0, Quantizer::Rtn, {}, WorkContext{five});
    QCOMPARE(a->mse, b->mse);
    QCOMPARE(a->cosine, b->cosine);
  }
};

QTEST_APPLESS_MAIN(TestRoundingError)
#include "tst_rounding_error.moc"
