// stories260K, a real model: its perplexity, and the divergence of whole recipes with 8-bit activations, as
// the reference implementation measured them.
#include "tests/golden/evaluate/golden.h"

using namespace bitlens;

class StoriesGolden : public QObject {
  Q_OBJECT

  nlohmann::json results_;
  evaluate::Options options_;
  std::optional<testing::Subject> subject_;

 private slots:
  void initTestCase() {
    for (const char* name :
         {"models/stories260K-f32.gguf", "texts/tinystories.txt", "golden/stories260K/results.json"})
      if (!QFile::exists(testing::shared(name)))
        QSKIP(qPrintable(QString("needs the shared test data: %1").arg(QLatin1String(name))));
    results_ = nlohmann::json::parse(testing::content(testing::shared("golden/stories260K/results.json")));
    options_.context = 256;
    auto subject = testing::prepare(testing::shared("models/stories260K-f32.gguf"),
                                    testing::shared("texts/tinystories.txt"), options_);
    QVERIFY2(subject, subject ? "" : subject.error().describe().c_str());
    subject_ = std::move(*subject);
    QCOMPARE(subject_->windows.inputs.size(), results_["protocol"]["chunks"].get<std::size_t>());
  }

  void perplexity_of_the_model_as_it_is() {
    ThreadPool pool;
    const auto source = run::file_weights(subject_->model);
    const auto measured = evaluate::measure(*source, nullptr, subject_->windows, options_, WorkContext{pool});
    QVERIFY2(measured, measured ? "" : measured.error().describe().c_str());
    QCOMPARE(measured->perplexity.scored_tokens, results_["protocol"]["scored_tokens"].get<std::uint64_t>());
    // Exact to 2e-5; the reference's own figure has keys and values rounded to F16 and is 1.5e-4 higher.
    QVERIFY2(std::fabs(measured->perplexity.ppl - 5.01704) < 2e-5,
             qPrintable(QString::number(measured->perplexity.ppl, 'g', 9)));
    const auto reference = testing::row(results_, "whole_model", "F32", "amx");
    QVERIFY(std::fabs(measured->perplexity.ppl - reference["ppl"].get<double>()) < 3e-4);
    QVERIFY(std::fabs(measured->perplexity.ppl_se - reference["ppl_err"].get<double>()) < 1e-4);
    QCOMPARE(measured->warnings.size(), std::size_t{1});  // windows of 256, trained for 128
  }

  void divergence_of_recipes_data() {
    QTest::addColumn<QString>("format");
    for (const char* format : {"Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0"}) QTest::newRow(format) << format;
  }
  void divergence_of_recipes() {
    QFETCH(QString, format);
    const auto reference = testing::row(results_, "whole_model", format.toStdString(), "amx");
    QVERIFY(reference.is_object());
    quantize::Recipe recipe;
    recipe.rules = {
        {"output.weight", kernels::Format::Q8_0, std::nullopt},
        {"blk.*.ffn_down.weight", kernels::Format::F16, std::nullopt}};  // 172 wide: no blocks of 32
    recipe.fallback = kernels::find_format(format.toStdString())->format;
    evaluate::Options options = options_;
    options.activations = evaluate::Activations::Q8;
    const auto measured = testing::compare(*subject_, recipe, kernels::Quantizer::Rtn, options);
    QVERIFY2(measured, measured ? "" : measured.error().describe().c_str());
    const double kl = measured->comparison->kl_mean, expected = reference["kld_mean"].get<double>();
    QVERIFY2(std::fabs(kl / expected - 1.0) < 0.02,
             qPrintable(QString("%1, expected %2").arg(kl).arg(expected)));
    const double top = 100.0 * measured->comparison->top1_agreement;
    QVERIFY(std::fabs(top - reference["same_top1_percent"].get<double>()) < 0.3);
  }
};

QTEST_APPLESS_MAIN(StoriesGolden)
#include "tst_stories_golden.moc"
