// What the command line says: values, JSON keys, files; and that it says the same whatever way it is asked.
#include <QCryptographicHash>
#include <QtTest>

#include "tests/e2e/cli/cli_runner.h"

using namespace bitlens;
using namespace bitlens::test;
using nlohmann::json;

namespace {

bool has_keys(const json& object, const std::vector<std::string>& keys) {
  for (const std::string& key : keys)
    if (!object.contains(key)) {
      qWarning("key %s is missing", key.c_str());
      return false;
    }
  return true;
}

/// Equal as JSON values (numbers by value, whatever their type); says what differs.
bool same(const json& actual, const json& expected) {
  if (actual == expected) return true;
  qWarning("found %s, expected %s", actual.dump().substr(0, 500).c_str(),
           expected.dump().substr(0, 500).c_str());
  return false;
}

const std::vector<std::string> kPerplexityKeys{
    "ppl",      "ppl_se",      "nll_mean",   "nll_se",          "windows", "scored_tokens", "context",
    "protocol", "activations", "file_bytes", "bits_per_weight", "seconds", "provenance",    "warnings"};
const std::vector<std::string> kComparisonKeys{"kl_mean",        "kl_se",       "kl_median", "kl_p90",
                                               "kl_p99",         "kl_max",      "ln_ratio",  "ln_ratio_se",
                                               "top1_agreement", "delta_p_rms", "base_ppl",  "base_ppl_se",
                                               "base_nll_mean",  "base_nll_se"};

/// What may differ between two runs that must give the same numbers.
json without_circumstances(json result) {
  for (const char* key : {"seconds", "name"}) result.erase(key);
  for (const char* key : {"time", "threads"}) result["provenance"].erase(key);
  return result;
}

}  // namespace

class TestCliResults : public QObject {
  Q_OBJECT
 private:
  QTemporaryDir folder_;
  QString model_, text_, recipe_;
  [[nodiscard]] QString path(const char* name) const { return folder_.filePath(name); }
  [[nodiscard]] QStringList measure(const QStringList& more) const {
    return QStringList{"perplexity", model_,      "--text", text_,   "--context",
                       "32",         "--windows", "20",     "--json"} +
           more;
  }

 private slots:
  void initTestCase() {
    model_ = path("model.gguf");
    text_ = path("text.txt");
    recipe_ = path("recipe.json");
    QVERIFY(write_bytes(model_.toStdString(), model_bytes(small_model())));
    QVERIFY(write_bytes(text_.toStdString(), random_text(4000)));
    QVERIFY(write_bytes(recipe_.toStdString(),
                        R"({"bitlens_recipe": 1, "name": "mixed", "default": "Q4_0",
                            "rules": [{"tensor": "*attn_v.weight", "format": "Q8_0"},
                                      {"tensor": "blk.1.ffn_down.weight", "format": "keep"},
                                      {"tensor": "*ffn_up.weight", "format": "Q5_1", "quantizer": "rtn"}]})"));
  }

  void version_and_help() {
    const Outcome version = cli({"--version"});
    QVERIFY(version.ok());
    QVERIFY(QRegularExpression("^bitlens [0-9]+\\.[0-9]+\\.[0-9]+\n$").match(version.out.c_str()).hasMatch());
    const Outcome help = cli({"--help"});
    QVERIFY(help.ok() && help.err.empty());
    for (const char* part : {"inspect", "tokenize", "stats", "perplexity", "quantize", "report", "tasks",
                             "tour", "EXIT STATUS", "bitlens_recipe", "--version"})
      QVERIFY2(help.out.find(part) != std::string::npos, part);
    for (const char* command : {"inspect", "tokenize", "stats", "perplexity", "quantize", "report", "tour"}) {
      const Outcome one = cli({command, "--help"});
      QVERIFY2(one.ok(), one.describe());
      for (const char* part : {"JSON KEYS", "--json", "--threads", "--help"})
        QVERIFY2(one.out.find(part) != std::string::npos, command);
    }
  }

