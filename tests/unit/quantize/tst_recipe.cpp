// Recipes as text: what is read, what is refused and how, and that printing and reading are inverse.
#include <QtTest>
#include <functional>
#include <random>

#include "core/quantize/recipe.h"

using namespace bitlens;
using quantize::glob_matches;

namespace {

/// Definition of a glob, straight from its meaning (exponential; for short strings only).
bool reference_match(std::string_view glob, std::string_view name) {
  if (glob.empty()) return name.empty();
  if (glob[0] == '*') {
    for (std::size_t i = 0; i <= name.size(); ++i)
      if (reference_match(glob.substr(1), name.substr(i))) return true;
    return false;
  }
  if (name.empty()) return false;
  return (glob[0] == '?' || glob[0] == name[0]) && reference_match(glob.substr(1), name.substr(1));
}

}  // namespace

class TestRecipe : public QObject {
  Q_OBJECT

 private slots:
  void globs_data();
  void globs();
  void globs_follow_their_definition();
  void hostile_glob_is_quick();
  void reads_a_recipe();
  void everything_but_the_version_may_be_left_out();
  void printing_and_reading_are_inverse();
  void invalid_utf8_can_be_printed();
  void refuses_data();
  void refuses();
  void any_cut_is_refused();
  void quantizer_names();
};

void TestRecipe::globs_data() {
  QTest::addColumn<QString>("glob");
  QTest::addColumn<QString>("name");
  QTest::addColumn<bool>("matches");
  QTest::newRow("whole name") << "blk.0.attn_q.weight"
                              << "blk.0.attn_q.weight" << true;
  QTest::newRow("not a part of the name") << "attn_q"
                                          << "blk.0.attn_q.weight" << false;
  QTest::newRow("star crosses dots") << "blk.*.weight"
                                     << "blk.0.attn_q.weight" << true;
  QTest::newRow("star may be empty") << "output*.weight"
                                     << "output.weight" << true;
  QTest::newRow("question mark is one character") << "blk.?.ffn_up.weight"
                                                  << "blk.12.ffn_up.weight" << false;
  QTest::newRow("question mark matches a dot") << "blk?0"
                                               << "blk.0" << true;
  QTest::newRow("question mark takes a whole UTF-8 character") << "a?b"
                                                               << "aéb" << true;
  QTest::newRow("case-sensitive") << "BLK.*"
                                  << "blk.0" << false;
  QTest::newRow("brackets stand for themselves") << "[a-z]"
                                                 << "a" << false;
  QTest::newRow("empty glob, empty name") << ""
                                          << "" << true;
  QTest::newRow("empty glob") << ""
                              << "a" << false;
  QTest::newRow("stars only") << "***"
                              << "" << true;
  QTest::newRow("backtracking") << "*ab*ab"
                                << "aabab_abab" << true;
  QTest::newRow("tail must match") << "*.weight"
                                   << "a.weight.bias" << false;
}
void TestRecipe::globs() {
  QFETCH(QString, glob);
  QFETCH(QString, name);
  QTEST(glob_matches(glob.toStdString(), name.toStdString()), "matches");
}

void TestRecipe::globs_follow_their_definition() {
  std::mt19937 random(7);
  int matches = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string glob, name;
    for (auto i = random() % 7; i > 0; --i) glob += "ab*?"[random() % 4];
    for (auto i = random() % 9; i > 0; --i) name += "ab"[random() % 2];
    const bool expected = reference_match(glob, name);
    matches += expected ? 1 : 0;
    QVERIFY2(glob_matches(glob, name) == expected, (glob + " ~ " + name).c_str());
  }
  QVERIFY(matches > 1000);
}

void TestRecipe::hostile_glob_is_quick() {
  std::string glob;
  for (int i = 0; i < 500; ++i) glob += "*a";
  QVERIFY(!glob_matches(glob + "b", std::string(60000, 'a')));
}

