// Rounding of activations against a plain double-precision statement of it, and the search for non-finite
// values.
#include <QtTest>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "kernels/formats/codec.h"
#include "kernels/formats/half.h"
#include "targets.h"

using namespace bitlens::kernels;

namespace {

std::vector<float> row_of(std::size_t count) {
  std::mt19937 engine(5);
  std::vector<float> row(count);
  for (float& value : row) {
    value = (static_cast<float>(engine() >> 8) * 0x1p-24F - 0.4F) * 3.0F;
  }
  return row;
}

/// Blocks of `block`; codes are the nearest integers to x * 127 / extreme, ties to even, in f32 as specified.
std::vector<float> rounded(ActivationRounding rounding, std::vector<float> row) {
  const std::size_t block = rounding == ActivationRounding::Q8_K ? 256 : 32;
  for (std::size_t begin = 0; begin < row.size(); begin += block) {
    const std::size_t end = std::min(begin + block, row.size());
    float extreme = 0;
    for (std::size_t i = begin; i < end; ++i) {
      if (std::fabs(row[i]) > std::fabs(extreme)) {
        extreme = row[i];
      }
    }
    for (std::size_t i = begin; i < end; ++i) {
      if (extreme == 0) {
        row[i] = 0;
      } else if (rounding == ActivationRounding::Q8_K) {
        const float inverse = -127.0F / extreme;
        row[i] = (1.0F / inverse) * std::min(127.0F, std::nearbyint(inverse * row[i]));
      } else {
        const float inverse = 127.0F / std::fabs(extreme);
        const float d = half_to_float(float_to_half(std::fabs(extreme) / 127.0F));
        row[i] = std::nearbyint(row[i] * inverse) * d;
      }
    }
  }
  return row;
}

}  // namespace

class TestActivations : public QObject {
  Q_OBJECT

 private slots:
  void blocks_and_a_short_last_block() {
    for (const auto rounding :
         {ActivationRounding::Q8_0, ActivationRounding::Q8_1, ActivationRounding::Q8_K}) {
      for (const std::size_t count : {1U, 31U, 32U, 172U, 256U, 300U, 1024U}) {
        const auto source = row_of(count);
        const auto expected = rounded(rounding, source);
        bitlens::testing::on_every_target([&](const char* target) {
          auto row = source;
          round_activations(rounding, row.data(), row.size());
          for (std::size_t i = 0; i < count; ++i) {
            QVERIFY2(row[i] == expected[i], target);
          }
        });
      }
    }
  }

  void sixteen_bit_floats() {
    const auto source = row_of(1000);
    auto half = source;
    round_activations(ActivationRounding::F16, half.data(), half.size());
    auto bfloat = source;
    round_activations(ActivationRounding::BF16, bfloat.data(), bfloat.size());
    auto same = source;
    round_activations(ActivationRounding::None, same.data(), same.size());
    for (std::size_t i = 0; i < source.size(); ++i) {
      QCOMPARE(half[i], half_to_float(float_to_half(source[i])));
      QCOMPARE(bfloat[i], bfloat_to_float(float_to_bfloat(source[i])));
      QCOMPARE(same[i], source[i]);
    }
  }

  void extremes_stay_finite() {
    for (const auto rounding : {ActivationRounding::Q8_0, ActivationRounding::Q8_K}) {
      for (const float scale : {0.0F, 1.0e-45F, 1.0e-38F, 1.0e-7F, 6.0e4F, 1.0e30F, 3.0e38F}) {
        std::vector<float> row(96);
        for (std::size_t i = 0; i < row.size(); ++i) {
          row[i] = scale * (i % 2 == 0 ? 1.0F : -0.5F);
        }
        round_activations(rounding, row.data(), row.size());
        QCOMPARE(find_non_finite(row.data(), row.size()), row.size());
      }
    }
  }

  void the_first_non_finite_value_is_found() {
    std::vector<float> row(1000, 1.0F);
    row[500] = std::numeric_limits<float>::max();
    row[501] = -std::numeric_limits<float>::denorm_min();
    bitlens::testing::on_every_target([&](const char* target) {
      QVERIFY2(find_non_finite(row.data(), row.size()) == row.size(), target);
      QVERIFY2(find_non_finite(row.data(), 0) == 0, target);
      for (const std::size_t at : {0U, 255U, 256U, 777U, 999U}) {
        for (const float bad :
             {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
          auto spoiled = row;
          spoiled[at] = bad;
          spoiled.back() = at == 999 ? bad : std::numeric_limits<float>::infinity();
          QVERIFY2(find_non_finite(spoiled.data(), spoiled.size()) == at, target);
        }
      }
    });
  }
};

QTEST_APPLESS_MAIN(TestActivations)
#include "tst_activations.moc"