  void inspect_tells_what_the_file_holds() {
    const Outcome run = cli({"inspect", model_, "--json"});
    QVERIFY2(run.ok() && run.err.empty(), run.describe());
    const json result = run.json();
    QVERIFY(
        has_keys(result, {"path", "gguf_version", "alignment", "file_bytes", "shards", "architecture", "name",
                          "parameters", "layers", "bits_per_weight", "hyperparameters", "runnable",
                          "not_runnable_reason", "tokenizer", "formats", "tensors", "metadata", "warnings"}));
    QVERIFY(same(result["architecture"], "llama"));
    QVERIFY(same(result["hyperparameters"]["width"], 32));
    QVERIFY(same(result["hyperparameters"]["kv_heads"], 2));
    QVERIFY(same(result["hyperparameters"]["rms_epsilon"].dump(), std::string("1e-05")));
    QVERIFY(same(result["runnable"], true));
    QVERIFY(result["not_runnable_reason"].is_null());
    QVERIFY(same(result["tokenizer"]["adds_bos"], true));
    QVERIFY(same(result["file_bytes"], static_cast<std::uint64_t>(QFileInfo(model_).size())));
    QVERIFY(same(result["tensors"].size(), std::size_t{3 + 2 * 9}));
    for (const json& tensor : result["tensors"]) {
      if (tensor["name"] != "blk.1.ffn_down.weight") continue;
      QVERIFY(same(tensor["shape"], json::parse("[64, 32]")));
      QVERIFY(same(tensor["type"], "F32"));
      QVERIFY(same(tensor["bytes"], 64 * 32 * 4));
      QVERIFY(same(tensor["role"], "ffn_down"));
      QVERIFY(same(tensor["layer"], 1));
      QVERIFY(same(tensor["offset"].get<std::uint64_t>() % 32, std::uint64_t{0}));
    }
    const json& tokens = result["metadata"]["tokenizer.ggml.tokens"];
    QVERIFY(same(tokens["count"], 288));
    QVERIFY(same(tokens["first"].size(), std::size_t{10}));
    QVERIFY(same(result["metadata"]["llama.block_count"]["value"], 2));

    const Outcome text = cli({"inspect", model_});
    QVERIFY(text.ok() && text.err.empty());
    for (const char* part : {"llama", "blk.1.ffn_down.weight", "64 x 32", "288 x string"})
      QVERIFY2(text.out.find(part) != std::string::npos, part);
  }

  void tokenize_gives_ids() {
    QVERIFY(write_bytes(path("ab.txt").toStdString(), "ab\n"));
    // <s>, space mark, a, b, byte 10
    const json expected = json::parse("[1, 259, 260, 261, 13]");
    const Outcome run = cli({"tokenize", model_, "--text", path("ab.txt"), "--json"});
    QVERIFY2(run.ok(), run.describe());
    QVERIFY(same(run.json()["ids"], expected));
    QVERIFY(same(run.json()["count"], 5));
    const Outcome without = cli({"tokenize", model_, "--text", path("ab.txt"), "--json", "--no-bos"});
    QVERIFY(same(without.json()["ids"], json::parse("[259, 260, 261, 13]")));
    QVERIFY(
        same(cli({"tokenize", model_, "--text", path("ab.txt")}).out, std::string("1\n259\n260\n261\n13\n")));
  }

  void tokenize_needs_a_vocabulary_only() {
    GgufBuilder builder;
    Keys keys{{"general.architecture", std::string("other")}};
    add_vocabulary(keys, 288);
    for (const auto& [key, value] : keys) builder.kv(key, value);
    QVERIFY(write_bytes(path("vocabulary.gguf").toStdString(), builder.bytes()));
    QVERIFY(write_bytes(path("ab.txt").toStdString(), "ab\n"));
    const Outcome run = cli({"tokenize", path("vocabulary.gguf"), "--text", path("ab.txt"), "--json"});
    QVERIFY2(run.ok(), run.describe());
    QVERIFY(same(run.json()["ids"], json::parse("[1, 259, 260, 261, 13]")));
  }

