// Resolving a recipe: which rule decides, what stays, exact sizes, warnings, errors that name tensor and
// rule.
#include <QtTest>

#include "core/quantize/recipe.h"

using namespace bitlens;
using kernels::Format;
using kernels::Quantizer;

namespace {

/// A header without data: resolving never reads weights.
class HeaderOnly final : public io::ModelFile {
 public:
  HeaderOnly() {
    metadata_.set("general.architecture", io::MetadataValue(std::string("llama")));
    metadata_.set("general.file_type", io::MetadataValue(std::uint32_t{0}));
  }
  HeaderOnly& add(std::string name, std::vector<std::uint64_t> shape, Format format = Format::F32) {
    io::TensorInfo info;
    info.name = std::move(name);
    info.shape = std::move(shape);
    info.format = format;
    info.bytes = info.elements() / kernels::info(format).block_size * kernels::info(format).block_bytes;
    tensors_.push_back(std::move(info));
    return *this;
  }
  io::Metadata metadata_;

  const std::string& path() const override { return path_; }
  const std::vector<std::string>& shard_paths() const override { return paths_; }
  std::uint32_t version() const override { return 3; }
  std::uint64_t alignment() const override { return 32; }
  std::uint64_t file_bytes() const override { return 0; }
  const io::Metadata& metadata() const override { return metadata_; }
  const std::vector<io::TensorInfo>& tensors() const override { return tensors_; }
  const std::vector<std::string>& warnings() const override { return none_; }
  std::optional<std::size_t> find_tensor(std::string_view) const override { return std::nullopt; }
  Status read(std::size_t, std::uint64_t, std::span<std::byte>) const override {
    return fail(ErrorCode::Io, "there is no data");
  }
  Status check_unchanged() const override { return {}; }
  bool is_same_file(const std::string&) const override { return false; }
  Result<std::string> sha256(const WorkContext&) const override { return std::string(); }

 private:
  std::string path_ = "model.gguf";
  std::vector<std::string> paths_{path_};
  std::vector<std::string> none_;
  std::vector<io::TensorInfo> tensors_;
};

HeaderOnly small_model() {
  HeaderOnly file;
  file.add("token_embd.weight", {64, 512})
      .add("blk.0.attn_norm.weight", {64})
      .add("blk.0.attn_q.weight", {64, 64})
      .add("blk.0.ffn_down.weight", {172, 64})
      .add("blk.0.ffn_up.weight", {64, 172})
      .add("output_norm.weight", {64});
  return file;
}

quantize::Recipe recipe(std::vector<quantize::Rule> rules, quantize::FormatChoice fallback = std::nullopt) {
  return {"test", std::move(rules), fallback};
}

quantize::Rule rule(const char* glob, quantize::FormatChoice format,
                    std::optional<Quantizer> quantizer = std::nullopt) {
  return {glob, format, quantizer};
}

}  // namespace

class TestResolve : public QObject {
  Q_OBJECT

 private slots:
  void the_first_match_wins() {
    const auto file = small_model();
    const auto resolved =
        quantize::resolve(recipe({rule("blk.0.attn_q.weight", Format::Q8_0),
                                  rule("*attn*", Format::Q4_0, Quantizer::Rtn), rule("*", std::nullopt)},
                                 Format::F16),
                          file, Quantizer::Search);
    QVERIFY2(resolved.has_value(), resolved ? "" : resolved.error().describe().c_str());
    QVERIFY(resolved->tensors[2].format == Format::Q8_0);
    QCOMPARE(resolved->tensors[2].rule, 0);
    QVERIFY(resolved->tensors[2].quantizer == Quantizer::Search);
    QVERIFY(resolved->tensors[3].format == Format::F32);  // "*" keeps it; the default does not come in
    QCOMPARE(resolved->tensors[3].rule, 2);
    QVERIFY(!resolved->tensors[3].changed);
  }

  void a_rule_carries_its_quantizer() {
    const auto file = small_model();
    const auto resolved = quantize::resolve(
        recipe({rule("*attn_q*", Format::Q4_0, Quantizer::Rtn), rule("*ffn_up*", Format::Q4_0)}), file,
        Quantizer::Search);
    QVERIFY(resolved->tensors[2].quantizer == Quantizer::Rtn);
    QVERIFY(resolved->tensors[4].quantizer == Quantizer::Search);
  }

  void the_default_is_for_matrices() {
    const auto file = small_model();
    const auto resolved = quantize::resolve(recipe({}, Format::F16), file, Quantizer::Search);
    QVERIFY(resolved.has_value());
    for (const std::size_t matrix : {0U, 2U, 3U, 4U}) {
      QVERIFY(resolved->tensors[matrix].format == Format::F16);
      QCOMPARE(resolved->tensors[matrix].rule, -1);
    }
    for (const std::size_t norm : {1U, 5U}) {
      QVERIFY(resolved->tensors[norm].format == Format::F32);
      QVERIFY(resolved->tensors[norm].kept_norm);
    }
  }

