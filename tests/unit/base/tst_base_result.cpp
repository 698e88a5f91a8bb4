// Errors as one safe line, and the thread pool's promise that every task runs exactly once.
#include <QTest>
#include <atomic>

#include "core/base/parallel.h"
#include "core/base/result.h"

using namespace bitlens;

class TestBaseResult : public QObject {
  Q_OBJECT

 private slots:
  void describes() {
    const Result<int> inner = fail(ErrorCode::BadFile, "found 3, expected 4", {"model.gguf", "blk.0", 24});
    QCOMPARE(inner.error().describe(), std::string("model.gguf: blk.0: found 3, expected 4 (byte 24)"));
    const Result<int> outer = pass_with(inner.error(), "cannot open");
    QCOMPARE(outer.error().describe(),
             std::string("cannot open: model.gguf: blk.0: found 3, expected 4 (byte 24)"));
    QVERIFY(outer.error().code == ErrorCode::BadFile);
    const Status passed = pass(inner);
    QCOMPARE(passed.error().describe(), inner.error().describe());
    const Status nasty = fail(ErrorCode::BadFile, "a\nb", {"\x1b[0m", "\xC2\x85", {}});
    QCOMPARE(nasty.error().describe(), std::string("\\x1B[0m: \\xC2\\x85: a\\x0Ab"));
  }

  void printsSafely_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("shown");
    QTest::newRow("plain") << QByteArray("attn_q.weight") << QByteArray("attn_q.weight");
    QTest::newRow("valid UTF-8") << QByteArray("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x99\x82")
                                 << QByteArray("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x99\x82");
    QTest::newRow("control") << QByteArray("\x1b[2J\r\n\x7f") << QByteArray("\\x1B[2J\\x0D\\x0A\\x7F");
    QTest::newRow("lone continuation") << QByteArray(
                                              "\x80"
                                              "a")
                                       << QByteArray(
                                              "\\x80"
                                              "a");
    QTest::newRow("cut sequence") << QByteArray("\xE2\x82") << QByteArray("\\xE2\\x82");
    QTest::newRow("overlong") << QByteArray("\xC0\xAF") << QByteArray("\\xC0\\xAF");
    QTest::newRow("surrogate") << QByteArray("\xED\xA0\x80") << QByteArray("\\xED\\xA0\\x80");
    QTest::newRow("above Unicode") << QByteArray("\xF4\x90\x80\x80") << QByteArray("\\xF4\\x90\\x80\\x80");
    QTest::newRow("direction override") << QByteArray(
                                               "\xE2\x80\xAE"
                                               "fug")
                                        << QByteArray(
                                               "\\xE2\\x80\\xAE"
                                               "fug");
  }
  void printsSafely() {
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, shown);
    QCOMPARE(QByteArray::fromStdString(printable(text.toStdString())), shown);
  }
  void cutsLongText() {
    QCOMPARE(printable(std::string(300, 'a')), std::string(200, 'a') + "...");
    QCOMPARE(printable(std::string(200, 'a')), std::string(200, 'a'));
  }

  void runsEveryTaskOnce() {
    for (const int threads : {1, 2, 5}) {
      ThreadPool pool(threads);
      QCOMPARE(pool.size(), threads);
      for (const std::size_t tasks : {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{1000}}) {
        std::vector<std::atomic<int>> runs(tasks);
        std::atomic<bool> worker_in_range{true};
        pool.run(tasks, [&](std::size_t task, int worker) {
          ++runs[task];
          if (worker < 0 || worker >= threads) worker_in_range = false;
        });
        QVERIFY(worker_in_range);
        for (const auto& count : runs) QCOMPARE(count.load(), 1);
      }
    }
  }
};

QTEST_APPLESS_MAIN(TestBaseResult)
#include "tst_base_result.moc"
