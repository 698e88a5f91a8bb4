// F16 and BF16 conversion against their definition, for every F16 value and every boundary between two of
// them.
#include <QtTest>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/formats/codec.h"
#include "kernels/formats/half.h"
#include "targets.h"

using namespace bitlens::kernels;

namespace {

/// By the definition of binary16.
double value_of_half(std::uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int mantissa = half & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

struct Boundary {
  float value;
  std::uint16_t half;
};

/// Every finite half, the midpoints to the next one up (ties to even) and the floats beside the midpoints.
std::vector<Boundary> boundaries() {
  std::vector<Boundary> list;
  for (unsigned bits = 0; bits < 0x7C00; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const auto next = static_cast<std::uint16_t>(bits + 1);
    const double here = value_of_half(half);
    const double there = bits + 1 == 0x7C00 ? 65536.0 : value_of_half(next);
    const auto middle = static_cast<float>((here + there) / 2);
    const std::uint16_t even = (bits & 1U) == 0 ? half : next;
    const std::vector<Boundary> positive = {{static_cast<float>(here), half},
                                            {std::nextafter(middle, 0.0F), half},
                                            {middle, even},
                                            {std::nextafter(middle, 1.0e9F), next}};
    for (const Boundary& b : positive) {
      list.push_back(b);
      list.push_back({-b.value, static_cast<std::uint16_t>(b.half | 0x8000U)});
    }
  }
  list.push_back({1.0e-45F, 0});
  list.push_back({std::numeric_limits<float>::max(), 0x7C00});
  list.push_back({-1.0e30F, 0xFC00});
  return list;
}

}  // namespace

class TestHalf : public QObject {
  Q_OBJECT

 private slots:
  void widening_is_exact() {
    for (unsigned bits = 0; bits < 0x10000; ++bits) {
      const auto half = static_cast<std::uint16_t>(bits);
      const float value = half_to_float(half);
      if ((bits & 0x7C00U) == 0x7C00U) {
        QVERIFY((bits & 0x3FFU) != 0 ? std::isnan(value) : std::isinf(value));
        QCOMPARE(std::signbit(value), (bits & 0x8000U) != 0);
      } else {
        QCOMPARE(static_cast<double>(value), value_of_half(half));
        QCOMPARE(std::signbit(value), (bits & 0x8000U) != 0);
      }
    }
  }

  void narrowing_rounds_to_nearest_even() {
    for (const Boundary& b : boundaries()) {
      QVERIFY2(float_to_half(b.value) == b.half,
               qPrintable(QString::number(static_cast<double>(b.value), 'g', 12)));
    }
    QVERIFY(std::isnan(half_to_float(float_to_half(std::numeric_limits<float>::quiet_NaN()))));
  }

  void vectors_agree_on_every_target() {
    std::vector<std::uint16_t> halves(0x10000);
    for (unsigned bits = 0; bits < halves.size(); ++bits) {
      halves[bits] = static_cast<std::uint16_t>(bits);
    }
    const auto list = boundaries();
    std::vector<float> values;
    for (const Boundary& b : list) {
      values.push_back(b.value);
    }
    bitlens::testing::on_every_target([&](const char* target) {
      std::vector<float> widened(halves.size() - 3);  // not a whole number of vectors
      decode(Format::F16, reinterpret_cast<const std::byte*>(halves.data()), widened.data(), widened.size());
      for (std::size_t i = 0; i < widened.size(); ++i) {
        QVERIFY2(std::bit_cast<std::uint32_t>(widened[i]) ==
                     std::bit_cast<std::uint32_t>(half_to_float(halves[i])),
                 target);
      }
      std::vector<std::uint16_t> narrowed(values.size());
      encode(Format::F16, Quantizer::Search, values.data(), nullptr,
             reinterpret_cast<std::byte*>(narrowed.data()), values.size());
      for (std::size_t i = 0; i < list.size(); ++i) {
        QVERIFY2(narrowed[i] == list[i].half, target);
      }
    });
  }

  void bfloat_keeps_the_upper_bits_rounded_to_even() {
    QCOMPARE(float_to_bfloat(1.0F), std::uint16_t{0x3F80});
    QCOMPARE(float_to_bfloat(std::bit_cast<float>(0x3F808000U)), std::uint16_t{0x3F80});
    QCOMPARE(float_to_bfloat(std::bit_cast<float>(0x3F808001U)), std::uint16_t{0x3F81});
    QCOMPARE(float_to_bfloat(std::bit_cast<float>(0x3F818000U)), std::uint16_t{0x3F82});
    QCOMPARE(float_to_bfloat(-1.0e-45F), std::uint16_t{0x8000});
    QVERIFY(std::isnan(bfloat_to_float(float_to_bfloat(std::numeric_limits<float>::signaling_NaN()))));
    for (unsigned bits = 0; bits < 0x7F80; ++bits) {
      QCOMPARE(float_to_bfloat(bfloat_to_float(static_cast<std::uint16_t>(bits))),
               static_cast<std::uint16_t>(bits));
    }
  }

  void scales_stay_finite() {
    QCOMPARE(half_to_float(float_to_finite_half(1.0e9F)), kMaxHalf);
    QCOMPARE(half_to_float(float_to_finite_half(-std::numeric_limits<float>::infinity())), -kMaxHalf);
    QCOMPARE(half_to_float(float_to_finite_half(0.5F)), 0.5F);
  }
};

QTEST_APPLESS_MAIN(TestHalf)
#include "tst_half.moc"
