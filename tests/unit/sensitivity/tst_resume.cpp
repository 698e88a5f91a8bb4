// A sweep of the command line, killed in the middle and gone on with: what was found before is not lost and
// not done again, and the result is that of an undisturbed run.
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <optional>

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
  /// What `predict` says of a scheme of the field from the journal of a run that was killed.
  static std::optional<QJsonObject> predict_from(const std::string& journal, const char* scheme) {
    QProcess process;
    process.start(program(), {"predict", model(), "--recipe", QString("field:%1").arg(scheme),
                              "--sensitivity", QString::fromStdString(journal), "--json"});
    if (!process.waitForFinished(60000) || process.exitCode() != 0) return std::nullopt;
    const QJsonObject out = QJsonDocument::fromJson(process.readAllStandardOutput()).object();
    // It says what it was made from.
    bool said = false;
    for (const auto& warning : out["warnings"].toArray())
      said = said || warning.toString().contains("journal of a run that has not finished");
    return said ? std::optional(out) : std::nullopt;
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
    const auto predicted = predict_from(journal, "Q8_0");
    QVERIFY(predicted);
    double sum = 0;
    for (const sensitivity::CellRecord& cell : partial->cells)
      if (cell.format == kernels::Format::Q8_0) sum += cell.kl_mean;
    QVERIFY(sum > 0 && std::abs((*predicted)["kl_mean"].toDouble() / sum - 1) < 1e-9);
    QVERIFY(!(*predicted)["joint"].toBool());

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

  // Responses go on from the last round every cell has, to the same bits; more samples may be asked for.
  void killed_responses_go_on() {
    const auto request = [](const QString& output, const char* samples, const QStringList& more = {}) {
      return QStringList{"sensitivity", model(),     "--text",    text(),      "--formats",
                         "Q4_0",        "--context", "128",       "--windows", "8",
                         "--quantizer", "rtn",       "--threads", "1",         "--method",
                         "response",    "--samples", samples,     "-o",        output} +
             more;
    };
    const QString whole = folder_.filePath("whole.json"), output = folder_.filePath("killed.json");
    QVERIFY(run(request(whole, "1280")));
    QProcess victim;
    victim.start(program(), request(output, "640"));
    const std::string journal = study::sensitivity_journal_path(output.toStdString());
    std::size_t found = 0;
    QElapsedTimer timer;
    timer.start();
    while (found < 33 && victim.state() != QProcess::NotRunning && timer.elapsed() < 60000) {
      victim.waitForFinished(5);
      if (const auto content = sensitivity::read_journal(journal)) found = content->payloads.size();
    }
    victim.kill();
    victim.waitForFinished();
    if (!QFile::exists(output)) {  // it may have been faster than the kill
      const auto partial = study::load_sensitivity(journal);
      QVERIFY(partial && partial->cells.size() == 32);
      QVERIFY(partial->cells.front().samples < 640);
      const auto predicted = predict_from(journal, "Q4_0");
      QVERIFY(predicted);
      QVERIFY((*predicted)["joint"].toBool() && (*predicted)["kl_mean"].toDouble() > 0);
      QVERIFY((*predicted)["kl_se"].toDouble() > 0);
      QVERIFY((*predicted)["samples"].toInt() >= 40 && (*predicted)["samples"].toInt() < 640);
    }
    QByteArray errors;
    QVERIFY2(run(request(output, "1280", {"--resume", "--force"}), &errors), errors.constData());
    const auto resumed = study::load_sensitivity(output.toStdString());
    const auto expected = study::load_sensitivity(whole.toStdString());
    QVERIFY(resumed && expected);
    QCOMPARE(resumed->cells.size(), expected->cells.size());
    for (std::size_t c = 0; c < expected->cells.size(); ++c) {
      QCOMPARE(resumed->cells[c].response, expected->cells[c].response);
      QCOMPARE(resumed->cells[c].text_response, expected->cells[c].text_response);
      QCOMPARE(resumed->cells[c].kl_mean, expected->cells[c].kl_mean);
      QCOMPARE(resumed->cells[c].dnll_mean, expected->cells[c].dnll_mean);
    }
  }

  // Fewer tokens, an honest error, the largest cells first.
  void adaptive_cells_agree_with_all_windows() {
    const auto request = [](const QString& output, const QStringList& more = {}) {
      return QStringList{"sensitivity", model(),     "--text", text(),      "--formats",
                         "Q4_0",        "--context", "256",    "--windows", "24",
                         "--quantizer", "rtn",       "-o",     output} +
             more;
    };
    const QString all = folder_.filePath("all.json"), some = folder_.filePath("some.json");
    QVERIFY(run(request(all)));
    QByteArray errors;
    QVERIFY2(run(request(some, {"--adaptive", "--samples", "96"}), &errors), errors.constData());
    const auto expected = study::load_sensitivity(all.toStdString());
    const auto found = study::load_sensitivity(some.toStdString());
    QVERIFY(expected && found);
    QCOMPARE(found->cells.size(), expected->cells.size());
    std::uint64_t windows = 0;
    int outside = 0, predicted = 0;
    for (std::size_t c = 0; c < found->cells.size(); ++c) {
      QCOMPARE(found->cells[c].tensor, expected->cells[c].tensor);
      // Left to its prediction, or measured as long as it took.
      const bool measured = found->cells[c].method == sensitivity::Method::Measured;
      if (!measured) ++predicted;
      QCOMPARE(found->cells[c].samples, std::uint64_t{measured ? 0U : 96U});
      QVERIFY(found->cells[c].adaptive == measured && !expected->cells[c].adaptive);
      QCOMPARE(found->cells[c].window_kl.size(), static_cast<std::size_t>(found->cells[c].windows));
      windows += found->cells[c].windows;
      const double difference = found->cells[c].kl_mean - expected->cells[c].kl_mean;
      if (std::abs(difference) > 2 * std::hypot(found->cells[c].kl_se, expected->cells[c].kl_se)) ++outside;
    }
    QVERIFY2(windows < 24 * found->cells.size() / 2, qPrintable(QString::number(windows)));
    QVERIFY2(outside <= 4, qPrintable(QString::number(outside)));  // of 32
    QVERIFY2(predicted >= 4 && predicted <= 28, qPrintable(QString::number(predicted)));
    QVERIFY(!run(request(folder_.filePath("no.json"), {"--adaptive", "--method", "response"})));
  }

  void writes_hdf5() {
    const QString output = folder_.filePath("cells.h5"), json = folder_.filePath("cells.json");
    const QStringList common{"sensitivity", model(), "--text",    text(), "--formats", "Q4_0,Q8_0",
                             "--context",   "128",   "--windows", "4",    "--tensor",  "blk.*.attn_v.weight"};
    QByteArray errors;
    QVERIFY2(run(common + QStringList{"-o", output}, &errors), errors.constData());
    QVERIFY(run(common + QStringList{"-o", json}));
    QVERIFY(!QFile::exists(output + ".journal"));
    const auto expected = study::load_sensitivity(json.toStdString());
    QVERIFY(expected);
    QProcess python;
    python.start("/usr/bin/python3",
                 {"-c",
                  "import h5py,sys\nf=h5py.File(sys.argv[1])['sensitivity']\n"
                  "print(list(f['method'].asstr()),list(f['module'].asstr()),list(f['format'].asstr()),"
                  "list(f['layer'][()]))\n"
                  "for x in f['kl_mean'][0,:,0,:].ravel(): print(repr(float(x)))",
                  output});
    if (!python.waitForStarted()) QSKIP("needs python3");
    QVERIFY(python.waitForFinished(60000));
    const QString printed = QString::fromUtf8(python.readAllStandardOutput());
    if (printed.isEmpty()) QSKIP("needs python3-h5py");
    const QStringList lines = printed.trimmed().split('\n');
    QCOMPARE(lines.size(), static_cast<qsizetype>(expected->cells.size()) + 1);
    QVERIFY2(lines[0].contains("measured") && lines[0].contains("attn_v") && lines[0].contains("Q4_0"),
             qPrintable(lines[0]));
    for (std::size_t c = 0; c < expected->cells.size(); ++c)
      QCOMPARE(lines[static_cast<qsizetype>(c) + 1].toDouble(), expected->cells[c].kl_mean);
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

  // Over many windows the first cell is told of early, and measured to the end by who goes on.
  void a_cell_known_from_some_windows_is_gone_on_with() {
    const auto request = [](const QString& output, const QStringList& more = {}) {
      return QStringList{"sensitivity", model(), "--text",    text(),   "--formats",   "Q4_0",
                         "--context",   "256",   "--windows", "60",     "--quantizer", "rtn",
                         "-o",          output,  "--tensor",  "blk.0.*"} +
             more;
    };
    const QString undisturbed = folder_.filePath("sixty.json"), output = folder_.filePath("cut.json");
    QVERIFY(run(request(undisturbed)));
    const std::string journal = study::sensitivity_journal_path(output.toStdString());
    QProcess victim;
    victim.start(program(), request(output));
    Result<sensitivity::JournalContent> content = fail(ErrorCode::NotFound, "");
    QElapsedTimer timer;
    timer.start();
    while ((!content || content->payloads.empty()) && timer.elapsed() < 60000) {
      victim.waitForFinished(2);
      content = sensitivity::read_journal(journal);
    }
    victim.kill();
    victim.waitForFinished();
    QVERIFY(content && !content->payloads.empty());
    QVERIFY2(content->payloads.front().find("\"windows\":32,") != std::string::npos,
             content->payloads.front().c_str());
    QByteArray errors;
    QVERIFY2(run(request(output, {"--resume"}), &errors), errors.constData());
    const auto resumed = study::load_sensitivity(output.toStdString());
    const auto expected = study::load_sensitivity(undisturbed.toStdString());
    QVERIFY(resumed && expected && resumed->cells.size() == expected->cells.size());
    for (std::size_t c = 0; c < expected->cells.size(); ++c) {
      QCOMPARE(resumed->cells[c].windows, std::uint64_t{60});
      QCOMPARE(resumed->cells[c].kl_mean, expected->cells[c].kl_mean);
      QCOMPARE(resumed->cells[c].window_kl, expected->cells[c].window_kl);
    }
  }

  // A cell, all cells together, and a recipe: the same encoders, the same number.
  void cells_equal_recipes_with_an_importance_matrix() {
    const QString matrix = folder_.filePath("im.gguf"), output = folder_.filePath("weighed.json");
    const QStringList windows{"--text", text(), "--context", "128", "--windows", "4"};
    QVERIFY(run(QStringList{"imatrix", model(), "-o", matrix} + windows));
    QByteArray errors;
    QVERIFY2(run(QStringList{"sensitivity", model(), "--formats", "Q4_0", "--tensor", "blk.2.ffn_up.weight",
                             "--imatrix", matrix, "-o", output} +
                     windows,
                 &errors),
             errors.constData());
    const auto cells = study::load_sensitivity(output.toStdString());
    QVERIFY(cells && cells->cells.size() == 1);
    QVERIFY(!cells->provenance.imatrix_sha256.empty());
    QFile recipe(folder_.filePath("one.json"));
    QVERIFY(recipe.open(QIODevice::WriteOnly));
    recipe.write(R"({"bitlens_recipe": 1, "name": "up", "rules": [{"tensor": "blk.2.ffn_up.weight",
                     "format": "Q4_0"}], "default": "keep"})");
    recipe.close();
    const auto kl_of = [&](const QStringList& more) {
      QProcess process;
      process.start(program(), QStringList{"perplexity", model(), "--recipe", recipe.fileName(), "--json"} +
                                   windows + more);
      process.waitForFinished(60000);
      const QByteArray json = process.readAllStandardOutput();
      const qsizetype at = json.indexOf("\"kl_mean\": ") + 11;
      return json.mid(at, json.indexOf(',', at) - at).toDouble();
    };
    const double kl = cells->cells.front().kl_mean;
    QVERIFY(std::abs(kl_of({"--imatrix", matrix}) - kl) <= 1e-9 * kl);
    QVERIFY(std::abs(kl_of({}) - kl) > 1e-3 * kl);
    // Predicting says when the recipe is rounded otherwise.
    const auto warned = [&](const QStringList& more) {
      QProcess process;
      process.start(
          program(),
          QStringList{"predict", model(), "--recipe", recipe.fileName(), "--sensitivity", output} + more);
      process.waitForFinished(60000);
      return process.exitCode() == 0 && process.readAllStandardError().contains("another importance matrix");
    };
    QVERIFY(warned({}));
    QVERIFY(!warned({"--imatrix", matrix}));
  }

  // One clear error each, and what is there stays as it is.
  void strange_files_are_one_error() {
    const QString output = folder_.filePath("mine.json");
    QVERIFY(run(arguments(output, {"--tensor", "blk.0.attn_q.weight"})));
    QFile good(output);
    QVERIFY(good.open(QIODevice::ReadOnly));
    const QByteArray whole = good.readAll();
    const auto error_of = [](const QStringList& arguments) {
      QProcess process;
      process.start(program(), arguments);
      if (!process.waitForFinished(60000)) return QString("it does not end");
      const QString told = QString::fromUtf8(process.readAllStandardError());
      return process.exitCode() != 0 && told.count("error: ") == 1 ? told : "no single error: " + told;
    };
    const QString strange = folder_.filePath("strange.json");
    for (const QByteArray& bytes :
         {QByteArray(), whole.left(whole.size() / 2), QByteArray(100000, '\x99'), QByteArray(100000, '['),
          QByteArray("bitlens-journal 1 ") + QByteArray(100000, 'x')}) {
      QFile file(strange);
      QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
      file.write(bytes);
      file.close();
      const QString told = error_of({"predict", model(), "--recipe", "Q8_0", "--sensitivity", strange});
      QVERIFY2(told.startsWith("error: "), qPrintable(told));
    }
    const QString other = QStringLiteral(BITLENS_SHARED "/models/tiny256-f32.gguf");
    if (!QFile::exists(other)) QSKIP("needs the shared test data: models/tiny256-f32.gguf");
    QString told = error_of({"predict", other, "--recipe", "Q8_0", "--sensitivity", output});
    QVERIFY2(told.contains("about another model"), qPrintable(told));

    // The journal of another run is no place to go on.
    const QString cut = folder_.filePath("strange2.json"), journal = cut + ".journal";
    QProcess victim;
    victim.start(program(), arguments(cut, {"--method", "response", "--samples", "100000"}));
    QTRY_VERIFY_WITH_TIMEOUT(QFileInfo(journal).size() > 20000, 60000);
    victim.kill();
    victim.waitForFinished();
    const auto before = sensitivity::read_journal(journal.toStdString());
    for (const QStringList& changed :
         {QStringList{model(), QStringLiteral(BITLENS_SHARED "/texts/tinyshakespeare.txt")},
          QStringList{other, text()}}) {
      QStringList resume = arguments(cut, {"--method", "response", "--samples", "100000", "--resume"});
      resume[1] = changed[0];
      resume[3] = changed[1];
      told = error_of(resume);
      QVERIFY2(told.contains("another model, text or setting"), qPrintable(told));
    }
    const auto after = sensitivity::read_journal(journal.toStdString());
    QVERIFY(before && after && before->payloads == after->payloads);
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
