// Properties that every encoder must have, whatever the format: finite output for any finite input, the same
// bytes on every instruction set, search never worse than plain rounding, optimality where it can be checked.
#include <QtTest>
#include <cmath>
#include <cstring>
#include <vector>

#include "block_samples.h"
#include "kernels/formats/codec.h"
#include "kernels/formats/half.h"
#include "targets.h"

using namespace bitlens::kernels;
using bitlens::testing::importance_sample;
using bitlens::testing::on_every_target;
using bitlens::testing::Sample;
using bitlens::testing::squared_error;
using bitlens::testing::weight_samples;

namespace {

constexpr std::size_t kCount = 256 * 5;  // not a multiple of what one vector of blocks takes

std::vector<std::byte> encoded(Format format, Quantizer quantizer, const std::vector<float>& weights,
                               const float* importance) {
  const FormatInfo& shape = info(format);
  std::vector<std::byte> bytes(weights.size() / shape.block_size * shape.block_bytes + 1, std::byte{0xA5});
  encode(format, quantizer, weights.data(), importance, bytes.data(), weights.size());
  if (bytes.back() != std::byte{0xA5}) {
    throw std::runtime_error("wrote past the end");
  }
  bytes.pop_back();
  return bytes;
}

std::vector<float> decoded(Format format, const std::vector<std::byte>& bytes, std::size_t count) {
  std::vector<float> values(count);
  decode(format, bytes.data(), values.data(), count);
  return values;
}

bool has_codebook(Format format) {
  const std::string_view name = info(format).name;
  return name.starts_with("IQ1") || name.starts_with("IQ2") || name.starts_with("IQ3");
}

bool is_plain_float(Format format) {
  return format == Format::F32 || format == Format::F16 || format == Format::BF16;
}

}  // namespace

class TestCodecs : public QObject {
  Q_OBJECT

 private:
  static void each_encoder() {
    QTest::addColumn<unsigned>("id");
    for (const FormatInfo& entry : all_formats()) {
      if (entry.encodes) {
        QTest::newRow(std::string(entry.name).c_str()) << static_cast<unsigned>(entry.format);
      }
    }
  }

 private slots:
  void any_finite_input_gives_finite_values_data() { each_encoder(); }
  void any_finite_input_gives_finite_values() {
    QFETCH(unsigned, id);
    const auto format = static_cast<Format>(id);
    const auto importance = importance_sample(kCount);
    for (const Sample& sample : weight_samples(kCount)) {
      if (is_plain_float(format) && sample.name.find("largest") != std::string::npos) {
        continue;  // these overflow by definition
      }
      if (format == Format::F16 && sample.name == "beyond F16") {
        continue;
      }
      for (const Quantizer quantizer : {Quantizer::Rtn, Quantizer::Search}) {
        for (const float* weighting : {static_cast<const float*>(nullptr), importance.data()}) {
          const auto values = decoded(format, encoded(format, quantizer, sample.weights, weighting), kCount);
          QVERIFY2(find_non_finite(values.data(), kCount) == kCount, sample.name.c_str());
        }
      }
    }
  }

  void zeros_stay_zeros_data() { each_encoder(); }
  void zeros_stay_zeros() {
    QFETCH(unsigned, id);
    const auto format = static_cast<Format>(id);
    const std::vector<float> zeros(kCount, 0.0F);
    const auto importance = importance_sample(kCount);
    for (const Quantizer quantizer : {Quantizer::Rtn, Quantizer::Search}) {
      for (const float* weighting : {static_cast<const float*>(nullptr), importance.data()}) {
        for (const float value : decoded(format, encoded(format, quantizer, zeros, weighting), kCount)) {
          QVERIFY(value == 0.0F);
        }
      }
    }
  }

