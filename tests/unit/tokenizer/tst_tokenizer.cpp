// Both kinds of tokenizer on vocabularies small enough to work out by hand.
#include <QTest>
#include <QThread>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/tokenizer/tokenizer.h"
#include "small_vocabularies.h"

using namespace bitlens;
using namespace bitlens::test;
using bitlens::tokenizer::TokenId;

namespace {

using Made = std::shared_ptr<const tokenizer::Tokenizer>;
using Ids = std::vector<TokenId>;

Made make(const io::Metadata& metadata) {
  auto made = tokenizer::make_tokenizer(metadata, "test.gguf");
  if (!made) qWarning("%s", made.error().describe().c_str());
  return made.value_or(nullptr);
}

Ids encode(const Made& made, std::string_view text) {
  const auto ids = made->encode(text);
  return ids ? *ids : Ids{-999};
}

std::string decode(const Made& made, const Ids& ids) {
  std::string out;
  for (const TokenId id : ids) out += made->decode(id);
  return out;
}

std::vector<Piece> words() {
  const std::string space = "\u2581";
  return {{space, kNormal, -10},         // 259
          {"a", kNormal, -11},           // 260
          {"b", kNormal, -12},           // 261
          {"ab", kNormal, -1},           // 262
          {space + "ab", kNormal, -2},   // 263
          {"ba", kNormal, -3},           // 264
          {space + space, kNormal, -4},  // 265
          {"\u4E2D", kNormal, -20},      // 266
          {"abab", kUnused, -5}};        // 267
}

}  // namespace

class TestTokenizer : public QObject {
  Q_OBJECT

 private slots:
  // --- byte-level BPE
  void bpe_merges_by_rank_inside_words() {
    // 256: "he", 257: "ll", 258: "hell", 259: "oh", 260: "\u0120he"
    const Made made = make(byte_bpe("gpt-2", {}, {"h e", "l l", "he ll", "o h", "\u0120 he"}));
    QVERIFY(made);
    QCOMPARE(made->size(), std::size_t{261});
    QCOMPARE(made->description(), std::string("gpt2/gpt-2"));
    QVERIFY(made->warnings().empty());
    QCOMPARE(encode(made, "hello"), (Ids{258, 'o'}));
    QCOMPARE(encode(made, "hellohello"), (Ids{258, 'o', 258, 'o'}));  // "oh" comes last, its h is taken
    QCOMPARE(encode(made, "hello he"), (Ids{258, 'o', 260}));
    QCOMPARE(encode(made, "o h"), (Ids{'o', ' ', 'h'}));  // nothing merges across words
    QCOMPARE(encode(made, ""), Ids{});
    QCOMPARE(made->decode(260), std::string(" he"));
    QCOMPARE(std::string(made->spelling(260)), std::string("\u0120he"));
    QCOMPARE(made->decode(-1), std::string());
    QCOMPARE(made->decode(261), std::string());
    QCOMPARE(std::string(made->spelling(1 << 30)), std::string());
  }

  void bpe_repeats_words_exactly() {
    const Made made = make(byte_bpe("gpt-2", {}, {"h e", "l l"}));
    std::string text;
    Ids expected;
    for (int i = 0; i < 1000; ++i) {
      text += "hello";
      text += i % 2 == 0 ? " " : "\n\n ";
    }
    for (const auto& id : encode(made, text)) expected.push_back(id);
    QCOMPARE(decode(made, expected), text);
    const Ids one = encode(made, "hello hello\n\n hello hello\n\n ");
    QCOMPARE(Ids(expected.begin(), expected.begin() + 4), (Ids{256, 257, 'o', ' '}));
    QCOMPARE(Ids(one.begin(), one.begin() + 8), Ids(expected.begin(), expected.begin() + 8));
  }

