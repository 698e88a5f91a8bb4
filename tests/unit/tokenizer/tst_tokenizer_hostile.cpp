// Metadata that lies: each lie gives one clear error or warning that names the key.
#include <QTest>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "core/tokenizer/tokenizer.h"
#include "small_vocabularies.h"

using namespace bitlens;
using namespace bitlens::test;

namespace {

using Change = std::function<void(io::Metadata&)>;

template <typename T>
io::MetadataArray array(std::size_t count, T value) {
  return std::vector<T>(count, value);
}

io::Metadata spm() {
  return sentencepiece({{"a"}, {"b"}, {"\u2581"}});
}  // 262 tokens
io::Metadata bpe() {
  return byte_bpe("gpt-2", {}, {"a b", "ab c"});
}  // 258 tokens

}  // namespace
Q_DECLARE_METATYPE(Change)

class TestTokenizerHostile : public QObject {
  Q_OBJECT

 private slots:
  void errors_data() {
    QTest::addColumn<bool>("spm_kind");
    QTest::addColumn<Change>("change");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("message");  // part of Error::describe()
    const auto row = [](const char* name, bool is_spm, Change change, ErrorCode code, const char* message) {
      QTest::newRow(name) << is_spm << change << static_cast<int>(code) << QString(message);
    };
    const auto set = [](const char* key, io::MetadataValue value) -> Change {
      return [=](io::Metadata& m) { m.set(key, value); };
    };
    const auto drop = [](const char* key) -> Change { return [=](io::Metadata& m) { m.erase(key); }; };
    const auto text = [](const char* s) { return io::MetadataValue(std::string(s)); };
    const auto bad = ErrorCode::BadFile, unsupported = ErrorCode::Unsupported;

    row("no model", true, drop("tokenizer.ggml.model"), bad, "tokenizer.ggml.model: is missing");
    row("model of another type", true, set("tokenizer.ggml.model", std::uint32_t{1}), bad,
        "tokenizer.ggml.model");
    row("unknown model", true, set("tokenizer.ggml.model", text("foo")), unsupported,
        "unknown tokenizer \"foo\"; known are llama and gpt2");
    row("model that is known elsewhere", true, set("tokenizer.ggml.model", text("bert")), unsupported,
        "unknown tokenizer \"bert\"");
    row("model with control characters", true, set("tokenizer.ggml.model", text("\x1b[31m")), unsupported,
        "\\x1B[31m");
    row("unknown pre-tokenizer", false, set("tokenizer.ggml.pre", text("foo")), unsupported,
        "tokenizer.ggml.pre: unknown pre-tokenizer \"foo\"; known are gpt-2, mpt");
    row("pre-tokenizer of another type", false, set("tokenizer.ggml.pre", true), bad, "tokenizer.ggml.pre");
    row("empty pre-tokenizer", false, set("tokenizer.ggml.pre", text("")), unsupported,
        "unknown pre-tokenizer \"\"");

    row("no tokens", true, drop("tokenizer.ggml.tokens"), bad, "tokenizer.ggml.tokens: is missing");
    row("tokens not an array", true, set("tokenizer.ggml.tokens", text("a")), bad,
        "tokenizer.ggml.tokens: has a value of type");
    row("tokens not strings", true, set("tokenizer.ggml.tokens", array<std::int32_t>(4, 1)), bad,
        "expected an array of strings");
    row("empty tokens", true, set("tokenizer.ggml.tokens", array<std::string>(0, "")), bad,
        "tokenizer.ggml.tokens: is empty");

    row("no scores", true, drop("tokenizer.ggml.scores"), bad, "tokenizer.ggml.scores: is missing");
    row("too few scores", true, set("tokenizer.ggml.scores", array<float>(261, 0)), bad,
        "tokenizer.ggml.scores: has 261 entries of");
    row("too many scores", true, set("tokenizer.ggml.scores", array<float>(263, 0)), bad, "expected 262 of");
    row("scores of one byte", true, set("tokenizer.ggml.scores", array<std::int8_t>(262, 0)), bad,
        "tokenizer.ggml.scores: has 262 entries of");
    row("scores of eight bytes", true, set("tokenizer.ggml.scores", array<double>(262, 0)), bad,
        "expected 262 of");
    row("scores of strings", true, set("tokenizer.ggml.scores", array<std::string>(262, "0")), bad,
        "expected 262 of");
    row("a score that is no number", true, set("tokenizer.ggml.scores", array<float>(262, std::nanf(""))),
        bad, "tokenizer.ggml.scores: entry 0 is nan");
    row("an infinite score", true,
        set("tokenizer.ggml.scores", array<float>(262, -std::numeric_limits<float>::infinity())), bad,
        "expected a finite score");

    row("too few types", true, set("tokenizer.ggml.token_type", array<std::int32_t>(3, 1)), bad,
        "tokenizer.ggml.token_type: has 3 entries of");
    row("types of eight bytes", false, set("tokenizer.ggml.token_type", array<std::int64_t>(258, 1)), bad,
        "tokenizer.ggml.token_type: has 258 entries of");
    row("types not an array", false, set("tokenizer.ggml.token_type", std::uint32_t{1}), bad,
        "tokenizer.ggml.token_type: has a value of type");

    row("no merges", false, drop("tokenizer.ggml.merges"), bad, "tokenizer.ggml.merges: is missing");
    row("merges of numbers", false, set("tokenizer.ggml.merges", array<std::int32_t>(2, 1)), bad,
        "tokenizer.ggml.merges");
    row("a merge without a space", false,
        set("tokenizer.ggml.merges", io::MetadataArray(std::vector<std::string>{"a b", "ab"})), bad,
        "tokenizer.ggml.merges: merge 1 \"ab\" has no space");
    row("an empty merge", false, set("tokenizer.ggml.merges", array<std::string>(1, "")), bad,
        "merge 0 \"\" has no space");
    row("a merge of one part", false, set("tokenizer.ggml.merges", array<std::string>(1, "a ")), bad,
        "has an empty part");
    row("a merge of three parts", false, set("tokenizer.ggml.merges", array<std::string>(1, "a b c")), bad,
        "has more than two parts");
    row("a merge of an unknown part", false, set("tokenizer.ggml.merges", array<std::string>(1, "a zz")), bad,
        "merge 0 \"a zz\" needs \"zz\", which is not in the vocabulary");
    row("a merge into nothing", false, set("tokenizer.ggml.merges", array<std::string>(1, "x y")), bad,
        "makes a token that is not in the vocabulary");

    row("add_bos_token of another type", true, set("tokenizer.ggml.add_bos_token", text("yes")), bad,
        "tokenizer.ggml.add_bos_token");
    row("add_space_prefix of another type", true, set("tokenizer.ggml.add_space_prefix", 1.0f), bad,
        "tokenizer.ggml.add_space_prefix");
  }
  void errors() {
    QFETCH(bool, spm_kind);
    QFETCH(Change, change);
    QFETCH(int, code);
    QFETCH(QString, message);
    io::Metadata metadata = spm_kind ? spm() : bpe();
    change(metadata);
    const auto made = tokenizer::make_tokenizer(metadata, "hostile.gguf");
    QVERIFY(!made);
    const QString described = QString::fromStdString(made.error().describe());
    QCOMPARE(static_cast<int>(made.error().code), code);
    QVERIFY2(described.startsWith("hostile.gguf: ") && described.contains(message), qPrintable(described));
  }

