// Blocked causal attention against the plain definition in double.
#include <hwy/highway.h>

#include <QtTest>

#include "kernels/dense/attention.h"
#include "kernels/dense/buffer.h"
#include "kernels/formats/half.h"
#include "tests/unit/dense/paths.h"
#include "tests/unit/dense/samples.h"

using namespace bitlens;

namespace {

struct Case {
  std::size_t context, head_dim, window, query_stride, key_stride;
  kernels::Compute compute = kernels::Compute::Exact;

  [[nodiscard]] kernels::AttentionShape shape() const { return {context, head_dim, window, compute}; }
};

/// Numbers to the nearest bf16.
std::vector<float> in_bf16(std::vector<float> values) {
  for (float& value : values) value = kernels::bfloat_to_float(kernels::float_to_bfloat(value));
  return values;
}

std::vector<double> reference(const Case& c, const std::vector<float>& q, const std::vector<float>& k,
                              const std::vector<float>& v) {
  std::vector<double> out(c.context * c.head_dim);
  for (std::size_t r = 0; r < c.context; ++r) {
    const std::size_t low = c.window != 0 && r + 1 > c.window ? r + 1 - c.window : 0;
    std::vector<double> weights(r + 1, 0.0);
    double largest = -1e300, sum = 0.0;
    for (std::size_t t = low; t <= r; ++t) {
      for (std::size_t i = 0; i < c.head_dim; ++i)
        weights[t] +=
            static_cast<double>(q[r * c.query_stride + i]) * static_cast<double>(k[t * c.key_stride + i]);
      weights[t] /= std::sqrt(static_cast<double>(c.head_dim));
      largest = std::max(largest, weights[t]);
    }
    for (std::size_t t = low; t <= r; ++t) sum += weights[t] = std::exp(weights[t] - largest);
    for (std::size_t t = low; t <= r; ++t)
      for (std::size_t i = 0; i < c.head_dim; ++i)
        out[r * c.head_dim + i] += weights[t] / sum * static_cast<double>(v[t * c.key_stride + i]);
  }
  return out;
}

std::vector<float> blocked(const Case& c, const std::vector<float>& q, const std::vector<float>& k,
                           const std::vector<float>& v) {
  const kernels::AttentionShape shape = c.shape();
  kernels::FloatBuffer keys, values;
  std::vector<float> out(c.context * c.head_dim, 9.0F);
  if (!keys.resize(kernels::packed_keys_size(shape)) || !values.resize(kernels::packed_values_size(shape)))
    return out;
  kernels::pack_keys_values(shape, k.data(), v.data(), c.key_stride, keys.data(), values.data());
  for (std::size_t first = 0; first < c.context; first += kernels::kQueryTile)
    kernels::attend(shape, q.data() + first * c.query_stride, c.query_stride, first,
                    std::min(kernels::kQueryTile, c.context - first), keys.data(), values.data(),
                    out.data() + first * c.head_dim, c.head_dim);
  return out;
}

}  // namespace

class AttentionTest : public QObject {
  Q_OBJECT

 private slots:
  void matches_the_definition_data() {
    QTest::addColumn<int>("context");
    QTest::addColumn<int>("head_dim");
    QTest::addColumn<int>("window");
    QTest::addColumn<float>("sharpness");
    QTest::newRow("one token") << 1 << 8 << 0 << 1.0F;
    QTest::newRow("less than a tile") << 31 << 6 << 0 << 1.0F;
    QTest::newRow("several key blocks") << 601 << 64 << 0 << 1.0F;
    QTest::newRow("odd head, sharp scores") << 300 << 33 << 0 << 6.0F;
    QTest::newRow("sliding window") << 601 << 16 << 100 << 1.0F;
    QTest::newRow("sliding window across blocks") << 700 << 16 << 300 << 3.0F;
    QTest::newRow("window of one") << 120 << 16 << 1 << 1.0F;
    QTest::newRow("head of 8") << 257 << 8 << 0 << 1.0F;
    QTest::newRow("head of 8, sharp scores, sliding window") << 301 << 8 << 37 << 6.0F;
    QTest::newRow("head of 8, window of one") << 70 << 8 << 1 << 1.0F;
  }
  void matches_the_definition() {
    QFETCH(int, context);
    QFETCH(int, head_dim);
    QFETCH(int, window);
    QFETCH(float, sharpness);
    Case c{static_cast<std::size_t>(context), static_cast<std::size_t>(head_dim),
           static_cast<std::size_t>(window), 0, 0};
    c.query_stride = 3 * c.head_dim;
    c.key_stride = 2 * c.head_dim;
    const auto q = testing::normal_values(c.context * c.query_stride, 1, sharpness);
    const auto k = testing::normal_values(c.context * c.key_stride, 2);
    const auto v = testing::normal_values(c.context * c.key_stride, 3);
    const auto expected = reference(c, q, k, v);
    testing::on_every_path([&](const char* target) {
      const double difference = testing::largest_difference(blocked(c, q, k, v), expected);
      QVERIFY2(difference < 2e-5, qPrintable(QString("%1: %2").arg(QLatin1String(target)).arg(difference)));
    });
  }

