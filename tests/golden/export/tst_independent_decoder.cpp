// Files we export, in every format we can write, read by an independent decoder: the Python package "gguf".
// The interpreter that has it is BITLENS_PYTHON if that is set, else the first python3 that can import it.
#include <QtTest>
#include <cmath>
#include <cstring>
#include <random>

#include "core/export/export.h"
#include "core/io/gguf_writer.h"

using namespace bitlens;
using kernels::Format;

namespace {

bool has_gguf(const QString& python) {
  QProcess process;
  process.start(python, {"-c", "import gguf, numpy; gguf.dequantize"});
  return process.waitForFinished(60'000) && process.exitStatus() == QProcess::NormalExit &&
         process.exitCode() == 0;
}

/// An interpreter that can import the package; empty if none can.
QString find_python() {
  QStringList candidates{qEnvironmentVariable("BITLENS_PYTHON")};
  if (candidates.front().isEmpty()) {
    candidates = {qEnvironmentVariable("VIRTUAL_ENV") + "/bin/python3", "python3", "/usr/bin/python3"};
    for (const QString& folder : qEnvironmentVariable("PATH").split(':', Qt::SkipEmptyParts))
      for (const QString& name : QDir(folder).entryList({"python3.*"}, QDir::Files | QDir::Executable))
        if (!name.contains("config")) candidates << folder + "/" + name;
  }
  QSet<QString> tried;  // one interpreter has many names
  for (const QString& candidate : candidates) {
    const QFileInfo program(QStandardPaths::findExecutable(candidate));
    if (!program.exists()) continue;
    // The folder counts: a virtual environment's python3 is a link to another's.
    const QString key = QFileInfo(program.absolutePath()).canonicalFilePath() + program.canonicalFilePath();
    if (tried.contains(key)) continue;
    tried.insert(key);
    if (has_gguf(candidate)) return candidate;
  }
  return {};
}

std::vector<float> heavy_tailed(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::student_t_distribution<float> values(4.0F);
  std::vector<float> out(count);
  for (float& x : out) x = 0.03F * values(random);
  std::fill(out.begin() + 512, out.begin() + 768, 0.0F);  // an all-zero block
  return out;
}

}  // namespace

class TestIndependentDecoder : public QObject {
  Q_OBJECT
  QString python_;
  QTemporaryDir folder_;
  std::shared_ptr<const io::ModelFile> source_;

  [[nodiscard]] std::string path(const QString& name) const { return folder_.filePath(name).toStdString(); }

 private slots:
  void initTestCase() {
    python_ = find_python();
    if (python_.isEmpty())
      QSKIP("needs a python3 with the packages gguf and numpy (BITLENS_PYTHON names one)");
    io::Metadata metadata;
    metadata.set("general.architecture", io::MetadataValue(std::string("llama")));
    const std::vector<io::TensorPlan> plan{{"blk.0.ffn_up.weight", {512, 24}, Format::F32},
                                           {"blk.0.ffn_down.weight", {768, 16}, Format::F32}};
    auto writer = io::GgufWriter::create(path("source.gguf"), metadata, plan, true);
    QVERIFY(writer);
    for (std::size_t t = 0; t < plan.size(); ++t) {
      const auto values = heavy_tailed(plan[t].shape[0] * plan[t].shape[1], static_cast<unsigned>(t) + 1);
      QVERIFY((*writer)->write(t, std::as_bytes(std::span(values))));
    }
    QVERIFY((*writer)->finish() && (*writer)->publish());
    auto file = io::open_gguf(path("source.gguf"));
    QVERIFY(file);
    source_ = *file;
  }

  /// One export per format, all decoded by one run of the interpreter.
  void every_format_decodes_to_the_same_numbers() {
    ThreadPool pool(2);
    QStringList files;
    std::vector<Format> formats;
    for (const kernels::FormatInfo& format : kernels::all_formats()) {
      if (!format.encodes) continue;
      const auto resolved =
          quantize::resolve({"test", {}, format.format}, *source_, kernels::Quantizer::Search);
      QVERIFY2(resolved, resolved ? "" : resolved.error().describe().c_str());
      const QString name = QString::fromStdString(std::string(format.name)) + ".gguf";
      const auto written =
          exporter::export_gguf(*source_, *resolved, {path(name), true, {}}, WorkContext{pool});
      QVERIFY2(written, written ? "" : written.error().describe().c_str());
      files << QString::fromStdString(path(name));
      formats.push_back(format.format);
    }
    QProcess process;
    process.start(
        python_,
        QStringList{QStringLiteral(BITLENS_SOURCE_DIR) + "/tests/golden/export/decode_with_gguf.py"} + files);
    QVERIFY(process.waitForFinished(120'000));
    QVERIFY2(process.exitCode() == 0, process.readAllStandardError().constData());

    QStringList compared, unknown;
    for (std::size_t f = 0; f < formats.size(); ++f) {
      const auto ours = io::open_gguf(files[static_cast<int>(f)].toStdString());
      QVERIFY(ours);
      const QString format = QString::fromStdString(std::string(kernels::info(formats[f]).name));
      for (std::size_t t = 0; t < (*ours)->tensors().size(); ++t) {
        const io::TensorInfo& tensor = (*ours)->tensors()[t];
        QCOMPARE(tensor.format, formats[f]);
        QFile raw(files[static_cast<int>(f)] + "." + QString::fromStdString(tensor.name) + ".f32");
        if (!raw.exists()) {
          if (t == 0) unknown << format;
          continue;
        }
        if (t == 0) compared << format;
        QVERIFY(raw.open(QIODevice::ReadOnly));
        const QByteArray bytes = raw.readAll();
        std::vector<float> theirs(tensor.elements()), values(tensor.elements());
        QCOMPARE(static_cast<std::size_t>(bytes.size()), theirs.size() * sizeof(float));
        std::memcpy(theirs.data(), bytes.constData(), theirs.size() * sizeof(float));
        QVERIFY(io::decode_rows(**ours, t, 0, tensor.rows(), values.data()));
        for (std::size_t i = 0; i < values.size(); ++i)
          // One unit in the last place: products of scales may be taken in another order.
          QVERIFY2(values[i] == theirs[i] || std::nextafter(values[i], theirs[i]) == theirs[i],
                   qPrintable(QString("%1 %2 element %3: %4, expected %5")
                                  .arg(format, QString::fromStdString(tensor.name))
                                  .arg(i)
                                  .arg(static_cast<double>(values[i]), 0, 'g', 9)
                                  .arg(static_cast<double>(theirs[i]), 0, 'g', 9)));
      }
    }
    qInfo("compared: %s", qPrintable(compared.join(' ')));
    if (!unknown.isEmpty()) qInfo("not known to that package: %s", qPrintable(unknown.join(' ')));
    for (const char* must : {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"})
      QVERIFY2(compared.contains(must), must);
  }
};

QTEST_GUILESS_MAIN(TestIndependentDecoder)
#include "tst_independent_decoder.moc"
