// The parts a tokenizer is made of, each against a plain reference: symbol merging, user-defined tokens, the
// byte alphabet, UTF-8.
#include <QTest>
#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/tokenizer/byte_alphabet.h"
#include "core/tokenizer/piece_cache.h"
#include "core/tokenizer/symbol_merger.h"
#include "core/tokenizer/user_tokens.h"
#include "core/tokenizer/utf8.h"

using namespace bitlens::tokenizer;

namespace {

using Rules = std::map<std::pair<SymbolId, SymbolId>, Merge>;

Merge look_up(const Rules& rules, SymbolId left, SymbolId right) {
  const auto found = rules.find({left, right});
  return found == rules.end() ? Merge{} : found->second;
}

/// The definition: find the best pair, leftmost among equals, merge it, start over.
std::vector<SymbolId> merge_by_definition(std::vector<SymbolId> symbols, const Rules& rules) {
  while (true) {
    std::size_t best = symbols.size();
    Merge chosen;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      const Merge merge = look_up(rules, symbols[i], symbols[i + 1]);
      if (merge.symbol == Merge::kNone) continue;
      if (best == symbols.size() || merge.rank < chosen.rank) best = i, chosen = merge;
    }
    if (best == symbols.size()) return symbols;
    symbols[best] = chosen.symbol;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

std::vector<SymbolId> merge_by_queue(SymbolMerger& merger, const std::vector<SymbolId>& symbols,
                                     const Rules& rules) {
  merger.clear();
  for (std::size_t i = 0; i < symbols.size(); ++i) merger.add(symbols[i], static_cast<std::uint32_t>(i));
  merger.merge([&](SymbolId left, SymbolId right) { return look_up(rules, left, right); });
  std::vector<SymbolId> out;
  merger.for_each([&](const Symbol& symbol) {
    out.push_back(symbol.id);
    return true;
  });
  return out;
}

/// Leftmost, then longest, by trying every token at every byte.
std::vector<Fragment> split_by_definition(std::string_view text, const std::vector<std::string>& tokens) {
  std::vector<Fragment> out;
  std::size_t plain = 0, at = 0;
  while (at < text.size()) {
    std::size_t best = 0, length = 0;
    for (std::size_t t = 0; t < tokens.size(); ++t)
      if (text.substr(at).starts_with(tokens[t]) && tokens[t].size() > length)
        best = t, length = tokens[t].size();
    if (length == 0) {
      ++at;
      continue;
    }
    if (at > plain) out.push_back({plain, at, -1});
    out.push_back({at, at + length, static_cast<TokenId>(best)});
    plain = at += length;
  }
  if (plain < text.size()) out.push_back({plain, text.size(), -1});
  return out;
}

std::string show(const std::vector<Fragment>& fragments) {
  std::string out;
  for (const Fragment& f : fragments)
    out += std::to_string(f.begin) + "-" + std::to_string(f.end) + ":" + std::to_string(f.token) + " ";
  return out;
}

UserTokens make_user_tokens(const std::vector<std::string>& tokens) {
  std::vector<std::pair<std::string_view, TokenId>> pairs;
  for (std::size_t i = 0; i < tokens.size(); ++i) pairs.emplace_back(tokens[i], static_cast<TokenId>(i));
  return UserTokens(pairs);
}

}  // namespace

class TestTokenizerParts : public QObject {
  Q_OBJECT

 private slots:
  void merging_follows_the_definition() {
    std::mt19937 random(1);
    SymbolMerger merger;  // one for all: reuse must not leak
    for (int round = 0; round < 400; ++round) {
      // Symbols are strings over two letters, so that a merged symbol is never equal to a shorter one.
      std::vector<std::string> strings = {"a", "b"};
      std::set<std::string> known(strings.begin(), strings.end());
      Rules rules;
      const unsigned distinct_ranks = round % 2 == 0 ? 1000 : 3;
      for (int i = 0; i < 12; ++i) {
        const auto left = static_cast<SymbolId>(random() % strings.size());
        const auto right = static_cast<SymbolId>(random() % strings.size());
        const std::string joined = strings[left] + strings[right];
        if (!known.insert(joined).second) continue;
        const auto id = static_cast<SymbolId>(strings.size());
        strings.push_back(joined);
        rules[{left, right}] = {static_cast<std::uint32_t>(random() % distinct_ranks), id};
      }
      std::vector<SymbolId> symbols(random() % 40);
      for (auto& symbol : symbols) symbol = static_cast<SymbolId>(random() % 2);
      QVERIFY2(merge_by_queue(merger, symbols, rules) == merge_by_definition(symbols, rules),
               qPrintable(QString::number(round)));
    }
  }

  void merging_does_work_in_proportion_to_the_text() {
    // a a -> aa, aa aa -> aaaa, ...: the vocabulary that merges a run of one letter the most often.
    Rules rules;
    for (SymbolId i = 0; i < 16; ++i) rules[{i, i}] = {i, i + 1};
    const auto work = [&](std::size_t count) {
      SymbolMerger merger;
      const auto left = merge_by_queue(merger, std::vector<SymbolId>(count, 0), rules);
      if (left.size() != (count + 65535) / 65536) return std::uint64_t{0};
      return merger.work();
    };
    const std::uint64_t small = work(std::size_t{1} << 16), large = work(std::size_t{1} << 18);
    QVERIFY(small > 0 && large > 0);
    QVERIFY(large <= 5 * small);
    QVERIFY(large <= 8 * (std::uint64_t{1} << 18));  // a handful of queue operations per symbol
  }