  void norms_change_only_when_named_data() {
    QTest::addColumn<QString>("glob");
    QTest::addColumn<bool>("changes");
    QTest::newRow("all") << "*" << false;
    QTest::newRow("block") << "blk.0.*" << false;
    QTest::newRow("suffix") << "*.weight" << false;
    QTest::newRow("part of the suffix") << "*weight" << false;
    QTest::newRow("before the wildcard only") << "blk.0.attn_norm*" << false;
    QTest::newRow("named at the end") << "*attn_norm.weight" << true;
    QTest::newRow("any norm") << "*norm.weight" << true;
    QTest::newRow("full name") << "blk.0.attn_norm.weight" << true;
  }
  void norms_change_only_when_named() {
    QFETCH(QString, glob);
    const auto file = small_model();
    const auto resolved =
        quantize::resolve(recipe({rule(glob.toStdString().c_str(), Format::F16)}), file, Quantizer::Search);
    QVERIFY(resolved.has_value());
    QTEST(resolved->tensors[1].changed, "changes");
    QTEST(!resolved->tensors[1].kept_norm, "changes");
  }

  void norms_of_two_dimensions_are_norms_and_flat_matrices_are_vectors() {
    HeaderOnly file;
    file.add("blk.0.attn_q_norm.weight", {64, 8})
        .add("blk.0.bias.weight", {64, 1, 1})
        .add("normal.weight", {64, 2});
    const auto resolved = quantize::resolve(recipe({}, Format::F16), file, Quantizer::Search);
    QVERIFY(resolved->tensors[0].kept_norm);
    QVERIFY(resolved->tensors[1].kept_norm);
    HeaderOnly matrix;
    matrix.add("normed.attn_q.weight", {64, 64});  // "norm" in an earlier part of the name is no norm
    QVERIFY(quantize::resolve(recipe({}, Format::F16), matrix, Quantizer::Search)->tensors[0].changed);
  }

  void same_format_is_a_copy() {
    HeaderOnly file;
    file.add("a.weight", {64, 64}, Format::Q8_0).add("b.weight", {256, 64}, Format::IQ2_XXS);
    const auto resolved = quantize::resolve(recipe({rule("a*", Format::Q8_0)}), file, Quantizer::Search);
    QVERIFY(resolved.has_value());
    QVERIFY(!resolved->tensors[0].changed);
    QVERIFY(!resolved->tensors[1].changed);  // not decodable, but kept: its bytes are copied
    QVERIFY(resolved->warnings.empty());
  }

  void sizes_are_exact() {
    const auto file = small_model();
    const auto resolved =
        quantize::resolve(recipe({rule("*attn_q*", Format::Q4_0)}, Format::F16), file, Quantizer::Rtn);
    QVERIFY(resolved.has_value());
    const std::vector<std::uint64_t> bytes{64 * 512 * 2, 64 * 4,       64 * 64 / 32 * 18,
                                           172 * 64 * 2, 172 * 64 * 2, 64 * 4};
    std::uint64_t sum = 0, padded = 0, weights = 0;
    for (std::size_t t = 0; t < bytes.size(); ++t) {
      QCOMPARE(resolved->tensors[t].bytes, bytes[t]);
      sum += bytes[t];
      padded += (bytes[t] + 31) / 32 * 32;
      weights += file.tensors()[t].elements();
    }
    QCOMPARE(resolved->weights, weights);
    QCOMPARE(resolved->tensor_bytes, padded);
    QVERIFY(resolved->file_bytes > padded && resolved->file_bytes < padded + 4096);
    QCOMPARE(resolved->bits_per_weight, 8.0 * double(sum) / double(weights));
  }

  void warns_of_rules_without_effect() {
    const auto file = small_model();
    const auto resolved =
        quantize::resolve(recipe({rule("*attn_q*", Format::Q4_0), rule("*mamba*", Format::Q4_0),
                                  rule("blk.0.attn_q.weight", Format::F16)}),
                          file, Quantizer::Search);
    QVERIFY(resolved.has_value());
    QCOMPARE(resolved->warnings.size(), std::size_t{2});
    QCOMPARE(resolved->warnings[0], std::string("rule 2 (\"*mamba*\") matches no tensor"));
    QVERIFY(resolved->warnings[1].find("rule 3 (\"blk.0.attn_q.weight\") decides nothing") == 0);
  }

  void warns_of_quantizing_twice() {
    HeaderOnly file;
    file.add("a.weight", {64, 64}, Format::Q4_1).add("b.weight", {64, 64}, Format::F16);
    const auto again = quantize::resolve(recipe({}, Format::Q8_0), file, Quantizer::Search);
    QCOMPARE(again->warnings.size(), std::size_t{1});
    QVERIFY(again->warnings[0].find("a.weight, Q4_1") != std::string::npos);
    QVERIFY(quantize::resolve(recipe({}, Format::F16), file, Quantizer::Search)->warnings.empty());
  }

