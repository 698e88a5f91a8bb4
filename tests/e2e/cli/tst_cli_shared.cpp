// The command line on real models, against figures of a reference implementation (golden results).
#include <QtTest>
#include <fstream>

#include "tests/e2e/cli/cli_runner.h"

using namespace bitlens::test;
using nlohmann::json;

namespace {

QString shared(const char* file) {
  return QStringLiteral(BITLENS_SHARED "/") + file;
}

}  // namespace

#define NEEDS_SHARED(file) \
  if (!QFile::exists(shared(file))) QSKIP("needs the shared test data: " file)

class TestCliShared : public QObject {
  Q_OBJECT
 private slots:
  void stories_perplexity() {
    NEEDS_SHARED("models/stories260K-f32.gguf");
    NEEDS_SHARED("texts/tinystories.txt");
    const Outcome run = cli({"perplexity", shared("models/stories260K-f32.gguf"), "--text",
                             shared("texts/tinystories.txt"), "--context", "256", "--json"});
    QVERIFY2(run.ok(), run.describe());
    const double ppl = run.json()["ppl"].get<double>();
    QVERIFY2(std::abs(ppl - 5.01704) <= 2e-5, qPrintable(QString::number(ppl, 'g', 10)));
    QCOMPARE(run.json()["warnings"].size(), std::size_t{1});  // 256 is more than the model's own context
    QVERIFY(run.err.starts_with("warning: "));
  }

  void real_model_is_inspected() {
    NEEDS_SHARED("models/smollm2-135m-instruct-q4_1.gguf");
    const Outcome run = cli({"inspect", shared("models/smollm2-135m-instruct-q4_1.gguf"), "--json"});
    QVERIFY2(run.ok(), run.describe());
    const json result = run.json();
    QCOMPARE(result["layers"].get<int>(), 30);
    QCOMPARE(result["hyperparameters"]["width"].get<int>(), 576);
    QCOMPARE(result["hyperparameters"]["tied_output"].get<bool>(), true);
    QCOMPARE(result["tokenizer"]["description"].get<std::string>(), std::string("gpt2/smollm"));
    QCOMPARE(result["tokenizer"]["adds_bos"].get<bool>(), false);
  }

  void real_tokens_are_the_golden_ones() {
    NEEDS_SHARED("models/smollm2-135m-instruct-q4_1.gguf");
    NEEDS_SHARED("golden/tokenizers/smollm2-135m.texts.json");
    NEEDS_SHARED("texts/tinystories.txt");
    std::ifstream golden(shared("golden/tokenizers/smollm2-135m.texts.json").toStdString());
    const json expected = json::parse(golden);
    const Outcome run = cli({"tokenize", shared("models/smollm2-135m-instruct-q4_1.gguf"), "--text",
                             shared("texts/tinystories.txt"), "--json"});
    QVERIFY2(run.ok(), run.describe());
    const json ids = run.json()["ids"];
    std::string little_endian;
    for (const json& id : ids) {
      const auto value = id.get<std::uint32_t>();
      for (unsigned shift = 0; shift < 32; shift += 8)
        little_endian += static_cast<char>((value >> shift) & 0xFFU);
    }
    const auto hash =
        QCryptographicHash::hash(QByteArray::fromStdString(little_endian), QCryptographicHash::Sha256);
    for (const json& text : expected) {
      if (text["file"] != "texts/tinystories.txt") continue;
      QCOMPARE(ids.size(), text["tokens"].get<std::size_t>());
      QCOMPARE(hash.toHex().toStdString(), text["sha256_u32le"].get<std::string>());
      return;
    }
    QFAIL("the golden file does not name the text");
  }
};

QTEST_GUILESS_MAIN(TestCliShared)
#include "tst_cli_shared.moc"
