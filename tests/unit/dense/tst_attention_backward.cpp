// The backward pass of attention against the definition in double.
#include <hwy/highway.h>

#include <QtTest>

#include "kernels/dense/attention_backward.h"
#include "kernels/dense/instruction_set.h"
#include "tests/unit/dense/paths.h"
#include "tests/unit/dense/samples.h"

using namespace bitlens;

namespace {

struct Case {
  kernels::AttentionShape shape;
  std::size_t query_stride, key_stride;
  std::vector<float> q, k, v;

  Case(std::size_t context, std::size_t head, std::size_t window, float sharpness)
      : shape{context, head, window},
        query_stride(3 * head),
        key_stride(2 * head),
        q(testing::normal_values(context * query_stride, 1, sharpness)),
        k(testing::normal_values(context * key_stride, 2)),
        v(testing::normal_values(context * key_stride, 3)) {}
  /// The gradient at the output, rows query_stride apart.
  [[nodiscard]] std::vector<float> output(unsigned seed) const {
    return testing::normal_values(shape.context * query_stride, 100 + seed);
  }
};

/// Gradients of one output gradient: queries, keys, values, [context x head_dim] each.
struct Gradients {
  std::vector<double> queries, keys, values;
};

Gradients reference(const Case& c, const std::vector<float>& output) {
  const std::size_t n = c.shape.context, dim = c.shape.head_dim, window = c.shape.sliding_window;
  const double scale = 1.0 / std::sqrt(static_cast<double>(dim));
  Gradients out{std::vector<double>(n * dim), std::vector<double>(n * dim), std::vector<double>(n * dim)};
  const auto product = [&](const std::vector<float>& a, std::size_t at, const std::vector<float>& b,
                           std::size_t bt) {
    double sum = 0.0;
    for (std::size_t i = 0; i < dim; ++i)
      sum += static_cast<double>(a[at + i]) * static_cast<double>(b[bt + i]);
    return sum;
  };
  for (std::size_t r = 0; r < n; ++r) {
    const std::size_t low = window != 0 && r + 1 > window ? r + 1 - window : 0;
    std::vector<double> shares(r + 1, 0.0), slopes(r + 1, 0.0);
    double largest = -1e300, sum = 0.0, mean = 0.0;
    for (std::size_t t = low; t <= r; ++t) {
      shares[t] = scale * product(c.q, r * c.query_stride, c.k, t * c.key_stride);
      largest = std::max(largest, shares[t]);
      slopes[t] = product(output, r * c.query_stride, c.v, t * c.key_stride);
    }
    for (std::size_t t = low; t <= r; ++t) sum += shares[t] = std::exp(shares[t] - largest);
    for (std::size_t t = low; t <= r; ++t) mean += (shares[t] /= sum) * slopes[t];
    for (std::size_t t = low; t <= r; ++t) {
      const double slope = shares[t] * (slopes[t] - mean) * scale;
      for (std::size_t i = 0; i < dim; ++i) {
        out.queries[r * dim + i] += slope * static_cast<double>(c.k[t * c.key_stride + i]);
        out.keys[t * dim + i] += slope * static_cast<double>(c.q[r * c.query_stride + i]);
        out.values[t * dim + i] += shares[t] * static_cast<double>(output[r * c.query_stride + i]);
      }
    }
  }
  return out;
}

/// What attend_backward() gives for these output gradients, in the layout of `Gradients`: queries, then keys,
/// then values of each. Keys and values start from `before`.
std::vector<std::vector<float>> blocked(const Case& c, const std::vector<std::vector<float>>& outputs,
                                        float before) {
  const std::size_t n = c.shape.context, dim = c.shape.head_dim;
  kernels::FloatBuffer packed;
  if (!packed.resize(kernels::packed_backward_size(c.shape))) return {};
  kernels::pack_backward(c.shape, c.k.data(), c.v.data(), c.key_stride, packed.data());
  std::vector<std::vector<float>> queries, keys, values;
  std::vector<kernels::AttentionGradient> gradients;
  for (std::size_t g = 0; g < outputs.size(); ++g) {
    queries.emplace_back(n * c.query_stride, 9.0F);
    keys.emplace_back(n * c.key_stride, before);
    values.emplace_back(n * c.key_stride, before);
  }
  for (std::size_t g = 0; g < outputs.size(); ++g)
    gradients.push_back({outputs[g].data(), queries[g].data(), keys[g].data(), values[g].data()});
  kernels::AttentionScratch scratch;
  if (!kernels::attend_backward(c.shape, {c.q.data(), c.query_stride, packed.data()}, gradients.data(),
                                gradients.size(), c.key_stride, scratch))
    return {};
  std::vector<std::vector<float>> out;
  const auto take = [&](const std::vector<float>& rows, std::size_t stride) {
    std::vector<float>& to = out.emplace_back();
    for (std::size_t t = 0; t < n; ++t)
      for (std::size_t i = 0; i < dim; ++i) to.push_back(rows[t * stride + i]);
  };
  for (std::size_t g = 0; g < outputs.size(); ++g) {
    take(queries[g], c.query_stride);
    take(keys[g], c.key_stride);
    take(values[g], c.key_stride);
  }
  return out;
}

double largest(const std::vector<double>& values) {
  double most = 0.0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

}  // namespace

class AttentionBackwardTest : public QObject {
  Q_OBJECT

