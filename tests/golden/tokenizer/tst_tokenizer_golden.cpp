// Tokenizers against the ids of a reference implementation: 46 texts per vocabulary, and whole files by hash.
#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>
#include <memory>
#include <string>
#include <vector>

#include "core/io/model_file.h"
#include "core/tokenizer/tokenizer.h"

using namespace bitlens;
using bitlens::tokenizer::TokenId;

namespace {

const QString kShared = QStringLiteral(BITLENS_SHARED "/");
const QString kVectors = kShared + "golden/tokenizers/";
const QString kSmolLm = kShared + "models/smollm2-135m-instruct-q4_1.gguf";

QByteArray read(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

std::shared_ptr<const tokenizer::Tokenizer> open(const QString& path) {
  const auto file = io::open_gguf(path.toStdString());
  if (!file) {
    qWarning("%s", file.error().describe().c_str());
    return nullptr;
  }
  auto made = tokenizer::make_tokenizer((*file)->metadata(), path.toStdString());
  if (!made) qWarning("%s", made.error().describe().c_str());
  return made.value_or(nullptr);
}

/// The texts of an .inp file: the separator is a line of its own.
std::vector<std::string> texts_of(const QByteArray& inp) {
  const QByteArray separator = "\n__ggml_vocab_test__\n";
  std::vector<std::string> out;
  for (qsizetype begin = 0; begin <= inp.size();) {
    const qsizetype end = inp.indexOf(separator, begin);
    out.push_back(inp.mid(begin, end < 0 ? -1 : end - begin).toStdString());
    if (end < 0) break;
    begin = end + separator.size();
  }
  return out;
}

std::vector<TokenId> ids_of(const QByteArray& line) {
  std::vector<TokenId> out;
  for (const QByteArray& number : line.split(' '))
    if (!number.isEmpty()) out.push_back(number.toInt());
  return out;
}

#define NEEDS(path)             \
  if (!QFileInfo::exists(path)) \
  QSKIP(qPrintable("needs the shared test data: " + QDir(kShared).relativeFilePath(path)))

}  // namespace

class TestTokenizerGolden : public QObject {
  Q_OBJECT

 private slots:
  void vectors_data() {
    QTest::addColumn<QString>("vocabulary");
    QTest::addColumn<QString>("inp");
    QTest::addColumn<QString>("out");
    QTest::addColumn<QString>("description");
    const std::pair<const char*, const char*> kinds[] = {{"llama-spm", "llama"},
                                                         {"gpt-2", "gpt2/gpt-2"},
                                                         {"starcoder", "gpt2/starcoder"},
                                                         {"deepseek-coder", "gpt2/deepseek-coder"}};
    for (const auto& [name, description] : kinds) {
      const QString file = kVectors + "ggml-vocab-" + name + ".gguf";
      QTest::newRow(name) << file << file + ".inp" << file + ".out" << description;
    }
    QTest::newRow("smollm") << kSmolLm << kVectors + "ggml-vocab-gpt-2.gguf.inp"
                            << kVectors + "smollm2-135m.out"
                            << "gpt2/smollm";
  }
  void vectors() {
    QFETCH(QString, vocabulary);
    QFETCH(QString, inp);
    QFETCH(QString, out);
    QFETCH(QString, description);
    NEEDS(vocabulary);
    NEEDS(inp);
    NEEDS(out);
    const auto made = open(vocabulary);
    QVERIFY(made);
    QCOMPARE(QString::fromStdString(made->description()), description);
    const std::vector<std::string> texts = texts_of(read(inp));
    const QList<QByteArray> lines = read(out).split('\n');
    QVERIFY(texts.size() >= 46);
    QVERIFY(static_cast<std::size_t>(lines.size()) >= texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto ids = made->encode(texts[i]);
      QVERIFY2(ids.has_value(), ids ? "" : ids.error().describe().c_str());
      const auto expected = ids_of(lines[static_cast<qsizetype>(i)]);
      QVERIFY2(*ids == expected,
               qPrintable(QString("text %1: %2").arg(i).arg(QString::fromStdString(printable(texts[i])))));
      // What the ids stand for is the text again (SentencePiece puts a space first).
      std::string back;
      for (const TokenId id : *ids) back += made->decode(id);
      const std::string head = description == "llama" && !texts[i].empty() ? " " : "";
      QCOMPARE(QByteArray::fromStdString(back), QByteArray::fromStdString(head + texts[i]));
    }
  }

  void whole_files_data() {
    QTest::addColumn<QJsonObject>("expected");
    const QJsonArray rows = QJsonDocument::fromJson(read(kVectors + "smollm2-135m.texts.json")).array();
    for (const auto& row : rows)
      QTest::newRow(qPrintable(row.toObject()["file"].toString())) << row.toObject();
    if (rows.isEmpty()) QTest::newRow("absent") << QJsonObject();
  }
  void whole_files() {
    QFETCH(QJsonObject, expected);
    NEEDS(kVectors + "smollm2-135m.texts.json");
    NEEDS(kSmolLm);
    const QString text_path = kShared + expected["file"].toString();
    NEEDS(text_path);
    const auto made = open(kSmolLm);
    QVERIFY(made);
    const auto ids = made->encode(read(text_path).toStdString());
    QVERIFY2(ids.has_value(), ids ? "" : ids.error().describe().c_str());
    QCOMPARE(static_cast<int>(ids->size()), expected["tokens"].toInt());
    QByteArray bytes;  // little-endian u32
    for (const TokenId id : *ids)
      for (int shift = 0; shift < 32; shift += 8) bytes.append(static_cast<char>((id >> shift) & 0xFF));
    QCOMPARE(QString::fromLatin1(QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex()),
             expected["sha256_u32le"].toString());
  }

  void sample_model_vocabulary() {
    const QString path = kShared + "models/stories260K-f32.gguf";
    NEEDS(path);
    const auto made = open(path);
    QVERIFY(made);
    QCOMPARE(made->size(), std::size_t{512});
    QVERIFY(made->adds_bos());
    QCOMPARE(made->bos().value(), TokenId{1});
    QVERIFY(made->warnings().empty());
    const std::string text = "Once upon a time, there was a caf\xC3\xA9.\n";
    const auto ids = made->encode(text).value();
    std::string back;
    for (const TokenId id : ids) back += made->decode(id);
    QCOMPARE(back, " " + text);
  }
};

QTEST_APPLESS_MAIN(TestTokenizerGolden)
#include "tst_tokenizer_golden.moc"
