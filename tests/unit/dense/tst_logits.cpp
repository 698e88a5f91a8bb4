// Log-likelihood and divergence from pieces of logits against the whole rows in long double.
#include <hwy/highway.h>

#include <QtTest>

#include "kernels/dense/logits.h"
#include "tests/unit/dense/samples.h"
#include "tests/unit/formats/targets.h"

using namespace bitlens;
using kernels::DivergenceSummary;
using kernels::LogitSummary;

namespace {

using Wide = long double;

Wide log_sum_exp(const std::vector<float>& logits) {
  Wide largest = -1e30L, sum = 0.0L;
  for (const float logit : logits) largest = std::max(largest, static_cast<Wide>(logit));
  for (const float logit : logits) sum += std::exp(static_cast<Wide>(logit) - largest);
  return largest + std::log(sum);
}

Wide divergence(const std::vector<float>& base, const std::vector<float>& subject) {
  const Wide base_sum = log_sum_exp(base), subject_sum = log_sum_exp(subject);
  Wide kl = 0.0L;
  for (std::size_t i = 0; i < base.size(); ++i) {
    const Wide p = static_cast<Wide>(base[i]) - base_sum, q = static_cast<Wide>(subject[i]) - subject_sum;
    kl += std::exp(p) * (p - q);
  }
  return kl;
}

/// In pieces of uneven length, as slabs of a vocabulary come.
LogitSummary summarize(const std::vector<float>& logits, std::uint64_t target, std::size_t piece) {
  LogitSummary summary;
  for (std::size_t i = 0; i < logits.size(); i += piece)
    kernels::summarize_logits(logits.data() + i, std::min(piece, logits.size() - i), i, target, summary);
  return summary;
}
double divergence_of(const std::vector<float>& base, const std::vector<float>& subject, std::size_t piece) {
  DivergenceSummary summary;
  for (std::size_t i = 0; i < base.size(); i += piece)
    kernels::summarize_divergence(base.data() + i, subject.data() + i, std::min(piece, base.size() - i),
                                  summary);
  return summary.divergence();
}

}  // namespace

class LogitsTest : public QObject {
  Q_OBJECT

 private slots:
  void probabilities_add_up() {
    const auto logits = testing::normal_values(1003, 11, 5.0F);
    const Wide all = log_sum_exp(logits);
    testing::on_every_target([&](const char* target) {
      const LogitSummary summary = summarize(logits, 0, logits.size());
      auto row = logits;
      kernels::to_probabilities(row.data(), row.size(), summary.largest, summary.sum);
      double total = 0.0;
      for (std::size_t i = 0; i < row.size(); ++i) {
        const auto expected = static_cast<double>(std::exp(static_cast<Wide>(logits[i]) - all));
        QVERIFY2(std::abs(static_cast<double>(row[i]) - expected) <= 4e-6 * expected, target);
        total += static_cast<double>(row[i]);
      }
      QVERIFY2(std::abs(total - 1.0) < 1e-6, target);
    });
  }

  void likelihood_matches_the_whole_row() {
    const auto logits = testing::normal_values(5003, 1, 4.0F);
    const auto best =
        static_cast<std::uint64_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    testing::on_every_target([&](const char* target) {
      for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, std::size_t{1024}, logits.size()}) {
        const LogitSummary summary = summarize(logits, 4321, piece);
        const auto expected = static_cast<double>(log_sum_exp(logits) - static_cast<Wide>(logits[4321]));
        QVERIFY2(std::fabs(summary.negative_log_likelihood() - expected) < 1e-6, target);
        QCOMPARE(summary.best, best);
      }
    });
  }

  void first_of_equal_logits_is_best() {
    std::vector<float> logits(3000, 1.0F);
    QCOMPARE(summarize(logits, 0, 1000).best, std::uint64_t{0});
    logits[700] = logits[2900] = 2.0F;
    QCOMPARE(summarize(logits, 0, 1000).best, std::uint64_t{700});
  }

  void divergence_keeps_its_digits_data() {
    QTest::addColumn<float>("noise");
    QTest::addColumn<float>("offset");
    QTest::newRow("tiny") << 1e-4F << 0.0F;
    QTest::newRow("tiny, all logits shifted") << 1e-4F << 1.0F;
    QTest::newRow("small") << 1e-2F << -0.25F;
    QTest::newRow("moderate") << 0.3F << 0.0F;
    QTest::newRow("large") << 3.0F << 5.0F;
    QTest::newRow("another distribution") << 20.0F << -30.0F;
  }
  void divergence_keeps_its_digits() {
    QFETCH(float, noise);
    QFETCH(float, offset);
    const auto base = testing::normal_values(4099, 1, 4.0F), change = testing::normal_values(4099, 2, noise);
    std::vector<float> subject(base.size());
    for (std::size_t i = 0; i < base.size(); ++i) subject[i] = base[i] + change[i] + offset;
    const auto expected = static_cast<double>(divergence(base, subject));
    testing::on_every_target([&](const char* target) {
      for (const std::size_t piece : {std::size_t{64}, std::size_t{1000}, base.size()}) {
        const double kl = divergence_of(base, subject, piece);
        QVERIFY2(std::fabs(kl - expected) < 1e-5 * expected, qPrintable(QString("%1 %2: %3, expected %4")
                                                                            .arg(QLatin1String(target))
                                                                            .arg(piece)
                                                                            .arg(kl)
                                                                            .arg(expected)));
      }
    });
  }

  void a_confident_base_may_be_contradicted() {
    auto base = testing::normal_values(1000, 21, 3.0F);
    auto subject = testing::normal_values(1000, 22, 3.0F);
    for (const float confidence : {5.0F, 15.0F, 25.0F, 40.0F, 60.0F}) {  // nats of divergence, about
      base[123] = confidence;
      subject[123] = -confidence / 2;
      subject[700] = confidence / 2;
      const auto expected = static_cast<double>(divergence(base, subject));
      for (const std::size_t piece : {1000U, 64U, 77U}) {
        const double kl = divergence_of(base, subject, piece);
        QVERIFY2(std::fabs(kl / expected - 1) < 1e-5, qPrintable(QString("%1 %2").arg(kl).arg(expected)));
      }
    }
  }

  void equal_rows_diverge_by_exactly_nothing() {
    const auto base = testing::normal_values(3001, 3, 10.0F);
    QCOMPARE(divergence_of(base, base, 512), 0.0);
    QCOMPARE(divergence_of(base, base, 77), 0.0);
  }

  void never_negative() {
    for (unsigned seed = 0; seed < 50; ++seed) {
      const auto base = testing::normal_values(300, seed, 8.0F),
                 change = testing::normal_values(300, seed + 100, 1e-6F);
      std::vector<float> subject(base.size());
      for (std::size_t i = 0; i < base.size(); ++i) subject[i] = base[i] + change[i];
      QVERIFY(divergence_of(base, subject, 64) >= 0.0);
    }
  }

  void nan_and_infinity_show() {
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
      auto logits = testing::normal_values(900, 5);
      const auto base = logits;
      logits[600] = bad;
      QVERIFY(std::isnan(summarize(logits, 3, 128).negative_log_likelihood()));
      QVERIFY(!std::isfinite(divergence_of(base, logits, 128)));
      QVERIFY(!std::isfinite(divergence_of(logits, base, 128)));
    }
  }
};

QTEST_APPLESS_MAIN(LogitsTest)
#include "tst_logits.moc"
