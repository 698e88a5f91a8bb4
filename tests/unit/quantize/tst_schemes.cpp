// Schemes: every choice of the field's whole-file recipes for three real models, what happens where rows do
// not fit, that a change of one tensor moves no other, and tensor types in and out.
#include <QtTest>
#include <algorithm>
#include <map>

#include "core/quantize/scheme.h"
#include "core/quantize/tensor_types.h"
#include "tests/unit/quantize/shape_file.h"

using namespace bitlens;
using kernels::Format;
using quantize::ExpandedScheme;

namespace {

struct Shapes {
  const char* name;
  std::uint64_t layers, width, q, kv, ffn, vocabulary, heads, kv_heads;
  bool tied;
};
// The reference took qwen3-0.6b with an output matrix of its own.
constexpr Shapes kModels[] = {
    {"meta-llama-3.1-70b-instruct", 80, 8192, 8192, 1024, 28672, 128256, 64, 8, false},
    {"gemma-3-4b-it", 34, 2560, 2048, 1024, 10240, 262144, 8, 4, true},
    {"qwen3-0.6b", 28, 1024, 2048, 1024, 3072, 151936, 16, 8, false}};

ShapeFile file_of(const Shapes& m) {
  ShapeFile file;
  file.set("general.architecture", std::string("llama"));
  file.set("llama.block_count", static_cast<std::uint32_t>(m.layers));
  file.set("llama.attention.head_count", static_cast<std::uint32_t>(m.heads));
  file.set("llama.attention.head_count_kv", static_cast<std::uint32_t>(m.kv_heads));
  file.add("token_embd.weight", {m.width, m.vocabulary});
  for (std::uint64_t i = 0; i < m.layers; ++i) {
    const std::string head = "blk." + std::to_string(i) + ".";
    file.add(head + "attn_norm.weight", {m.width}, Format::F32);
    file.add(head + "attn_q.weight", {m.width, m.q});
    file.add(head + "attn_k.weight", {m.width, m.kv});
    file.add(head + "attn_v.weight", {m.width, m.kv});
    file.add(head + "attn_output.weight", {m.q, m.width});
    file.add(head + "ffn_gate.weight", {m.width, m.ffn});
    file.add(head + "ffn_up.weight", {m.width, m.ffn});
    file.add(head + "ffn_down.weight", {m.ffn, m.width});
  }
  if (!m.tied) file.add("output.weight", {m.width, m.vocabulary});
  return file;
}

ExpandedScheme expanded(const char* name, const io::ModelFile& file, bool importance = false) {
  const auto scheme = quantize::parse_scheme(quantize::find_included_scheme(name)->json, name);
  return quantize::expand(*scheme, file, importance);
}

Format choice(const quantize::ResolvedRecipe& resolved, const io::ModelFile& file, std::string_view name) {
  return resolved.tensors[*file.find_tensor(name)].format;
}

/// Sections of a file of expected choices: default and exceptions by name.
struct Section {
  std::string base;
  std::map<std::string, std::string> exceptions;
};
std::map<std::string, Section> sections_of(const QString& path) {
  std::map<std::string, Section> out;
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return out;
  Section* section = nullptr;
  for (const QByteArray& raw : file.readAll().split('\n')) {
    const QString line = QString::fromUtf8(raw).trimmed();
    if (line.isEmpty() || line.startsWith('#')) continue;
    const QStringList words = line.split(' ');
    if (line.startsWith('[')) {
      section = &out[words[0].mid(1, words[0].size() - 2).toStdString()];
      section->base = words[1].toStdString();
    } else if (section != nullptr) {
      section->exceptions[words[0].toStdString()] = words[1].toStdString();
    }
  }
  return out;
}

}  // namespace

class TestSchemes : public QObject {
  Q_OBJECT

 private slots:
  void included_ones_are_sound() {
    QVERIFY(quantize::included_schemes().size() >= 15);
    for (const quantize::SchemeText& text : quantize::included_schemes()) {
      const auto scheme = quantize::parse_scheme(text.json, std::string(text.name));
      QVERIFY2(scheme, scheme ? "" : scheme.error().describe().c_str());
      QCOMPARE(scheme->name, std::string(text.name));
      QVERIFY(!scheme->about.empty());
      QVERIFY(quantize::is_scheme(text.json));
      QVERIFY(!quantize::parse_recipe(text.json, "x"));
    }
    QVERIFY(quantize::find_included_scheme("q4_k_m") == quantize::find_included_scheme("Q4_K_M"));
    QVERIFY(quantize::find_included_scheme("Q4_K_X") == nullptr);
  }

