// Packed products, in f32, in integers and in bf16 parts, against sums in double, on every path this
// processor has, and the promise about bits.
#include <hwy/highway.h>

#include <QtTest>
#include <array>
#include <cstring>

#include "kernels/dense/integer_blocks.h"
#include "kernels/dense/product.h"
#include "kernels/formats/codec.h"
#include "kernels/formats/half.h"
#include "tests/unit/dense/paths.h"
#include "tests/unit/dense/samples.h"

using namespace bitlens;
using kernels::PackedMatrix;

namespace {

PackedMatrix packed(const std::vector<float>& weights, std::size_t outputs, std::size_t inputs,
                    kernels::Format format = kernels::Format::F32,
                    kernels::Compute compute = kernels::Compute::Exact) {
  PackedMatrix matrix;
  if (!matrix.reset(outputs, inputs, format, compute)) return matrix;
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

constexpr kernels::Format kIntegerFormats[] = {
    kernels::Format::Q4_0, kernels::Format::Q4_1,   kernels::Format::Q5_0, kernels::Format::Q5_1,
    kernels::Format::Q8_0, kernels::Format::IQ4_NL, kernels::Format::Q4_K, kernels::Format::Q5_K};

/// Weights of a format: as encoded, and what they decode to.
struct Encoded {
  kernels::Format format;
  std::size_t outputs, inputs;
  std::vector<std::byte> bytes;
  std::vector<float> values;

  Encoded(kernels::Format f, std::size_t n, std::size_t k, unsigned seed)
      : format(f), outputs(n), inputs(k), bytes(n * row_bytes()), values(n * k) {
    const auto w = testing::normal_values(n * k, seed);
    kernels::encode(format, kernels::Quantizer::Search, w.data(), nullptr, bytes.data(), w.size());
    kernels::decode(format, bytes.data(), values.data(), values.size());
  }
  [[nodiscard]] std::size_t row_bytes() const {
    return inputs / kernels::info(format).block_size * kernels::info(format).block_bytes;
  }
  [[nodiscard]] PackedMatrix packed() const {
    PackedMatrix matrix;
    if (!matrix.reset(outputs, inputs, format)) return {};
    if (!matrix.holds_integers()) return ::packed(values, outputs, inputs, format);
    for (std::size_t panel = 0; panel < matrix.panels(); ++panel)
      if (!matrix.pack_blocks(panel, bytes.data() + panel * matrix.width() * row_bytes())) return {};
    return matrix;
  }
};

/// Numbers as integer products see them: blocks of 32 rounded to multiples of their largest magnitude /
/// codes.
std::vector<float> rounded(std::vector<float> x, float codes) {
  for (std::size_t i = 0; i < x.size(); i += 32) {
    float largest = 0.0F;
    for (std::size_t j = i; j < i + 32; ++j) largest = std::max(largest, std::fabs(x[j]));
    if (largest == 0.0F) continue;
    for (std::size_t j = i; j < i + 32; ++j)
      x[j] = std::nearbyint(x[j] * (codes / largest)) * (largest / codes);
  }
  return x;
}
std::vector<float> rounded_inputs(const std::vector<float>& x) {
  return rounded(x, 32512.0F);
}

bool is_tiles(const char* path) {
  return std::strcmp(path, testing::kTiles) == 0;
}

/// Numbers to the nearest bf16.
std::vector<float> in_bf16(std::vector<float> values) {
  for (float& value : values) value = kernels::bfloat_to_float(kernels::float_to_bfloat(value));
  return values;
}

/// All rows at once, and in blocks by panels: the same bits?
bool same_in_pieces(const PackedMatrix& matrix, const std::vector<float>& x, std::size_t rows) {
  const std::size_t inputs = matrix.inputs(), outputs = matrix.outputs();
  std::vector<float> whole(rows * outputs);
  kernels::multiply(matrix, 0, matrix.panels(), x.data(), rows, inputs, whole.data(), outputs, false);
  for (const std::size_t block : {std::size_t{1}, std::size_t{5}, std::size_t{64}, std::size_t{100}}) {
    std::vector<float> pieces(rows * outputs);
    for (std::size_t first = 0; first < rows; first += block)
      for (std::size_t panel = 0; panel < matrix.panels(); ++panel)
        kernels::multiply(matrix, panel, 1, x.data() + first * inputs, std::min(block, rows - first), inputs,
                          pieces.data() + first * outputs + panel * matrix.width(), outputs, false);
    if (pieces != whole) return false;
  }
  return true;
}

/// The size sums of k products of x and w have.
double typical_sum(const std::vector<float>& w, std::size_t inputs) {
  double energy = 0.0;
  for (const float value : w) energy += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(energy / static_cast<double>(w.size()) * static_cast<double>(inputs));
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
    std::vector<float> fused;  // the first result computed with fused multiply-add
    testing::on_every_path([&](const char* target) {
      // Sums of k terms of size 1, each off by rounding alone or, in bf16 parts, by 2^-16.
      const double per_term = is_tiles(target) ? 1.6e-5 : 1e-6;
      const double tolerance = per_term * std::sqrt(static_cast<double>(k)) * 4.0 + per_term;
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
    constexpr std::size_t rows = 231, inputs = 1300, outputs = 90;
    const auto x = testing::normal_values(rows * inputs, 3), w = testing::normal_values(outputs * inputs, 4);
    testing::on_every_path([&](const char* target) {
      for (const kernels::Compute compute : {kernels::Compute::Exact, kernels::Compute::Fast})
        QVERIFY2(same_in_pieces(packed(w, outputs, inputs, kernels::Format::F32, compute), x, rows), target);
      QVERIFY2(same_in_pieces(packed(w, outputs, inputs, kernels::Format::BF16), x, rows), target);
    });
  }

  // Packed once, all at a time or some inputs at a time, into memory that held something else.
  void packed_rows_give_the_same_bits() {
    testing::on_every_path([&](const char* target) {
      for (const auto& [rows, inputs, outputs] : {std::array<std::size_t, 3>{1, 7, 5},
                                                  {33, 172, 70},
                                                  {200, 1300, 40},
                                                  {16, 64, 32},
                                                  {200, 864, 40}}) {
        const auto x = testing::normal_values(rows * inputs, 1),
                   w = testing::normal_values(outputs * inputs, 2);
        std::vector<PackedMatrix> matrices;
        for (const kernels::Compute compute : {kernels::Compute::Exact, kernels::Compute::Fast})
          matrices.push_back(packed(w, outputs, inputs, kernels::Format::F32, compute));
        if (inputs % 32 == 0) matrices.push_back(Encoded(kernels::Format::Q8_0, outputs, inputs, 4).packed());
        for (const PackedMatrix& matrix : matrices) {
          QCOMPARE(matrix.takes_packed_rows(), is_tiles(target));
          if (!matrix.takes_packed_rows()) continue;
          std::vector<float> expected(rows * outputs);
          kernels::multiply(matrix, 0, matrix.panels(), x.data(), rows, inputs, expected.data(), outputs,
                            false);
          kernels::PackedRows whole, pieces;
          const auto junk = testing::normal_values(400 * 2000, 3, 1e30F);
          for (kernels::PackedRows* room : {&whole, &pieces}) {
            QVERIFY(room->reset(400, 2000, matrix.compute()));
            room->fill(0, 2000, junk.data(), 2000);
            QVERIFY(room->reset(rows, inputs, matrix.compute()));
          }
          whole.fill(0, inputs, x.data(), inputs);
          for (std::size_t k = 0; k < inputs; k += 96)
            pieces.fill(k, std::min<std::size_t>(96, inputs - k), x.data() + k, inputs);
          for (const kernels::PackedRows* room : {&whole, &pieces}) {
            std::vector<float> y(rows * outputs, 7.0F);
            for (std::size_t panel = 0; panel < matrix.panels(); ++panel)
              kernels::multiply(matrix, panel, 1, *room, y.data() + panel * matrix.width(), outputs);
            QVERIFY2(y == expected, target);
          }
        }
      }
    });
  }

  void products_in_two_parts_are_exact_where_parts_are() {
    // 15-bit integers are two bf16 numbers, 8-bit ones are one; all sums stay below 2^24.
    constexpr std::size_t rows = 40, inputs = 100, outputs = 50;
    std::mt19937 random(8);
    std::vector<float> x(rows * inputs), w(outputs * inputs);
    for (float& value : x) value = static_cast<float>(random() % 32768) - 16384.0F;
    for (float& value : w) value = static_cast<float>(random() % 8) - 4.0F;
    const auto expected = reference(x, w, rows, inputs, outputs);
    const auto turned = reference(w, x, outputs, inputs, rows);
    testing::on_every_path([&](const char* target) {
      for (const kernels::Format format : {kernels::Format::F32, kernels::Format::BF16}) {
        const PackedMatrix matrix = packed(w, outputs, inputs, format);
        std::vector<float> y(rows * outputs);
        kernels::multiply(matrix, 0, matrix.panels(), x.data(), rows, inputs, y.data(), outputs, false);
        QVERIFY2(testing::largest_difference(y, expected) == 0.0, target);
      }
      const PackedMatrix matrix = packed(x, rows, inputs, kernels::Format::F32);
      std::vector<float> y(rows * outputs);
      kernels::multiply(matrix, 0, matrix.panels(), w.data(), outputs, inputs, y.data(), rows, false);
      QVERIFY2(testing::largest_difference(y, turned) == 0.0, target);
    });
  }

  void fast_products_are_those_of_rounded_numbers() {
    for (const auto& [rows, inputs, outputs] :
         {std::array<std::size_t, 3>{1, 1, 1}, {33, 172, 64}, {13, 2400, 70}, {200, 64, 33}, {5, 608, 1}}) {
      const auto x = testing::normal_values(rows * inputs, 1),
                 w = testing::normal_values(outputs * inputs, 2);
      const auto sums = [&, rows = rows, inputs = inputs, outputs = outputs](const std::vector<float>& a,
                                                                             const std::vector<float>& b) {
        return reference(a, b, rows, inputs, outputs);
      };
      const bool blocks = inputs % 32 == 0;
      const auto in_tiles = sums(in_bf16(x), in_bf16(w)), unrounded = sums(x, w);
      const auto in_integers = blocks ? sums(rounded_inputs(x), rounded(w, 2047.0F)) : unrounded;
      testing::on_every_path([&, rows = rows, inputs = inputs, outputs = outputs](const char* target) {
        const PackedMatrix matrix = packed(w, outputs, inputs, kernels::Format::F16, kernels::Compute::Fast);
        std::vector<float> y(rows * outputs, 7.0F);
        kernels::multiply(matrix, 0, matrix.panels(), x.data(), rows, inputs, y.data(), outputs, false);
        const double tolerance = 4e-6 * std::sqrt(static_cast<double>(inputs)) + 1e-6;
        const auto& expected = is_tiles(target)               ? in_tiles
                               : kernels::uses_dot_products() ? in_integers
                                                              : unrounded;
        QVERIFY2(testing::largest_difference(y, expected) < tolerance, target);
      });
    }
  }

  // The largest codes of both sides in all places: the sum of a block is near 2^31 and must not pass it.
  void the_largest_sums_of_fast_products_fit() {
    constexpr std::size_t inputs = 96;
    testing::on_every_path([&](const char* target) {
      for (const float sign : {1.0F, -1.0F}) {
        const std::vector<float> x(inputs, 3.0F), w(inputs, 5.0F * sign);
        const PackedMatrix matrix = packed(w, 1, inputs, kernels::Format::F32, kernels::Compute::Fast);
        float y = 0.0F;
        kernels::multiply(matrix, 0, 1, x.data(), 1, inputs, &y, 1, false);
        QVERIFY2(std::fabs(y / (15.0F * inputs * sign) - 1.0F) < 1e-6F, target);
      }
    });
  }

  void extreme_inputs_of_float_products() {
    constexpr std::size_t inputs = 64, outputs = 3;
    const auto w = testing::normal_values(outputs * inputs, 6);
    testing::on_every_path([&](const char* target) {
      for (const kernels::Compute compute : {kernels::Compute::Exact, kernels::Compute::Fast}) {
        const PackedMatrix matrix = packed(w, outputs, inputs, kernels::Format::F32, compute);
        std::vector<float> x(inputs, 0.0F), y(outputs);
        const auto product = [&](float value) {
          x[5] = value;
          kernels::multiply(matrix, 0, matrix.panels(), x.data(), 1, inputs, y.data(), outputs, false);
        };
        product(1e30F);
        for (std::size_t o = 0; o < outputs; ++o) {
          const float expected = 1e30F * w[o * inputs + 5];
          QVERIFY2(std::fabs(y[o] - expected) <= 8e-3F * std::fabs(expected), target);
        }
        for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
          product(bad);
          for (const float value : y) QVERIFY2(!std::isfinite(value), target);
        }
      }
    });
  }

  void strided_input_and_output() {
    constexpr std::size_t rows = 9, inputs = 20, outputs = 3, stride = 31;
    const auto x = testing::normal_values(rows * stride, 5), w = testing::normal_values(outputs * inputs, 6);
    testing::on_every_path([&](const char* target) {
      const PackedMatrix matrix = packed(w, outputs, inputs);
      std::vector<float> y(rows * stride, -1.0F);
      kernels::multiply(matrix, 0, matrix.panels(), x.data(), rows, stride, y.data(), stride, false);
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t o = 0; o < outputs; ++o) {
          double sum = 0.0;
          for (std::size_t i = 0; i < inputs; ++i)
            sum += static_cast<double>(x[r * stride + i]) * static_cast<double>(w[o * inputs + i]);
          const double tolerance = is_tiles(target) ? 3e-4 : 1e-5;
          QVERIFY2(std::fabs(static_cast<double>(y[r * stride + o]) - sum) < tolerance, target);
        }
        for (std::size_t o = outputs; o < stride; ++o) QCOMPARE(y[r * stride + o], -1.0F);  // nothing beyond
      }
    });
  }