  void bpe_keeps_every_byte_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::newRow("NUL") << QByteArray("\0a\0\0", 4);
    QTest::newRow("stray bytes") << QByteArray("\xFF\xFE\x80 a\xC3");
    QTest::newRow("lone carriage return") << QByteArray("a\rb\r");
    QTest::newRow("next line") << QByteArray("\xC2\x85\xC2\x85z");
    QTest::newRow("joined emoji") << QByteArray("\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9");
    std::mt19937 random(3);
    QByteArray noise(20000, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    QTest::newRow("noise") << noise;
  }
  void bpe_keeps_every_byte() {
    QFETCH(QByteArray, text);
    for (const char* pre :
         {"gpt-2", "smollm", "falcon", "deepseek-coder", "deepseek-llm", "llama-bpe", "qwen2", "default"}) {
      const Made made = make(byte_bpe(pre, {}, {"a b", "\u0120 a"}));
      QVERIFY(made);
      QCOMPARE(QByteArray::fromStdString(decode(made, encode(made, text.toStdString()))), text);
    }
  }

  void bpe_names_the_byte_no_token_covers() {
    io::Metadata metadata = byte_bpe("gpt-2", {{"user", kUserDefined}});
    auto tokens = **metadata.get_array<std::string>("tokenizer.ggml.tokens");
    tokens[0xE4] = "[unused]";
    metadata.set("tokenizer.ggml.tokens", io::MetadataArray(tokens));
    const Made made = make(metadata);
    QVERIFY(made);
    QCOMPARE(made->warnings().size(), std::size_t{1});
    QVERIFY(made->warnings()[0].find("texts with them are refused: 1 (the first: 0xE4)") !=
            std::string::npos);
    const auto ids = made->encode("some user ab\xE4\xB8\xAD");
    QVERIFY(!ids);
    QCOMPARE(ids.error().where.offset.value(), std::uint64_t{12});
    QVERIFY(ids.error().describe().find("byte 0xE4") != std::string::npos);
    QVERIFY(made->encode("some other \u00E9").has_value());
  }

  void bpe_ignore_merges_takes_whole_words() {
    // "abc" is a token that no merge makes.
    const std::vector<Piece> whole = {{"abc"}, {"\u0120x", kControl}};  // 256, 257
    QCOMPARE(encode(make(byte_bpe("llama-bpe", whole, {"b c"})), "abc x"), (Ids{256, ' ', 'x'}));
    QCOMPARE(encode(make(byte_bpe("qwen2", whole, {"b c"})), "abc x"), (Ids{'a', 258, ' ', 'x'}));
  }

  void user_defined_tokens_are_matched_and_control_tokens_are_not() {
    const std::vector<Piece> more = {
        {"<tool>", kUserDefined}, {"<tool>x", kUserDefined}, {"<eos>", kControl}, {"<unk>", kUnknown}};
    const Made made = make(byte_bpe("gpt-2", more));
    QCOMPARE(encode(made, "a<tool>b<tool>x"), (Ids{'a', 256, 'b', 257}));
    QCOMPARE(encode(made, "<eos>"), (Ids{'<', 'e', 'o', 's', '>'}));
    QCOMPARE(encode(made, "<unk>"), (Ids{'<', 'u', 'n', 'k', '>'}));
    QCOMPARE(made->decode(258), std::string("<eos>"));
    QCOMPARE(made->decode(256), std::string("<tool>"));
  }

  void bpe_bos_data() {
    QTest::addColumn<QByteArray>("pre");
    QTest::addColumn<int>("asked");  // -1: the key is absent
    QTest::addColumn<bool>("expected");
    QTest::newRow("gpt-2 by default") << QByteArray("gpt-2") << -1 << false;
    QTest::newRow("qwen2 by default") << QByteArray("qwen2") << -1 << false;
    QTest::newRow("llama-bpe by default") << QByteArray("llama-bpe") << -1 << true;
    QTest::newRow("gpt-2 asked") << QByteArray("gpt-2") << 1 << true;
    QTest::newRow("llama-bpe asked not to") << QByteArray("llama-bpe") << 0 << false;
  }
  void bpe_bos() {
    QFETCH(QByteArray, pre);
    QFETCH(int, asked);
    QFETCH(bool, expected);
    io::Metadata metadata = byte_bpe(pre.toStdString(), {{"<bos>", kControl}});
    metadata.set("tokenizer.ggml.bos_token_id", std::uint32_t{256});
    if (asked >= 0) metadata.set("tokenizer.ggml.add_bos_token", asked == 1);
    const Made made = make(metadata);
    QCOMPARE(made->adds_bos(), expected);
    QCOMPARE(made->bos().value(), TokenId{256});
    QCOMPARE(encode(made, "a"), Ids{'a'});  // encode() itself never adds it
  }