  void choices_of_the_field_data() {
    QTest::addColumn<QString>("model");
    QTest::addColumn<QString>("section");
    for (const Shapes& model : kModels)
      for (const char* section :
           {"Q2_K", "Q2_K_S", "Q3_K_S", "Q3_K_M", "Q3_K_L", "Q4_K_S", "Q4_K_M", "Q5_K_S", "Q5_K_M", "Q6_K",
            "IQ4_XS", "IQ4_NL", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "TQ1_0", "TQ2_0"})
        QTest::addRow("%s %s", model.name, section) << model.name << section;
  }
  void choices_of_the_field() {
    QFETCH(QString, model);
    QFETCH(QString, section);
    const QString path = QStringLiteral(BITLENS_SHARED "/golden/recipes/%1.schema").arg(model);
    if (!QFile::exists(path))
      QSKIP(qPrintable(QString("needs the shared test data: golden/recipes/%1.schema").arg(model)));
    const auto sections = sections_of(path);
    const auto expected = sections.find(section.toStdString());
    QVERIFY(expected != sections.end());
    const auto* shapes = std::find_if(std::begin(kModels), std::end(kModels),
                                      [&](const Shapes& m) { return model == QLatin1String(m.name); });
    const ShapeFile file = file_of(*shapes);
    const ExpandedScheme scheme = expanded(qPrintable(section), file);
    QVERIFY(scheme.substitutions.empty());
    const auto resolved = quantize::resolve(scheme.recipe, file, kernels::Quantizer::Search);
    QVERIFY2(resolved, resolved ? "" : resolved.error().describe().c_str());
    QVERIFY2(resolved->warnings.empty(), resolved->warnings.empty() ? "" : resolved->warnings[0].c_str());
    for (std::size_t t = 0; t < file.tensors().size(); ++t) {
      const io::TensorInfo& tensor = file.tensors()[t];
      const auto exception = expected->second.exceptions.find(tensor.name);
      const std::string& type =
          exception == expected->second.exceptions.end() ? expected->second.base : exception->second;
      const Format wanted = tensor.shape.size() < 2 ? Format::F32 : kernels::find_format(type)->format;
      QVERIFY2(resolved->tensors[t].format == wanted,
               qPrintable(QString("%1: %2, expected %3")
                              .arg(QString::fromStdString(tensor.name))
                              .arg(QString::fromStdString(
                                  std::string(kernels::info(resolved->tensors[t].format).name)))
                              .arg(QString::fromStdString(type))));
    }
  }

  void importance_changes_what_it_should() {
    const ShapeFile file = file_of(kModels[2]);
    const auto with =
        quantize::resolve(expanded("IQ4_XS", file, true).recipe, file, kernels::Quantizer::Search);
    QVERIFY(with);
    QCOMPARE(choice(*with, file, "blk.0.ffn_down.weight"), Format::IQ4_XS);
    const auto q4 = quantize::resolve(expanded("Q4_0", file, true).recipe, file, kernels::Quantizer::Search);
    QVERIFY(q4);
    QCOMPARE(choice(*q4, file, "blk.2.ffn_down.weight"), Format::Q4_1);
    QCOMPARE(choice(*q4, file, "blk.3.ffn_down.weight"), Format::Q4_0);
  }

  /// Rows of 576 fit blocks of 32 but not of 256; rows of 172 fit none.
  void rows_that_do_not_fit() {
    Shapes small{"small", 30, 576, 576, 192, 1536, 49152, 9, 3, true};
    const ShapeFile file = file_of(small);
    const ExpandedScheme scheme = expanded("Q4_K_M", file);
    const auto resolved = quantize::resolve(scheme.recipe, file, kernels::Quantizer::Search);
    QVERIFY2(resolved, resolved ? "" : resolved.error().describe().c_str());
    QCOMPARE(choice(*resolved, file, "blk.3.attn_q.weight"), Format::Q5_0);
    QCOMPARE(choice(*resolved, file, "blk.0.attn_v.weight"), Format::Q8_0);
    QCOMPARE(choice(*resolved, file, "blk.3.attn_v.weight"), Format::Q5_0);
    QCOMPARE(choice(*resolved, file, "blk.0.ffn_down.weight"), Format::Q6_K);
    QCOMPARE(choice(*resolved, file, "blk.3.ffn_down.weight"), Format::Q4_K);
    QCOMPARE(choice(*resolved, file, "token_embd.weight"), Format::Q8_0);
    QCOMPARE(scheme.warnings.size(), 2U);  // Q4_K -> Q5_0, Q6_K -> Q8_0
    QVERIFY(scheme.warnings[0].find("get Q5_0 instead") != std::string::npos);
    const auto& rule = scheme.recipe.rules[static_cast<std::size_t>(
        resolved->tensors[*file.find_tensor("blk.3.attn_q.weight")].rule)];
    QCOMPARE(rule.why, std::string("rows of 576 do not fit Q4_K"));
    QCOMPARE(rule.tensor, std::string("blk.*.attn_q.weight"));

    small.ffn = 172;
    const ShapeFile odd = file_of(small);
    for (const char* name : {"Q2_K", "Q8_0", "IQ4_XS", "Q4_0"}) {
      const auto fitted = quantize::resolve(expanded(name, odd).recipe, odd, kernels::Quantizer::Search);
      QVERIFY2(fitted, fitted ? "" : fitted.error().describe().c_str());
      QCOMPARE(choice(*fitted, odd, "blk.7.ffn_down.weight"), Format::F16);
    }
  }