  void fast_is_attention_in_bf16_data() { matches_the_definition_data(); }
  void fast_is_attention_in_bf16() {
    QFETCH(int, context);
    QFETCH(int, head_dim);
    QFETCH(int, window);
    QFETCH(float, sharpness);
    const auto head = static_cast<std::size_t>(head_dim);
    Case c{static_cast<std::size_t>(context), head, static_cast<std::size_t>(window), 3 * head, 2 * head};
    c.compute = kernels::Compute::Fast;
    const auto q = in_bf16(testing::normal_values(c.context * c.query_stride, 1, sharpness));
    const auto k = in_bf16(testing::normal_values(c.context * c.key_stride, 2));
    const auto v = in_bf16(testing::normal_values(c.context * c.key_stride, 3));
    const auto expected = reference(c, q, k, v);
    testing::on_every_path([&](const char* target) {
      const bool tiles = kernels::uses_tiles() && head >= 32;
      const double difference = testing::largest_difference(blocked(c, q, k, v), expected);
      // Only the weights of the sum are still rounded, each by 2^-9 at most.
      QVERIFY2(difference < (tiles ? 4e-3 : 2e-5),
               qPrintable(QString("%1: %2").arg(QLatin1String(target)).arg(difference)));
    });
  }

  // Wherever the rows asked for begin and end.
  void rows_do_not_depend_on_each_other_data() {
    QTest::addColumn<int>("head_dim");
    QTest::addColumn<int>("window");
    for (const int head : {8, 16, 24, 64, 80})
      for (const int window : {0, 50}) QTest::addRow("head of %d, window %d", head, window) << head << window;
  }
  void rows_do_not_depend_on_each_other() {
    QFETCH(int, head_dim);
    QFETCH(int, window);
    const auto head = static_cast<std::size_t>(head_dim);
    Case c{331, head, static_cast<std::size_t>(window), head, head};
    const auto q = testing::normal_values(c.context * head, 7, 3.0F);
    const auto k = testing::normal_values(c.context * head, 8),
               v = testing::normal_values(c.context * head, 9);
    for (const kernels::Compute compute : {kernels::Compute::Exact, kernels::Compute::Fast})
      testing::on_every_path([&](const char* target) {
        c.compute = compute;
        const kernels::AttentionShape shape = c.shape();
        const auto whole = blocked(c, q, k, v);
        kernels::FloatBuffer keys, values;
        QVERIFY(keys.resize(kernels::packed_keys_size(shape)));
        QVERIFY(values.resize(kernels::packed_values_size(shape)));
        kernels::pack_keys_values(shape, k.data(), v.data(), head, keys.data(), values.data());
        std::vector<float> out(whole.size());
        for (std::size_t first = 0, rows = 1; first < c.context; first += rows, rows = rows * 2 + 5) {
          rows = std::min(rows, c.context - first);
          kernels::attend(shape, q.data() + first * head, head, first, rows, keys.data(), values.data(),
                          out.data() + first * head, head);
        }
        QVERIFY2(out == whole, target);
      });
  }

  void later_tokens_have_no_effect() {
    for (const Case& c : {Case{200, 16, 0, 16, 16}, Case{200, 32, 0, 32, 32, kernels::Compute::Fast}}) {
      auto q = testing::normal_values(c.context * c.head_dim, 4),
           k = testing::normal_values(c.context * c.head_dim, 5),
           v = testing::normal_values(c.context * c.head_dim, 6);
      const auto before = blocked(c, q, k, v);
      const std::size_t unseen = 120 * c.head_dim;
      for (std::size_t i = unseen; i < k.size(); ++i) k[i] = v[i] = 50.0F;
      const auto after = blocked(c, q, k, v);
      QVERIFY(
          std::equal(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(unseen), after.begin()));
      QVERIFY(before != after);
    }
  }

  void nan_reaches_the_output() {
    const Case c{40, 8, 0, 8, 8};
    const auto q = testing::normal_values(c.context * 8, 4), v = testing::normal_values(c.context * 8, 6);
    auto k = testing::normal_values(c.context * 8, 5);
    k[20 * 8] = std::nanf("");
    const auto out = blocked(c, q, k, v);
    QVERIFY(!std::isnan(out[19 * 8]));
    QVERIFY(std::isnan(out[20 * 8]));
  }
};

QTEST_APPLESS_MAIN(AttentionTest)
#include "tst_attention.moc"