  void every_target_gives_the_same_bytes_data() { each_encoder(); }
  void every_target_gives_the_same_bytes() {
    QFETCH(unsigned, id);
    const auto format = static_cast<Format>(id);
    const auto importance = importance_sample(kCount);
    for (const Sample& sample : weight_samples(kCount)) {
      for (const Quantizer quantizer : {Quantizer::Rtn, Quantizer::Search}) {
        for (const float* weighting : {static_cast<const float*>(nullptr), importance.data()}) {
          std::vector<std::byte> first;
          std::vector<float> first_values;
          on_every_target([&](const char* target) {
            const auto bytes = encoded(format, quantizer, sample.weights, weighting);
            const auto values = decoded(format, bytes, kCount);
            if (first.empty()) {
              first = bytes;
              first_values = values;
            }
            const QString where = QString("%1, %2").arg(target, QString::fromStdString(sample.name));
            QVERIFY2(bytes == first, qPrintable(where));
            QVERIFY2(std::memcmp(values.data(), first_values.data(), kCount * sizeof(float)) == 0,
                     qPrintable(where));
          });
        }
      }
    }
  }

  /// One row or block by block, the bytes are the same: what rows are encoded together cannot matter.
  void blocks_do_not_depend_on_their_neighbours_data() { each_encoder(); }
  void blocks_do_not_depend_on_their_neighbours() {
    QFETCH(unsigned, id);
    const auto format = static_cast<Format>(id);
    const FormatInfo& shape = info(format);
    const auto importance = importance_sample(kCount);
    std::vector<float> weights;  // ordinary and extreme blocks side by side
    for (const Sample& sample : weight_samples(256)) {
      weights.insert(weights.end(), sample.weights.begin(), sample.weights.end());
    }
    weights.resize(kCount);
    const auto together = encoded(format, Quantizer::Search, weights, importance.data());
    std::vector<std::byte> block(shape.block_bytes);
    for (std::size_t i = 0; i < kCount / shape.block_size; ++i) {
      encode(format, Quantizer::Search, weights.data() + i * shape.block_size,
             importance.data() + i * shape.block_size, block.data(), shape.block_size);
      QVERIFY(std::memcmp(block.data(), together.data() + i * shape.block_bytes, shape.block_bytes) == 0);
    }
  }

  void search_is_never_worse_than_plain_rounding_data() { each_encoder(); }
  void search_is_never_worse_than_plain_rounding() {
    QFETCH(unsigned, id);
    const auto format = static_cast<Format>(id);
    if (is_plain_float(format)) {
      return;  // one encoder
    }
    const FormatInfo& shape = info(format);
    const auto importance = importance_sample(kCount);
    for (const Sample& sample : weight_samples(kCount)) {
      const auto plain = decoded(format, encoded(format, Quantizer::Rtn, sample.weights, nullptr), kCount);
      for (const float* weighting : {static_cast<const float*>(nullptr), importance.data()}) {
        const auto best =
            decoded(format, encoded(format, Quantizer::Search, sample.weights, weighting), kCount);
        for (std::size_t at = 0; at < kCount; at += shape.block_size) {
          const float* w = weighting != nullptr ? weighting + at : nullptr;
          const double theirs =
              squared_error(sample.weights.data() + at, plain.data() + at, w, shape.block_size);
          const double ours =
              squared_error(sample.weights.data() + at, best.data() + at, w, shape.block_size);
          const double energy = squared_error(
              sample.weights.data() + at, std::vector<float>(shape.block_size).data(), w, shape.block_size);
          // Errors are compared in f32 while searching; weights of zero importance count a little there.
          // Searches with and without importance may end in different local minima.
          const bool super = shape.block_size == 256;
          const double slack = weighting == nullptr ? 1e-12 : (super ? 1e-3 : 1e-6);
          QVERIFY2(ours <= theirs * (weighting == nullptr ? 1 + 1e-5 : (super ? 1.5 : 1.02)) + energy * slack,
                   qPrintable(QString("%1 at %2: %3 above %4")
                                  .arg(QString::fromStdString(sample.name))
                                  .arg(at)
                                  .arg(ours)
                                  .arg(theirs)));
        }
      }
    }
  }