  /// The reference counts tensors as it goes, so that naming some of them changes the others.
  void an_override_moves_no_other_tensor() {
    Shapes tiny{"tinyllama", 22, 2048, 2048, 256, 5632, 32000, 32, 4, false};
    const ShapeFile file = file_of(tiny);
    quantize::Recipe recipe = expanded("Q4_K_M", file).recipe;
    const auto before = quantize::resolve(recipe, file, kernels::Quantizer::Search);
    const auto types = quantize::parse_tensor_types("blk\\.(0|1|2)\\.attn_v=q8_0", file, "test");
    QVERIFY2(types, types ? "" : types.error().describe().c_str());
    QVERIFY(types->warnings.empty());
    recipe.rules.insert(recipe.rules.begin(), types->rules.begin(), types->rules.end());
    const auto after = quantize::resolve(recipe, file, kernels::Quantizer::Search);
    QVERIFY(before && after);
    int changed = 0;
    for (std::size_t t = 0; t < file.tensors().size(); ++t) {
      const std::string& name = file.tensors()[t].name;
      const bool named =
          name == "blk.0.attn_v.weight" || name == "blk.1.attn_v.weight" || name == "blk.2.attn_v.weight";
      QCOMPARE(after->tensors[t].format, named ? Format::Q8_0 : before->tensors[t].format);
      changed += named ? 1 : 0;
    }
    QCOMPARE(changed, 3);
    for (const int more : {0, 1, 4, 7, 10, 13, 16, 19, 20, 21})
      QCOMPARE(choice(*before, file, "blk." + std::to_string(more) + ".attn_v.weight"), Format::Q6_K);
  }

  void overrides_are_never_silent() {
    const ShapeFile file = file_of(kModels[0]);
    const auto nothing = quantize::parse_tensor_types("attn_z=q8_0", file, "list.txt");
    QVERIFY(nothing && nothing->rules.empty());
    QCOMPARE(nothing->warnings.size(), 1U);
    QVERIFY(nothing->warnings[0].find("matches no matrix") != std::string::npos);
    const auto shadowed = quantize::parse_tensor_types("attn_v=q8_0 blk\\.3\\.attn_v=q6_K", file, "list.txt");
    QVERIFY(shadowed && shadowed->rules.size() == 1);
    QCOMPARE(shadowed->rules[0].tensor, std::string("*attn_v*"));
    QVERIFY(shadowed->warnings[0].find("earlier items decide") != std::string::npos);
    // They work over a 16-bit base too.
    quantize::Recipe recipe{"base", quantize::parse_tensor_types("ffn_up=q6_k", file, "x")->rules,
                            Format::F16};
    const auto resolved = quantize::resolve(recipe, file, kernels::Quantizer::Search);
    QVERIFY(resolved);
    QCOMPARE(choice(*resolved, file, "blk.9.ffn_up.weight"), Format::Q6_K);
    QCOMPARE(choice(*resolved, file, "blk.9.ffn_gate.weight"), Format::F16);
    // Norms stay out of it, as with llama-quantize.
    const auto all = quantize::parse_tensor_types(".*=q8_0", file, "x");
    QVERIFY(all && all->rules.size() == 1);
    recipe.rules = all->rules;
    const auto every = quantize::resolve(recipe, file, kernels::Quantizer::Search);
    QVERIFY(every);
    QCOMPARE(choice(*every, file, "blk.0.attn_norm.weight"), Format::F32);
    QCOMPARE(choice(*every, file, "output.weight"), Format::Q8_0);
    const auto norms = quantize::parse_tensor_types("attn_norm=q8_0", file, "x");
    QVERIFY(norms && norms->rules.empty() && norms->warnings.size() == 1);
  }