  void warnings_data() {
    QTest::addColumn<bool>("spm_kind");
    QTest::addColumn<Change>("change");
    QTest::addColumn<QString>("message");
    const auto row = [](const char* name, bool is_spm, Change change, const char* message) {
      QTest::newRow(name) << is_spm << change << QString(message);
    };
    const auto set = [](const char* key, io::MetadataValue value) -> Change {
      return [=](io::Metadata& m) { m.set(key, value); };
    };
    const auto token = [](std::size_t id, const char* spelling) -> Change {
      return [=](io::Metadata& m) {
        auto tokens = **m.get_array<std::string>("tokenizer.ggml.tokens");
        tokens[id] = spelling;
        m.set("tokenizer.ggml.tokens", io::MetadataArray(tokens));
      };
    };
    const auto type = [](std::size_t id, std::int32_t number) -> Change {
      return [=](io::Metadata& m) {
        auto types = **m.get_array<std::int32_t>("tokenizer.ggml.token_type");
        types[id] = number;
        m.set("tokenizer.ggml.token_type", io::MetadataArray(types));
      };
    };
    row(
        "no pre-tokenizer", false, [](io::Metadata& m) { m.erase("tokenizer.ggml.pre"); },
        "tokenizer.ggml.pre is missing");
    row("pre-tokenizer \"default\"", false, set("tokenizer.ggml.pre", std::string("default")),
        "tokenizer.ggml.pre is \"default\"");
    row(
        "no types", true, [](io::Metadata& m) { m.erase("tokenizer.ggml.token_type"); },
        "tokenizer.ggml.token_type is missing");
    row("type 0", true, type(260, 0),
        "tokenizer.ggml.token_type: entries outside 1..6, taken as normal: 1 (the first: 0 for id 260)");
    row("type 7", false, type(257, 7), "the first: 7 for id 257");
    row("type -1", false, type(257, -1), "the first: -1 for id 257");
    row("duplicate token", true, token(260, "a"),
        "for which the lowest id is used: 1 (the first: id 260, \"a\")");
    row("empty token", true, token(260, ""), "tokenizer.ggml.tokens: empty tokens, never produced: 1");
    row("malformed byte token", true, token(3 + 0x41, "<0xZZ>"), "marked as bytes but not spelled <0xHH>");
    row("missing byte token", true, token(3 + 0x41, "<0xZZ>"), "1 of 256 byte tokens are missing");
    row("bos past the end", true, set("tokenizer.ggml.bos_token_id", std::uint32_t{99999}),
        "tokenizer.ggml.bos_token_id: id 99999 is outside the vocabulary (262 tokens); ignored");
    row("bos 2^32 - 1", true, set("tokenizer.ggml.bos_token_id", std::uint32_t{0xFFFFFFFF}),
        "id 4294967295 is outside");
    row("bos -1", true, set("tokenizer.ggml.bos_token_id", std::int32_t{-1}), "tokenizer.ggml.bos_token_id");
    row("bos of another type", true, set("tokenizer.ggml.bos_token_id", std::string("1")),
        "tokenizer.ggml.bos_token_id");
    row("eos past the end", false, set("tokenizer.ggml.eos_token_id", std::uint64_t{1} << 40),
        "tokenizer.ggml.eos_token_id: id 1099511627776 is outside");
    row("unk past the end", false, set("tokenizer.ggml.unknown_token_id", std::uint32_t{258}),
        "tokenizer.ggml.unknown_token_id: id 258 is outside");
    row("bos wanted but not named", false, set("tokenizer.ggml.add_bos_token", true),
        "the file names no BOS token: none is added");
    row("bos wanted but out of range", true, set("tokenizer.ggml.bos_token_id", std::uint32_t{262}),
        "none is added");
  }
  void warnings() {
    QFETCH(bool, spm_kind);
    QFETCH(Change, change);
    QFETCH(QString, message);
    io::Metadata metadata = spm_kind ? spm() : bpe();
    QVERIFY(tokenizer::make_tokenizer(metadata, "odd.gguf").value()->warnings().empty());
    change(metadata);
    const auto made = tokenizer::make_tokenizer(metadata, "odd.gguf");
    QVERIFY2(made.has_value(), made ? "" : made.error().describe().c_str());
    QString all;
    for (const std::string& warning : (*made)->warnings()) all += QString::fromStdString(warning) + "\n";
    QVERIFY2(all.contains(message), qPrintable(all));
    if (message.contains("bos_token_id") || message.contains("none is added")) {
      QVERIFY(!(*made)->bos());
      QVERIFY(!(*made)->adds_bos());
    }
    QVERIFY((*made)->encode("ab ba").has_value());
  }

