// Importance matrices: reading, writing, refusing what cannot be one, matching to a model, and what encoders
// get of it.
#include <QtTest>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/export/export.h"
#include "core/importance/imatrix.h"
#include "core/run/weights.h"
#include "kernels/formats/codec.h"
#include "tests/support/gguf_builder.h"

using namespace bitlens;
using importance::Imatrix;
using importance::ImatrixFormat;
using kernels::Format;
using test::Bytes;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> ramp(std::size_t count, float first) {
  std::vector<float> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = first + static_cast<float>(i % 37) * 0.25F;
  return out;
}

test::GgufBuilder gguf_of(const std::vector<float>& sums, const std::vector<float>& counts,
                          std::uint64_t columns, const std::string& name = "blk.0.attn_q.weight") {
  test::GgufBuilder builder;
  builder.kv("general.type", io::MetadataValue(std::string("imatrix")))
      .kv("imatrix.datasets", io::MetadataValue(io::MetadataArray(std::vector<std::string>{"text.txt"})))
      .kv("imatrix.chunk_count", io::MetadataValue(std::uint32_t{7}))
      .kv("imatrix.chunk_size", io::MetadataValue(std::uint32_t{512}))
      .f32(name + ".in_sum2", {columns, sums.size() / columns}, sums)
      .f32(name + ".counts", {1, counts.size()}, counts);
  return builder;
}

Bytes dat_entry(std::int32_t length, std::string_view name, std::int32_t calls, std::int32_t values,
                const std::vector<float>& sums) {
  Bytes out;
  out.number(length).raw(name).number(calls).number(values);
  for (const float sum : sums) out.number(sum);
  return out;
}

/// A model of two blocks with one matrix each (64 columns), a norm, an embedding and three experts.
test::GgufBuilder model_builder() {
  test::GgufBuilder builder;
  builder.kv("general.architecture", io::MetadataValue(std::string("llama")))
      .f32("token_embd.weight", {64, 8}, ramp(64 * 8, -2.0F))
      .f32("blk.0.attn_norm.weight", {64}, ramp(64, 1.0F))
      .f32("blk.0.attn_q.weight", {64, 16}, ramp(64 * 16, -4.0F))
      .f32("blk.1.attn_q.weight", {64, 16}, ramp(64 * 16, -3.0F))
      .f32("blk.1.ffn_up_exps.weight", {32, 4, 3}, ramp(32 * 4 * 3, -1.0F));
  return builder;
}

}  // namespace

class TestImatrix : public QObject {
  Q_OBJECT
  std::unique_ptr<QTemporaryDir> folder_;
  ThreadPool pool_{2};
  WorkContext work_{pool_};

  [[nodiscard]] std::string path(const char* name) const { return folder_->filePath(name).toStdString(); }
  [[nodiscard]] Result<Imatrix> read(const std::string& bytes) const {
    if (!test::write_bytes(path("file"), bytes)) return fail(ErrorCode::Io, "cannot be written");
    return importance::read_imatrix(path("file"));
  }
  std::shared_ptr<const io::ModelFile> model() const {
    if (!test::write_bytes(path("model.gguf"), model_builder().bytes())) return nullptr;
    auto file = io::open_gguf(path("model.gguf"));
    return file ? *file : nullptr;
  }
  static Imatrix for_model() {
    Imatrix out;
    out.path = "folder/name.imatrix";
    out.sha256 = "abc";
    out.datasets = {"wiki", "code"};
    out.chunk_count = 9;
    for (const char* name : {"blk.0.attn_q.weight", "blk.1.attn_q.weight"})
      out.entries.push_back({name, 64, ramp(64, 1.0F), {4.0F}});
    out.entries.push_back({"blk.1.ffn_up_exps.weight", 32, ramp(96, 1.0F), {2.0F, 0.0F, 8.0F}});
    return out;
  }

 private slots:
  void init() { folder_ = std::make_unique<QTemporaryDir>(); }

