// Codecs against the reference implementation's files: bytes of plain rounding, decoded values, and errors
// that a search must not exceed.
#include <QCryptographicHash>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QtTest>
#include <cmath>
#include <cstring>
#include <memory>

#include "gguf_tensors.h"
#include "kernels/formats/codec.h"

using namespace bitlens::kernels;
using bitlens::testing::GgufTensor;
using bitlens::testing::GgufTensors;

namespace {

const QString kModel = QStringLiteral(BITLENS_SHARED "/models/tiny256-f32.gguf");
const QString kBlocks = QStringLiteral(BITLENS_SHARED "/golden/blocks/");

/// F32 weights of a tensor of the source model.
std::vector<float> weights_of(const GgufTensor& tensor) {
  std::vector<float> values(tensor.count());
  std::memcpy(values.data(), tensor.data, values.size() * sizeof(float));
  return values;
}

/// Expected squared input per column, sums divided by counts.
std::vector<float> importance_of(const GgufTensors& imatrix, const std::string& name) {
  const GgufTensor* sums = imatrix.find(name + ".in_sum2");
  const GgufTensor* counts = imatrix.find(name + ".counts");
  if (sums == nullptr || counts == nullptr) {
    return {};
  }
  std::vector<float> result = weights_of(*sums);
  const float count = weights_of(*counts)[0];
  for (float& value : result) {
    value /= count;
  }
  return result;
}

std::vector<std::byte> encode_tensor(Format format, Quantizer quantizer, const std::vector<float>& weights,
                                     std::size_t row_length, const float* importance) {
  const FormatInfo& shape = info(format);
  const std::size_t row_bytes = row_length / shape.block_size * shape.block_bytes;
  const std::size_t rows = weights.size() / row_length;
  std::vector<std::byte> bytes(rows * row_bytes);
  for (std::size_t row = 0; row < rows; ++row) {
    encode(format, quantizer, weights.data() + row * row_length, importance, bytes.data() + row * row_bytes,
           row_length);
  }
  return bytes;
}

struct Errors {
  double rmse = 0;
  double weighted = 0;  ///< sqrt(sum h (w-w')^2 / sum h), h repeated for every row
};

Errors errors_of(Format format, const std::vector<float>& weights, const std::vector<std::byte>& bytes,
                 const std::vector<float>& importance) {
  std::vector<float> decoded(weights.size());
  decode(format, bytes.data(), decoded.data(), decoded.size());
  double plain = 0;
  double weighted = 0;
  double total = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double difference = static_cast<double>(weights[i]) - static_cast<double>(decoded[i]);
    plain += difference * difference;
    if (!importance.empty()) {
      const double h = static_cast<double>(importance[i % importance.size()]);
      weighted += h * difference * difference;
      total += h;
    }
  }
  return {std::sqrt(plain / static_cast<double>(weights.size())),
          total > 0 ? std::sqrt(weighted / total) : 0.0};
}

}  // namespace

class TestFormatsGolden : public QObject {
  Q_OBJECT

 private:
  std::unique_ptr<GgufTensors> model_;
  std::unique_ptr<GgufTensors> imatrix_;
  QJsonObject reference_;

 private slots:
  void initTestCase() {
    QFile json(kBlocks + "blocks.json");
    if (!QFile::exists(kModel) || !json.open(QIODevice::ReadOnly)) {
      QSKIP("needs the shared test data: models/tiny256-f32.gguf, golden/blocks/blocks.json");
    }
    reference_ = QJsonDocument::fromJson(json.readAll()).object();
    model_ = std::make_unique<GgufTensors>(kModel);
    imatrix_ = std::make_unique<GgufTensors>(kBlocks + "tiny256.imatrix.gguf");
  }

  void plain_rounding_gives_the_reference_bytes_data() {
    QTest::addColumn<QString>("section");
    for (const char* name : {"F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"}) {
      QTest::newRow(name) << QString(name);
    }
  }
  void plain_rounding_gives_the_reference_bytes() {
    QFETCH(QString, section);
    const QJsonObject tensors = reference_[section].toObject()["tensors"].toObject();
    QVERIFY(tensors.size() > 10);
    const FormatInfo* format = find_format(section.toStdString());
    QVERIFY(format != nullptr);
    for (auto it = tensors.begin(); it != tensors.end(); ++it) {
      const GgufTensor* source = model_->find(it.key().toStdString());
      QVERIFY2(source != nullptr, qPrintable(it.key()));
      const auto weights = weights_of(*source);
      const auto bytes =
          encode_tensor(format->format, Quantizer::Rtn, weights, source->row_length(), nullptr);
      QCOMPARE(static_cast<int>(bytes.size()), it.value().toObject()["bytes"].toInt());
      const QByteArray hash = QCryptographicHash::hash(
          QByteArrayView(reinterpret_cast<const char*>(bytes.data()), static_cast<qsizetype>(bytes.size())),
          QCryptographicHash::Sha256);
      QVERIFY2(QString::fromLatin1(hash.toHex()) == it.value().toObject()["sha256"].toString(),
               qPrintable(section + ' ' + it.key()));
    }
  }

