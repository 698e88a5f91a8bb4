// Means, standard errors, percentiles: against numbers worked out by hand.
#include <QtTest>

#include "core/evaluate/paired.h"

using namespace bitlens;
using evaluate::TokenResult;

namespace {
bool close(double a, double b) {
  return std::fabs(a - b) <= 1e-12 * std::max(1.0, std::fabs(b));
}
}  // namespace

class PairedTest : public QObject {
  Q_OBJECT

 private slots:
  void perplexity() {
    const std::vector<TokenResult> tokens = {{1.0}, {2.0}, {3.0}, {6.0}};
    const auto p = evaluate::subject_perplexity(tokens, 2);
    QVERIFY(close(p.nll_mean, 3.0));
    QVERIFY(close(p.ppl, std::exp(3.0)));
    // E[x^2] = 12.5, minus 9, over 3
    QVERIFY(close(p.nll_se, std::sqrt(3.5 / 3.0)));
    QVERIFY(close(p.ppl_se, std::sqrt(3.5 / 3.0) * std::exp(3.0)));
    QCOMPARE(p.windows, std::uint64_t{2});
    QCOMPARE(p.scored_tokens, std::uint64_t{4});
  }

  void comparison() {
    const std::vector<TokenResult> tokens = {
        {1.0, 1.5, 0.1, true}, {2.0, 1.0, 0.4, false}, {3.0, 3.0, 0.0, true}, {2.0, 1.5, 0.3, true}};
    const auto c = evaluate::compare(tokens, 1);
    QVERIFY(close(c.base.nll_mean, 1.75));
    QVERIFY(close(c.kl_mean, 0.2));
    QVERIFY(close(c.kl_se, std::sqrt((0.01 + 0.04 + 0.04 + 0.01) / 4.0 / 3.0)));
    QVERIFY(close(c.kl_median, 0.2));
    QVERIFY(close(c.kl_p90, 0.37));
    QVERIFY(close(c.kl_p99, 0.397));
    QVERIFY(close(c.kl_max, 0.4));
    QVERIFY(close(c.ln_ratio, 0.25));
    // differences -0.5, 1, 0, 0.5 about 0.25
    QVERIFY(close(c.ln_ratio_se, std::sqrt((0.5625 + 0.5625 + 0.0625 + 0.0625) / 4.0 / 3.0)));
    QVERIFY(close(c.top1_agreement, 0.75));
    double squares = 0.0;
    for (const TokenResult& t : tokens) squares += std::pow(std::exp(-t.nll) - std::exp(-t.base_nll), 2);
    QVERIFY(close(c.delta_p_rms, std::sqrt(squares / 4.0)));
  }

  void percentiles() {
    QCOMPARE(evaluate::percentile({5.0}, 0.99), 5.0);
    QCOMPARE(evaluate::percentile({0.0, 10.0}, 0.25), 2.5);
    QCOMPARE(evaluate::percentile({0.0, 1.0, 2.0}, 1.0), 2.0);
    QCOMPARE(evaluate::percentile({0.0, 1.0, 2.0}, 0.0), 0.0);
  }

  void one_token_has_no_error_bar() {
    const auto p = evaluate::subject_perplexity({{2.0}}, 1);
    QCOMPARE(p.nll_se, 0.0);
  }
};

QTEST_APPLESS_MAIN(PairedTest)
#include "tst_paired.moc"
