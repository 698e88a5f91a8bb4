// Exporting: the bytes that come out, what is refused, and that nothing is left behind when it fails.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <QtTest>
#include <cmath>
#include <cstring>
#include <random>

#include "core/base/checksum.h"
#include "core/base/hash.h"
#include "core/export/export.h"
#include "core/export/verify.h"
#include "core/io/gguf_writer.h"
#include "kernels/formats/codec.h"

using namespace bitlens;
using kernels::Format;
using kernels::Quantizer;

namespace {

struct Tensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  Format format;
  std::vector<float> values;
};

std::vector<float> random_values(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 0.02F);
  std::vector<float> values(count);
  for (float& x : values) x = normal(random);
  return values;
}

std::vector<Tensor> small_model() {
  return {{"token_embd.weight", {64, 40}, Format::F16, random_values(64 * 40, 1)},
          {"blk.0.attn_norm.weight", {64}, Format::F32, random_values(64, 2)},
          {"blk.0.attn_q.weight", {64, 64}, Format::F32, random_values(64 * 64, 3)},
          {"blk.0.ffn_up.weight", {64, 172}, Format::BF16, random_values(64 * 172, 4)},
          {"blk.0.ffn_down.weight", {172, 64}, Format::F32, random_values(64 * 172, 5)}};
}

std::vector<std::byte> encoded(const std::vector<float>& values, std::size_t columns, Format format,
                               Quantizer quantizer) {
  const auto& info = kernels::info(format);
  const std::size_t row_bytes = columns / info.block_size * info.block_bytes;
  std::vector<std::byte> bytes(values.size() / columns * row_bytes);
  for (std::size_t r = 0; r < values.size() / columns; ++r)
    kernels::encode(format, quantizer, values.data() + r * columns, nullptr, bytes.data() + r * row_bytes,
                    columns);
  return bytes;
}

std::vector<std::byte> data_of(const io::ModelFile& file, std::size_t tensor) {
  std::vector<std::byte> bytes(file.tensors()[tensor].bytes);
  return file.read(tensor, 0, bytes) ? bytes : std::vector<std::byte>();
}

std::string content(const std::string& path) {
  QFile file(QString::fromStdString(path));
  return file.open(QIODevice::ReadOnly) ? file.readAll().toStdString() : "cannot be read";
}

quantize::Recipe recipe(std::vector<quantize::Rule> rules, quantize::FormatChoice fallback = std::nullopt) {
  return {"test", std::move(rules), fallback};
}

}  // namespace

class TestExport : public QObject {
  Q_OBJECT
  std::unique_ptr<QTemporaryDir> folder_;
  ThreadPool pool_{2};
  WorkContext work_{pool_};

  [[nodiscard]] std::string path(const char* name) const { return folder_->filePath(name).toStdString(); }
  [[nodiscard]] QStringList files() const {
    return QDir(folder_->path()).entryList(QDir::Files | QDir::Hidden);
  }

  std::shared_ptr<const io::ModelFile> source(const std::vector<Tensor>& tensors) {
    io::Metadata metadata;
    metadata.set("general.architecture", io::MetadataValue(std::string("llama")));
    metadata.set("general.name", io::MetadataValue(std::string("test")));
    metadata.set("custom.array", io::MetadataValue(io::MetadataArray(std::vector<std::string>{"a", "b"})));
    std::vector<io::TensorPlan> plan;
    for (const Tensor& tensor : tensors) plan.push_back({tensor.name, tensor.shape, tensor.format});
    auto writer = io::GgufWriter::create(path("source.gguf"), metadata, plan, true);
    if (!writer) return nullptr;
    for (std::size_t t = 0; t < tensors.size(); ++t)
      if (!(*writer)->write(
              t, encoded(tensors[t].values, tensors[t].shape[0], tensors[t].format, Quantizer::Rtn)))
        return nullptr;
    if (!(*writer)->finish() || !(*writer)->publish()) return nullptr;
    writer->reset();
    auto file = io::open_gguf(path("source.gguf"));
    return file ? *file : nullptr;
  }