  // --- SentencePiece
  void spm_merges_by_score() {
    const Made made = make(sentencepiece(words()));
    QVERIFY(made);
    QCOMPARE(made->description(), std::string("llama"));
    QVERIFY(made->warnings().empty());
    QVERIFY(made->adds_bos());
    QCOMPARE(made->bos().value(), TokenId{1});
    QCOMPARE(encode(made, "ab"), Ids{263});  // a space is put first
    QCOMPARE(encode(made, "ab ab"), (Ids{263, 263}));
    QCOMPARE(encode(made, "aab"), (Ids{259, 260, 262}));
    QCOMPARE(encode(made, "bab"), (Ids{259, 261, 262}));  // "ab" before "ba"
    QCOMPARE(encode(made, " ab"), (Ids{259, 263}));  // " ab" has the better score, then two spaces do not fit
    QCOMPARE(encode(made, "  b"), (Ids{265, 259, 261}));  // leftmost of equals
    QCOMPARE(encode(made, ""), Ids{});
    QCOMPARE(made->decode(263), std::string(" ab"));
    QCOMPARE(made->decode(3 + 0x41), std::string("A"));
    QCOMPARE(made->decode(1), std::string("<s>"));
  }

  void spm_falls_back_to_bytes() {
    const Made made = make(sentencepiece(words()));
    QCOMPARE(encode(made, "\u4E2D"), (Ids{259, 266}));
    QCOMPARE(encode(made, "\u00E9"), (Ids{259, 3 + 0xC3, 3 + 0xA9}));
    QCOMPARE(encode(made, "\xFF\xE4\xB8"), (Ids{259, 3 + 0xFF, 3 + 0xE4, 3 + 0xB8}));
    QCOMPARE(encode(made, std::string_view("\0", 1)), (Ids{259, 3}));
    QCOMPARE(encode(made, "\u2581"), Ids{265});  // a written space mark is a space
    std::mt19937 random(5);
    std::string noise(20000, '\0');
    for (char& c : noise) c = static_cast<char>(random());
    QVERIFY(decode(made, encode(made, noise)) == " " + noise);
  }

  void spm_does_not_parse_special_spellings() {
    // With "<s" and "0x41" in the vocabulary, merging alone would lead to <s> and <0x41>.
    const Made made = make(sentencepiece({{"<"},
                                          {"s"},
                                          {">"},
                                          {"<s", kNormal, -1},
                                          {"\u2581"},
                                          {"<0x4", kNormal, -1},
                                          {"0"},
                                          {"x"},
                                          {"4"},
                                          {"1>"}}));
    for (const char* text : {"<s>", "<0x41>", "<unk>"}) {
      const Ids ids = encode(made, text);
      QCOMPARE(decode(made, ids), std::string(" ") + text);
      for (const TokenId id : ids) QVERIFY(id != 0 && id != 1 && id != 3 + 0x41);
    }
  }

  void spm_space_prefix_follows_user_tokens() {
    auto pieces = words();
    pieces.push_back({"<tool>", kUserDefined});  // 268
    io::Metadata metadata = sentencepiece(pieces);
    QCOMPARE(encode(make(metadata), "ab<tool>ab"), (Ids{263, 268, 263}));
    QCOMPARE(encode(make(metadata), "<tool>ab"), (Ids{268, 263}));
    metadata.set("tokenizer.ggml.add_space_prefix", false);
    QCOMPARE(encode(make(metadata), "ab<tool>ab"), (Ids{262, 268, 262}));
  }

  void spm_words_are_cut_only_where_nothing_can_merge() {
    // The same text with and without a token that reaches across a space.
    auto pieces = words();
    io::Metadata cut = sentencepiece(pieces);
    cut.set("tokenizer.ggml.add_space_prefix", false);
    QCOMPARE(encode(make(cut), "ab a b\u2581 a"), (Ids{262, 259, 260, 259, 261, 265, 260}));
    pieces.push_back({"\u2581a", kNormal, -0.75f});  // 268
    pieces.push_back({"b\u2581a", kNormal, -0.5f});  // 269
    io::Metadata across = sentencepiece(pieces);
    across.set("tokenizer.ggml.add_space_prefix", false);
    QCOMPARE(encode(make(across), "b a"), Ids{269});
    QCOMPARE(encode(make(across), "b b a"), (Ids{261, 259, 269}));
  }

