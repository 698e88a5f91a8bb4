// SmolLM2-135M, a model people use, on WikiText-2: perplexity of the published file, and the divergence that
// whole recipes cost, as the reference implementation measured them (weights only).
#include "tests/golden/evaluate/golden.h"

using namespace bitlens;

class SmolLM2Golden : public QObject {
  Q_OBJECT

  nlohmann::json results_;
  evaluate::Options options_;
  std::optional<testing::Subject> subject_;

 private slots:
  void initTestCase() {
    for (const char* name : {"models/smollm2-135m-instruct-q4_1.gguf", "texts/wikitext2-test.txt",
                             "golden/smollm2-135m/results.json"})
      if (!QFile::exists(testing::shared(name)))
        QSKIP(qPrintable(QString("needs the shared test data: %1").arg(QLatin1String(name))));
    results_ = nlohmann::json::parse(testing::content(testing::shared("golden/smollm2-135m/results.json")));
    options_.context = 512;
    options_.windows = 20;
    auto subject = testing::prepare(testing::shared("models/smollm2-135m-instruct-q4_1.gguf"),
                                    testing::shared("texts/wikitext2-test.txt"), options_);
    QVERIFY2(subject, subject ? "" : subject.error().describe().c_str());
    subject_ = std::move(*subject);
  }

  // The base's perplexity is checked with every recipe, so the published file needs no run of its own.
  void recipes_data() {
    QTest::addColumn<QString>("format");
    QTest::addColumn<bool>("search");
    QTest::newRow("Q8_0 rtn") << "Q8_0" << false;
    QTest::newRow("Q5_0 rtn") << "Q5_0" << false;
    QTest::newRow("Q4_0 rtn") << "Q4_0" << false;
    QTest::newRow("Q4_0 search") << "Q4_0" << true;
  }
  void recipes() {
    QFETCH(QString, format);
    QFETCH(bool, search);
    const auto reference = testing::row(results_, "whole_model", format.toStdString());
    QVERIFY(reference.is_object());
    quantize::Recipe recipe;
    recipe.rules = {{"token_embd.weight", kernels::Format::Q8_0, std::nullopt}};
    recipe.fallback = kernels::find_format(format.toStdString())->format;
    const auto quantizer = search ? kernels::Quantizer::Search : kernels::Quantizer::Rtn;
    const auto measured = testing::compare(*subject_, recipe, quantizer, options_);
    QVERIFY2(measured, measured ? "" : measured.error().describe().c_str());
    QCOMPARE(measured->perplexity.scored_tokens, results_["protocol"]["scored_tokens"].get<std::uint64_t>());
    const double base = measured->comparison->base.ppl, base_expected = results_["base"]["ppl"].get<double>();
    QVERIFY2(std::fabs(base / base_expected - 1.0) < 1e-4, qPrintable(QString::number(base, 'g', 9)));
    const double kl = measured->comparison->kl_mean;
    const double expected = reference["weights_decoded_to_f32"]["kld_mean"].get<double>();
    const bool near = search ? kl < 1.02 * expected : std::fabs(kl / expected - 1.0) < 0.02;
    QVERIFY2(near, qPrintable(QString("%1, expected %2").arg(kl).arg(expected)));
    if (search) return;
    const double ratio = reference["weights_decoded_to_f32"]["ln_ratio"].get<double>();
    QVERIFY(std::fabs(measured->comparison->ln_ratio - ratio) <
            0.2 * measured->comparison->ln_ratio_se + 1e-4);
  }
};

QTEST_APPLESS_MAIN(SmolLM2Golden)
#include "tst_smollm2_golden.moc"