  void stats_of_weights() {
    const Outcome run = cli({"stats", model_, "--tensor", "blk.0.ffn_up*", "--histograms", "--json"});
    QVERIFY2(run.ok() && run.err.empty(), run.describe());
    const json tensors = run.json()["tensors"];
    QVERIFY(same(tensors.size(), std::size_t{1}));
    const json& one = tensors[0];
    QVERIFY(has_keys(one, {"name",
                           "type",
                           "shape",
                           "role",
                           "layer",
                           "count",
                           "non_finite",
                           "zeros",
                           "min",
                           "max",
                           "mean",
                           "sigma",
                           "rms",
                           "abs_max",
                           "excess_kurtosis",
                           "median_abs",
                           "dynamic_range",
                           "zero_share",
                           "outliers_6sigma",
                           "histogram",
                           "log10_histogram"}));
    // Against sums made here.
    const testing::TinyLlama model = small_model();
    const auto& values = model.tensors.at("blk.0.ffn_up.weight");
    double sum = 0, squares = 0, largest = 0;
    for (const float value : values) {
      sum += static_cast<double>(value);
      squares += static_cast<double>(value) * static_cast<double>(value);
      largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    const auto count = static_cast<double>(values.size());
    QVERIFY(same(one["count"], values.size()));
    QVERIFY(std::abs(one["mean"].get<double>() - sum / count) < 1e-12);
    QVERIFY(std::abs(one["rms"].get<double>() - std::sqrt(squares / count)) < 1e-12);
    QVERIFY(same(one["abs_max"].get<double>(), largest));
    std::uint64_t in_histogram = 0;
    for (const json& bin : one["histogram"]["counts"]) in_histogram += bin.get<std::uint64_t>();
    QVERIFY(same(in_histogram, values.size()));

    QVERIFY(cli({"stats", model_}).out.find("blk.1.attn_norm.weight") != std::string::npos);
  }

  void stats_of_activations() {
    const Outcome run =
        cli({"stats", model_, "--activations", text_, "--context", "32", "--windows", "4", "--json"});
    QVERIFY2(run.ok(), run.describe());
    const json result = run.json();
    QVERIFY(same(result["tensors"].size(), std::size_t{21}));
    QVERIFY(same(result["activations"].size(), std::size_t{15}));  // 2 layers x 7 and the output
    for (const json& one : result["activations"]) {
      QVERIFY(has_keys(one, {"tensor", "tokens", "outliers_llm_int8", "sigma", "outliers_6sigma"}));
      QVERIFY(same(one["tokens"], 4 * 32));
    }
    QVERIFY(same(result["calibration"]["text"], "text.txt"));
  }

  void perplexity_keys_are_as_promised() {
    const Outcome plain = cli(measure({}));
    QVERIFY2(plain.ok() && plain.err.empty(), plain.describe());
    QVERIFY(has_keys(plain.json(), kPerplexityKeys));
    QVERIFY(!plain.json().contains("kl_mean"));
    QVERIFY(same(plain.json()["windows"], 20));
    QVERIFY(same(plain.json()["scored_tokens"], 20 * 15));
    QVERIFY(same(plain.json()["provenance"]["bos"], "added"));
    QVERIFY(same(plain.json()["provenance"]["text_sha256"].get<std::string>(), sha_of(text_)));
    QVERIFY(same(plain.json()["provenance"]["model_sha256"].get<std::string>(), sha_of(model_)));
    QVERIFY(std::abs(std::log(plain.json()["ppl"].get<double>()) - plain.json()["nll_mean"].get<double>()) <
            1e-12);

    const Outcome compared = cli(measure({"--recipe", recipe_}));
    QVERIFY2(compared.ok(), compared.describe());
    QVERIFY(has_keys(compared.json(), kPerplexityKeys) && has_keys(compared.json(), kComparisonKeys));
    QVERIFY(same(compared.json()["base_ppl"], plain.json()["ppl"]));
    QVERIFY(compared.json()["kl_mean"].get<double>() > 0);
    // Every key is written down.
    const std::string help = cli({"perplexity", "--help"}).out;
    const json keys = compared.json();
    for (const auto& [key, value] : keys.items()) QVERIFY2(help.find(key) != std::string::npos, key.c_str());
    for (const auto& [key, value] : keys["provenance"].items())
      QVERIFY2(help.find(key) != std::string::npos, key.c_str());
    // And the text says the same number.
    QStringList arguments = measure({"--recipe", recipe_});
    arguments.removeAll("--json");
    const std::string text = cli(arguments).out;
    QVERIFY(text.find(QString::number(compared.json()["ppl"].get<double>(), 'g', 6).toStdString()) !=
            std::string::npos);
  }

  void a_paper_protocol_scores_every_position() {
    const Outcome run = cli(measure({"--protocol", "paper"}));
    QVERIFY2(run.ok(), run.describe());
    QVERIFY(same(run.json()["scored_tokens"], 20 * 31));
    QVERIFY(same(run.json()["protocol"], "paper"));
  }

  void tasks_are_scored_by_kind() {
    const QString tasks = path("tasks.json");
    QVERIFY(write_bytes(tasks.toStdString(),
                        R"({"about": "letters", "items": [
                             {"kind": "one", "prompt": "abc", "candidates": ["de", "f"], "answer": 1},
                             {"kind": "two", "prompt": "b", "candidates": ["a", "c", "d", "e"], "answer": 0},
                             {"kind": "two", "prompt": "xyz", "candidates": ["k", "q", "v", "w"], "answer": 2}]})"));
    const Outcome plain = cli({"tasks", model_, "--tasks", tasks, "--json"});
    QVERIFY2(plain.ok(), plain.describe());
    const json alone = plain.json();
    QVERIFY(has_keys(alone, {"name", "items", "right", "accuracy", "accuracy_se", "chance", "kinds",
                             "seconds", "provenance", "warnings"}));
    QVERIFY(same(alone["items"], 3));
    QVERIFY(same(alone["chance"], (0.5 + 0.25 + 0.25) / 3));
    QVERIFY(same(alone["kinds"].size(), std::size_t{2}));
    QVERIFY(same(alone["kinds"][1]["kind"], "two"));
    QVERIFY(same(alone["kinds"][1]["items"], 2));
    QVERIFY(same(alone["provenance"]["protocol"], "cloze"));
    QVERIFY(!alone.contains("base_accuracy"));

    const Outcome mixed = cli({"tasks", model_, "--tasks", tasks, "--recipe", recipe_, "--json"});
    QVERIFY2(mixed.ok(), mixed.describe());
    const json both = mixed.json();
    QVERIFY(same(both["base_right"], alone["right"]));
    QVERIFY(same(both["base_right"].get<int>() - both["lost"].get<int>() + both["gained"].get<int>(),
                 both["right"]));
    // The identity loses and gains nothing; threads change nothing.
    const Outcome identity =
        cli({"tasks", model_, "--tasks", tasks, "--recipe", "F32", "--threads", "1", "--json"});
    QVERIFY2(identity.ok(), identity.describe());
    QVERIFY(same(identity.json()["right"], alone["right"]));
    QVERIFY(same(identity.json()["lost"], 0));
    const Outcome fast = cli({"tasks", model_, "--tasks", tasks, "--compute", "fast", "--json"});
    QVERIFY2(fast.ok(), fast.describe());
    QVERIFY(same(fast.json()["provenance"]["compute"], "fast"));
    QVERIFY(same(alone["provenance"]["compute"], "exact"));
    const Outcome text = cli({"tasks", model_, "--tasks", tasks, "--recipe", recipe_});
    QVERIFY2(text.ok() && text.out.find("As in file") != std::string::npos, text.describe());
  }