void TestRecipe::reads_a_recipe() {
  const std::string text =
      R"({"bitlens_recipe": 1, "name": "mix", "rules": [)"
      R"({"tensor": "blk.*.ffn_up.weight", "format": "q4_0"},)"
      R"({"tensor": "output.weight", "format": "keep"},)"
      R"({"tensor": "*attn*", "format": "Q8_0", "quantizer": "rtn"}], "default": "F16"})";
  const auto recipe = quantize::parse_recipe(text, "r.json");
  QVERIFY2(recipe.has_value(), recipe ? "" : recipe.error().describe().c_str());
  QCOMPARE(recipe->name, std::string("mix"));
  QCOMPARE(recipe->rules.size(), std::size_t{3});
  QVERIFY(recipe->rules[0].format == kernels::Format::Q4_0);
  QVERIFY(!recipe->rules[0].quantizer);
  QVERIFY(!recipe->rules[1].format);
  QVERIFY(recipe->rules[2].quantizer == kernels::Quantizer::Rtn);
  QVERIFY(recipe->fallback == kernels::Format::F16);
}

void TestRecipe::everything_but_the_version_may_be_left_out() {
  const auto recipe = quantize::parse_recipe(R"({"bitlens_recipe": 1})", "r.json");
  QVERIFY(recipe.has_value());
  QVERIFY(*recipe == quantize::Recipe{});
}

void TestRecipe::printing_and_reading_are_inverse() {
  quantize::Recipe recipe;
  QVERIFY(*quantize::parse_recipe(quantize::recipe_to_json(recipe), "") == recipe);
  recipe.name = "quotes \" and \\ and \n and 精度";
  recipe.rules.push_back({"blk.*", kernels::Format::Q5_1, std::nullopt});
  recipe.rules.push_back({"a\"b", std::nullopt, kernels::Quantizer::Search});
  recipe.fallback = kernels::Format::BF16;
  const std::string text = quantize::recipe_to_json(recipe);
  const auto again = quantize::parse_recipe(text, "");
  QVERIFY2(again.has_value(), text.c_str());
  QVERIFY(*again == recipe);
  QCOMPARE(quantize::recipe_to_json(*again), text);
}

void TestRecipe::invalid_utf8_can_be_printed() {
  quantize::Recipe recipe;
  recipe.name = "\xff\xfe";
  QVERIFY(quantize::parse_recipe(quantize::recipe_to_json(recipe), "").has_value());
}

