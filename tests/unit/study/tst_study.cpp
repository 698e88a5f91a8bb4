// The `.bitlens` file: everything comes back as it was, and nothing damaged, newer or hostile is half
// believed.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QtTest>
#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>

#include "core/base/atomic_file.h"
#include "core/base/hash.h"
#include "core/study/result_json.h"
#include "core/study/study.h"
#include "tests/support/gguf_builder.h"

using namespace bitlens;
using namespace bitlens::study;
using nlohmann::json;

namespace {

MeasuredResult example_result() {
  MeasuredResult result;
  result.name = "4 bit \"mixed\"";
  result.recipe = quantize::Recipe{"mixed",
                                   {{"*ffn_down.weight", kernels::Format::Q8_0, kernels::Quantizer::Rtn},
                                    {"token_embd.weight", std::nullopt, std::nullopt}},
                                   kernels::Format::Q4_0};
  result.file_bytes = 12345678901ULL;
  result.bits_per_weight = 4.609999999999999;
  evaluate::Measurement& m = result.measurement;
  m.perplexity = {1.61284, 0.009, 5.017040000000001, 0.045, 367, 46609};
  m.protocol = evaluate::Protocol::Paper;
  m.activations = evaluate::Activations::Q8;
  m.context = 256;
  m.seconds = 0.1;
  m.warnings = {"one", "two \xE4\xB8\xAD"};
  evaluate::Comparison c;
  c.base = {1.6, 0.008, 4.95, 0.04, 367, 46609};
  c.kl_mean = 1e-300;
  c.kl_se = 0.1 + 0.2;
  c.kl_median = 5e-324;
  c.kl_p90 = 1.7976931348623157e308;
  c.kl_p99 = -0.0;
  c.kl_max = 3;
  c.ln_ratio = -0.25;
  c.ln_ratio_se = 1.0 / 3.0;
  c.top1_agreement = 0.875;
  c.delta_p_rms = 0.0625;
  m.comparison = c;
  Provenance& p = result.provenance;
  p.model_path = "/models/a b.gguf";
  p.model_sha256 = std::string(64, 'a');
  p.base_path = "/models/base.gguf";
  p.base_sha256 = std::string(64, 'b');
  p.text_name = "wiki.txt";
  p.text_sha256 = std::string(64, 'c');
  p.tokenizer = "gpt2/smollm";
  p.bos = "none";
  p.protocol = "paper";
  p.activations = "q8";
  p.quantizer = "search";
  p.program = "bitlens 0.1.0";
  p.instruction_set = "AVX2";
  p.context = 256;
  p.windows = 367;
  p.scored_tokens = 46609;
  p.threads = 2;
  p.time = "2026-11-22T17:53:20Z";
  return result;
}

Study example_study() {
  Study study;
  study.model_path = "/models/a b.gguf";
  study.model_sha256 = std::string(64, 'a');
  study.texts = {{"/texts/wiki.txt", std::string(64, 'c'), TextUse::Evaluation},
                 {"sample-calibration", "", TextUse::Calibration}};
  study.recipe = *example_result().recipe;
  study.recipes = {quantize::Recipe{"8 bit", {}, kernels::Format::Q8_0}, study.recipe};
  study.results = {example_result(), example_result()};
  study.results[1].recipe.reset();
  study.results[1].measurement.comparison.reset();
  study.options.protocol = evaluate::Protocol::Paper;
  study.options.context = 1024;
  study.options.windows = 20;
  study.options.activations = evaluate::Activations::Q8;
  study.quantizer = quantize::Quantizer::Rtn;
  study.sweep =
      SweepPlan{{kernels::Format::Q8_0, kernels::Format::Q4_0}, 400, 256, 3, true, false, true, true};
  study.imatrix = study::ImatrixReference{"/somewhere/imatrix.gguf", std::string(64, 'b')};
  study.layout = "AAAA/wAAAAD9AAAA\n\"\\";
  return study;
}

json example_json() {
  return json::parse(study_to_json(example_study()));
}

/// Message of the error that `text` gives; empty if it is accepted.
std::string message_of(const std::string& text, ErrorCode* code = nullptr) {
  const auto study = parse_study(text, "x.bitlens");
  if (study) return {};
  if (code != nullptr) *code = study.error().code;
  return study.error().describe();
}

struct Case {
  const char* what;
  std::string text, expected;
  ErrorCode code = ErrorCode::BadFile;
};

Case changed(const char* what, const std::function<void(json&)>& change, std::string expected,
             ErrorCode code = ErrorCode::BadFile) {
  json document = example_json();
  change(document);
  return {what, document.dump(), std::move(expected), code};
}

}  // namespace