  void gguf_round_trip() {
    Imatrix before = for_model();
    before.chunk_size = 512;
    QVERIFY(importance::write_imatrix(before, path("a.gguf"), ImatrixFormat::Gguf, false));
    const auto after = importance::read_imatrix(path("a.gguf"));
    QVERIFY2(after, after ? "" : after.error().describe().c_str());
    QCOMPARE(after->entries.size(), before.entries.size());
    for (std::size_t e = 0; e < before.entries.size(); ++e) {
      QCOMPARE(after->entries[e].tensor, before.entries[e].tensor);
      QCOMPARE(after->entries[e].columns, before.entries[e].columns);
      QVERIFY(after->entries[e].sums == before.entries[e].sums);
      QVERIFY(after->entries[e].counts == before.entries[e].counts);
    }
    QVERIFY(after->datasets == before.datasets);
    QCOMPARE(after->chunk_count, 9U);
    QCOMPARE(after->chunk_size, 512U);
    QCOMPARE(after->sha256.size(), 64U);
    QVERIFY(after->warnings.empty());
    QVERIFY(importance::write_imatrix(before, path("a.gguf"), ImatrixFormat::Gguf, false).error().code ==
            ErrorCode::Exists);
  }

  /// The older form keeps the means, whatever it does to sums and counts.
  void dat_keeps_the_means() {
    Imatrix before = for_model();
    before.chunk_size = 3;
    QVERIFY(importance::write_imatrix(before, path("a.dat"), ImatrixFormat::Dat, false));
    const auto after = importance::read_imatrix(path("a.dat"));
    QVERIFY2(after, after ? "" : after.error().describe().c_str());
    QCOMPARE(after->chunk_count, 9U);
    QVERIFY(after->datasets == std::vector<std::string>{"code"});
    const auto file = model();
    QVERIFY(file);
    const auto direct = importance::match_imatrix(before, *file);
    const auto through = importance::match_imatrix(*after, *file);
    QVERIFY(direct && through);
    for (std::size_t t = 0; t < file->tensors().size(); ++t) {
      const auto &a = (*direct)->columns[t], &b = (*through)->columns[t];
      QCOMPARE(a.size(), b.size());
      for (std::size_t j = 0; j < a.size(); ++j) QVERIFY(std::fabs(a[j] - b[j]) <= 2e-7F * std::fabs(a[j]));
    }
  }

  void format_by_name() {
    QVERIFY(importance::imatrix_format_of("x/imatrix.dat") == ImatrixFormat::Dat);
    QVERIFY(importance::imatrix_format_of("imatrix.gguf") == ImatrixFormat::Gguf);
    QVERIFY(importance::imatrix_format_of("imatrix.imatrix") == ImatrixFormat::Gguf);
  }

  void bad_values_data() {
    QTest::addColumn<float>("value");
    QTest::addColumn<float>("count");
    QTest::addColumn<QString>("what");
    QTest::newRow("NaN") << kNaN << 4.0F << "value 5 is nan";
    QTest::newRow("infinity") << kInfinity << 4.0F << "value 5 is inf";
    QTest::newRow("negative") << -1.0F << 4.0F << "value 5 is -1";
    QTest::newRow("count of zero") << 1.0F << 0.0F << "count is 0";
    QTest::newRow("negative count") << 1.0F << -3.0F << "count is -3";
    QTest::newRow("NaN count") << 1.0F << kNaN << "count is nan";
    QTest::newRow("infinite count") << 1.0F << kInfinity << "count is inf";
  }
  void bad_values() {
    QFETCH(float, value);
    QFETCH(float, count);
    QFETCH(QString, what);
    std::vector<float> sums = ramp(32, 1.0F);
    sums[5] = value;
    const std::string bytes = gguf_of(sums, {count}, 32).bytes();
    const auto read_back = read(bytes);
    QVERIFY(!read_back);
    QVERIFY(read_back.error().code == ErrorCode::BadFile);
    QVERIFY2(read_back.error().message.find(what.toStdString()) != std::string::npos,
             read_back.error().describe().c_str());
    QCOMPARE(read_back.error().where.object, std::string("blk.0.attn_q.weight"));
    // The offset points at the culprit.
    const auto at = read_back.error().where.offset;
    QVERIFY(at && *at + sizeof(float) <= bytes.size());
    float found = 0;
    std::memcpy(&found, bytes.data() + *at, sizeof found);
    const float culprit = what.startsWith("value") ? value : count;
    QVERIFY(std::memcmp(&found, &culprit, sizeof found) == 0);

    if (!std::isfinite(count) || std::isnan(value)) return;
    const auto dat = read(Bytes()
                              .number(std::int32_t{1})
                              .raw(dat_entry(1, "x", static_cast<std::int32_t>(count), 32, sums).str())
                              .str());
    QVERIFY(!dat);
    QVERIFY(dat.error().code == ErrorCode::BadFile);
    QVERIFY(dat.error().where.offset.has_value());
  }