  void chains_cover_the_inputs() {
    for (std::size_t inputs = 1; inputs < 5000; ++inputs) {
      const std::size_t length = kernels::chain_length(inputs);
      QVERIFY(length >= 1 && length <= kernels::kDepth);
      const std::size_t fewest = (inputs + kernels::kDepth - 1) / kernels::kDepth;
      QCOMPARE((inputs + length - 1) / length, fewest);
    }
  }

  void blocks_taken_apart_decode_the_same() {
    for (const kernels::Format format : kIntegerFormats) {
      QVERIFY(kernels::has_integer_blocks(format));
      const Encoded weights(format, 3, 512, 7);
      constexpr std::size_t count = 3 * 512;
      std::vector<std::int16_t> codes(count);
      std::vector<float> scales(count / 32), offsets(count / 32, 0.0F);
      QVERIFY(kernels::take_apart(format, weights.bytes.data(), count, codes.data(), scales.data(),
                                  offsets.data()));
      for (std::size_t i = 0; i < count; ++i) {
        const float value = static_cast<float>(codes[i]) * scales[i / 32] + offsets[i / 32];
        QCOMPARE(value, weights.values[i]);
        QVERIFY(std::abs(codes[i]) <= 128);
      }
    }
    for (const kernels::Format format : {kernels::Format::F16, kernels::Format::Q6_K, kernels::Format::NVFP4})
      QVERIFY(!kernels::has_integer_blocks(format));
  }

