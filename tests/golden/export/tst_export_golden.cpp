// Exported tensors against those the reference wrote: byte for byte with the round-to-nearest quantizer.
#include <QJsonDocument>
#include <QJsonObject>
#include <QtTest>

#include "core/base/hash.h"
#include "core/export/export.h"

using namespace bitlens;
using kernels::Format;
using kernels::Quantizer;

namespace {

QString shared(const char* name) {
  return QString(BITLENS_SHARED "/") + name;
}

std::string data_of(const io::ModelFile& file, std::size_t tensor) {
  std::string bytes(file.tensors()[tensor].bytes, '\0');
  const auto status = file.read(tensor, 0, std::as_writable_bytes(std::span(bytes)));
  return status ? bytes : std::string();
}

#define NEEDS(file) \
  if (!QFile::exists(file)) QSKIP(qPrintable("needs the shared test data: " + file))

}  // namespace

class TestExportGolden : public QObject {
  Q_OBJECT
  ThreadPool pool_{2};
  QTemporaryDir folder_;

  Result<std::shared_ptr<const io::ModelFile>> exported(const io::ModelFile& source,
                                                        const quantize::Recipe& recipe) {
    const std::string path = folder_.filePath("out.gguf").toStdString();
    const auto resolved = quantize::resolve(recipe, source, Quantizer::Rtn);
    if (!resolved) return pass(resolved);
    const auto result = exporter::export_gguf(source, *resolved, {path, true, {}}, WorkContext{pool_});
    if (!result) return pass(result);
    return io::open_gguf(path);
  }

 private slots:
  void equals_the_reference_file_data() {
    QTest::addColumn<QString>("reference");
    QTest::newRow("Q8_0") << shared("golden/stories260K/q8_0.gguf");
    QTest::newRow("Q4_0") << shared("golden/stories260K/q4_0.gguf");
  }
  void equals_the_reference_file() {
    QFETCH(QString, reference);
    const QString model = shared("models/stories260K-f32.gguf");
    NEEDS(model);
    NEEDS(reference);
    const auto source = io::open_gguf(model.toStdString());
    const auto expected = io::open_gguf(reference.toStdString());
    QVERIFY(source.has_value() && expected.has_value());
    quantize::Recipe recipe;
    for (const auto& tensor : (*expected)->tensors())
      recipe.rules.push_back({tensor.name, tensor.format, {}});
    const auto found = exported(**source, recipe);
    QVERIFY2(found.has_value(), found ? "" : found.error().describe().c_str());
    QCOMPARE((*found)->tensors().size(), (*expected)->tensors().size());
    for (std::size_t t = 0; t < (*expected)->tensors().size(); ++t) {
      const auto& tensor = (*expected)->tensors()[t];
      const auto own = (*found)->find_tensor(tensor.name);
      QVERIFY(own.has_value());
      QVERIFY((*found)->tensors()[*own].format == tensor.format);
      QVERIFY2(data_of(**found, *own) == data_of(**expected, t), tensor.name.c_str());
    }
  }

  void equals_the_reference_hashes_data() {
    QTest::addColumn<QString>("format");
    for (const char* format : {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "F16", "BF16"})
      QTest::newRow(format) << format;
  }
  void equals_the_reference_hashes() {
    QFETCH(QString, format);
    const QString model = shared("models/tiny256-f32.gguf");
    const QString blocks = shared("golden/blocks/blocks.json");
    NEEDS(model);
    NEEDS(blocks);
    QFile file(blocks);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QJsonObject all = QJsonDocument::fromJson(file.readAll()).object();
    const QJsonObject tensors = all[format].toObject()["tensors"].toObject();
    QVERIFY2(!tensors.isEmpty(), qPrintable(format));
    const auto source = io::open_gguf(model.toStdString());
    QVERIFY(source.has_value());
    quantize::Recipe recipe;
    recipe.fallback = kernels::find_format(format.toStdString())->format;
    const auto found = exported(**source, recipe);
    QVERIFY2(found.has_value(), found ? "" : found.error().describe().c_str());
    int compared = 0;
    for (const QString& name : tensors.keys()) {
      const auto tensor = (*found)->find_tensor(name.toStdString());
      QVERIFY2(tensor.has_value(), qPrintable(name));
      const QJsonObject expected = tensors[name].toObject();
      const std::string data = data_of(**found, *tensor);
      QCOMPARE(static_cast<qint64>(data.size()), expected["bytes"].toInteger());
      QCOMPARE(QString::fromStdString(sha256_hex(data)), expected["sha256"].toString());
      ++compared;
    }
    QVERIFY(compared > 10);
  }
};

QTEST_APPLESS_MAIN(TestExportGolden)
#include "tst_export_golden.moc"