  [[nodiscard]] Result<exporter::ExportResult> run(const io::ModelFile& file, const quantize::Recipe& rules,
                                                   const exporter::ExportOptions& options) const {
    return run(file, rules, options, work_);
  }
  [[nodiscard]] static Result<exporter::ExportResult> run(const io::ModelFile& file,
                                                          const quantize::Recipe& rules,
                                                          const exporter::ExportOptions& options,
                                                          const WorkContext& work) {
    const auto resolved = quantize::resolve(rules, file, Quantizer::Rtn);
    if (!resolved) return pass(resolved);
    return exporter::export_gguf(file, *resolved, options, work);
  }

 private slots:
  void init() { folder_ = std::make_unique<QTemporaryDir>(); }

  void writes_what_the_recipe_says() {
    const auto tensors = small_model();
    const auto file = source(tensors);
    QVERIFY(file);
    const auto rules =
        recipe({{"*attn_q*", Format::Q4_0, Quantizer::Search}, {"*ffn_up*", Format::Q8_0, std::nullopt}},
               Format::F16);
    const auto resolved = quantize::resolve(rules, *file, Quantizer::Rtn);
    QVERIFY(resolved.has_value());
    const auto result = exporter::export_gguf(*file, *resolved, {path("out.gguf"), false, {}}, work_);
    QVERIFY2(result.has_value(), result ? "" : result.error().describe().c_str());
    QCOMPARE(files(), (QStringList{"out.gguf", "source.gguf"}));

    const std::string written = content(path("out.gguf"));
    QCOMPARE(result->file_bytes, std::uint64_t{written.size()});
    QCOMPARE(resolved->file_bytes, std::uint64_t{written.size()});
    QCOMPARE(result->sha256, sha256_hex(written));
    QVERIFY(result->seconds > 0);

    const auto out = io::open_gguf(path("out.gguf"));
    QVERIFY(out.has_value());
    const std::vector<Format> formats{Format::F16, Format::F32, Format::Q4_0, Format::Q8_0, Format::F16};
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      const auto& tensor = (*out)->tensors()[t];
      QCOMPARE(tensor.name, tensors[t].name);
      QCOMPARE(tensor.shape, tensors[t].shape);
      QVERIFY(tensor.format == formats[t]);
      // What the source holds: the values as its format rounded them.
      std::vector<float> held(tensors[t].values.size());
      kernels::decode(tensors[t].format, data_of(*file, t).data(), held.data(), held.size());
      const auto quantizer = t == 2 ? Quantizer::Search : Quantizer::Rtn;
      const auto expected = tensors[t].format == formats[t]
                                ? data_of(*file, t)
                                : encoded(held, tensor.shape[0], formats[t], quantizer);
      QVERIFY(data_of(**out, t) == expected);
    }
    QCOMPARE(*(*out)->metadata().get_string("general.name"), std::string("test"));
    QCOMPARE((*(*out)->metadata().get_array<std::string>("custom.array"))->size(), std::size_t{2});
    QVERIFY(*quantize::parse_recipe(*(*out)->metadata().get_string("bitlens.recipe"), "") == rules);
    QCOMPARE(*(*out)->metadata().get_uint("general.quantization_version"), std::uint64_t{2});
  }

  void same_bytes_at_any_thread_count() {
    // Longer than a chunk, so that several are in flight.
    const auto file = source({{"a.weight", {1024, 4500}, Format::F16, random_values(1024 * 4500, 6)},
                              {"b.weight", {64, 64}, Format::F32, random_values(64 * 64, 7)}});
    QVERIFY(file);
    ThreadPool one(1), five(5);
    const auto a = run(*file, recipe({}, Format::Q8_0), {path("a.gguf"), false, {}}, WorkContext{one});
    const auto b = run(*file, recipe({}, Format::Q8_0), {path("b.gguf"), false, {}}, WorkContext{five});
    QVERIFY(a.has_value() && b.has_value());
    QVERIFY(content(path("a.gguf")) == content(path("b.gguf")));
    QCOMPARE(a->sha256, b->sha256);
    const auto out = io::open_gguf(path("a.gguf"));
    std::vector<float> held(1024 * 4500);
    kernels::decode(Format::F16, data_of(*file, 0).data(), held.data(), held.size());
    QVERIFY(data_of(**out, 0) == encoded(held, 1024, Format::Q8_0, Quantizer::Rtn));
  }

  void keeping_everything_copies_the_bytes() {
    const auto file = source(small_model());
    QVERIFY(file);
    QVERIFY(run(*file, recipe({}), {path("out.gguf"), false, {}}).has_value());
    const auto out = io::open_gguf(path("out.gguf"));
    for (std::size_t t = 0; t < file->tensors().size(); ++t) QVERIFY(data_of(**out, t) == data_of(*file, t));
  }

  void never_overwrites_an_input_data() {
    QTest::addColumn<QString>("kind");
    for (const char* kind : {"same path", "other spelling", "symbolic link", "hard link", "other input"})
      QTest::newRow(kind) << kind;
  }
  void never_overwrites_an_input() {
    QFETCH(QString, kind);
    const auto file = source(small_model());
    QVERIFY(file);
    const std::string before = content(path("source.gguf"));
    exporter::ExportOptions options{path("out.gguf"), true, {}};
    if (kind == "same path") options.path = path("source.gguf");
    if (kind == "other spelling") options.path = path("./source.gguf");
    if (kind == "symbolic link") QCOMPARE(::symlink(path("source.gguf").c_str(), options.path.c_str()), 0);
    if (kind == "hard link") QCOMPARE(::link(path("source.gguf").c_str(), options.path.c_str()), 0);
    if (kind == "other input") {
      QFile recipe_file(QString::fromStdString(path("recipe.json")));
      QVERIFY(recipe_file.open(QIODevice::WriteOnly));
      options.inputs = {options.path = path("recipe.json")};
    }
    const auto result = run(*file, recipe({}, Format::F16), options);
    QVERIFY(!result.has_value());
    QVERIFY(result.error().code == ErrorCode::InvalidArgument);
    QVERIFY(result.error().describe().find("choose another name") != std::string::npos);
    QVERIFY(content(path("source.gguf")) == before);
    QVERIFY(!files().contains("out.gguf.part"));
  }

  void an_existing_file_is_kept_unless_overwriting_is_asked_for() {
    const auto file = source(small_model());
    QFile old(QString::fromStdString(path("out.gguf")));
    QVERIFY(old.open(QIODevice::WriteOnly) && old.write("old") == 3);
    old.close();
    const auto refused = run(*file, recipe({}, Format::F16), {path("out.gguf"), false, {}});
    QVERIFY(!refused.has_value());
    QVERIFY(refused.error().code == ErrorCode::Exists);
    QCOMPARE(content(path("out.gguf")), std::string("old"));
    QVERIFY(run(*file, recipe({}, Format::F16), {path("out.gguf"), true, {}}).has_value());
    QVERIFY(io::open_gguf(path("out.gguf")).has_value());
    const auto folder = run(*file, recipe({}, Format::F16), {folder_->path().toStdString(), true, {}});
    QVERIFY(!folder.has_value());
    QVERIFY(folder.error().describe().find("folder") != std::string::npos);
    QVERIFY(!run(*file, recipe({}), {path("missing/out.gguf"), false, {}}).has_value());
  }

  void refuses_weights_that_are_no_numbers() {
    auto tensors = small_model();
    tensors[2].values[1234] = NAN;
    const auto file = source(tensors);
    QFile old(QString::fromStdString(path("out.gguf")));
    QVERIFY(old.open(QIODevice::WriteOnly) && old.write("old") == 3);
    old.close();
    const auto result = run(*file, recipe({}, Format::F16), {path("out.gguf"), true, {}});
    QVERIFY(!result.has_value());
    QVERIFY(result.error().code == ErrorCode::Numeric);
    QVERIFY2(result.error().describe().find("blk.0.attn_q.weight: element 1234 is nan") != std::string::npos,
             result.error().describe().c_str());
    QCOMPARE(content(path("out.gguf")), std::string("old"));
    QCOMPARE(files(), (QStringList{"out.gguf", "source.gguf"}));
  }

  void refuses_weights_beyond_the_format() {
    auto tensors = small_model();
    tensors[2].values[7] = -1e6F;
    const auto file = source(tensors);
    const auto result = run(*file, recipe({}, Format::F16), {path("out.gguf"), false, {}});
    QVERIFY(!result.has_value());
    QVERIFY2(result.error().describe().find("element 7 is -1000000, beyond the largest F16 value") !=
                 std::string::npos,
             result.error().describe().c_str());
    QCOMPARE(files(), QStringList{"source.gguf"});
  }

  void cancelling_leaves_nothing_data() {
    QTest::addColumn<QString>("stage");
    QTest::newRow("encode") << "encode";
    QTest::newRow("verify") << "verify";
  }
  void cancelling_leaves_nothing() {
    QFETCH(QString, stage);
    const auto file = source(small_model());
    std::stop_source stop;
    bool seen = false;
    WorkContext work{pool_, stop.get_token(), [&](const Progress& progress) {
                       if (progress.stage != stage.toStdString()) return;
                       seen = true;
                       stop.request_stop();
                     }};
    const auto result = run(*file, recipe({}, Format::F16), {path("out.gguf"), false, {}}, work);
    QVERIFY(seen || stage == "verify");  // all pieces of a small file may fall to the other thread
    if (seen) {
      QVERIFY(!result.has_value());
      QVERIFY(result.error().code == ErrorCode::Cancelled);
      QCOMPARE(files(), QStringList{"source.gguf"});
    }
  }

  void notices_that_the_source_changed() {
    const auto file = source(small_model());
    bool touched = false;
    WorkContext work{pool_, {}, [&](const Progress&) {
                       if (touched) return;
                       touched = true;
                       const struct timespec times[2] = {{1, 0}, {1, 0}};
                       QCOMPARE(::utimensat(AT_FDCWD, path("source.gguf").c_str(), times, 0), 0);
                     }};
    const auto result = run(*file, recipe({}, Format::F16), {path("out.gguf"), false, {}}, work);
    QVERIFY(!result.has_value());
    QVERIFY(result.error().code == ErrorCode::Changed);
    QCOMPARE(files(), QStringList{"source.gguf"});
  }

  void progress_reaches_its_end() {
    const auto file = source(small_model());
    std::map<std::string, Progress> last;
    WorkContext work{pool_, {}, [&](const Progress& progress) {
                       auto& before = last[progress.stage];
                       QVERIFY(progress.done >= before.done && progress.done <= progress.total);
                       before = progress;
                     }};
    QVERIFY(run(*file, recipe({}, Format::F16), {path("out.gguf"), false, {}}, work).has_value());
    QVERIFY(last.count("encode") == 1);
    QCOMPARE(last["encode"].done, last["encode"].total);
  }

  void verification_finds_a_flipped_bit() {
    const auto file = source(small_model());
    std::vector<exporter::WrittenTensor> written;
    for (std::size_t t = 0; t < file->tensors().size(); ++t) {
      const auto bytes = data_of(*file, t);
      const auto& tensor = file->tensors()[t];
      Checksum checksum;
      checksum.update(bytes);
      written.push_back({{tensor.name, tensor.shape, tensor.format}, checksum.finish()});
    }
    const auto good = exporter::verify_file(path("source.gguf"), file->metadata(), written, work_);
    QVERIFY(good.has_value());
    QCOMPARE(*good, sha256_hex(content(path("source.gguf"))));

    const std::uint64_t offset = file->tensors()[3].file_offset + 100;
    const int fd = ::open(path("source.gguf").c_str(), O_RDWR);
    char byte = 0;
    QCOMPARE(::pread(fd, &byte, 1, static_cast<off_t>(offset)), 1);
    byte = static_cast<char>(byte ^ 1);
    QCOMPARE(::pwrite(fd, &byte, 1, static_cast<off_t>(offset)), 1);
    ::close(fd);
    const auto bad = exporter::verify_file(path("source.gguf"), file->metadata(), written, work_);
    QVERIFY(!bad.has_value());
    QVERIFY2(bad.error().describe().find("blk.0.ffn_up.weight: verification failed") != std::string::npos,
             bad.error().describe().c_str());

    auto renamed = written;
    renamed[0].plan.name = "other";
    QVERIFY(!exporter::verify_file(path("source.gguf"), file->metadata(), renamed, work_).has_value());
    renamed.pop_back();
    QVERIFY(!exporter::verify_file(path("source.gguf"), file->metadata(), renamed, work_).has_value());
    io::Metadata more = file->metadata();
    more.set("another", io::MetadataValue(true));
    QVERIFY(!exporter::verify_file(path("source.gguf"), more, written, work_).has_value());
  }
};

QTEST_APPLESS_MAIN(TestExport)
#include "tst_export.moc"