  void the_identity_costs_exactly_nothing() {
    for (const QStringList& identity : {QStringList{"--base", model_}, QStringList{"--recipe", "F32"}}) {
      const Outcome run = cli(measure(identity));
      QVERIFY2(run.ok(), run.describe());
      for (const char* key : {"kl_mean", "kl_max", "ln_ratio", "delta_p_rms"})
        QVERIFY(same(run.json()[key], 0.0));
      QVERIFY(same(run.json()["top1_agreement"], 1.0));
    }
  }

  void threads_change_no_number() {
    const json one = without_circumstances(cli(measure({"--recipe", recipe_, "--threads", "1"})).json());
    const json two = without_circumstances(cli(measure({"--recipe", recipe_, "--threads", "2"})).json());
    const json three = without_circumstances(cli(measure({"--recipe", recipe_, "--threads", "3"})).json());
    QVERIFY(one.contains("ppl"));
    QVERIFY(same(two.dump(), one.dump()));
    QVERIFY(same(three.dump(), one.dump()));
  }

  void a_dry_run_tells_exact_sizes_and_writes_nothing() {
    const QString out = path("dry.gguf");
    const Outcome dry = cli({"quantize", model_, "--recipe", recipe_, "-o", out, "--dry-run", "--json"});
    QVERIFY2(dry.ok(), dry.describe());
    QVERIFY(!QFile::exists(out));
    QVERIFY(has_keys(dry.json(), {"dry_run", "path", "source_bytes", "file_bytes", "tensor_bytes", "weights",
                                  "bits_per_weight", "recipe", "tensors", "warnings"}));
    QVERIFY(!dry.json().contains("sha256"));
    const Outcome real = cli({"quantize", model_, "--recipe", recipe_, "-o", out, "--json"});
    QVERIFY2(real.ok(), real.describe());
    QVERIFY(same(real.json()["file_bytes"], dry.json()["file_bytes"]));
    QVERIFY(same(static_cast<std::uint64_t>(QFileInfo(out).size()),
                 dry.json()["file_bytes"].get<std::uint64_t>()));
    QVERIFY(same(real.json()["tensors"], dry.json()["tensors"]));
    QVERIFY(same(real.json()["sha256"].get<std::string>(), sha_of(out)));
    std::map<std::string, std::string> formats;
    const json tensors = real.json()["tensors"];
    for (const json& tensor : tensors) formats[tensor["name"]] = tensor["format"];
    QVERIFY(same(formats["blk.0.attn_v.weight"], std::string("Q8_0")));
    QVERIFY(same(formats["blk.1.ffn_down.weight"], std::string("F32")));
    QVERIFY(same(formats["blk.0.ffn_up.weight"], std::string("Q5_1")));
    QVERIFY(same(formats["token_embd.weight"], std::string("Q4_0")));
    QVERIFY(same(formats["output_norm.weight"], std::string("F32")));
    // The file holds what was said, and the recipe.
    const json inspected = cli({"inspect", out, "--json"}).json();
    for (const json& tensor : inspected["tensors"]) QVERIFY(same(tensor["type"], formats[tensor["name"]]));
    const std::string carried = inspected["metadata"]["bitlens.recipe"]["value"];
    QVERIFY(same(json::parse(carried)["name"], "mixed"));
  }