  void integer_products_match_double() {
    for (const kernels::Format format : kIntegerFormats)
      for (const auto& [rows, inputs, outputs] :
           {std::array<std::size_t, 3>{1, 256, 1}, {7, 512, 17}, {100, 768, 96}, {13, 1536, 33}}) {
        const Encoded weights(format, outputs, inputs, 2);
        const auto x = testing::normal_values(rows * inputs, 1);
        const auto exact = reference(rounded_inputs(x), weights.values, rows, inputs, outputs);
        const auto close = reference(x, weights.values, rows, inputs, outputs);
        const double size = typical_sum(weights.values, inputs);
        std::vector<float> fused;
        testing::on_every_path([&, rows = rows, inputs = inputs, outputs = outputs](const char* target) {
          const PackedMatrix matrix = weights.packed();
          QCOMPARE(matrix.outputs(), outputs);
          QCOMPARE(matrix.holds_integers(), !is_tiles(target) || !kernels::has_offsets(format));
          std::vector<float> y(rows * outputs, 7.0F);
          kernels::multiply(matrix, 0, matrix.panels(), x.data(), rows, inputs, y.data(), outputs, false);
          const double slack = is_tiles(target) ? 1.5e-4 : 2e-6;  // tiles do not see inputs in blocks
          QVERIFY2(testing::largest_difference(y, exact) < slack * size, target);
          QVERIFY2(testing::largest_difference(y, close) < 1.5e-4 * size, target);
          const bool fma = QLatin1String(target).startsWith(QLatin1String("AVX"));
          if (fma && fused.empty()) fused = y;
          if (fma) QVERIFY2(y == fused, target);

          std::vector<float> twice = y;
          kernels::multiply(matrix, 0, matrix.panels(), x.data(), rows, inputs, twice.data(), outputs, true);
          std::vector<double> doubled = exact;
          for (double& value : doubled) value *= 2.0;
          QVERIFY2(testing::largest_difference(twice, doubled) < 2 * slack * size, target);
        });
      }
  }