  void spm_names_the_byte_no_token_covers() {
    // No byte tokens at all: <unk>, <s>, </s> and two letters.
    io::Metadata metadata = sentencepiece({});
    set_tokens(metadata,
               {{"<unk>", kUnknown}, {"<s>", kControl}, {"</s>", kControl}, {"\u2581"}, {"a"}, {"\xC3"}},
               true);
    const Made made = make(metadata);
    QCOMPARE(made->warnings().size(), std::size_t{1});
    QVERIFY(made->warnings()[0].find("254 of 256 byte tokens are missing") != std::string::npos);
    QCOMPARE(encode(made, "a a"), (Ids{3, 4, 3, 4}));
    auto ids = made->encode("a a b");
    QVERIFY(!ids);
    QCOMPARE(ids.error().where.offset.value(), std::uint64_t{4});
    ids = made->encode("a \u00E9");  // its first byte is a token, its second is not
    QVERIFY(!ids);
    QCOMPARE(ids.error().where.offset.value(), std::uint64_t{3});
    QVERIFY(ids.error().message.find("0xA9") != std::string::npos);
  }

  // --- both
  void a_megabyte_of_anything_fits_a_small_stack_data() {
    QTest::addColumn<QByteArray>("unit");
    QTest::newRow("A") << QByteArray("A");
    QTest::newRow("a") << QByteArray("a");
    QTest::newRow("spaces") << QByteArray(" ");
    QTest::newRow("newlines") << QByteArray("\n");
    QTest::newRow("combining mark") << QByteArray("\xCC\x81");
    QTest::newRow("emoji") << QByteArray("\xF0\x9F\x98\x80");
    QTest::newRow("Chinese") << QByteArray("\xE4\xB8\xAD");
    QTest::newRow("stray bytes") << QByteArray("\xFF");
    QTest::newRow("NUL") << QByteArray("\0", 1);
    QTest::newRow("ab") << QByteArray("ab");
  }
  void a_megabyte_of_anything_fits_a_small_stack() {
    QFETCH(QByteArray, unit);
    std::string text;
    while (text.size() < (std::size_t{1} << 20))
      text.append(unit.constData(), static_cast<std::size_t>(unit.size()));
    std::vector<Made> made = {make(sentencepiece(words()))};
    for (const char* pre : {"gpt-2", "deepseek-llm", "llama-bpe"})
      made.push_back(make(byte_bpe(
          pre, {},
          {"a b", "ab ab", "abab abab", "a a", "aa aa", "\u0120 \u0120", "\u0120\u0120 \u0120\u0120"})));
    std::vector<std::string> back(made.size());
    const std::unique_ptr<QThread> thread(QThread::create([&] {
      for (std::size_t i = 0; i < made.size(); ++i) back[i] = decode(made[i], encode(made[i], text));
    }));
    thread->setStackSize(256 << 10);
    thread->start();
    thread->wait();
    QVERIFY(back[0] == " " + text);
    for (std::size_t i = 1; i < back.size(); ++i) QVERIFY(back[i] == text);
  }

  void threads_share_a_tokenizer() {
    const Made made = make(byte_bpe("llama-bpe", {}, {"a b", "\u0120 a"}));
    const std::string text = "ab abba ab  a\nb 1234 ab";
    const Ids expected = encode(made, text);
    std::vector<std::unique_ptr<QThread>> threads;
    std::vector<int> wrong(4, 0);
    for (std::size_t t = 0; t < wrong.size(); ++t)
      threads.emplace_back(QThread::create([&, t] {
        for (int i = 0; i < 500; ++i) wrong[t] += encode(made, text) == expected ? 0 : 1;
      }));
    for (const auto& thread : threads) thread->start();
    for (const auto& thread : threads) thread->wait();
    QCOMPARE(wrong, std::vector<int>(4, 0));
  }
};

QTEST_APPLESS_MAIN(TestTokenizer)
#include "tst_tokenizer.moc"