void TestRecipe::refuses_data() {
  QTest::addColumn<QByteArray>("text");
  QTest::addColumn<QString>("message");
  const auto row = [](const char* name, const QByteArray& text, const char* message) {
    QTest::newRow(name) << text << QString(message);
  };
  row("empty", "", "not valid JSON");
  row("cut", R"({"bitlens_recipe": 1, "rules": [)", "not valid JSON");
  row("two documents", R"({"bitlens_recipe": 1} {})", "not valid JSON");
  row("invalid UTF-8", "{\"bitlens_recipe\": 1, \"name\": \"\xff\"}", "not valid JSON");
  row("number out of range", R"({"bitlens_recipe": 1e999})", "not valid JSON");
  row("NaN", R"({"bitlens_recipe": NaN})", "not valid JSON");
  row("array", "[]", "recipe: expected an object, found array");
  row("no version", "{}", "bitlens_recipe: missing");
  row("newer", R"({"bitlens_recipe": 2})", "version 2 found; this program reads version 1");
  row("version as text", R"({"bitlens_recipe": "1"})", "version \"1\" found");
  row("version not whole", R"({"bitlens_recipe": 1.5})", "version 1.5 found");
  row("duplicate key", R"({"bitlens_recipe": 1, "name": "a", "name": "b"})", "\"name\" appears twice");
  row("duplicate key in a rule", R"({"bitlens_recipe": 1, "rules": [{"tensor": "a", "tensor": "b"}]})",
      "\"tensor\" appears twice");
  row("unknown key", R"({"bitlens_recipe": 1, "defaults": "F16"})", "unknown key \"defaults\"");
  row("unknown key in a rule",
      R"({"bitlens_recipe": 1, "rules": [{"tensor": "a", "format": "F16", "x": 1}]})",
      "rule 1 (\"a\"): unknown key \"x\"");
  row("name", R"({"bitlens_recipe": 1, "name": 3})", "name: expected a string");
  row("rules", R"({"bitlens_recipe": 1, "rules": {}})", "rules: expected an array");
  row("rule", R"({"bitlens_recipe": 1, "rules": ["x"]})", "rule 1: expected an object");
  row("no tensor", R"({"bitlens_recipe": 1, "rules": [{"format": "F16"}]})", "rule 1: \"tensor\" is missing");
  row("empty tensor", R"({"bitlens_recipe": 1, "rules": [{"tensor": "", "format": "F16"}]})", "is empty");
  row("long glob",
      QByteArray(R"({"bitlens_recipe": 1, "rules": [{"tensor": "GLOB", "format": "F16"}]})")
          .replace("GLOB", QByteArray(2000, '*')),
      "longer than 1024 bytes");
  row("no format", R"({"bitlens_recipe": 1, "rules": [{"tensor": "a"}]})",
      "rule 1 (\"a\"): \"format\" is missing");
  row("unknown format",
      R"({"bitlens_recipe": 1, "rules": [{"tensor": "b", "format": "keep"}, {"tensor": "a", "format": "Q4"}]})",
      "rule 2 (\"a\"): unknown format \"Q4\"; known: keep, F32, F16");
  row("format of a wrong type", R"({"bitlens_recipe": 1, "rules": [{"tensor": "a", "format": 4}]})",
      "expected the name of a format");
  row("unknown quantizer",
      R"({"bitlens_recipe": 1, "rules": [{"tensor": "a", "format": "F16", "quantizer": "gptx"}]})",
      "rule 1 (\"a\"): unknown quantizer \"gptx\"");
  row("unknown default", R"({"bitlens_recipe": 1, "default": "Q3"})", "default: unknown format \"Q3\"");
  row("deep", "{\"bitlens_recipe\": 1, \"rules\": " + QByteArray(100000, '['), "nested deeper than 8 levels");
  row("control characters are escaped",
      R"({"bitlens_recipe": 1, "rules": [{"tensor": "a\u001b[2J", "format": "x"}]})", "a\\x1B[2J");
  row("huge", QByteArray(5 << 20, ' '), "at most");
}
void TestRecipe::refuses() {
  QFETCH(QByteArray, text);
  QFETCH(QString, message);
  const auto recipe = quantize::parse_recipe(text.toStdString(), "bad.json");
  QVERIFY(!recipe.has_value());
  const QString described = QString::fromStdString(recipe.error().describe());
  QVERIFY2(described.contains(message), qPrintable(described));
  QVERIFY2(described.startsWith("bad.json: "), qPrintable(described));
  QVERIFY(!described.contains('\n'));
}

void TestRecipe::any_cut_is_refused() {
  const std::string text =
      R"({"bitlens_recipe": 1, "rules": [{"tensor": "a", "format": "F16"}], "default": "F16"})";
  QVERIFY(quantize::parse_recipe(text, "").has_value());
  for (std::size_t length = 0; length < text.size(); ++length)
    QVERIFY(!quantize::parse_recipe(text.substr(0, length), "").has_value());
}

void TestRecipe::quantizer_names() {
  QVERIFY(quantize::quantizer_from_name("rtn") == kernels::Quantizer::Rtn);
  QVERIFY(quantize::quantizer_from_name("search") == kernels::Quantizer::Search);
  QVERIFY(!quantize::quantizer_from_name("RTN"));
  QCOMPARE(quantize::quantizer_name(kernels::Quantizer::Rtn), "rtn");
}

QTEST_APPLESS_MAIN(TestRecipe)
#include "tst_recipe.moc"