  void all_zero_entries_are_refused() {
    const auto zero = read(gguf_of(std::vector<float>(32), {4.0F}, 32).bytes());
    QVERIFY(!zero && zero.error().code == ErrorCode::BadFile);
    // One expert without tokens is no reason; all without are.
    QVERIFY(read(gguf_of(ramp(32, 0.0F), {4.0F, 0.0F}, 16).bytes()));
    QVERIFY(!read(gguf_of(ramp(32, 0.0F), {0.0F, 0.0F}, 16).bytes()));
  }

  void gguf_that_lies_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("code");
    const auto row = [](const char* name, const test::GgufBuilder& builder, ErrorCode code) {
      QTest::newRow(name) << QByteArray::fromStdString(builder.bytes()) << static_cast<int>(code);
    };
    row("a model", model_builder(), ErrorCode::Unsupported);
    test::GgufBuilder other;
    other.kv("general.type", io::MetadataValue(std::string("adapter")));
    row("an adapter", other, ErrorCode::Unsupported);
    const auto kind = [](test::GgufBuilder builder) {
      return builder.kv("general.type", io::MetadataValue(std::string("imatrix")));
    };
    row("empty", kind({}), ErrorCode::BadFile);
    row("sums alone", kind({}).f32("a.in_sum2", {8}, ramp(8, 1)), ErrorCode::BadFile);
    row("counts alone", kind({}).f32("a.counts", {1}, {1.0F}), ErrorCode::BadFile);
    row("two counts for one matrix",
        kind({}).f32("a.in_sum2", {8}, ramp(8, 1)).f32("a.counts", {1, 2}, {1.0F, 1.0F}), ErrorCode::BadFile);
    row("sums in F16",
        kind({}).tensor("a.in_sum2", {8}, Format::F16, std::string(16, '\1')).f32("a.counts", {1}, {1.0F}),
        ErrorCode::BadFile);
    row("counts in F16",
        kind({}).f32("a.in_sum2", {8}, ramp(8, 1)).tensor("a.counts", {1}, Format::F16, std::string(2, '\1')),
        ErrorCode::BadFile);
    row("no name", kind({}).f32(".in_sum2", {8}, ramp(8, 1)).f32(".counts", {1}, {1.0F}), ErrorCode::BadFile);
  }
  void gguf_that_lies() {
    QFETCH(QByteArray, bytes);
    QFETCH(int, code);
    const auto found = read(bytes.toStdString());
    QVERIFY(!found);
    QVERIFY2(static_cast<int>(found.error().code) == code, found.error().describe().c_str());
    QCOMPARE(found.error().where.file, path("file"));
  }

  void dat_that_lies_data() {
    QTest::addColumn<QByteArray>("bytes");
    const auto row = [](const char* name, const std::string& bytes) {
      QTest::newRow(name) << QByteArray::fromStdString(bytes);
    };
    const std::vector<float> values = ramp(8, 1.0F);
    const auto file = [](std::int32_t entries, const std::string& rest) {
      return Bytes().number(entries).raw(rest).str();
    };
    const std::string good = dat_entry(3, "abc", 4, 8, values).str();
    constexpr std::int32_t most = std::numeric_limits<std::int32_t>::max();
    row("nothing", "");
    row("no entries", file(0, good));
    row("minus one entry", file(-1, good));
    row("2^31 - 1 entries", file(most, good));
    row("one entry too many", file(2, good));
    row("name of length -1", file(1, dat_entry(-1, "abc", 4, 8, values).str()));
    row("name of length 0", file(1, dat_entry(0, "", 4, 8, values).str()));
    row("name of length 2^31 - 1", file(1, dat_entry(most, "abc", 4, 8, values).str()));
    row("minus one value", file(1, dat_entry(3, "abc", 4, -1, values).str()));
    row("2^31 - 1 values", file(1, dat_entry(3, "abc", 4, most, values).str()));
    row("no values", file(1, dat_entry(3, "abc", 4, 0, {}).str()));
    row("no calls", file(1, dat_entry(3, "abc", 0, 8, values).str()));
    row("an entry twice", file(2, good + good));
    row("text", "this is a text file and not an importance matrix at all");
  }
  void dat_that_lies() {
    QFETCH(QByteArray, bytes);
    const auto found = read(bytes.toStdString());
    QVERIFY(!found);
    QVERIFY2(found.error().code == ErrorCode::BadFile, found.error().describe().c_str());
  }

  /// Cut anywhere, a file is refused; with any bit changed it is refused or holds only sound values.
  void cut_and_flipped() {
    const std::string dat =
        Bytes().number(std::int32_t{1}).raw(dat_entry(3, "abc", 4, 8, ramp(8, 1.0F)).str()).str();
    const std::string gguf = gguf_of(ramp(8, 1.0F), {4.0F}, 8, "abc").bytes();
    for (const std::string& whole : {dat, gguf}) {
      QVERIFY(read(whole));
      for (std::size_t n = 0; n < whole.size(); ++n) {
        const auto cut = read(whole.substr(0, n));
        // Only padding may be missing at the end of a GGUF file.
        QVERIFY2(!cut || (whole == gguf && n + 32 > whole.size()), qPrintable(QString::number(n)));
      }
      for (std::size_t bit = 0; bit < 8 * whole.size(); bit += whole == dat ? 1U : 7U) {
        std::string changed = whole;
        changed[bit / 8] =
            static_cast<char>(static_cast<unsigned char>(changed[bit / 8]) ^ (1U << (bit % 8)));
        const auto found = read(changed);
        if (!found) continue;
        for (const auto& entry : found->entries)
          for (const float sum : entry.sums) QVERIFY(std::isfinite(sum) && sum >= 0);
      }
    }
  }

  void matches_by_name_and_shape() {
    const auto file = model();
    QVERIFY(file);
    const auto found = importance::match_imatrix(for_model(), *file);
    QVERIFY2(found, found ? "" : found.error().describe().c_str());
    const quantize::Importance& importance = **found;
    QCOMPARE(importance.file, std::string("name.imatrix"));
    QCOMPARE(importance.entries, 3U);
    QVERIFY(!importance.covers(0) && !importance.covers(1));
    QVERIFY(importance.covers(2) && importance.covers(3) && importance.covers(4));
    QCOMPARE(importance.columns[2][1], 1.25F / 4.0F);
    QCOMPARE(importance.warnings.size(), 1U);  // an expert without tokens
    // Elements 60..67 of a matrix of 64 columns, and the middle expert, which counts evenly.
    std::vector<float> values(8);
    importance.fill(2, file->tensors()[2], 60, values);
    QCOMPARE(values[3], importance.columns[2][63]);
    QCOMPARE(values[4], importance.columns[2][0]);
    importance.fill(4, file->tensors()[4], 32 * 4 - 2, values);
    QCOMPARE(values[1], importance.columns[4][31]);
    QCOMPARE(values[2], 1.0F);
    importance.fill(4, file->tensors()[4], 2 * 32 * 4, values);
    QCOMPARE(values[0], importance.columns[4][64]);
  }

  void refuses_another_models() {
    const auto file = model();
    QVERIFY(file);
    Imatrix wide = for_model();
    wide.entries[1].columns = 65;
    wide.entries[1].sums.resize(65, 1.0F);
    const auto other_width = importance::match_imatrix(wide, *file);
    QVERIFY(!other_width);
    QVERIFY(other_width.error().message.find("65 x 1 values for it, the tensor 64 columns") !=
            std::string::npos);
    QCOMPARE(other_width.error().where.object, std::string("blk.1.attn_q.weight"));
    Imatrix experts = for_model();
    experts.entries[2].counts = {1.0F, 1.0F};
    experts.entries[2].sums.resize(64);
    QVERIFY(!importance::match_imatrix(experts, *file));

    Imatrix strangers = for_model();
    for (auto& entry : strangers.entries) entry.tensor += ".other";
    const auto none = importance::match_imatrix(strangers, *file);
    QVERIFY(!none);
    QVERIFY(none.error().message.find("0 of its 3 entries") != std::string::npos);
    Imatrix deeper = for_model();
    for (int i = 2; i < 9; ++i)
      deeper.entries.push_back({"blk." + std::to_string(i) + ".attn_q.weight", 64, ramp(64, 1.0F), {1.0F}});
    QVERIFY(!importance::match_imatrix(deeper, *file));
    Imatrix shallow = for_model();
    shallow.entries.resize(1);
    QVERIFY(!importance::match_imatrix(shallow, *file));

    Imatrix extra = for_model();
    extra.entries.push_back({"mtp.weight", 64, ramp(64, 1.0F), {1.0F}});
    const auto tolerated = importance::match_imatrix(extra, *file);
    QVERIFY(tolerated);
    QVERIFY((*tolerated)->warnings.back().find("mtp.weight") != std::string::npos);
  }

  /// What an export writes and what a measurement sees is what the encoder gives for each row with the
  /// columns' weights, and differs from what it gives without.
  void reaches_the_encoders() {
    const auto file = model();
    QVERIFY(file);
    const auto importance = importance::match_imatrix(for_model(), *file);
    QVERIFY(importance);
    quantize::Recipe recipe{"test", {}, Format::Q4_0};
    const auto resolved = quantize::resolve(recipe, *file, kernels::Quantizer::Search, *importance);
    QVERIFY2(resolved, resolved ? "" : resolved.error().describe().c_str());
    QVERIFY(!resolved->tensors[0].weighted && !resolved->tensors[1].weighted);
    QVERIFY(resolved->tensors[2].weighted && resolved->tensors[4].weighted);
    const auto written = exporter::export_gguf(*file, *resolved, {path("out.gguf"), false, {}}, work_);
    QVERIFY2(written, written ? "" : written.error().describe().c_str());
    QCOMPARE(written->file_bytes, resolved->file_bytes);
    const auto out = io::open_gguf(path("out.gguf"));
    QVERIFY(out);
    QCOMPARE(*(*out)->metadata().get_string("quantize.imatrix.file"), std::string("name.imatrix"));
    QCOMPARE(*(*out)->metadata().get_string("quantize.imatrix.dataset"), std::string("wiki, code"));
    QCOMPARE(*(*out)->metadata().get_uint("quantize.imatrix.entries_count"), 3U);
    QCOMPARE(*(*out)->metadata().get_uint("quantize.imatrix.chunks_count"), 9U);

    bool differs = false;
    for (const std::size_t t : {0U, 2U, 3U, 4U}) {
      const io::TensorInfo& info = file->tensors()[t];
      std::vector<float> values(info.elements());
      QVERIFY(io::decode_rows(*file, t, 0, info.rows(), values.data()));
      std::vector<std::byte> expected((*out)->tensors()[t].bytes), plain(expected.size()),
          found(expected.size());
      const std::size_t row_bytes = expected.size() / info.rows();
      for (std::size_t r = 0; r < info.rows(); ++r) {
        std::vector<float> weights(info.row_length());
        if ((*importance)->covers(t)) (*importance)->fill(t, info, r * info.row_length(), weights);
        const float* row = values.data() + r * info.row_length();
        kernels::encode(Format::Q4_0, kernels::Quantizer::Search, row,
                        (*importance)->covers(t) ? weights.data() : nullptr, expected.data() + r * row_bytes,
                        weights.size());
        kernels::encode(Format::Q4_0, kernels::Quantizer::Search, row, nullptr, plain.data() + r * row_bytes,
                        weights.size());
      }
      QVERIFY((*out)->read(t, 0, found));
      QVERIFY(found == expected);
      differs = differs || expected != plain;
    }
    QVERIFY(differs);

    const auto rtn = quantize::resolve(recipe, *file, kernels::Quantizer::Rtn, *importance);
    QVERIFY(rtn && !rtn->tensors[2].weighted);
    QVERIFY(rtn->warnings.back().find("is not used") != std::string::npos);
    QVERIFY(!quantize::export_metadata(*rtn, *file).has("quantize.imatrix.file"));
  }
};

QTEST_APPLESS_MAIN(TestImatrix)
#include "tst_imatrix.moc"
