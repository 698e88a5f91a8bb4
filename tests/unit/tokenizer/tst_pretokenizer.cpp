// Pre-tokenizers: the pieces against an independent engine, Unicode corners, invalid UTF-8, linear time.
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>
#include <QThread>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "core/tokenizer/pretokenizer.h"

using namespace bitlens;
using namespace bitlens::tokenizer;

namespace {

Pretokenizer make(std::string_view name) {
  auto made = Pretokenizer::create(*find_pretokenizer(name));
  return std::move(made.value());
}

/// "a| b|c" for easy reading; invalid bytes as \xHH.
QString pieces(std::string_view name, std::string_view text) {
  const auto ends = make(name).split(text);
  if (!ends) return QString::fromStdString(ends.error().describe());
  std::string out;
  std::size_t begin = 0;
  for (const std::size_t end : *ends) {
    if (begin > 0) out += '|';
    out += printable(text.substr(begin, end - begin));
    begin = end;
  }
  return QString::fromStdString(out);
}

/// Of this thread, so that a busy machine does not count.
double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

const char* const kKinds[] = {"gpt-2",        "smollm",    "falcon", "deepseek-coder",
                              "deepseek-llm", "llama-bpe", "qwen2",  "default"};

}  // namespace

class TestPretokenizer : public QObject {
  Q_OBJECT

