// Real files: models of other programs open without complaint, and reading and writing one again gives the
// same bytes where the other program packs as we do.
#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include "core/base/hash.h"
#include "core/io/gguf_writer.h"
#include "core/io/model_file.h"
#include "tests/support/gguf_builder.h"

using namespace bitlens;

class TestIoRealFiles : public QObject {
  Q_OBJECT

 private slots:
  void opensAndRewrites_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<int>("entries");
    QTest::addColumn<int>("tensors");
    // Counts as gguf-py reports them.
    QTest::newRow("stories260K") << "models/stories260K-f32.gguf" << 19 << 48;
    QTest::newRow("tiny256") << "models/tiny256-f32.gguf" << 22 << 21;
    QTest::newRow("mixed types") << "golden/stories260K/q5_k_m.gguf" << 21 << 48;
    QTest::newRow("imatrix") << "golden/stories260K/imatrix.gguf" << 4 << 70;
    QTest::newRow("Q4_K") << "golden/blocks/gguf/Q4_K_S.gguf" << 23 << 21;
    QTest::newRow("IQ3_S") << "golden/blocks/gguf/IQ3_S.imatrix.gguf" << 27 << 21;
    QTest::newRow("NVFP4") << "golden/blocks/gguf/nvfp4.gguf" << 23 << 21;
    QTest::newRow("vocabulary only") << "golden/tokenizers/ggml-vocab-gpt-2.gguf" << 16 << 0;
    QTest::newRow("SmolLM2") << "models/smollm2-135m-instruct-q4_1.gguf" << 33 << 272;
  }
  void opensAndRewrites() {
    QFETCH(QString, file);
    QFETCH(int, entries);
    QFETCH(int, tensors);
    const std::string path = (QString(BITLENS_SHARED) + "/" + file).toStdString();
    if (!QFile::exists(QString::fromStdString(path)))
      QSKIP(qPrintable("needs the shared test data: " + file));
    const auto opened = io::open_gguf(path);
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().describe().c_str());
    const io::ModelFile& model = **opened;
    QVERIFY(model.warnings().empty());
    QCOMPARE(model.metadata().entries().size(), static_cast<std::size_t>(entries));
    QCOMPARE(model.tensors().size(), static_cast<std::size_t>(tensors));

    std::vector<io::TensorPlan> plan;
    for (const io::TensorInfo& tensor : model.tensors())
      plan.push_back({tensor.name, tensor.shape, tensor.format});
    const QTemporaryDir folder;
    const std::string copy = folder.filePath("copy.gguf").toStdString();
    auto writer = io::GgufWriter::create(copy, model.metadata(), plan, false);
    QVERIFY2(writer.has_value(), writer ? "" : writer.error().describe().c_str());
    std::vector<std::byte> data;
    for (std::size_t i = 0; i < plan.size(); ++i) {
      data.resize(model.tensors()[i].bytes);
      QVERIFY(model.read(i, 0, data).has_value());
      QVERIFY((*writer)->write(i, data).has_value());
    }
    QVERIFY((*writer)->finish().has_value());
    QVERIFY((*writer)->publish().has_value());
    std::string original = test::read_bytes(path);
    original.resize((*writer)->layout().file_bytes, '\0');  // vocabulary files come without the last padding
    QCOMPARE(sha256_hex(test::read_bytes(copy)), sha256_hex(original));
  }
};

QTEST_APPLESS_MAIN(TestIoRealFiles)
#include "tst_io_real_files.moc"