 private slots:
  void matches_the_definition_data() {
    QTest::addColumn<int>("context");
    QTest::addColumn<int>("head_dim");
    QTest::addColumn<int>("window");
    QTest::addColumn<float>("sharpness");
    QTest::newRow("one token") << 1 << 32 << 0 << 1.0F;
    QTest::newRow("less than a tile") << 31 << 6 << 0 << 1.0F;
    QTest::newRow("several key blocks") << 601 << 64 << 0 << 1.0F;
    QTest::newRow("odd head, sharp scores") << 300 << 33 << 0 << 6.0F;
    QTest::newRow("sliding window") << 601 << 48 << 100 << 1.0F;
    QTest::newRow("window of one") << 120 << 80 << 1 << 1.0F;
  }
  void matches_the_definition() {
    QFETCH(int, context);
    QFETCH(int, head_dim);
    QFETCH(int, window);
    QFETCH(float, sharpness);
    Case c(static_cast<std::size_t>(context), static_cast<std::size_t>(head_dim),
           static_cast<std::size_t>(window), sharpness);
    const std::vector<std::vector<float>> outputs = {c.output(0), c.output(1)};
    const Gradients expected[] = {reference(c, outputs[0]), reference(c, outputs[1])};
    for (const kernels::Compute compute : {kernels::Compute::Exact, kernels::Compute::Fast}) {
      c.shape.compute = compute;
      testing::on_every_path([&](const char* target) {
        const bool tiles = compute == kernels::Compute::Fast && kernels::uses_tiles() && head_dim >= 32;
        const auto found = blocked(c, outputs, 0.0F);
        QCOMPARE(found.size(), std::size_t{6});
        for (std::size_t g = 0; g < 2; ++g) {
          const std::vector<double>* sides[] = {&expected[g].queries, &expected[g].keys, &expected[g].values};
          for (std::size_t side = 0; side < 3; ++side) {
            // A window of one token leaves nothing to choose: those gradients are zeros.
            const double scale = std::max(1.0, largest(*sides[side]));
            const double off = testing::largest_difference(found[3 * g + side], *sides[side]) / scale;
            QVERIFY2(off < (tiles ? 1e-2 : 1e-5),
                     qPrintable(QString("%1, %2: %3").arg(QLatin1String(target)).arg(side).arg(off)));
          }
        }
      });
    }
  }

  // Whoever goes with it, and whatever keys and values hold already.
  void gradients_do_not_depend_on_each_other() {
    Case c(203, 40, 70, 2.0F);
    const std::vector<std::vector<float>> outputs = {c.output(0), c.output(1), c.output(2)};
    for (const kernels::Compute compute : {kernels::Compute::Exact, kernels::Compute::Fast}) {
      c.shape.compute = compute;
      testing::on_every_path([&](const char* target) {
        const auto together = blocked(c, outputs, 0.0F);
        const auto alone = blocked(c, {outputs[1]}, 0.0F), added = blocked(c, {outputs[1]}, 8.0F);
        QCOMPARE(together.size(), std::size_t{9});
        for (std::size_t side = 0; side < 3; ++side) QVERIFY2(together[3 + side] == alone[side], target);
        QVERIFY(added[0] == alone[0]);
        for (std::size_t side = 1; side < 3; ++side)
          for (std::size_t i = 0; i < alone[side].size(); ++i)
            QVERIFY(std::abs(added[side][i] - 8.0F - alone[side][i]) < 1e-4F);
      });
    }
  }
};

QTEST_APPLESS_MAIN(AttentionBackwardTest)
#include "tst_attention_backward.moc"