  void duplicates_stand_for_the_lowest_id_text_can_become() {
    const auto made =
        tokenizer::make_tokenizer(sentencepiece({{"a", kControl}, {"a"}, {"a"}, {"\u2581"}}), "odd.gguf");
    QVERIFY(made.has_value());
    QCOMPARE((*made)->encode("a").value(), (std::vector<tokenizer::TokenId>{262, 260}));
  }

  void tokens_may_be_long_and_not_utf8() {
    const std::string huge(std::size_t{10} << 20, 'a');
    const auto made = tokenizer::make_tokenizer(
        sentencepiece({{"a"}, {"aa"}, {huge}, {"\xFF\xFE"}, {"\u2581"}}), "odd.gguf");
    QVERIFY(made.has_value());
    QCOMPARE((*made)->encode("aaa").value(), (std::vector<tokenizer::TokenId>{263, 260, 259}));
    QCOMPARE((*made)->encode("\xFF\xFE").value(), (std::vector<tokenizer::TokenId>{263, 262}));
    QCOMPARE((*made)->decode(261), huge);
    const std::string long_one(std::size_t{1} << 20, 'a');
    const io::Metadata user = byte_bpe("gpt-2", {{long_one, kUserDefined}, {"\xFF", kUserDefined}});
    const auto bpe_made = tokenizer::make_tokenizer(user, "odd.gguf");
    QVERIFY(bpe_made.has_value());
    QCOMPARE((*bpe_made)->encode("b" + long_one + "\xFF").value(),
             (std::vector<tokenizer::TokenId>{'b', 256, 257}));
  }

  void user_defined_tokens_have_a_budget() {
    const std::string huge(std::size_t{5} << 20, 'a');
    const auto made = tokenizer::make_tokenizer(byte_bpe("gpt-2", {{huge, kUserDefined}}), "hostile.gguf");
    QVERIFY(!made);
    QCOMPARE(made.error().describe(),
             std::string("hostile.gguf: tokenizer.ggml.tokens: holds 5242880 bytes of "
                         "user-defined tokens, at most 4194304 are accepted"));
  }

  void merges_listed_twice_count_once() {
    io::Metadata metadata = byte_bpe("gpt-2", {{"ab"}, {"bc"}});
    metadata.set("tokenizer.ggml.merges",
                 io::MetadataArray(std::vector<std::string>{"b c", "a b", "b c", "a b"}));
    const auto made = tokenizer::make_tokenizer(metadata, "odd.gguf");
    QVERIFY(made.has_value());
    QCOMPARE((*made)->encode("abc").value(), (std::vector<tokenizer::TokenId>{'a', 257}));
  }
};

QTEST_APPLESS_MAIN(TestTokenizerHostile)
#include "tst_tokenizer_hostile.moc"