  void the_same_bytes_every_time_and_at_any_thread_count() {
    QSet<QString> hashes;
    for (const char* threads : {"1", "1", "2", "3"}) {
      const QString out = path("same.gguf");
      const Outcome run =
          cli({"quantize", model_, "--recipe", recipe_, "-o", out, "--force", "--threads", threads});
      QVERIFY2(run.ok(), run.describe());
      hashes.insert(QString::fromStdString(sha_of(out)));
    }
    QCOMPARE(hashes.size(), 1);
  }

  void an_exported_file_measures_as_its_recipe_did() {
    const QString out = path("exported.gguf");
    for (const char* quantizer : {"search", "rtn"}) {
      const Outcome run = cli({"quantize", model_, "--recipe", recipe_, "-o", out, "--force", "--quantizer",
                               quantizer, "--text", text_, "--context", "32", "--windows", "20", "--json"});
      QVERIFY2(run.ok(), run.describe());
      const json predicted = cli(measure({"--recipe", recipe_, "--quantizer", quantizer})).json();
      const json file = cli({"perplexity", out, "--text", text_, "--context", "32", "--windows", "20",
                             "--base", model_, "--json"})
                            .json();
      QVERIFY(same(file["file_bytes"], predicted["file_bytes"]));
      QVERIFY(same(file["bits_per_weight"], predicted["bits_per_weight"]));
      for (const auto& keys : {kComparisonKeys, std::vector<std::string>{"ppl", "ppl_se", "nll_mean"}})
        for (const std::string& key : keys) {
          QVERIFY2(file[key] == predicted[key], key.c_str());
          QVERIFY2(run.json()["remeasured"][key] == predicted[key], key.c_str());
        }
    }
  }

  void warnings_go_to_stderr_and_into_the_json() {
    QVERIFY(write_bytes(
        path("useless.json").toStdString(),
        R"({"bitlens_recipe": 1, "rules": [{"tensor": "no\u001bsuch*", "format": "F16"}], "default": "Q8_0"})"));
    const Outcome text = cli({"quantize", model_, "--recipe", path("useless.json"), "--dry-run"});
    QVERIFY2(text.ok(), text.describe());
    QVERIFY2(text.err.starts_with("warning: ") && text.err.find("no\\x1Bsuch*") != std::string::npos,
             text.describe());
    const Outcome as_json =
        cli({"quantize", model_, "--recipe", path("useless.json"), "--dry-run", "--json"});
    QVERIFY(same(as_json.json()["warnings"].size(), std::size_t{1}));
    QVERIFY(same(as_json.err, text.err));
  }

