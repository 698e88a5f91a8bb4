// The model, text and tasks that come with Bitlens, as a PyTorch forward of the same weights sees them (made
// by resources/sample/evaluate.py): same tokens, same perplexity, same answers.
#include <QtTest>
#include <nlohmann/json.hpp>

#include "core/base/atomic_file.h"
#include "core/base/hash.h"
#include "core/study/tasks.h"

using namespace bitlens;

class SampleGolden : public QObject {
  Q_OBJECT

  nlohmann::json reference_;
  std::shared_ptr<const study::ModelSession> session_;
  std::shared_ptr<const study::TokenizedText> text_;
  ThreadPool pool_;

 private slots:
  void initTestCase() {
    const auto content = read_file(BITLENS_SOURCE_DIR "/tests/data/sample_reference.json", 1U << 20U);
    QVERIFY(content.has_value());
    reference_ = nlohmann::json::parse(*content);
    auto session = study::open_model(BITLENS_SOURCE_DIR "/resources/sample/sample-f16.gguf");
    QVERIFY2(session, session ? "" : session.error().describe().c_str());
    session_ = *session;
    const auto text = study::load_text(BITLENS_SOURCE_DIR "/resources/sample/heldout.txt");
    QVERIFY(text.has_value());
    const auto tokens = study::tokenize(*session_, *text);
    QVERIFY2(tokens, tokens ? "" : tokens.error().describe().c_str());
    text_ = *tokens;
  }

  void the_files_are_those_the_figures_are_of() {
    const auto hash = session_->file().sha256(WorkContext{pool_});
    QVERIFY(hash.has_value());
    QCOMPARE(*hash, reference_["model_sha256"].get<std::string>());
    QCOMPARE(text_->text->sha256, reference_["text_sha256"].get<std::string>());
  }

  void the_tokens_are_the_same() {
    // BOS, which the model adds, is not among the reference's.
    QVERIFY((*session_->tokenizer)->adds_bos());
    QCOMPARE(text_->tokens.size(), reference_["tokens"].get<std::size_t>() + 1);
    std::string bytes;
    for (std::size_t i = 1; i < text_->tokens.size(); ++i)
      for (int shift = 0; shift < 32; shift += 8)
        bytes += static_cast<char>(text_->tokens[i] >> shift & 0xFF);
    QCOMPARE(sha256_hex(bytes), reference_["token_ids_sha256_u32le"].get<std::string>());
  }

  void the_perplexity_is_the_same_data() {
    QTest::addColumn<int>("row");
    for (int row = 0; row < static_cast<int>(reference_["windows"].size()); ++row)
      QTest::addRow("context %d", reference_["windows"][static_cast<std::size_t>(row)]["context"].get<int>())
          << row;
  }
  void the_perplexity_is_the_same() {
    QFETCH(int, row);
    const nlohmann::json& expected = reference_["windows"][static_cast<std::size_t>(row)];
    study::MeasureRequest request;
    request.subject = session_;
    request.text = text_;
    request.options.context = expected["context"].get<std::uint32_t>();
    const auto result = study::measure(request, WorkContext{pool_});
    QVERIFY2(result, result ? "" : result.error().describe().c_str());
    const evaluate::Perplexity& found = result->measurement.perplexity;
    QCOMPARE(found.windows, expected["count"].get<std::uint64_t>());
    QCOMPARE(found.scored_tokens, expected["scored"].get<std::uint64_t>());
    const double truth = expected["perplexity_f64"].get<double>();
    QVERIFY2(std::fabs(found.ppl - truth) < 1e-4, qPrintable(QString::number(found.ppl, 'g', 10)));
    QVERIFY(std::fabs(found.ppl_se / expected["error"].get<double>() - 1) < 1e-3);
  }

  void the_answers_are_the_same() {
    const auto tasks = study::load_tasks(BITLENS_SOURCE_DIR "/resources/sample/tasks.json");
    QVERIFY2(tasks, tasks ? "" : tasks.error().describe().c_str());
    study::TaskRequest request;
    request.subject = session_;
    request.tasks = *tasks;
    const auto report = study::score_tasks(request, WorkContext{pool_});
    QVERIFY2(report, report ? "" : report.error().describe().c_str());
    const nlohmann::json& expected = reference_["tasks"];
    QCOMPARE(report->subject.kinds.size() + 1, expected.size());
    for (const evaluate::TaskScore& score : report->subject.kinds) {
      // One item of forty may hang on the last bits of two equally likely candidates.
      const double difference = std::fabs(score.accuracy() - expected[score.kind].get<double>());
      QVERIFY2(difference < 1.5 / static_cast<double>(score.items), score.kind.c_str());
      const double guessing = std::sqrt(score.chance * (1 - score.chance) / static_cast<double>(score.items));
      QVERIFY2(score.accuracy() > score.chance + 4 * guessing, score.kind.c_str());
    }
    QVERIFY(std::fabs(report->subject.all.accuracy() - expected["all"].get<double>()) < 0.005);
    QVERIFY(report->subject.all.accuracy() > 0.85);
  }
};

QTEST_APPLESS_MAIN(SampleGolden)
#include "tst_sample_golden.moc"
