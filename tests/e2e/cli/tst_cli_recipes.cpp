// Importance matrices, schemes and tensor types on the command line, on a model made for the test.
#include <QtTest>

#include "tests/e2e/cli/cli_runner.h"
#include "tests/support/gguf_builder.h"

using namespace bitlens::test;
using nlohmann::json;

namespace {

bool mentions(const json& list, const std::string& text) {
  for (const json& one : list)
    if (one.get<std::string>().find(text) != std::string::npos) return true;
  return false;
}

json tensor(const json& result, const std::string& name) {
  for (const json& one : result["tensors"])
    if (one["name"] == name) return one;
  return {};
}

}  // namespace

class TestCliRecipes : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  QString model_, text_, imatrix_;

  [[nodiscard]] QString path(const char* name) const { return folder_.filePath(name); }

 private slots:
  void initTestCase() {
    model_ = path("model.gguf");
    text_ = path("text.txt");
    imatrix_ = path("model.imatrix.gguf");
    QVERIFY(write_bytes(model_.toStdString(), model_bytes(small_model())));
    QVERIFY(write_bytes(text_.toStdString(), random_text(6000)));
    const Outcome made =
        cli({"imatrix", model_, "--text", text_, "--context", "64", "-o", imatrix_, "--json"});
    QVERIFY2(made.ok(), made.describe());
    QCOMPARE(made.json()["format"].get<std::string>(), std::string("gguf"));
    QVERIFY(made.json()["entries"].get<int>() > 0);
    QVERIFY(made.json()["windows"].get<int>() > 1);
  }

  /// The two kinds of file mean the same, and change what is written; what was used is told.
  void an_imatrix_steers_the_export() {
    const QString dat = path("model.dat");
    const Outcome older = cli({"imatrix", model_, "--text", text_, "--context", "64", "-o", dat, "--json"});
    QVERIFY2(older.ok(), older.describe());
    QCOMPARE(older.json()["format"].get<std::string>(), std::string("dat"));
    std::vector<json> results;
    for (const QString& use : {QString(), imatrix_, dat}) {
      QStringList arguments{"quantize", model_,           "--recipe", "Q4_0",
                            "-o",       path("out.gguf"), "--force",  "--json"};
      if (!use.isEmpty()) arguments << "--imatrix" << use;
      const Outcome run = cli(arguments);
      QVERIFY2(run.ok(), run.describe());
      results.push_back(run.json());
    }
    QVERIFY(results[0]["imatrix"].is_null());
    QCOMPARE(results[1]["imatrix"].get<std::string>(), std::string("model.imatrix.gguf"));
    QCOMPARE(tensor(results[1], "blk.0.attn_q.weight")["weighted"].get<bool>(), true);
    QCOMPARE(tensor(results[0], "blk.0.attn_q.weight")["weighted"].get<bool>(), false);
    QVERIFY(results[0]["sha256"] != results[1]["sha256"]);
    const Outcome looked = cli({"inspect", path("out.gguf")});
    QVERIFY2(looked.ok(), looked.describe());
    QVERIFY(looked.out.find("quantize.imatrix.file") != std::string::npos);

    const Outcome measured = cli({"perplexity", model_, "--text", text_, "--context", "64", "--recipe",
                                  "Q4_0", "--imatrix", imatrix_, "--json"});
    QVERIFY2(measured.ok(), measured.describe());
    QCOMPARE(measured.json()["provenance"]["imatrix"].get<std::string>(), std::string("model.imatrix.gguf"));
  }

  void bad_imatrix_is_refused_before_work() {
    QFile whole(imatrix_);
    QVERIFY(whole.open(QIODevice::ReadOnly));
    const std::string bytes = whole.readAll().toStdString();
    QVERIFY(write_bytes(path("cut.gguf").toStdString(), bytes.substr(0, bytes.size() / 2)));
    for (const QString& bad : {path("cut.gguf"), model_, text_, path("missing.gguf")}) {
      const Outcome run =
          cli({"quantize", model_, "--recipe", "Q4_0", "--imatrix", bad, "-o", path("never.gguf")});
      QVERIFY2(run.is_one_line_error(), run.describe());
      QVERIFY(!QFile::exists(path("never.gguf")));
    }
    const Outcome useless =
        cli({"perplexity", model_, "--text", text_, "--context", "64", "--imatrix", imatrix_});
    QVERIFY2(useless.is_one_line_error() && useless.code == 2, useless.describe());
    const Outcome itself =
        cli({"imatrix", model_, "--text", text_, "--context", "64", "-o", model_, "--force"});
    QVERIFY2(itself.is_one_line_error(), itself.describe());
  }

  /// Rows of this model fit no block of 256: what they get instead is told before any work.
  void schemes_fall_back_and_say_so() {
    const Outcome run = cli({"quantize", model_, "--recipe", "Q4_K_M", "--dry-run", "--json"});
    QVERIFY2(run.ok(), run.describe());
    const json result = run.json();
    QVERIFY(mentions(result["warnings"], "not fit Q4_K and get"));
    QCOMPARE(tensor(result, "blk.0.attn_q.weight")["format"].get<std::string>(), std::string("Q5_0"));
    QCOMPARE(result["recipe"]["name"].get<std::string>(), std::string("Q4_K_M"));
    // The same name means a format for every matrix, or, with the prefix, the scheme.
    const Outcome format = cli({"quantize", model_, "--recipe", "Q2_K", "--dry-run"});
    QVERIFY2(format.is_one_line_error(), format.describe());
    const Outcome scheme = cli({"quantize", model_, "--recipe", "field:Q2_K", "--dry-run"});
    QVERIFY2(scheme.ok(), scheme.describe());
    const Outcome unknown = cli({"quantize", model_, "--recipe", "Q4_K_X", "--dry-run"});
    QVERIFY2(unknown.is_one_line_error() && unknown.code == 3, unknown.describe());
    const Outcome listed = cli({"recipe", "--list", "--json"});
    QVERIFY2(listed.ok() && listed.json()["schemes"].size() > 10, listed.describe());
  }

  void tensor_types_go_out_and_come_back() {
    const QString types = path("types.txt");
    const Outcome out =
        cli({"recipe", model_, "--recipe", "Q4_K_M", "--as", "tensor-types", "-o", types, "--json"});
    QVERIFY2(out.ok(), out.describe());
    const Outcome before = cli({"quantize", model_, "--recipe", "Q4_K_M", "--dry-run", "--json"});
    const Outcome after = cli({"quantize", model_, "--recipe", "Q8_0", "--tensor-type-file", types,
                               "--tensor-type", "no_such_tensor=q8_0", "--dry-run", "--json"});
    QVERIFY2(before.ok() && after.ok(), after.describe());
    for (const json& one : before.json()["tensors"])
      QVERIFY2(tensor(after.json(), one["name"])["format"] == one["format"],
               one["name"].get<std::string>().c_str());
    QVERIFY(mentions(after.json()["warnings"], "no_such_tensor=q8_0: matches no matrix"));
    const Outcome bad = cli({"quantize", model_, "--recipe", "Q8_0", "--tensor-type", "attn_q", "--dry-run"});
    QVERIFY2(bad.is_one_line_error() && bad.code == 2, bad.describe());
    const Outcome nothing = cli({"quantize", model_, "--dry-run"});
    QVERIFY2(nothing.is_one_line_error() && nothing.code == 2, nothing.describe());
  }

  void a_written_recipe_is_a_recipe() {
    const QString recipe = path("written.json");
    const Outcome out = cli({"recipe", model_, "--recipe", "field:Q3_K", "-o", recipe});
    QVERIFY2(out.is_one_line_error(), out.describe());  // there is Q3_K_S, _M and _L
    const Outcome written = cli({"recipe", model_, "--recipe", "Q3_K_M", "-o", recipe});
    QVERIFY2(written.ok(), written.describe());
    const Outcome again = cli({"recipe", model_, "--recipe", recipe});
    QVERIFY2(again.ok(), again.describe());
    QVERIFY(again.out == read_bytes(recipe.toStdString()));
  }

  /// Opening what was quantized works; quantizing it once more warns that errors add up.
  void quantizing_twice_warns() {
    const QString once = path("once.gguf");
    const Outcome first = cli({"quantize", model_, "--recipe", "Q4_K_M", "-o", once});
    QVERIFY2(first.ok(), first.describe());
    const Outcome second = cli({"quantize", once, "--recipe", "Q4_0", "--dry-run", "--json"});
    QVERIFY2(second.ok(), second.describe());
    QVERIFY(mentions(second.json()["warnings"], "the errors add up"));
    QCOMPARE(tensor(second.json(), "blk.0.attn_q.weight")["source"].get<std::string>(), std::string("Q5_0"));
  }

  void formats_are_listed() {
    const Outcome run = cli({"formats", "--json"});
    QVERIFY2(run.ok(), run.describe());
    for (const json& one : run.json()["formats"]) {
      QVERIFY(!one["runtimes"].get<std::string>().empty());
      if (one["name"] == "Q4_K") QCOMPARE(one["bits_per_weight"].get<double>(), 4.5);
      if (one["name"] == "IQ2_XXS") QVERIFY(one["wants_importance"].get<bool>());
    }
  }
};

QTEST_APPLESS_MAIN(TestCliRecipes)
#include "tst_cli_recipes.moc"