  void zero_importance_everywhere_means_none_data() { each_encoder(); }
  void zero_importance_everywhere_means_none() {
    QFETCH(unsigned, id);
    const auto format = static_cast<Format>(id);
    const std::vector<float> nothing(kCount, 0.0F);
    const auto samples = weight_samples(kCount);
    const auto& weights = samples[0].weights;
    const auto plain = decoded(format, encoded(format, Quantizer::Search, weights, nullptr), kCount);
    const auto values = decoded(format, encoded(format, Quantizer::Search, weights, nothing.data()), kCount);
    QVERIFY(squared_error(weights.data(), values.data(), nullptr, kCount) <=
            squared_error(weights.data(), plain.data(), nullptr, kCount) * 1.001);
  }

  /// The scale of importances cannot matter (powers of two: to the last bit).
  void importance_is_relative_data() { each_encoder(); }
  void importance_is_relative() {
    QFETCH(unsigned, id);
    const auto format = static_cast<Format>(id);
    const auto samples = weight_samples(kCount);
    const auto importance = importance_sample(kCount);
    const auto expected = encoded(format, Quantizer::Search, samples[1].weights, importance.data());
    for (const float factor : {0x1p-100F, 0x1p-20F, 0x1p90F}) {
      auto scaled = importance;
      for (float& value : scaled) {
        value *= factor;
      }
      QVERIFY(encoded(format, Quantizer::Search, samples[1].weights, scaled.data()) == expected);
    }
  }

  void flat_blocks_and_single_outliers_are_kept_data() { each_encoder(); }
  void flat_blocks_and_single_outliers_are_kept() {
    QFETCH(unsigned, id);
    const auto format = static_cast<Format>(id);
    if (format == Format::Q1_0) {
      return;  // has no zero
    }
    // These have no exact zero either: with little importance an outlier is rightly clipped.
    const bool uneven = format == Format::IQ4_NL || format == Format::IQ4_XS;
    // Nor have these, and one scale for 16 or 32 weights besides: an outlier alone is always a compromise.
    const bool codebook = has_codebook(format);
    // With scales that are powers of two, neighbouring values differ by up to a quarter of themselves.
    const float tolerance = format == Format::MXFP4 ? 0.13F : 0.03F;
    const auto importance = importance_sample(kCount);
    for (const float size : {0.75F, -0.123F, 6.0e4F, -6.0e4F, 2.0e-3F}) {
      if (format == Format::NVFP4 && std::fabs(size) > 2000.0F) {
        continue;  // its scales end at 224
      }
      for (const bool flat : {true, false}) {
        std::vector<float> weights(kCount, flat ? size : 0.0F);
        weights[300] = size;
        for (const float* weighting : {static_cast<const float*>(nullptr), importance.data()}) {
          if (!flat && (codebook || (uneven && weighting != nullptr))) {
            continue;
          }
          const auto values = decoded(format, encoded(format, Quantizer::Search, weights, weighting), kCount);
          for (std::size_t i = 0; i < kCount; ++i) {
            QVERIFY2(std::fabs(values[i] - weights[i]) <= tolerance * std::fabs(size),
                     qPrintable(QString("%1 at %2 became %3")
                                    .arg(static_cast<double>(weights[i]))
                                    .arg(i)
                                    .arg(static_cast<double>(values[i]))));
          }
        }
      }
    }
  }