  void integer_bits_depend_on_the_row_alone() {
    constexpr std::size_t rows = 131, inputs = 768, outputs = 90;
    const auto x = testing::normal_values(rows * inputs, 3);
    for (const kernels::Format format : {kernels::Format::Q8_0, kernels::Format::Q4_1}) {
      const Encoded weights(format, outputs, inputs, 4);
      testing::on_every_path(
          [&](const char* target) { QVERIFY2(same_in_pieces(weights.packed(), x, rows), target); });
    }
  }

  void eight_bit_inputs_are_kept_exactly() {
    // Multiples of a power of two, one of them 127 times it: products and sums are then exact in f32 too.
    constexpr std::size_t inputs = 256, outputs = 5;
    std::mt19937 random(9);
    std::vector<float> x(inputs);
    for (std::size_t i = 0; i < inputs; ++i) {
      x[i] = (static_cast<float>(random() % 255) - 127.0F) * 0.25F;
      if (i % 32 == 3) x[i] = 127.0F * 0.25F;
    }
    Encoded weights(kernels::Format::Q8_0, outputs, inputs, 5);
    for (std::size_t block = 0; block < weights.bytes.size() / 34; ++block) {  // scales 1, 2 and 4
      weights.bytes[block * 34] = std::byte{0x00};
      weights.bytes[block * 34 + 1] = static_cast<std::byte>(0x3C + block % 3 * 4);
    }
    kernels::decode(weights.format, weights.bytes.data(), weights.values.data(), weights.values.size());
    testing::on_every_path([&](const char* target) {
      const PackedMatrix matrix = weights.packed();
      std::vector<float> y(outputs);
      kernels::multiply(matrix, 0, matrix.panels(), x.data(), 1, inputs, y.data(), outputs, false);
      QVERIFY2(testing::largest_difference(y, reference(x, weights.values, 1, inputs, outputs)) == 0.0,
               target);
    });
  }

