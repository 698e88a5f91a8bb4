// A sweep of the command line, killed in the middle and gone on with: what was found before is not lost and
// not done again, and the result is that of an undisturbed run.
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>

#include "core/sensitivity/journal.h"
#include "core/study/sensitivity.h"

using namespace bitlens;

class ResumeTest : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  static QString model() { return QStringLiteral(BITLENS_SHARED "/models/stories260K-f32.gguf"); }
  static QString text() { return QStringLiteral(BITLENS_SHARED "/texts/tinystories.txt"); }
  static QString program() { return QStringLiteral(BITLENS_BIN_DIR "/bitlens-cli"); }
  static QStringList arguments(const QString& output, const QStringList& more = {}) {
    return QStringList{"sensitivity", model(), "--text",    text(), "--formats",   "Q4_0,Q8_0",
                       "--context",   "256",   "--windows", "6",    "--quantizer", "rtn",
                       "--threads",   "1",     "-o",        output} +
           more;
  }
  static bool run(const QStringList& arguments, QByteArray* errors = nullptr) {
    QProcess process;
    process.start(program(), arguments);
    if (!process.waitForFinished(120000)) return false;
    if (errors != nullptr) *errors = process.readAllStandardError();
    return process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0;
  }

 private slots:
  void initTestCase() {
    if (!QFile::exists(model()) || !QFile::exists(text()))
      QSKIP("needs the shared test data: models/stories260K-f32.gguf");
    if (!QFile::exists(program())) QSKIP("needs bitlens-cli");
  }

  void killed_and_resumed() {
    const QString undisturbed = folder_.filePath("undisturbed.json"), output = folder_.filePath("out.json");
    QVERIFY(run(arguments(undisturbed)));
    QProcess victim;
    victim.start(program(), arguments(output));
    const std::string journal = study::sensitivity_journal_path(output.toStdString());
    std::size_t found = 0;
    QElapsedTimer timer;
    timer.start();
    while (found < 8 && victim.state() != QProcess::NotRunning && timer.elapsed() < 60000) {
      victim.waitForFinished(5);
      if (const auto content = sensitivity::read_journal(journal)) found = content->payloads.size();
    }
    victim.kill();
    victim.waitForFinished();
    QVERIFY(found >= 8);
    QVERIFY(!QFile::exists(output));
    // An unfinished journal can be used as it is.
    const auto partial = study::load_sensitivity(journal);
    QVERIFY2(partial, partial ? "" : partial.error().describe().c_str());
    QVERIFY(partial->cells.size() >= found);
    QProcess predict;
    predict.start(program(), {"predict", model(), "--recipe", "Q8_0", "--sensitivity",
                              QString::fromStdString(journal), "--json"});
    predict.waitForFinished(60000);

    QByteArray errors;
    QVERIFY2(run(arguments(output, {"--resume"}), &errors), errors.constData());
    QVERIFY(!QFile::exists(QString::fromStdString(journal)));
    const auto resumed = study::load_sensitivity(output.toStdString());
    const auto expected = study::load_sensitivity(undisturbed.toStdString());
    QVERIFY(resumed && expected);
    QCOMPARE(resumed->cells.size(), expected->cells.size());
    QVERIFY(resumed->cells.size() > found);
    for (std::size_t c = 0; c < expected->cells.size(); ++c) {
      QCOMPARE(resumed->cells[c].tensor, expected->cells[c].tensor);
      QCOMPARE(resumed->cells[c].kl_mean, expected->cells[c].kl_mean);
      QCOMPARE(resumed->cells[c].dnll_se, expected->cells[c].dnll_se);
    }
    QCOMPARE(expected->skipped.size(), std::size_t{10});  // ffn_down's 172 columns, twice five layers
  }

  void predicts_a_recipe() {
    const QString output = folder_.filePath("responses.json");
    QByteArray errors;
    QVERIFY2(
        run({"sensitivity", model(), "--text", text(), "--formats", "Q8_0", "--context", "128", "--windows",
             "20", "--quantizer", "rtn", "--method", "response", "--samples", "100", "-o", output},
            &errors),
        errors.constData());
    QFile recipe(folder_.filePath("recipe.json"));
    QVERIFY(recipe.open(QIODevice::WriteOnly));
    recipe.write(
        R"({"bitlens_recipe": 1, "name": "v", "rules": [{"tensor": "*attn_v.weight", "format": "Q8_0"}],
                     "default": "keep"})");
    recipe.close();
    QProcess process;
    process.start(program(), {"predict", model(), "--recipe", recipe.fileName(), "--sensitivity", output,
                              "--quantizer", "rtn", "--json"});
    QVERIFY(process.waitForFinished(60000));
    QCOMPARE(process.exitCode(), 0);
    const QByteArray json = process.readAllStandardOutput();
    QVERIFY(json.contains("\"joint\": true"));
    QVERIFY(json.contains("\"changed\": 5"));
    QVERIFY(json.contains("\"missing\": []"));
    // Not there, not a recipe that anything is known about, not this program's business.
    QVERIFY(!run({"predict", model(), "--recipe", recipe.fileName(), "--sensitivity", "absent.json"}));
    QVERIFY(!run({"predict", model(), "--recipe", "Q5_0", "--sensitivity", output}));
    QVERIFY(!run({"predict", model(), "--recipe", "Q8_0", "--sensitivity", text()}));
  }

  void refuses_what_makes_no_sense() {
    const QString output = folder_.filePath("never.json");
    QVERIFY(!run(QStringList{"sensitivity", model(), "--text", text(), "--formats", "Q4_9", "-o", output}));
    QVERIFY(!run(QStringList{"sensitivity", model(), "--text", text(), "--formats", "Q4_0", "-o", model()}));
    QVERIFY(!run(QStringList{"sensitivity", model(), "--text", text(), "--formats", "Q4_0", "--tensor", "x*",
                             "-o", output}));
    QVERIFY(!run(QStringList{"sensitivity", model(), "--text", text(), "--formats", "Q4_0", "--method",
                             "luck", "-o", output}));
    QVERIFY(!QFile::exists(output));
  }
};

QTEST_GUILESS_MAIN(ResumeTest)
#include "tst_resume.moc"