  void values_on_a_grid_are_kept_exactly_data() {
    QTest::addColumn<unsigned>("id");
    QTest::addColumn<int>("low");
    QTest::addColumn<int>("high");
    QTest::addColumn<float>("offset");
    QTest::newRow("Q4_0") << static_cast<unsigned>(Format::Q4_0) << -8 << 7 << 0.0F;
    QTest::newRow("Q5_0") << static_cast<unsigned>(Format::Q5_0) << -16 << 15 << 0.0F;
    QTest::newRow("Q8_0") << static_cast<unsigned>(Format::Q8_0) << -128 << 127 << 0.0F;
    QTest::newRow("Q4_1") << static_cast<unsigned>(Format::Q4_1) << 0 << 15 << -0.40625F;
    QTest::newRow("Q5_1") << static_cast<unsigned>(Format::Q5_1) << 0 << 31 << 0.171875F;
  }
  void values_on_a_grid_are_kept_exactly() {
    QFETCH(unsigned, id);
    QFETCH(int, low);
    QFETCH(int, high);
    QFETCH(float, offset);
    const auto format = static_cast<Format>(id);
    for (const float d : {0.03125F, -0.0078125F, 0.0537109375F}) {
      std::vector<float> weights(64);
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const auto span = static_cast<std::size_t>(high - low);
        const int code =
            i % 32 == 0 ? low : (i % 32 == 31 ? high : low + static_cast<int>(i * 7919 % (span + 1)));
        weights[i] = d * static_cast<float>(code) + (d > 0 ? offset : -offset);
      }
      const auto values =
          decoded(format, encoded(format, Quantizer::Search, weights, nullptr), weights.size());
      for (std::size_t i = 0; i < weights.size(); ++i) {
        QCOMPARE(values[i], weights[i]);
      }
    }
  }

  /// Every F16 scale of either sign tried on a block: the search has to come close to the best of them.
  void one_scale_search_is_nearly_optimal_data() {
    QTest::addColumn<unsigned>("id");
    QTest::addColumn<int>("low");
    QTest::addColumn<int>("high");
    QTest::addColumn<double>("weighted_allowance");
    QTest::newRow("Q4_0") << static_cast<unsigned>(Format::Q4_0) << -8 << 7 << 1.05;
    QTest::newRow("Q5_0") << static_cast<unsigned>(Format::Q5_0) << -16 << 15 << 1.1;
    // Few weights that matter and a fine grid: thousands of scales differ by chance.
    QTest::newRow("Q8_0") << static_cast<unsigned>(Format::Q8_0) << -128 << 127 << 1.3;
  }
  void one_scale_search_is_nearly_optimal() {
    QFETCH(unsigned, id);
    QFETCH(int, low);
    QFETCH(int, high);
    QFETCH(double, weighted_allowance);
    const auto format = static_cast<Format>(id);
    const auto importance = importance_sample(kCount);
    for (const Sample& sample : weight_samples(kCount)) {
      if (sample.name != "bell" && sample.name != "heavy tails" && sample.name != "near the least F16") {
        continue;
      }
      for (const float* weighting : {static_cast<const float*>(nullptr), importance.data()}) {
        const auto found =
            decoded(format, encoded(format, Quantizer::Search, sample.weights, weighting), kCount);
        double ours = 0;
        double best = 0;
        for (std::size_t at = 0; at < 256; at += 32) {
          const float* x = sample.weights.data() + at;
          const float* w = weighting != nullptr ? weighting + at : nullptr;
          ours += squared_error(x, found.data() + at, w, 32);
          double largest = 0;
          for (int j = 0; j < 32; ++j) {
            largest = std::max(largest, std::fabs(static_cast<double>(x[j])));
          }
          const unsigned first = float_to_half(static_cast<float>(largest / (-2.5 * low)));
          const unsigned last = float_to_half(static_cast<float>(largest / (-0.4 * low))) + 1;
          double least = 1e300;
          for (unsigned bits = first; bits <= last; ++bits) {
            for (const double sign : {1.0, -1.0}) {
              const double d = sign * static_cast<double>(half_to_float(static_cast<std::uint16_t>(bits)));
              double sum = 0;
              for (int j = 0; j < 32; ++j) {
                const double code = d == 0 ? 0
                                           : std::clamp(std::nearbyint(static_cast<double>(x[j]) / d),
                                                        static_cast<double>(low), static_cast<double>(high));
                const double difference = static_cast<double>(x[j]) - d * code;
                sum += (w != nullptr ? static_cast<double>(w[j]) : 1.0) * difference * difference;
              }
              least = std::min(least, sum);
            }
          }
          best += least;
        }
        const double allowed = weighting != nullptr ? weighted_allowance : 1.04;
        QVERIFY2(
            ours <= best * allowed,
            qPrintable(
                QString("%1: %2 times the best").arg(QString::fromStdString(sample.name)).arg(ours / best)));
      }
    }
  }
};

QTEST_APPLESS_MAIN(TestCodecs)
#include "tst_codecs.moc"
