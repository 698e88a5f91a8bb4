// What can go wrong: one line on stderr, nothing on stdout, an exit status that says what kind it was, no
// input harmed and no output half written.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <QtTest>
#include <limits>

#include "tests/e2e/cli/cli_runner.h"

using namespace bitlens;
using namespace bitlens::test;

namespace {

constexpr int kArgument = 2, kNotFound = 3, kIo = 4, kNoSpace = 5, kBadFile = 6, kUnsupported = 7,
              kExists = 8, kCancelled = 9, kNumeric = 10;

void limit_to(decltype(RLIMIT_AS) what, rlim_t value) {
  struct rlimit limit {};
  limit.rlim_cur = limit.rlim_max = value;
  setrlimit(what, &limit);
}

}  // namespace

class TestCliErrors : public QObject {
  Q_OBJECT
 private:
  QTemporaryDir folder_;
  QString model_, text_, recipe_;
  [[nodiscard]] QString path(const QString& name) const { return folder_.filePath(name); }
  [[nodiscard]] QStringList files() const {
    return QDir(folder_.path()).entryList(QDir::Files | QDir::Hidden);
  }

 private slots:
  void initTestCase() {
    model_ = path("model.gguf");
    text_ = path("text.txt");
    recipe_ = path("recipe.json");
    QVERIFY(write_bytes(model_.toStdString(), model_bytes(small_model())));
    QVERIFY(write_bytes(text_.toStdString(), random_text(3000)));
    QVERIFY(write_bytes(recipe_.toStdString(), R"({"bitlens_recipe": 1, "default": "Q4_0"})"));
    QVERIFY(
        write_bytes(path("tasks.json").toStdString(),
                    R"({"items": [{"kind": "x", "prompt": "a", "candidates": ["b", "c"], "answer": 2}]})"));
  }

