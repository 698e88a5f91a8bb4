// SHA-256 against published digests, the name index against a map, checked arithmetic against wide integers.
#include <QTest>
#include <limits>
#include <map>
#include <random>

#include "core/base/checked.h"
#include "core/base/checksum.h"
#include "core/base/hash.h"
#include "core/base/name_index.h"

using namespace bitlens;

class TestBaseHash : public QObject {
  Q_OBJECT

 private slots:
  void sha256() {
    // FIPS 180-2, appendix B.
    QCOMPARE(sha256_hex("abc"),
             std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    QCOMPARE(sha256_hex(""), std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    Sha256 hash;
    for (int i = 0; i < 1000; ++i) {
      const std::string piece(1000, 'a');
      hash.update(std::as_bytes(std::span(piece)));
    }
    Sha256 moved = std::move(hash);
    QCOMPARE(moved.finish(), std::string("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
  }

  /// Values of the Python package xxhash.
  void checksum_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<quint64>("expected");
    QByteArray mixed;
    for (int i = 0; i < 101; ++i) mixed += static_cast<char>(i * 7);
    QTest::newRow("empty") << QByteArray() << quint64{0xef46db3751d8e999};
    QTest::newRow("abc") << QByteArray("abc") << quint64{0x44bc2cf5ad770999};
    QTest::newRow("mixed") << mixed << quint64{0x42312f4d55d9bd17};
    QTest::newRow("a") << QByteArray(1000000, 'a') << quint64{0xdc483aaa9b4fdc40};
  }
  void checksum() {
    QFETCH(QByteArray, bytes);
    QFETCH(quint64, expected);
    const auto all = std::as_bytes(std::span(bytes.constData(), static_cast<std::size_t>(bytes.size())));
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{32}, std::size_t{1} << 20}) {
      Checksum sum;
      for (std::size_t at = 0; at < all.size(); at += piece)
        sum.update(all.subspan(at, std::min(piece, all.size() - at)));
      QCOMPARE(quint64{sum.finish()}, expected);
    }
  }

  void findsNames() {
    std::mt19937 random(7);
    std::vector<std::string> names;
    std::map<std::string, std::size_t> expected;
    NameIndex index;
    const auto name_of = [&](std::size_t i) -> std::string_view { return names[i]; };
    QVERIFY(!index.find("x", name_of));
    for (int i = 0; i < 20000; ++i) {
      std::string name(random() % 20, 'a');
      for (char& c : name) c = static_cast<char>(random() % 3);
      names.push_back(name);
      const auto first = index.insert(names.size() - 1, name_of);
      const auto [known, added] = expected.try_emplace(name, names.size() - 1);
      QCOMPARE(first.has_value(), !added);
      if (first) {
        QCOMPARE(*first, known->second);
        names.pop_back();
      }
    }
    for (const auto& [name, position] : expected)
      QCOMPARE(index.find(name, name_of), std::optional(position));
    QVERIFY(!index.find("absent", name_of));
    index.clear();
    QVERIFY(!index.find(names[0], name_of));
  }

  // Names that differ by trailing NULs, or only in length, are different names with different hashes.
  void hashesWholeNames() {
    std::map<std::uint64_t, std::string> seen;
    for (std::size_t length = 0; length < 40; ++length)
      QVERIFY(seen.emplace(hash_name(std::string(length, '\0')), "").second);
    for (int i = 0; i < 100000; ++i) QVERIFY(seen.emplace(hash_name(std::to_string(i)), "").second);
    QCOMPARE(hash_name("token_embd.weight"), hash_name(std::string("token_embd.weight")));
  }

  // The table uses the low bits: names in sequence must spread over them.
  void spreads() {
    std::vector<int> counts(1024);
    for (int i = 0; i < 1024 * 16; ++i)
      ++counts[hash_name("blk." + std::to_string(i) + ".attn_q.weight") % 1024];
    QVERIFY(*std::max_element(counts.begin(), counts.end()) < 60);  // 16 expected, standard deviation 4
  }

  void checkedArithmetic() {
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    QCOMPARE(checked_add(most, 0), std::optional(most));
    QVERIFY(!checked_add(most, 1));
    QCOMPARE(checked_mul(1ULL << 32, (1ULL << 32) - 1), std::optional((1ULL << 32) * ((1ULL << 32) - 1)));
    QVERIFY(!checked_mul(1ULL << 32, 1ULL << 32));
    QCOMPARE(checked_align_up(0, 32), std::optional<std::uint64_t>(0));
    QCOMPARE(checked_align_up(1, 32), std::optional<std::uint64_t>(32));
    QCOMPARE(checked_align_up(64, 32), std::optional<std::uint64_t>(64));
    QCOMPARE(checked_align_up(77, 1), std::optional<std::uint64_t>(77));
    QCOMPARE(checked_align_up(most - 31, 32), std::optional(most - 31));
    QVERIFY(!checked_align_up(most - 3, 32));
  }
};

QTEST_APPLESS_MAIN(TestBaseHash)
#include "tst_base_hash.moc"