  void extreme_inputs_of_integer_products() {
    constexpr std::size_t inputs = 64, outputs = 3;
    const Encoded weights(kernels::Format::Q8_0, outputs, inputs, 6);
    kernels::allow_tiles(false);
    const PackedMatrix matrix = weights.packed();
    kernels::allow_tiles(true);
    QVERIFY(matrix.holds_integers());
    const auto product = [&](const std::vector<float>& x) {
      std::vector<float> y(outputs);
      kernels::multiply(matrix, 0, matrix.panels(), x.data(), 1, inputs, y.data(), outputs, false);
      return y;
    };
    std::vector<float> x(inputs, 0.0F);
    for (const float value : product(x)) QCOMPARE(value, 0.0F);
    x[5] = 1e-38F;  // vanishes beside anything, and must not overflow the factor
    for (const float value : product(x)) QVERIFY(std::fabs(value) < 1e-36F);
    x[5] = 3e38F;
    const auto huge = product(x);
    for (std::size_t o = 0; o < outputs; ++o) {
      const double expected = 3e38 * static_cast<double>(weights.values[o * inputs + 5]);
      if (std::fabs(expected) < 3e38)
        QVERIFY(std::fabs(static_cast<double>(huge[o]) - expected) <= 1e-5 * std::fabs(expected));
    }
    for (const float bad :
         {std::nanf(""), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
      x[5] = bad;
      for (const float value : product(x)) QVERIFY(std::isnan(value));
    }
  }

  void bad_scales_are_told() {
    Encoded weights(kernels::Format::Q8_0, 1, 64, 6);
    weights.bytes[34] = std::byte{0x00};
    weights.bytes[35] = std::byte{0x7C};  // the second block's scale is infinite
    PackedMatrix matrix;
    testing::on_every_path([&](const char* target) {
      QVERIFY(matrix.reset(1, 64, weights.format));
      QVERIFY2(!matrix.pack_blocks(0, weights.bytes.data()), target);
    });
  }

  void integers_only_where_they_serve() {
    testing::on_every_path([&](const char* target) {
      PackedMatrix matrix;
      QVERIFY(matrix.reset(4, 64, kernels::Format::F16));
      QVERIFY(!matrix.holds_integers());
      QVERIFY(matrix.reset(4, 64, kernels::Format::Q8_0));
      QVERIFY(matrix.holds_integers());
      QVERIFY(matrix.reset(4, 64, kernels::Format::Q4_1));
      QCOMPARE(matrix.holds_integers(), !is_tiles(target));
      QVERIFY(matrix.reset(4, 64, kernels::Format::Q8_0, kernels::Compute::Fast));
      QCOMPARE(matrix.holds_integers(), !is_tiles(target));
      QVERIFY(matrix.reset(4, 64));
      QVERIFY(!matrix.holds_integers());
    });
  }

  void levels_limit_what_is_used() {
    QVERIFY(!kernels::limit_instruction_set("avx9"));
    const std::string best = kernels::instruction_set();
    QVERIFY(kernels::limit_instruction_set("amx"));  // the highest: no limit
    QCOMPARE(kernels::instruction_set(), best);
    for (const auto& [name, shown] : {std::pair{"avx512", "AVX-512"}, {"avx2", "AVX2"}, {"plain", "plain"}}) {
      QVERIFY(kernels::limit_instruction_set(name));
      const std::string now = kernels::instruction_set();
      QVERIFY(now.find("AMX") == std::string::npos);
      // This processor may not have the level itself; then the next one is used.
      if (best.starts_with("AVX-512") || name == std::string_view("plain"))
        QVERIFY2(now == shown || now == std::string(shown) + " + VNNI", now.c_str());
    }
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    kernels::allow_tiles(true);
    QCOMPARE(kernels::instruction_set(), best);
  }

  void refuses_sizes_beyond_memory() {
    PackedMatrix matrix;
    QVERIFY(!matrix.reset(static_cast<std::size_t>(1) << 62, 64));
    QCOMPARE(matrix.outputs(), std::size_t{0});
  }
};

QTEST_APPLESS_MAIN(ProductTest)
#include "tst_product.moc"