  void an_unknown_architecture_can_be_worked_on_but_not_measured() {
    const QString other = path("other.gguf"), out = path("other-out.gguf");
    QVERIFY(write_bytes(other.toStdString(), model_bytes(small_model(), [](Keys& keys) {
                          keys[0].second = std::string("strange");
                        })));
    const Outcome inspected = cli({"inspect", other, "--json"});
    QVERIFY2(inspected.ok(), inspected.describe());
    QVERIFY(same(inspected.json()["runnable"], false));
    QVERIFY(inspected.json()["not_runnable_reason"].get<std::string>().find("strange") != std::string::npos);
    QVERIFY(cli({"stats", other}).ok());
    const Outcome written = cli({"quantize", other, "--recipe", "Q8_0", "-o", out});
    QVERIFY2(written.ok(), written.describe());
    const Outcome measured = cli({"perplexity", other, "--text", text_, "--context", "32"});
    QVERIFY2(measured.is_one_line_error(), measured.describe());
    QVERIFY(same(measured.code, 7));
    QVERIFY(measured.err.find("strange") != std::string::npos);
  }

  void a_report_is_written() {
    const QString out = path("report.h5");
    const Outcome run = cli({"report", model_, "--text", text_, "--recipe", recipe_, "--context", "32",
                             "--windows", "4", "-o", out, "--json"});
    QVERIFY2(run.ok(), run.describe());
    QVERIFY(has_keys(run.json(), {"path", "bytes", "result", "warnings"}));
    QVERIFY(has_keys(run.json()["result"], kComparisonKeys));
    QVERIFY(read_bytes(out.toStdString()).starts_with("\x89HDF\r\n\x1a\n"));
    QVERIFY(same(run.json()["bytes"], static_cast<std::uint64_t>(QFileInfo(out).size())));
    const Outcome again = cli({"report", model_, "--text", text_, "--context", "32", "-o", out});
    QVERIFY2(again.is_one_line_error(), again.describe());
    QVERIFY(same(again.code, 8));
  }

  void the_sample_and_the_tour() {
    const QString data = path("data");
    QVERIFY(QDir().mkpath(data));
    QVERIFY(QFile::copy(model_, data + "/sample-f16.gguf"));
    QVERIFY(write_bytes((data + "/heldout.txt").toStdString(), random_text(3000)));
    QVERIFY(write_bytes((data + "/calibration.txt").toStdString(), random_text(2000)));
    const auto with_sample = [&](QProcess& process) {
      QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
      environment.insert("BITLENS_DATA_DIR", data);
      process.setProcessEnvironment(environment);
    };
    const Outcome inspected = cli({"inspect", "sample", "--json"}, with_sample);
    QVERIFY2(inspected.ok(), inspected.describe());
    QVERIFY(same(inspected.json()["path"].get<std::string>(), (data + "/sample-f16.gguf").toStdString()));
    const Outcome measured =
        cli({"perplexity", "sample", "--text", "sample", "--context", "32", "--json"}, with_sample);
    QVERIFY2(measured.ok(), measured.describe());
    QVERIFY(same(measured.json()["provenance"]["text"], "sample"));
    const Outcome calibrated = cli(
        {"stats", "sample", "--activations", "sample-calibration", "--context", "32", "--json"}, with_sample);
    QVERIFY2(calibrated.ok(), calibrated.describe());

    const Outcome tour = cli({"tour"}, with_sample);
    QVERIFY2(tour.ok(), tour.describe());
    for (const char* part :
         {"$ bitlens-cli inspect sample", "$ bitlens-cli quantize sample --recipe Q4_0 --dry-run",
          "$ bitlens-cli perplexity sample --text sample", "Perplexity", "KL(base || this)"})
      QVERIFY2(tour.out.find(part) != std::string::npos, tour.describe());
    // Every command it prints does what it says.
    const json steps = cli({"tour", "--json"}, with_sample).json()["steps"];
    QVERIFY(same(steps.size(), std::size_t{3}));
    for (const json& step : steps) {
      QStringList words = QString::fromStdString(step["command"].get<std::string>()).split(' ');
      QCOMPARE(words.takeFirst(), QString("bitlens-cli"));
      const Outcome run = cli(words + QStringList{"--json"}, with_sample);
      QVERIFY2(run.ok(), run.describe());
      for (const char* key : {"ppl", "kl_mean", "file_bytes", "parameters", "tensors"})
        if (step["result"].contains(key) && run.json().contains(key))
          QVERIFY(same(step["result"][key], run.json()[key]));
    }
  }

 private:
  static std::string sha_of(const QString& file) {
    QFile handle(file);
    if (!handle.open(QIODevice::ReadOnly)) return {};
    QCryptographicHash hash(QCryptographicHash::Sha256);
    hash.addData(&handle);
    return hash.result().toHex().toStdString();
  }
};

QTEST_GUILESS_MAIN(TestCliResults)
#include "tst_cli_results.moc"