  void wrong_command_lines_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("expected");
    QTest::newRow("nothing") << QStringList{} << "bitlens-cli --help";
    QTest::newRow("unknown command") << QStringList{"frobnicate", "x"} << "unknown command \"frobnicate\"";
    QTest::newRow("no model") << QStringList{"inspect"} << "MODEL is required";
    QTest::newRow("no text") << QStringList{"perplexity", "x"} << "--text is required";
    QTest::newRow("unknown option") << QStringList{"inspect", "x", "--frob"} << "--frob";
    QTest::newRow("surplus") << QStringList{"inspect", "x", "y"} << "y";
    QTest::newRow("protocol") << QStringList{"perplexity", "x", "--text", "y", "--protocol", "z"}
                              << "--protocol";
    QTest::newRow("context") << QStringList{"perplexity", "x", "--text", "y", "--context", "0"}
                             << "--context";
    QTest::newRow("negative") << QStringList{"perplexity", "x", "--text", "y", "--windows", "-3"}
                              << "--windows";
    QTest::newRow("huge") << QStringList{"perplexity", "x", "--text", "y", "--context", "99999999999"}
                          << "--context";
    QTest::newRow("threads") << QStringList{"inspect", "x", "--threads", "many"} << "--threads";
    QTest::newRow("escapes") << QStringList{"\x1b[2J\n"} << "\\x1B[2J\\x0A";
  }
  void wrong_command_lines() {
    QFETCH(QStringList, arguments);
    QFETCH(QString, expected);
    const Outcome run = cli(arguments);
    QVERIFY2(run.is_one_line_error(), run.describe());
    QCOMPARE(run.code, kArgument);
    QVERIFY2(run.err.find(expected.toStdString()) != std::string::npos, run.describe());
  }

  void requests_that_cannot_be_met_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("expected");
    const auto row = [](const char* name, const QStringList& arguments, int code, const char* expected) {
      QTest::newRow(name) << arguments << code << expected;
    };
    row("no such model", {"inspect", "@missing.gguf"}, kNotFound, "missing.gguf");
    row("a folder", {"inspect", "@"}, kArgument, "directory");
    row("a device", {"inspect", "/dev/zero"}, kArgument, "device");
    row("no such text", {"perplexity", "@model.gguf", "--text", "@missing.txt"}, kNotFound, "missing.txt");
    row("a device as text", {"perplexity", "@model.gguf", "--text", "/dev/zero"}, kArgument, "device");
    row("short text", {"perplexity", "@model.gguf", "--text", "@text.txt", "--context", "2000"}, kArgument,
        "2 x 2000");
    row("no such recipe", {"quantize", "@model.gguf", "--recipe", "@missing.json", "--dry-run"}, kNotFound,
        "missing.json");
    row("no such format", {"quantize", "@model.gguf", "--recipe", "Q9_9", "--dry-run"}, kNotFound, "Q9_9");
    row("not a recipe", {"quantize", "@model.gguf", "--recipe", "@text.txt", "--dry-run"}, kArgument,
        "text.txt");
    row("no tensor", {"stats", "@model.gguf", "--tensor", "nothing*"}, kNotFound, "nothing*");
    row("no output", {"quantize", "@model.gguf", "--recipe", "@recipe.json"}, kArgument, "--output");
    row("no folder", {"quantize", "@model.gguf", "--recipe", "@recipe.json", "-o", "@none/out.gguf"},
        kNotFound, "folder");
    row("no folder for the report",
        {"report", "@model.gguf", "--text", "@text.txt", "--context", "32", "-o", "@none/out.h5"}, kNotFound,
        "folder");
    row("output is a folder", {"quantize", "@model.gguf", "--recipe", "@recipe.json", "-o", "@", "--force"},
        kArgument, "folder");
    row("no such tasks", {"tasks", "@model.gguf", "--tasks", "@missing.json"}, kNotFound, "missing.json");
    row("a text as tasks", {"tasks", "@model.gguf", "--tasks", "@text.txt"}, kBadFile, "text.txt");
    row("a recipe as tasks", {"tasks", "@model.gguf", "--tasks", "@recipe.json"}, kBadFile, "items");
    row("an answer that is none", {"tasks", "@model.gguf", "--tasks", "@tasks.json"}, kBadFile,
        "items[0].answer");
    row("text as model", {"inspect", "@text.txt"}, kBadFile, "text.txt");
    row("model as text is short", {"perplexity", "@model.gguf", "--text", "@recipe.json", "--context", "512"},
        kArgument, "recipe.json");
  }
  void requests_that_cannot_be_met() {
    QFETCH(QStringList, arguments);
    QFETCH(int, code);
    QFETCH(QString, expected);
    for (QString& argument : arguments)
      if (argument.startsWith('@')) argument = path(argument.mid(1));
    const QStringList before = files();
    for (const bool as_json : {false, true}) {
      const Outcome run = cli(as_json ? arguments + QStringList{"--json"} : arguments);
      QVERIFY2(run.is_one_line_error(), run.describe());
      QVERIFY2(run.code == code, run.describe());
      QVERIFY2(run.err.find(expected.toStdString()) != std::string::npos, run.describe());
    }
    QCOMPARE(files(), before);
  }

  // Every command refuses every malformed file with the same kind of error.
  void hostile_files_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("expected");
    const auto row = [](const char* name, const std::string& bytes, const char* expected) {
      QTest::newRow(name) << QByteArray::fromStdString(bytes) << expected;
    };
    const std::string good = model_bytes(small_model());
    row("empty", "", "");
    row("four bytes", good.substr(0, 4), "");
    row("cut in the header", good.substr(0, 20), "");
    row("cut in the metadata", good.substr(0, 200), "");
    row("cut in the data", good.substr(0, good.size() - 1000), "");
    row("wrong magic", "GGML" + good.substr(4), "");
    row("zip", std::string("PK\x03\x04", 4) + good.substr(4), "");
    row("version 0", sample_gguf().version(0).bytes(), "version");
    row("version 99", sample_gguf().version(99).bytes(), "version");
    row("big endian", sample_gguf().version(0x03000000).bytes(), "endian");
    row("2^60 tensors", sample_gguf().declare_tensors(1ULL << 60U).bytes(), "");
    row("2^63 entries", sample_gguf().declare_entries(1ULL << 63U).bytes(), "");
    row("overlong key", sample_gguf().raw_entry(Bytes().u64(1ULL << 62U).raw("x").str()).bytes(), "");
    row("array of 2^61",
        sample_gguf().raw_entry(Bytes().string("x.y").u32(9).u32(0).u64(1ULL << 61U).str()).bytes(), "");
    row("shape overflows", sample_gguf().info("x", {1ULL << 40U, 1ULL << 40U}, 0, 0).bytes(), "x");
    row("offset beyond", sample_gguf().info("far", {32}, 0, 1ULL << 50U).bytes(), "far");
    row("twice",
        sample_gguf()
            .f32("again", {32}, std::vector<float>(32))
            .f32("again", {32}, std::vector<float>(32))
            .bytes(),
        "again");
    row("name with escapes", sample_gguf().info("\x1b[2J\n", {1ULL << 40U, 1ULL << 40U}, 0, 0).bytes(),
        "\\x1B[2J\\x0A");
  }
  void hostile_files() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, expected);
    const QString hostile = path("hostile.gguf"), out = path("out.gguf");
    QVERIFY(write_bytes(hostile.toStdString(), bytes.toStdString()));
    const QList<QStringList> commands{
        {"inspect", hostile},
        {"stats", hostile, "--json"},
        {"tokenize", hostile, "--text", text_},
        {"perplexity", hostile, "--text", text_, "--context", "32"},
        {"perplexity", model_, "--text", text_, "--context", "32", "--base", hostile},
        {"quantize", hostile, "--recipe", recipe_, "-o", out},
        {"report", hostile, "--text", text_, "-o", out}};
    for (const QStringList& command : commands) {
      // Far less memory than the headers claim.
      const Outcome run = cli(command, [](QProcess& process) {
        process.setChildProcessModifier([] {
#ifndef __SANITIZE_ADDRESS__  // its shadow memory is larger than any limit
          limit_to(RLIMIT_AS, 2UL << 30U);
#endif
        });
      });
      QVERIFY2(run.is_one_line_error(), run.describe());
      QVERIFY2(run.code == kBadFile || run.code == kUnsupported, run.describe());
      QVERIFY2(run.err.find("hostile.gguf") != std::string::npos, run.describe());
      QVERIFY2(run.err.find(expected.toStdString()) != std::string::npos, run.describe());
    }
    QVERIFY(!QFile::exists(out));
    QVERIFY(QFile::remove(hostile));
  }

  void only_inspect_opens_invalid_hyperparameters_data() {
    QTest::addColumn<QString>("key");
    QTest::addColumn<quint32>("value");
    QTest::newRow("no heads") << "llama.attention.head_count" << 0U;
    QTest::newRow("indivisible heads") << "llama.attention.head_count_kv" << 3U;
    QTest::newRow("other width") << "llama.embedding_length" << 48U;
    QTest::newRow("no layers") << "llama.block_count" << 0U;
    QTest::newRow("too many layers") << "llama.block_count" << 1000000000U;
    QTest::newRow("odd rope") << "llama.rope.dimension_count" << 7U;
  }
  void only_inspect_opens_invalid_hyperparameters() {
    QFETCH(QString, key);
    QFETCH(quint32, value);
    const QString invalid = path("invalid.gguf");
    QVERIFY(write_bytes(invalid.toStdString(), model_bytes(small_model(), [&](Keys& keys) {
                          for (auto& entry : keys)
                            if (entry.first == key.toStdString()) entry.second = std::uint32_t{value};
                        })));
    refused_by_all_but_inspect(invalid);
  }

  void only_inspect_opens_empty_tensors() {
    const QString empty = path("empty.gguf");
    testing::TinyLlama model = small_model();
    model.shapes["blk.0.extra.weight"] = {32, 0};
    model.tensors["blk.0.extra.weight"] = {};
    QVERIFY(write_bytes(empty.toStdString(), model_bytes(model)));
    refused_by_all_but_inspect(empty);
  }

  void not_a_number_is_found() {
    testing::TinyLlama model = small_model();
    model.tensors["blk.1.ffn_up.weight"][70] = std::numeric_limits<float>::quiet_NaN();
    const QString bad = path("nan.gguf"), out = path("out.gguf");
    QVERIFY(write_bytes(bad.toStdString(), model_bytes(model)));
    const QStringList before = files();
    for (const QStringList& command : {QStringList{"perplexity", bad, "--text", text_, "--context", "32"},
                                       QStringList{"quantize", bad, "--recipe", recipe_, "-o", out}}) {
      const Outcome run = cli(command);
      QVERIFY2(run.is_one_line_error(), run.describe());
      QCOMPARE(run.code, kNumeric);
      QVERIFY2(run.err.find("blk.1.ffn_up.weight") != std::string::npos, run.describe());
    }
    QCOMPARE(files(), before);
    const Outcome stats = cli({"stats", bad, "--tensor", "blk.1.ffn_up*", "--json"});
    QVERIFY2(stats.ok(), stats.describe());
    QCOMPARE(stats.json()["tensors"][0]["non_finite"].get<int>(), 1);
    QVERIFY(stats.err.find("warning: blk.1.ffn_up.weight") != std::string::npos);
  }

  void an_existing_output_is_refused_without_force() {
    const QString out = path("existing.gguf");
    QVERIFY(write_bytes(out.toStdString(), "precious"));
    const Outcome refused = cli({"quantize", model_, "--recipe", recipe_, "-o", out});
    QVERIFY2(refused.is_one_line_error(), refused.describe());
    QCOMPARE(refused.code, kExists);
    QVERIFY(refused.err.find("--force") != std::string::npos);
    QCOMPARE(read_bytes(out.toStdString()), std::string("precious"));
    const Outcome forced = cli({"quantize", model_, "--recipe", recipe_, "-o", out, "--force"});
    QVERIFY2(forced.ok(), forced.describe());
    QVERIFY(read_bytes(out.toStdString()).starts_with("GGUF"));
    QVERIFY(QFile::remove(out));
  }

  void an_input_is_never_the_output() {
    const std::string model = read_bytes(model_.toStdString()), text = read_bytes(text_.toStdString()),
                      recipe = read_bytes(recipe_.toStdString());
    const QString symbolic = path("symbolic.gguf"), hard = path("hard.gguf");
    QVERIFY(QFile::link(model_, symbolic));
    QCOMPARE(::link(model_.toUtf8().constData(), hard.toUtf8().constData()), 0);
    for (const QString& out : {model_, symbolic, hard, text_, recipe_, folder_.path() + "/./model.gguf"})
      for (const QStringList& command : {QStringList{"quantize", model_, "--recipe", recipe_, "--text", text_,
                                                     "--context", "32", "--force", "-o", out},
                                         QStringList{"report", model_, "--recipe", recipe_, "--text", text_,
                                                     "--context", "32", "--force", "-o", out}}) {
        const Outcome run = cli(command);
        QVERIFY2(run.is_one_line_error(), run.describe());
        QCOMPARE(run.code, kArgument);
        QCOMPARE(read_bytes(model_.toStdString()), model);
        QCOMPARE(read_bytes(text_.toStdString()), text);
        QCOMPARE(read_bytes(recipe_.toStdString()), recipe);
      }
    QVERIFY(QFile::remove(symbolic));
    QVERIFY(QFile::remove(hard));
  }

  void a_full_disk_leaves_nothing() {
    const QString out = path("out.gguf");
    const QStringList before = files();
    const Outcome run = cli({"quantize", model_, "--recipe", "F16", "-o", out}, [](QProcess& process) {
      process.setChildProcessModifier([] { limit_to(RLIMIT_FSIZE, 10'000); });
    });
    QVERIFY2(run.is_one_line_error(), run.describe());
    QVERIFY2(run.code == kNoSpace || run.code == kIo, run.describe());
    QCOMPARE(files(), before);
  }

  void a_result_that_cannot_be_written_is_an_error() {
    const Outcome run =
        cli({"inspect", model_}, [](QProcess& process) { process.setStandardOutputFile("/dev/full"); });
    QVERIFY2(run.is_one_line_error(), run.describe());
    QCOMPARE(run.code, kNoSpace);
    const Outcome help =
        cli({"--help"}, [](QProcess& process) { process.setStandardOutputFile("/dev/full"); });
    QVERIFY2(help.is_one_line_error(), help.describe());
  }

  void an_interrupt_cancels_a_measurement() {
    const QString text = path("long.txt");
    QVERIFY(write_bytes(text.toStdString(), random_text(6'000'000)));
    QProcess process;
    set_up_cli(process, {"perplexity", model_, "--text", text, "--context", "64"});
    process.start();
    QVERIFY(process.waitForStarted());
    QTest::qWait(1000);
    QCOMPARE(::kill(static_cast<pid_t>(process.processId()), SIGINT), 0);
    const Outcome run = outcome_of(process);
    QVERIFY2(run.is_one_line_error(), run.describe());
    QCOMPARE(run.code, kCancelled);
    QVERIFY(QFile::remove(text));
  }

  void an_interrupt_leaves_no_half_written_output() {
    testing::TinyLlama large = small_model();
    large.width = 1024;
    large.head_dim = 256;
    large.rope_dimensions = 256;
    large.ffn = 4096;
    large.layers = 1;
    large.tensors.clear();
    large.shapes.clear();
    large.draw();
    const QString source = path("large.gguf"), out = path("out.gguf");
    QVERIFY(write_bytes(source.toStdString(), model_bytes(large)));
    const QStringList before = files();
    QProcess process;
    set_up_cli(process, {"quantize", source, "--recipe", recipe_, "-o", out, "--threads", "1"});
    process.start();
    // As soon as it has begun to write.
    QTRY_VERIFY_WITH_TIMEOUT(files().size() > before.size(), 20'000);
    QCOMPARE(::kill(static_cast<pid_t>(process.processId()), SIGTERM), 0);
    const Outcome run = outcome_of(process);
    QVERIFY2(run.is_one_line_error(), run.describe());
    QCOMPARE(run.code, kCancelled);
    QCOMPARE(files(), before);
  }

 private:
  void refused_by_all_but_inspect(const QString& file) {
    const QString out = path("out.gguf");
    const Outcome inspected = cli({"inspect", file, "--json"});
    QVERIFY2(inspected.ok(), inspected.describe());
    for (const QStringList& command :
         {QStringList{"stats", file}, QStringList{"perplexity", file, "--text", text_},
          QStringList{"quantize", file, "--recipe", recipe_, "-o", out},
          QStringList{"report", file, "--text", text_, "-o", out}}) {
      const Outcome run = cli(command);
      QVERIFY2(run.is_one_line_error(), run.describe());
      QVERIFY2(run.code == kBadFile, run.describe());
    }
    QVERIFY(!QFile::exists(out));
    QVERIFY(QFile::remove(file));
  }
};

QTEST_GUILESS_MAIN(TestCliErrors)
#include "tst_cli_errors.moc"