 private slots:
  void agrees_with_the_tokenizers_library_data() {
    QTest::addColumn<QString>("kind");
    for (const char* kind :
         {"gpt-2", "smollm", "falcon", "llama-bpe", "qwen2", "deepseek-coder", "deepseek-llm"})
      QTest::newRow(kind) << kind;
  }
  void agrees_with_the_tokenizers_library() {
    QFETCH(QString, kind);
    QFile file(QStringLiteral(BITLENS_SOURCE_DIR "/tests/data/tokenizer/pretokenizer_expectations.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QJsonObject root = QJsonDocument::fromJson(file.readAll()).object();
    const QJsonArray texts = root["texts"].toArray();
    const QJsonArray all_ends = root["ends"].toObject()[kind].toArray();
    QVERIFY(texts.size() > 100);
    QCOMPARE(all_ends.size(), texts.size());
    const Pretokenizer pretokenizer = make(kind.toStdString());
    for (qsizetype i = 0; i < texts.size(); ++i) {
      const std::string text = texts[i].toString().toStdString();
      const auto ends = pretokenizer.split(text);
      QVERIFY(ends.has_value());
      std::vector<std::size_t> expected;
      for (const auto& end : all_ends[i].toArray()) expected.push_back(static_cast<std::size_t>(end.toInt()));
      QVERIFY2(*ends == expected,
               qPrintable(QString("%1: %2").arg(texts[i].toString(), pieces(kind.toStdString(), text))));
    }
  }

  void corners_data() {
    QTest::addColumn<QByteArray>("kind");
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("expected");
    const auto row = [](const char* name, const char* kind, QByteArray text, const char* expected) {
      QTest::newRow(name) << QByteArray(kind) << text << QString::fromUtf8(expected);
    };
    row("gpt-2 contractions are lower case", "gpt-2", "I'LL don't", "I|'|LL| don|'t");
    row("llama-bpe contractions are of any case", "llama-bpe", "I'LL don't", "I|'LL| don|'t");
    row("gpt-2 keeps numbers whole", "gpt-2", "a 12345", "a| 12345");
    row("smollm takes digits one by one", "smollm", "a 12345", "a| |1|2|3|4|5");
    row("llama-bpe takes digits by three", "llama-bpe", "12345", "123|45");
    row("qwen2 takes digits one by one", "qwen2", "12345", "1|2|3|4|5");
    row("falcon splits punctuation first", "falcon", " (1234", " |(|123|4");
    row("numbers of other scripts", "llama-bpe", "\u0663\u0664\u0665\u0666", "\u0663\u0664\u0665|\u0666");
    row("the last space goes with the word", "gpt-2", "a   b", "a|  | b");
    row("spaces at the end stay together", "gpt-2", "a   ", "a|   ");
    row("a lone newline before a word", "gpt-2", "a\nb", "a|\\x0A|b");
    row("newlines end at the last of them", "llama-bpe", "a \n \n  b", "a| \\x0A \\x0A| | b");
    row("punctuation takes its newlines along", "llama-bpe", "a!\n\nb", "a|!\\x0A\\x0A|b");
    row("next line is a space", "gpt-2", "a \u0085b", "a| |\\xC2\\x85|b");
    row("no-break space is a space", "gpt-2", "a\u00A0\u00A0b", "a|\u00A0|\u00A0|b");
    row("ideographic space is a space", "gpt-2", "a\u3000!", "a|\u3000|!");
    row("the Mongolian vowel separator is none", "gpt-2", "a \u180Eb", "a| \u180E|b");
    row("zero width space is none", "gpt-2", "a \u200Bb", "a| \u200B|b");
    row("long s is an s of any case", "llama-bpe", "it'\u017Fa", "it|'\u017F|a");
    row("combining marks are no letters", "gpt-2", "e\u0301a", "e|\u0301|a");
    row("stray bytes are symbols", "gpt-2", "a\xFF\xFE b", "a|\\xFF\\xFE| b");
    row("stray bytes take a space along", "gpt-2", "a \x80!b", "a| \\x80!|b");
    row("a cut-off character is stray bytes", "llama-bpe", "a\xE4\xB8", "a|\\xE4\\xB8");
    row("surrogates are stray bytes", "gpt-2", "\xED\xA0\x80z", "\\xED\\xA0\\x80|z");
    row("NUL is a symbol", "gpt-2", QByteArray("a\0\0b", 4), "a|\\x00\\x00|b");
    row("deepseek-llm isolates newlines", "deepseek-llm", "a\n\nb", "a|\\x0A|\\x0A|b");
    row("deepseek-llm trailing spaces", "deepseek-llm", "1  \xE4\xB8\xAD  ", "1|  |\xE4\xB8\xAD|  ");
    row("deepseek-coder takes punctuation with a space", "deepseek-coder", "a  ;b", "a| | ;|b");
    row("empty", "gpt-2", "", "");
  }
  void corners() {
    QFETCH(QByteArray, kind);
    QFETCH(QByteArray, text);
    QFETCH(QString, expected);
    QCOMPARE(pieces(kind.toStdString(), text.toStdString()), expected);
  }

  void aliases_share_their_patterns() {
    const std::pair<const char*, const char*> pairs[] = {
        {"mpt", "gpt-2"},        {"olmo", "gpt-2"},       {"starcoder", "smollm"},      {"refact", "smollm"},
        {"command-r", "smollm"}, {"llama3", "llama-bpe"}, {"deepseek-r1-qwen", "qwen2"}};
    for (const auto& [alias, kind] : pairs) {
      QVERIFY2(find_pretokenizer(alias), alias);
      QVERIFY2(find_pretokenizer(alias)->stages == find_pretokenizer(kind)->stages, alias);
    }
    QVERIFY(find_pretokenizer("llama-bpe")->ignore_merges && find_pretokenizer("llama-bpe")->adds_bos);
    QVERIFY(!find_pretokenizer("qwen2")->ignore_merges && !find_pretokenizer("qwen2")->adds_bos);
    QCOMPARE(find_pretokenizer("gpt-3"), nullptr);
    QCOMPARE(find_pretokenizer(""), nullptr);
    QCOMPARE(default_pretokenizer().name, std::string_view("default"));
  }

  void white_space_is_written_out() {
    QCOMPARE(with_unicode_white_space(R"(a\p{L})"), std::string(R"(a\p{L})"));
    const std::string outside = with_unicode_white_space(R"(\s\S)"),
                      inside = with_unicode_white_space(R"([^\s\p{L}])");
    QVERIFY(outside.starts_with("[\\x{9}") && outside.find("[^\\x{9}") != std::string::npos);
    QVERIFY(inside.starts_with("[^\\x{9}") && inside.ends_with("\\p{L}]"));
    QVERIFY(outside.find("\\s") == std::string::npos && outside.find("\\S") == std::string::npos);
  }

  // Eight times the text may take about eight times the processor time, nowhere near 64 times; and all of it
  // on a small stack.
  void linear_time_and_fixed_stack_data() {
    QTest::addColumn<QByteArray>("unit");
    QTest::addColumn<QByteArray>("tail");
    const auto row = [](const char* name, QByteArray unit, QByteArray tail = {}) {
      QTest::newRow(name) << unit << tail;
    };
    row("A", "A");
    row("spaces", " ");
    row("spaces before a digit", " ", "1");
    row("spaces before a symbol", " ", "\xF0\x9F\x98\x80");
    row("newlines", "\n");
    row("spaces before a newline", " ", "\n");
    row("carriage returns and line feeds", "\r\n");
    row("apostrophes", "'");
    row("digits", "7");
    row("punctuation", "!");
    row("combining mark", "\u0301");
    row("emoji", "\xF0\x9F\x98\x80");
    row("Chinese", "\xE4\xB8\xAD");
    row("ideographic spaces", "\u3000", "9");
    row("stray bytes", "\xFF");
    row("NUL", QByteArray("\0", 1));
    row("space and symbol", " \x01");
  }
  void linear_time_and_fixed_stack() {
    QFETCH(QByteArray, unit);
    QFETCH(QByteArray, tail);
    const auto build = [&](std::size_t bytes) {
      std::string text;
      while (text.size() < bytes) text.append(unit.constData(), static_cast<std::size_t>(unit.size()));
      return text + tail.toStdString();
    };
    const std::string small = build(std::size_t{128} << 10), large = build(std::size_t{1} << 20);
    std::string slow, broken;
    const std::unique_ptr<QThread> thread(QThread::create([&] {
      for (const char* kind : kKinds) {
        const Pretokenizer pretokenizer = make(kind);
        const auto seconds = [&](const std::string& text) {
          double best = 1e9;
          for (int repeat = 0; repeat < 3; ++repeat) {
            const double start = processor_seconds();
            const auto ends = pretokenizer.split(text);
            best = std::min(best, processor_seconds() - start);
            if (!ends || ends->back() != text.size()) broken += std::string(kind) + " ";
          }
          return best;
        };
        const double ratio = seconds(large) / std::max(seconds(small), 1e-4);
        if (ratio > 24) slow += std::string(kind) + ": " + std::to_string(ratio) + " ";
      }
    }));
    thread->setStackSize(256 << 10);
    thread->start();
    thread->wait();
    QCOMPARE(QString::fromStdString(broken), QString());
    QCOMPARE(QString::fromStdString(slow), QString());
  }
};

QTEST_APPLESS_MAIN(TestPretokenizer)
#include "tst_pretokenizer.moc"