class TestStudy : public QObject {
  Q_OBJECT
 private slots:
  void everything_comes_back() {
    const Study study = example_study();
    const std::string text = study_to_json(study);
    const auto read = parse_study(text, "x.bitlens");
    QVERIFY2(read.has_value(), read ? "" : read.error().describe().c_str());
    QCOMPARE(read->model_path, study.model_path);
    QCOMPARE(read->model_sha256, study.model_sha256);
    QVERIFY(read->texts == study.texts);
    QVERIFY(read->recipe == study.recipe);
    QVERIFY(read->recipes == study.recipes);
    QVERIFY(read->sweep == study.sweep);
    QCOMPARE(read->layout, study.layout);
    QVERIFY(read->quantizer == study.quantizer);
    QVERIFY(read->imatrix == study.imatrix);
    QCOMPARE(read->options.context, study.options.context);
    QCOMPARE(read->options.windows, study.options.windows);
    QVERIFY(read->options.protocol == study.options.protocol);
    QVERIFY(read->options.activations == study.options.activations);
    QCOMPARE(read->results.size(), std::size_t{2});
    const MeasuredResult& a = read->results[0];
    const MeasuredResult& b = study.results[0];
    QVERIFY(a.recipe == b.recipe);
    QCOMPARE(a.file_bytes, b.file_bytes);
    QCOMPARE(a.measurement.warnings, b.measurement.warnings);
    QVERIFY(a.measurement.perplexity.ppl == b.measurement.perplexity.ppl);  // to the last bit
    QVERIFY(a.measurement.comparison->kl_se == b.measurement.comparison->kl_se);
    QVERIFY(a.measurement.comparison->kl_median == b.measurement.comparison->kl_median);
    QVERIFY(a.measurement.comparison->kl_p90 == b.measurement.comparison->kl_p90);
    QVERIFY(a.measurement.comparison->ln_ratio_se == b.measurement.comparison->ln_ratio_se);
    QCOMPARE(a.measurement.comparison->base.scored_tokens, b.measurement.comparison->base.scored_tokens);
    QVERIFY(!read->results[1].recipe);
    QVERIFY(!read->results[1].measurement.comparison);
    // Whatever else there is: writing it again gives the same bytes.
    QCOMPARE(study_to_json(*read), text);
  }

  void an_empty_study_comes_back() {
    const std::string text = study_to_json(Study{});
    const auto read = parse_study(text, "x");
    QVERIFY2(read.has_value(), read ? "" : read.error().describe().c_str());
    QCOMPARE(study_to_json(*read), text);
  }

  void numbers_that_are_none_become_null() {
    Study study = example_study();
    study.results[0].measurement.perplexity.ppl = std::nan("");
    study.results[0].measurement.comparison->kl_max = INFINITY;
    const std::string text = study_to_json(study);
    QVERIFY(json::parse(text)["results"][0]["ppl"].is_null());
    QVERIFY(json::parse(text)["results"][0]["kl_max"].is_null());
    const auto read = parse_study(text, "x");
    QVERIFY(read.has_value());
    QVERIFY(std::isnan(read->results[0].measurement.perplexity.ppl));
  }

  void bytes_that_are_no_text_do_not_spoil_the_file() {
    Study study = example_study();
    study.model_path = "/models/\xFF\xFE.gguf";
    const auto read = parse_study(study_to_json(study), "x");
    QVERIFY(read.has_value());
  }

  // P01: a file cut anywhere is an error that says so; it is never believed in part.
  void cut_at_every_byte() {
    const std::string text = study_to_json(example_study());
    for (std::size_t cut = 0; cut + 1 < text.size(); ++cut) {
      ErrorCode code{};
      const std::string message = message_of(text.substr(0, cut), &code);
      QVERIFY2(message.find("study file is damaged at byte") != std::string::npos,
               qPrintable(QString("%1: %2").arg(cut).arg(message.c_str())));
      QVERIFY(code == ErrorCode::BadFile);
    }
    QVERIFY(message_of(text.substr(0, text.size() - 1)).empty());  // only the last newline is missing
  }

