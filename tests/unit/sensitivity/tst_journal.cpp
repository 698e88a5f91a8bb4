// The journal against kills, damage, other programs and other files; records as JSON; rank correlation.
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <limits>

#include "core/sensitivity/agreement.h"
#include "core/sensitivity/journal.h"
#include "core/study/sensitivity.h"
#include "tests/support/gguf_builder.h"

using namespace bitlens;
using sensitivity::Journal;
using sensitivity::JournalContent;

class JournalTest : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  std::string path(const char* name) { return folder_.filePath(name).toStdString(); }
  static const std::vector<std::string>& records() {
    static const std::vector<std::string> list = {"{\"a\":1}", "{\"b\":2}", "{\"c\":\"\xE4\xBD\xA0\"}"};
    return list;
  }
  /// A journal of three records, as bytes.
  std::string written(const std::string& file) {
    JournalContent content;
    auto journal = Journal::open(file, "key", false, content);
    if (!journal || !journal->append(records())) return {};
    return test::read_bytes(file);
  }
  static sensitivity::CellRecord record(const char* tensor, double kl, sensitivity::Method method) {
    sensitivity::CellRecord out;
    out.tensor = tensor;
    out.format = kernels::Format::Q4_0;
    out.quantizer = kernels::Quantizer::Rtn;
    out.method = method;
    out.kl_mean = kl;
    out.kl_se = kl / 10;
    return out;
  }

 private slots:
  void keeps_records_across_programs() {
    const std::string file = path("a");
    QVERIFY(!written(file).empty());
    JournalContent content;
    {
      auto journal = Journal::open(file, "key", true, content);
      QVERIFY(journal);
      QCOMPARE(content.payloads, records());
      QCOMPARE(content.damaged, std::size_t{0});
      // Another writer is kept out while this one lives.
      JournalContent other;
      const auto second = Journal::open(file, "key", true, other);
      QVERIFY(!second);
      QVERIFY(second.error().code == ErrorCode::Exists);
      const std::string more = "{\"d\":4}";
      QVERIFY(journal->append({&more, 1}));
    }
    const auto read = sensitivity::read_journal(file);
    QVERIFY(read);
    QCOMPARE(read->payloads.size(), std::size_t{4});
    QCOMPARE(read->key, std::string("key"));
    QVERIFY(!Journal::open(file, "another key", true, content));
    QVERIFY(Journal::open(file, "another key", false, content));  // started anew
    QCOMPARE(sensitivity::read_journal(file)->payloads.size(), std::size_t{0});
    auto journal = Journal::open(file, "k", false, content);
    QVERIFY(journal);
    QVERIFY(journal->remove());
    QVERIFY(!QFile::exists(QString::fromStdString(file)));
  }

  // Cut at every byte: whole records before the cut survive, and appending goes on behind them.
  void survives_a_kill_at_every_byte() {
    const std::string whole = written(path("whole"));
    QVERIFY(whole.size() > 60);
    std::vector<std::size_t> ends;
    for (std::size_t i = 0; i < whole.size(); ++i)
      if (whole[i] == '\n') ends.push_back(i + 1);
    QCOMPARE(ends.size(), std::size_t{4});
    const std::string file = path("cut");
    for (std::size_t length = 0; length <= whole.size(); ++length) {
      QVERIFY(test::write_bytes(file, whole.substr(0, length)));
      std::size_t expected = 0;
      for (std::size_t r = 1; r < ends.size(); ++r) expected += length >= ends[r] ? 1U : 0U;
      JournalContent content;
      {
        auto journal = Journal::open(file, "key", true, content);
        QVERIFY2(journal, journal ? "" : journal.error().describe().c_str());
        QCOMPARE(content.payloads.size(), expected);
        const std::string more = "{\"more\":1}";
        QVERIFY(journal->append({&more, 1}));
      }
      const auto read = sensitivity::read_journal(file);
      QVERIFY(read);
      QCOMPARE(read->damaged, std::size_t{0});
      QCOMPARE(read->payloads.size(), expected + 1);
      QCOMPARE(read->payloads.back(), std::string("{\"more\":1}"));
    }
  }

  void leaves_out_damaged_records() {
    const std::string whole = written(path("flip"));
    const std::size_t first = whole.find('\n') + 1;
    for (std::size_t at = first; at < whole.size(); ++at) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 1);
      QVERIFY(test::write_bytes(path("flip"), damaged));
      const auto read = sensitivity::read_journal(path("flip"));
      QVERIFY(read);
      QVERIFY(read->damaged >= 1);
      QVERIFY(read->payloads.size() >= 1 && read->payloads.size() <= 2);
      for (const std::string& payload : read->payloads)
        QVERIFY(std::ranges::find(records(), payload) != records().end());
    }
  }

  void never_touches_other_files() {
    for (const char* text : {"precious", "bitlens", "bitlens-journal 2 k\n", "{\"cells\": []}\n"}) {
      if (std::string("bitlens-journal 1 ").starts_with(text)) continue;  // a journal's torn beginning
      QVERIFY(test::write_bytes(path("other"), text));
      JournalContent content;
      const auto journal = Journal::open(path("other"), "key", false, content);
      QVERIFY(!journal);
      QVERIFY(journal.error().code == ErrorCode::Exists);
      QCOMPARE(test::read_bytes(path("other")), std::string(text));
    }
    JournalContent content;
    QVERIFY(!Journal::open(folder_.path().toStdString(), "key", false, content));
    QVERIFY(!sensitivity::read_journal(path("absent")));
  }

  void results_survive_json() {
    study::SensitivityResult result;
    result.cells.push_back(record("blk.0.attn_q.weight", 1.25e-5, sensitivity::Method::Measured));
    result.cells.back().dnll_mean = -3e-4;
    result.cells.back().top1_agreement = 0.5;
    result.cells.back().scored_tokens = 1000;
    result.cells.push_back(record("blk.0.attn_k.weight", 0.1, sensitivity::Method::Response));
    result.cells.back().response = {0.1F, -2.5e-8F, 3.0F};
    result.cells.back().samples = 3;
    result.skipped.push_back({"blk.0.ffn_down.weight", kernels::Format::Q4_0, "172 columns"});
    result.positions = 127;
    result.provenance.model_sha256 = "abc";
    result.warnings = {"careful"};
    const std::string json = study::sensitivity_to_json(result);
    const auto back = study::parse_sensitivity(json, "f.json");
    QVERIFY2(back, back ? "" : back.error().describe().c_str());
    QCOMPARE(study::sensitivity_to_json(*back), json);
    QCOMPARE(back->cells[0].kl_mean, 1.25e-5);
    QVERIFY(std::isnan(back->cells[1].dnll_mean));
    QCOMPARE(back->cells[1].response, result.cells[1].response);
    QCOMPARE(back->positions, std::uint64_t{127});

    const auto broken = [&](const char* from, const char* to) {
      std::string text = json;
      const std::size_t at = text.find(from);
      if (at == std::string::npos) return false;
      text.replace(at, std::strlen(from), to);
      const auto parsed = study::parse_sensitivity(text, "f.json");
      return !parsed && parsed.error().where.file == "f.json";
    };
    QVERIFY(broken("\"Q4_0\"", "\"Q4_X\""));
    QVERIFY(broken("\"measured\"", "\"guessed\""));
    QVERIFY(broken("\"kl_mean\"", "\"kl_mean_\""));
    QVERIFY(broken("\"samples\":3", "\"samples\":4"));
    QVERIFY(broken("\"bitlens_sensitivity\":1", "\"bitlens_sensitivity\":2"));
    QVERIFY(broken("[{", "[[{"));
    for (std::size_t length = 0; length + 2 < json.size(); ++length)
      QVERIFY(!study::parse_sensitivity(json.substr(0, length), "f.json"));
  }

  void spearman_handles_ties() {
    const std::vector<double> a = {1, 2, 3, 4, 5}, b = {10, 20, 30, 40, 1000}, c = {5, 4, 3, 2, 1};
    QCOMPARE(sensitivity::spearman(a, b), 1.0);
    QCOMPARE(sensitivity::spearman(a, c), -1.0);
    // Worked out from the definition: the ranks are 0 1.5 1.5 3 5 5 5 and 1 0 3.5 3.5 5 2 6.
    const std::vector<double> x = {1, 2, 2, 3, 5, 5, 5}, y = {2, 1, 4, 4, 7, 3, 9};
    QVERIFY(std::abs(sensitivity::spearman(x, y) - 0.6702887344) < 1e-9);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    QCOMPARE(sensitivity::spearman(std::vector<double>{1, nan, 2, 3}, std::vector<double>{1, -9, 2, 3}), 1.0);
    QVERIFY(std::isnan(sensitivity::spearman(std::vector<double>{1, 1}, std::vector<double>{1, 2})));
    QVERIFY(std::isnan(sensitivity::spearman(std::vector<double>{}, std::vector<double>{})));
  }
};

QTEST_APPLESS_MAIN(JournalTest)
#include "tst_journal.moc"