  void errors_name_tensor_and_rule() {
    const auto file = small_model();
    const auto by_rule = quantize::resolve(
        recipe({rule("*attn_q*", Format::F16), rule("*ffn*", Format::Q4_0)}), file, Quantizer::Search);
    QVERIFY(!by_rule.has_value());
    QCOMPARE(
        by_rule.error().describe(),
        std::string(
            "model.gguf: blk.0.ffn_down.weight: rule 2 (\"*ffn*\") asks for Q4_0: rows of 172 weights are "
            "not a whole number of blocks of 32; what fits: F32, F16, BF16"));
    const auto by_default = quantize::resolve(recipe({}, Format::Q4_0), file, Quantizer::Search);
    QVERIFY(!by_default.has_value());
    QVERIFY(by_default.error().describe().find("the default asks for Q4_0") != std::string::npos);
  }

  void refuses_formats_that_cannot_be_written_or_read() {
    const auto file = small_model();
    const auto written = quantize::resolve(recipe({}, Format::Q8_1), file, Quantizer::Search);
    QVERIFY(!written.has_value());
    QVERIFY(written.error().code == ErrorCode::Unsupported);
    for (const auto& format : kernels::all_formats()) {
      if (format.decodes || format.block_size == 1) continue;
      HeaderOnly unread;
      unread.add("a.weight", {256, 64}, format.format);
      const auto read = quantize::resolve(recipe({}, Format::Q8_0), unread, Quantizer::Search);
      QVERIFY(!read.has_value());
      QVERIFY(read.error().code == ErrorCode::Unsupported);
      QVERIFY(read.error().describe().find(std::string(format.name) + ", which cannot be decoded") !=
              std::string::npos);
    }
  }

  void integer_tensors_are_no_weights() {
    HeaderOnly file;
    file.add("table", {64, 64}, Format::I32);
    const auto resolved = quantize::resolve(recipe({}, Format::F16), file, Quantizer::Search);
    QVERIFY(resolved.has_value());
    QVERIFY(!resolved->tensors[0].changed);
  }

  void metadata_says_what_the_file_is() {
    auto file = small_model();
    file.metadata_.set("split.no", io::MetadataValue(std::uint16_t{0}));
    file.metadata_.set("split.count", io::MetadataValue(std::uint16_t{2}));
    const auto q8 =
        quantize::resolve(recipe({rule("*ffn_down*", Format::F16)}, Format::Q8_0), file, Quantizer::Rtn);
    QVERIFY(q8.has_value());
    const io::Metadata metadata = quantize::export_metadata(*q8, file);
    QVERIFY(!metadata.has("split.no") && !metadata.has("split.count"));
    QCOMPARE(*metadata.get_uint("general.file_type"), std::uint64_t{7});
    QCOMPARE(*metadata.get_uint("general.quantization_version"), std::uint64_t{2});
    QCOMPARE(*metadata.get_string("bitlens.quantizer"), std::string("rtn"));
    const auto again = quantize::parse_recipe(*metadata.get_string("bitlens.recipe"), "");
    QVERIFY(again.has_value() && *again == q8->recipe);

    const auto f16 = quantize::resolve(recipe({}, Format::F16), file, Quantizer::Rtn);
    QCOMPARE(*quantize::export_metadata(*f16, file).get_uint("general.file_type"), std::uint64_t{1});
    QVERIFY(!quantize::export_metadata(*f16, file).has("general.quantization_version"));

    HeaderOnly halves;
    halves.add("a.weight", {64, 64}).add("b.weight", {64, 64});
    const auto mixed = quantize::resolve(recipe({rule("a.*", Format::Q8_0), rule("b.*", Format::Q4_0)}),
                                         halves, Quantizer::Rtn);
    QVERIFY(!quantize::export_metadata(*mixed, halves).has("general.file_type"));
    // A recipe of the field keeps its number, unless nothing of it is left.
    HeaderOnly wide;
    wide.add("a.weight", {256, 64}).add("b.weight", {256, 64}).add("c.weight", {64, 64});
    quantize::Recipe named =
        recipe({rule("a.*", Format::Q4_K), rule("b.*", Format::Q6_K), rule("c.*", Format::Q5_0)});
    named.name = "Q4_K_M";
    const auto field = quantize::resolve(named, wide, Quantizer::Rtn);
    QCOMPARE(*quantize::export_metadata(*field, wide).get_uint("general.file_type"), std::uint64_t{15});
    named.rules[0] = named.rules[1] = rule("?.*", Format::Q8_0);
    const auto other = quantize::resolve(named, wide, Quantizer::Rtn);
    QCOMPARE(*quantize::export_metadata(*other, wide).get_uint("general.file_type"), std::uint64_t{7});
    const auto kept = quantize::resolve(recipe({}), halves, Quantizer::Rtn);
    QCOMPARE(*quantize::export_metadata(*kept, halves).get_uint("general.file_type"), std::uint64_t{0});
  }
};

QTEST_APPLESS_MAIN(TestResolve)
#include "tst_resolve.moc"