  void bad_items_data() {
    QTest::addColumn<QString>("text");
    for (const char* text : {"attn_v", "=q8_0", "attn_v=", "attn_v=q9_0", "attn_v=q8_1", "attn_v=q8_k",
                             "(=q8_0", "[z-a]=q8_0", "*=q8_0", "(((((a+)+)+)+)+)+$b=q8_0 x"})
      QTest::newRow(text) << text;
  }
  void bad_items() {
    QFETCH(QString, text);
    const auto types = quantize::parse_tensor_types(text.toStdString(), file_of(kModels[2]), "list.txt");
    QVERIFY(!types);
    QVERIFY(types.error().code == ErrorCode::InvalidArgument);
    QCOMPARE(types.error().where.file, std::string("list.txt"));
    QVERIFY(!types.error().where.object.empty());
  }

  void patterns_cannot_run_away() {
    ShapeFile file;
    file.add(std::string(60, 'a') + ".weight", {256, 4});
    const auto types = quantize::parse_tensor_types("(a*)*(a*)*(a*)*b=q8_0", file, "x");
    QVERIFY(!types || types->rules.empty());
    QVERIFY(!quantize::parse_tensor_types(std::string(2000, 'a') + "=q8_0", file, "x"));
  }

  /// What goes out as tensor types comes back as the same choices, whatever the base.
  void tensor_types_round_trip() {
    for (const Shapes& model : kModels) {
      const ShapeFile file = file_of(model);
      const auto before =
          quantize::resolve(expanded("Q3_K_M", file).recipe, file, kernels::Quantizer::Search);
      QVERIFY(before);
      const std::string text = quantize::tensor_types_text(*before, file);
      QVERIFY(text.find("^blk\\.0\\.attn_v\\.weight$=q5_K\n") != std::string::npos);
      const auto types = quantize::parse_tensor_types(text, file, "x");
      QVERIFY2(types, types ? "" : types.error().describe().c_str());
      const auto after =
          quantize::resolve({"back", types->rules, Format::Q8_0}, file, kernels::Quantizer::Search);
      QVERIFY(after);
      for (std::size_t t = 0; t < file.tensors().size(); ++t)
        QCOMPARE(after->tensors[t].format, before->tensors[t].format);
    }
  }

  void bad_schemes_data() {
    QTest::addColumn<QString>("json");
    const auto row = [](const char* name, const char* rest) {
      QTest::newRow(name) << QString(R"({"bitlens_scheme": 1, "name": "x", %1})").arg(rest);
    };
    QTest::newRow("version 2") << R"({"bitlens_scheme": 2, "default": "Q4_K"})";
    QTest::newRow("no JSON") << R"({"bitlens_scheme": 1,)";
    row("no default", R"("rules": [])");
    row("unknown key", R"("default": "Q4_K", "rulez": [])");
    row("unknown format", R"("default": "Q4_X")");
    row("layers",
        R"("default": "Q4_K", "rules": [{"tensor": "a", "format": "Q8_0", "layers": "second half"}])");
    row("division by zero",
        R"("default": "Q4_K", "rules": [{"tensor": "a", "format": "Q8_0", "layers": "first 1/0"}])");
    row("condition",
        R"("default": "Q4_K", "rules": [{"tensor": "a", "format": "Q8_0", "when": {"moon": 1}}])");
    row("negative",
        R"("default": "Q4_K", "rules": [{"tensor": "a", "format": "Q8_0", "when": {"experts": -1}}])");
    row("no tensor", R"("default": "Q4_K", "rules": [{"format": "Q8_0"}])");
    row("no format", R"("default": "Q4_K", "rules": [{"tensor": "a"}])");
    row("twice", R"("default": "Q4_K", "default": "Q5_K")");
  }
  void bad_schemes() {
    QFETCH(QString, json);
    const auto scheme = quantize::parse_scheme(json.toStdString(), "x.json");
    QVERIFY(!scheme);
    QVERIFY(scheme.error().code == ErrorCode::InvalidArgument);
    QCOMPARE(scheme.error().where.file, std::string("x.json"));
  }

  /// Formats that lead to each other must not keep it busy for ever.
  void fallbacks_in_a_circle_end() {
    ShapeFile file;
    file.add("blk.0.ffn_up.weight", {100, 4});
    const auto scheme = quantize::parse_scheme(
        R"({"bitlens_scheme": 1, "default": "Q4_K", "does_not_fit": {"Q4_K": "Q5_0", "Q5_0": "Q4_K"}})", "x");
    QVERIFY(scheme);
    const auto out = quantize::expand(*scheme, file, false);
    QVERIFY(!quantize::resolve(out.recipe, file, kernels::Quantizer::Search));
  }
};

QTEST_APPLESS_MAIN(TestSchemes)
#include "tst_schemes.moc"