  void user_tokens_are_leftmost_then_longest() {
    QCOMPARE(show(make_user_tokens({"abcd", "cdefg"}).split("abcdefg")), std::string("0-4:0 4-7:-1 "));
    QCOMPARE(show(make_user_tokens({"ab", "abc"}).split("xabcab")), std::string("0-1:-1 1-4:1 4-6:0 "));
    QCOMPARE(show(make_user_tokens({"  ", "    "}).split("       a")), std::string("0-4:1 4-6:0 6-8:-1 "));
    QCOMPARE(show(make_user_tokens({}).split("abc")), std::string("0-3:-1 "));
    QCOMPARE(show(make_user_tokens({"a"}).split("")), std::string());
    const std::string nul("\0x", 2);
    QCOMPARE(show(make_user_tokens({nul}).split(std::string("a") + nul)), std::string("0-1:-1 1-3:0 "));
  }
  void user_tokens_follow_the_definition() {
    std::mt19937 random(2);
    const auto word = [&](std::size_t longest) {
      std::string out(1 + random() % longest, 'a');
      for (char& c : out) c = static_cast<char>('a' + random() % 2);
      return out;
    };
    for (int round = 0; round < 500; ++round) {
      std::set<std::string> distinct;
      for (std::size_t i = random() % 8; i-- > 0;) distinct.insert(word(6));
      const std::vector<std::string> tokens(distinct.begin(), distinct.end());
      const std::string text = word(60);
      QCOMPARE(show(make_user_tokens(tokens).split(text)), show(split_by_definition(text, tokens)));
    }
  }
  void user_tokens_survive_a_hostile_vocabulary() {
    // Every byte begins a long near match: a matcher that tries token by token would take hours here.
    const std::string run(200000, 'a');
    const UserTokens tokens = make_user_tokens({run + "b", "b" + run, "a"});
    const std::string text(std::size_t{1} << 20, 'a');
    QCOMPARE(tokens.split(text).size(), text.size());
    QCOMPARE(tokens.split(text + "b").size(), text.size() - run.size() + 1);
  }

  void byte_alphabet_is_a_bijection() {
    std::set<std::uint32_t> seen;
    for (unsigned byte = 0; byte < 256; ++byte) {
      seen.insert(byte_character(static_cast<std::uint8_t>(byte)));
      const char raw = static_cast<char>(byte);
      QCOMPARE(unspell_bytes(spell_bytes({&raw, 1})).value(), std::string(1, raw));
    }
    QCOMPARE(seen.size(), std::size_t{256});
    QCOMPARE(spell_bytes(" a\n\x7F\xAD"), std::string("\u0120a\u010A\u0121\u0143"));
    QVERIFY(!unspell_bytes(" "));       // a raw space is not of the alphabet
    QVERIFY(!unspell_bytes("\u4E2D"));  // nor is anything above it
    QVERIFY(!unspell_bytes("\xFF"));    // nor what is not UTF-8
  }

  void utf8_lengths_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("length");
    const auto row = [](const char* name, const char* bytes, int length) {
      QTest::newRow(name) << QByteArray(bytes) << length;
    };
    row("ASCII", "a", 1);
    row("two", "\xC2\x80", 2);
    row("three", "\xEF\xBF\xBF", 3);
    row("four", "\xF4\x8F\xBF\xBF", 4);
    row("continuation", "\x80", 0);
    row("overlong two", "\xC1\xBF", 0);
    row("overlong three", "\xE0\x9F\xBF", 0);
    row("overlong four", "\xF0\x8F\xBF\xBF", 0);
    row("surrogate", "\xED\xA0\x80", 0);
    row("above U+10FFFF", "\xF4\x90\x80\x80", 0);
    row("never a lead", "\xF5\x80\x80\x80", 0);
    row("cut after one", "\xE4", 0);
    row("cut after two", "\xE4\xB8", 0);
    row("broken", "\xE4\xB8\x61", 0);
  }
  void utf8_lengths() {
    QFETCH(QByteArray, bytes);
    QFETCH(int, length);
    const std::string text = bytes.toStdString();
    QCOMPARE(utf8_sequence_length(text, 0), static_cast<std::size_t>(length));
    if (length == 0) return;
    std::string again;
    append_utf8(again, utf8_code_point(text, 0, static_cast<std::size_t>(length)));
    QCOMPARE(again, text.substr(0, static_cast<std::size_t>(length)));
  }

  void piece_cache_copies_what_stands_in_the_output() {
    const std::string text = "abcabcabx";
    std::vector<TokenId> out = {7, 8};
    PieceCache cache(text, out);
    QVERIFY(!cache.append(0, 3));
    cache.remember(0, 3, 0);
    QVERIFY(cache.append(3, 6));
    QCOMPARE(out, (std::vector<TokenId>{7, 8, 7, 8}));
    QVERIFY(!cache.append(6, 9));  // "abx" is not "abc"
    QVERIFY(!cache.append(0, 2));
  }
};

QTEST_APPLESS_MAIN(TestTokenizerParts)
#include "tst_tokenizer_parts.moc"