  // P01: random bytes in place of others: refused with one line, or read as what they now say.
  void random_damage() {
    const std::string text = study_to_json(example_study());
    std::mt19937 random(20240701);
    int refused = 0;
    for (int round = 0; round < 3000; ++round) {
      std::string damaged = text;
      for (unsigned i = 0; i <= random() % 4; ++i)
        damaged[random() % damaged.size()] = static_cast<char>(random() & 0xFFU);
      const std::string message = message_of(damaged);
      if (message.empty()) continue;
      ++refused;
      QVERIFY2(message.find('\n') == std::string::npos, message.c_str());
      QVERIFY(message.starts_with("x.bitlens"));
    }
    QVERIFY(refused > 1000);
  }

  void hostile_files_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("expected");
    QTest::addColumn<int>("code");
    const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    const std::string good = study_to_json(example_study());
    const auto replaced = [&](const std::string& from, const std::string& to) {
      std::string text = good;
      text.replace(text.find(from), from.size(), to);
      return text;
    };
    const std::vector<Case> cases{
        // P01
        {"empty", "", "damaged at byte"},
        {"random", "\x8B\x1F not json", "damaged at byte"},
        {"utf-16", std::string("\xFF\xFE{\0}\0", 6), "damaged at byte"},
        {"two documents", good + good, "damaged at byte"},
        // P02
        changed(
            "newer", [](json& d) { d["bitlens_study"] = 7; },
            "written by a newer version (7); this program reads up to 1", ErrorCode::Unsupported),
        changed(
            "no version", [](json& d) { d.erase("bitlens_study"); }, "not a Bitlens study"),
        changed(
            "negative version", [](json& d) { d["bitlens_study"] = -1; }, "bitlens_study: version -1 found"),
        changed(
            "text version", [](json& d) { d["bitlens_study"] = "1"; }, "version \"1\" found"),
        changed(
            "fraction", [](json& d) { d["bitlens_study"] = 1.5; }, "version 1.5 found"),
        // P03: there is no older version than 1
        changed(
            "version 0", [](json& d) { d["bitlens_study"] = 0; }, "expected a whole number from 1"),
        // P04
        {"top level array", "[]", "not a Bitlens study"},
        {"top level number", "1", "not a Bitlens study"},
        {"depth", nested(100000), "nested deeper than 32 levels"},
        {"depth in layout", replaced("\"layout\": ", "\"layout\": " + nested(100000) + ", \"x\": "),
         "nested deeper"},
        {"duplicate key", replaced("\"model\":", "\"layout\": \"\", \"model\":"), "\"layout\" appears twice"},
        {"NaN", replaced("4.609999999999999", "NaN"), "damaged at byte"},
        {"Infinity", replaced("4.609999999999999", "-Infinity"), "damaged at byte"},
        {"1e400", replaced("4.609999999999999", "1e400"), "damaged at byte"},
        {"bad utf-8", replaced("a b.gguf", "a\xFF.gguf"), "damaged at byte"},
        changed(
            "unknown key", [](json& d) { d["extra"] = 1; }, "extra: unknown key"),
        changed(
            "sweep's format", [](json& d) { d["sweep"]["formats"] = {"Q4_9"}; }, "unknown format \"Q4_9\""),
        changed(
            "sweep's flag", [](json& d) { d["sweep"]["measure"] = 1; },
            "sweep.measure: must be true or false"),
        changed(
            "sweep's key", [](json& d) { d["sweep"]["speed"] = 1; }, "sweep.speed: unknown key"),
        changed(
            "unknown inner key", [](json& d) { d["results"][1]["x\x1b[2J"] = 1; }, "results[1].x\\x1B[2J"),
        changed(
            "missing", [](json& d) { d.erase("recipe"); }, "recipe: "),
        changed(
            "model is text", [](json& d) { d["model"] = "a"; }, "model: expected an object, found string"),
        changed(
            "path is number", [](json& d) { d["model"]["path"] = 3; }, "model.path: expected a string"),
        changed(
            "texts is object", [](json& d) { d["texts"] = json::object(); }, "texts: expected an array"),
        changed(
            "text is null", [](json& d) { d["texts"][1] = nullptr; },
            "texts[1]: expected an object, found null"),
        changed(
            "unknown use", [](json& d) { d["texts"][0]["use"] = "eval"; },
            "texts[0].use: unknown value \"eval\"; known: evaluation, calibration"),
        changed(
            "protocol", [](json& d) { d["options"]["protocol"] = "Llama"; },
            "options.protocol: unknown value"),
        changed(
            "context", [](json& d) { d["options"]["context"] = 4294967296; },
            "options.context: 4294967296 is too"),
        changed(
            "negative", [](json& d) { d["options"]["windows"] = -1; },
            "options.windows: expected a whole number"),
        changed(
            "huge", [](json& d) { d["results"][0]["file_bytes"] = 1e30; }, "results[0].file_bytes: expected"),
        changed(
            "threads", [](json& d) { d["results"][0]["provenance"]["threads"] = 4294967297; },
            "results[0].provenance.threads"),
        changed(
            "result number", [](json& d) { d["results"][0]["kl_p99"] = "0"; },
            "results[0].kl_p99: expected a number"),
        changed(
            "half a comparison", [](json& d) { d["results"][0].erase("kl_se"); },
            "results[0].kl_se: missing"),
        changed(
            "warnings", [](json& d) { d["results"][0]["warnings"][1] = 2; },
            "results[0].warnings[1]: expected a string"),
        // P07 (what a file alone can tell; names and shapes are the model's to judge)
        changed(
            "format", [](json& d) { d["recipe"]["default"] = "Q4_2"; },
            "recipe: default: unknown format \"Q4_2\""),
        changed(
            "rule", [](json& d) { d["recipes"][1]["rules"][0]["format"] = 4; }, "recipes[1]: rule 1"),
        changed(
            "recipe of a result", [](json& d) { d["results"][0]["recipe"]["rules"] = 1; },
            "results[0].recipe: rules"),
        changed(
            "newer recipe", [](json& d) { d["recipe"]["bitlens_recipe"] = 2; },
            "recipe: bitlens_recipe: version 2", ErrorCode::Unsupported),
    };
    for (const Case& c : cases)
      QTest::newRow(c.what) << QByteArray::fromStdString(c.text) << QByteArray::fromStdString(c.expected)
                            << static_cast<int>(c.code);
  }
  void hostile_files() {
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, expected);
    QFETCH(int, code);
    const auto study = parse_study(text.toStdString(), "x.bitlens");
    QVERIFY(!study.has_value());
    const std::string message = study.error().describe();
    QVERIFY2(message.find(expected.toStdString()) != std::string::npos, message.c_str());
    QVERIFY(message.starts_with("x.bitlens: "));
    QCOMPARE(static_cast<int>(study.error().code), code);
  }

  void saving_and_loading() {
    const QTemporaryDir folder;
    const std::string path = folder.filePath("a.bitlens").toStdString();
    QVERIFY(load_study(path).error().code == ErrorCode::NotFound);
    QVERIFY(save_study(example_study(), path));
    QCOMPARE(study_to_json(*load_study(path)), study_to_json(example_study()));
    QVERIFY(save_study(Study{}, path));  // replaces
    QCOMPARE(study_to_json(*load_study(path)), study_to_json(Study{}));
    QCOMPARE(QDir(folder.path()).entryList(QDir::Files | QDir::Hidden), QStringList{"a.bitlens"});
    QVERIFY(load_study(folder.path().toStdString()).error().code !=
            ErrorCode::BadFile);  // a folder is no study
  }

  // P12: the disk refuses in the middle; the old study is there, byte for byte, and nothing else.
  void a_failed_save_leaves_the_old_study() {
    const QTemporaryDir folder;
    const std::string path = folder.filePath("a.bitlens").toStdString();
    QVERIFY(save_study(example_study(), path));
    Study large = example_study();
    large.layout.assign(1U << 20U, 'x');
    std::signal(SIGXFSZ, SIG_IGN);
    struct rlimit old {};
    getrlimit(RLIMIT_FSIZE, &old);
    struct rlimit small = old;
    small.rlim_cur = 100'000;
    setrlimit(RLIMIT_FSIZE, &small);
    const Status saved = save_study(large, path);
    setrlimit(RLIMIT_FSIZE, &old);
    QVERIFY(!saved.has_value());
    QCOMPARE(study_to_json(*load_study(path)), study_to_json(example_study()));
    QCOMPARE(QDir(folder.path()).entryList(QDir::Files | QDir::Hidden), QStringList{"a.bitlens"});
  }

  // P05: what the study refers to is missing, moved or no longer the same.
  void references_are_checked() {
    const QTemporaryDir folder;
    const std::string model = folder.filePath("m.gguf").toStdString();
    const std::string text = folder.filePath("t.txt").toStdString();
    const std::string bytes = test::sample_gguf().bytes();
    QVERIFY(test::write_bytes(model, bytes));
    QVERIFY(test::write_bytes(text, "hello"));
    Study study;
    study.model_path = model;
    study.model_sha256 = sha256_hex(bytes);
    study.texts = {{text, sha256_hex("hello"), TextUse::Evaluation}};
    ThreadPool pool(1);
    const WorkContext work{pool};
    QVERIFY(check_references(study, work)->empty());

    QVERIFY(test::write_bytes(text, "other"));
    QVERIFY(test::write_bytes(model, bytes + std::string(64, '\0')));
    const auto changed = check_references(study, work);
    QCOMPARE(changed->size(), std::size_t{2});
    QVERIFY(changed->at(0).find("no longer the file this study was made with") != std::string::npos);
    QVERIFY(changed->at(1).find("no longer the one") != std::string::npos);

    QVERIFY(QFile::remove(QString::fromStdString(model)));
    study.texts[0].path = "/dev/zero";  // P06: never read
    const auto missing = check_references(study, work);
    QCOMPARE(missing->size(), std::size_t{2});
    QVERIFY(missing->at(0).find("cannot be opened") != std::string::npos);
    QVERIFY(missing->at(1).find("cannot be read") != std::string::npos);
    // The study itself opens all the same.
    QVERIFY(parse_study(study_to_json(study), "x").has_value());
  }

  void recovery_files_of_programs_that_are_gone() {
    const QTemporaryDir folder;
    const std::string at = folder.path().toStdString();
    QVERIFY(!find_recovery(at));
    QVERIFY(!find_recovery(at + "/missing"));
    const std::string mine = recovery_path(at);
    QVERIFY(std::regex_match(mine, std::regex(".*/recovery-[0-9]+-[1-9][0-9]*\\.bitlens")));
    QVERIFY(save_study(Study{}, mine));
    QVERIFY(!find_recovery(at));  // this program still runs

    // The same pid with another start time was another program.
    const std::string older = at + "/recovery-" + std::to_string(getpid()) + "-1.bitlens";
    QVERIFY(save_study(Study{}, older));
    QCOMPARE(find_recovery(at).value_or(""), older);

    const std::string newer = at + "/recovery-999999999-5.bitlens";
    QVERIFY(save_study(Study{}, newer));
    QFile file(QString::fromStdString(older));
    QVERIFY(file.open(QIODevice::ReadWrite));
    QVERIFY(file.setFileTime(QDateTime::currentDateTime().addSecs(-60), QFileDevice::FileModificationTime));
    file.close();
    QCOMPARE(find_recovery(at).value_or(""), newer);
    QVERIFY(save_study(Study{}, at + "/notes.bitlens"));
    QVERIFY(save_study(Study{}, at + "/recovery-.bitlens.tmp"));
    QCOMPARE(find_recovery(at).value_or(""), newer);
  }

  void a_program_that_is_over_but_not_collected_does_not_run() {
    const QTemporaryDir folder;
    const std::string at = folder.path().toStdString();
    const pid_t child = fork();
    if (child == 0) _exit(save_study(Study{}, recovery_path(at)) ? 0 : 1);
    QVERIFY(child > 0);
    siginfo_t over{};
    QCOMPARE(waitid(P_PID, static_cast<id_t>(child), &over, WEXITED | WNOWAIT), 0);  // stays a zombie
    QCOMPARE(over.si_status, 0);
    QVERIFY(find_recovery(at));
    QCOMPARE(waitpid(child, nullptr, 0), child);
  }
};

QTEST_APPLESS_MAIN(TestStudy)
#include "tst_study.moc"