  void decoding_gives_the_reference_values_data() {
    QTest::addColumn<QString>("file");
    const auto files = QDir(kBlocks + "decoded").entryList({"*.f32"}, QDir::Files);
    for (const QString& file : files) {
      QTest::newRow(qPrintable(file.section(".blk1", 0, 0))) << file;
    }
  }
  /// The encoded bytes come from the reference's own files; F16 and BF16 from plain rounding.
  void decoding_gives_the_reference_values() {
    QFETCH(QString, file);
    const QString section = file.section(".blk1", 0, 0);
    const QJsonObject tensors = reference_[section].toObject()["tensors"].toObject();
    const QString name = "blk.1.ffn_down.weight";
    const FormatInfo* format = find_format(tensors[name].toObject()["type"].toString().toStdString());
    QVERIFY(format != nullptr);
    if (!format->decodes) {
      QSKIP(qPrintable("no decoder for " + section));
    }
    const GgufTensor* source = model_->find(name.toStdString());
    std::vector<std::byte> bytes;
    const QString encoded_file = kBlocks + "gguf/" + section + ".gguf";
    if (QFile::exists(encoded_file)) {
      const GgufTensors encoded(encoded_file);
      const GgufTensor* tensor = encoded.find(name.toStdString());
      QVERIFY(tensor != nullptr);
      QCOMPARE(tensor->type, static_cast<std::uint32_t>(format->format));
      bytes.resize(tensor->count() / format->block_size * format->block_bytes);
      std::memcpy(bytes.data(), tensor->data, bytes.size());
    } else {
      bytes =
          encode_tensor(format->format, Quantizer::Rtn, weights_of(*source), source->row_length(), nullptr);
    }
    QFile expected_file(kBlocks + "decoded/" + file);
    QVERIFY(expected_file.open(QIODevice::ReadOnly));
    const QByteArray expected = expected_file.readAll();
    std::vector<float> values(static_cast<std::size_t>(expected.size()) / sizeof(float));
    decode(format->format, bytes.data(), values.data(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      float wanted = 0;
      std::memcpy(&wanted, expected.constData() + i * sizeof(float), sizeof wanted);
      QVERIFY2(values[i] == wanted, qPrintable(QString("%1: %2 instead of %3 at %4")
                                                   .arg(section)
                                                   .arg(static_cast<double>(values[i]), 0, 'g', 9)
                                                   .arg(static_cast<double>(wanted), 0, 'g', 9)
                                                   .arg(i)));
    }
  }

  void search_is_never_worse_than_the_reference_data() {
    QTest::addColumn<QString>("section");
    for (const QString& section : reference_.keys()) {
      QTest::newRow(qPrintable(section)) << section;
    }
  }
  /// Without weights the plain error counts, with an importance matrix the energy-weighted one.
  void search_is_never_worse_than_the_reference() {
    QFETCH(QString, section);
    const QJsonObject tensors = reference_[section].toObject()["tensors"].toObject();
    const bool weighted = section.endsWith(".imatrix");
    std::vector<double> ratios;
    for (auto it = tensors.begin(); it != tensors.end(); ++it) {
      const QJsonObject wanted = it.value().toObject();
      const FormatInfo* format = find_format(wanted["type"].toString().toStdString());
      QVERIFY(format != nullptr);
      if (!format->encodes) {
        QSKIP(qPrintable("no encoder for " + section));
      }
      const GgufTensor* source = model_->find(it.key().toStdString());
      const auto weights = weights_of(*source);
      const auto importance = importance_of(*imatrix_, it.key().toStdString());
      const bool use = weighted && !importance.empty();
      const auto bytes = encode_tensor(format->format, Quantizer::Search, weights, source->row_length(),
                                       use ? importance.data() : nullptr);
      const Errors errors = errors_of(format->format, weights, bytes, importance);
      const double reference = wanted[use ? "imatrix_weighted_rmse" : "rmse"].toDouble();
      const double ours = use ? errors.weighted : errors.rmse;
      // The reference's figures are decimal prints of doubles summed in another order.
      QVERIFY2(ours <= reference * (1 + 1e-9),
               qPrintable(QString("%1 %2: %3 above %4").arg(section, it.key()).arg(ours).arg(reference)));
      ratios.push_back(ours / reference);
    }
    std::sort(ratios.begin(), ratios.end());
    qInfo("%-16s error / reference error: worst %.4f, median %.4f, best %.4f", qPrintable(section),
          ratios.back(), ratios[ratios.size() / 2], ratios.front());
  }
};

QTEST_APPLESS_MAIN(TestFormatsGolden)
#include "tst_formats_golden.moc"
