// Every decoder on blocks of arbitrary bytes: the SHA-256 of 256 decoded blocks as computed once by an
// independent decoder (Python package gguf, NumPy). Covers every bit pattern of codes, scales, signs and
// codebook entries.
#include <QCryptographicHash>
#include <QtTest>
#include <cstdint>
#include <vector>

#include "kernels/formats/codec.h"

using namespace bitlens::kernels;

namespace {

struct Expected {
  Format format;
  std::vector<std::size_t>
      factor_bytes;  ///< upper bytes of F16 factors; bit 6 cleared keeps them small and finite
  const char* sha256;
};

const std::vector<Expected>& expectations() {
  static const std::vector<Expected> list = {
      {Format::IQ1_S, {1}, "f1c4c4e3e59341c3cf2403140f3d7f3a00fe83c39a35c8067078671f16501901"},
      {Format::IQ1_M, {55}, "e0aa530b510f8a4d04522d183648c8911c7e1e2d9943cfc1eae8daea165bf74d"},
      {Format::IQ2_XXS, {1}, "a71b186badb80f5b217a04adab43d508b812e2208b402cec242ab096d62f71a8"},
      {Format::IQ2_XS, {1}, "40fac4a754b7f1bbba1062cfe73ba663b1272277b68ea8c64d1f82b1d33ca7b1"},
      {Format::IQ2_S, {1}, "333d6838596c58d6d240c94e68666b6ddc1f83479ea723b38edf38380999df45"},
      {Format::IQ3_XXS, {1}, "c7e64d09ac49e8a828029f57f05ff6cce05dcddf6f388256da2e591dde08ec46"},
      {Format::IQ3_S, {1}, "3645978fbfd6300c87dd1670074cb0d2193438745b84ecbabc813a1da7489cea"},
      {Format::Q2_K, {81, 83}, "7b057918c02f43eece1d134ea3e4029c46139bef44f2968a91de23dfa30ec9c4"},
      {Format::Q3_K, {109}, "0bedb41b8bab2ba522ae8ad8b9e2f3e6e01f625621e90c6f123146ec2bc873ae"},
      {Format::Q4_K, {1, 3}, "e08fb9d2114eac781f8e55baf4bfd5bd28057aad789f07a0f47db882176530ff"},
      {Format::Q5_K, {1, 3}, "b81547b8b54f3221b9a092c4d98473cb9b01b2d694d157890433c0c133f75e6c"},
      {Format::Q6_K, {209}, "d3996e519efb22cb9a8b3338d9a91ef1f889c39b6c872e5b8731d8233d8bee9a"},
      {Format::IQ4_NL, {1}, "a053cdd658537fc7d17d9688fc8dbd7d7bf31cb5a0c1535588310a57586b138d"},
      {Format::IQ4_XS, {1}, "c46a8dbe197ba329fdf5ee8889b2fb71cd33df0aa4f9ef4c1bf6a521a22b5612"},
      {Format::TQ1_0, {53}, "5136cd452d64bb3833110df571fbd9465b9f09a653d24358174d51d5d5dbce69"},
      {Format::TQ2_0, {65}, "04ceb79a45a519a10cb1133ca4cd7687e463a9b94630957007cf4088f1809525"},
      {Format::MXFP4, {0}, "7225fc79be68ae585f120932894732eb224763b5924ac1208137c89bd19e5f67"},
      {Format::NVFP4, {0, 1, 2, 3}, "5242cc07d410d377d3d82feb7d017b9e43a299dfd2f5fb19c1b39a4a27fa96ef"},
      {Format::Q4_0, {1}, "66c73483395bbde2602b789e1fc2067bf33606904405a76e3888ef8c92edf592"},
      {Format::Q4_1, {1, 3}, "e9a78a76724568f020e809169e9011072457795519275f8d986df26ecdb538b4"},
      {Format::Q5_0, {1}, "8b3de506ef58783800f110baaa655f5211d9610e52feeb84f0dc296505a0df87"},
      {Format::Q5_1, {1, 3}, "3cfb745173eae9d107c72d173991e1bcf8e68d2c2d125b96fc26d6501e1fc891"},
      {Format::Q1_0, {1}, "2457f7564f4828f8bf116a81b8d8bddf7842c097647ac5b749feb54817036058"},
      {Format::Q2_0, {1}, "94e9abc8b6642db670939f917f16e472b340f51def3b2384da7b7927b08cad78"},
      {Format::Q8_0, {1}, "6af2e615bcd440e8c44306ed35409758682c54a4543695a0fe3b4880fe84e493"},
  };
  return list;
}

/// Upper bytes of a linear congruential sequence (Numerical Recipes' constants).
std::vector<std::byte> arbitrary_bytes(std::size_t count) {
  std::vector<std::byte> bytes(count);
  std::uint32_t state = 12345;
  for (std::byte& value : bytes) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<std::byte>(state >> 24);
  }
  return bytes;
}

}  // namespace

class TestDecoders : public QObject {
  Q_OBJECT

 private slots:
  void arbitrary_blocks_decode_as_elsewhere_data() {
    QTest::addColumn<int>("index");
    for (std::size_t i = 0; i < expectations().size(); ++i) {
      QTest::newRow(std::string(info(expectations()[i].format).name).c_str()) << static_cast<int>(i);
    }
  }
  void arbitrary_blocks_decode_as_elsewhere() {
    QFETCH(int, index);
    const Expected& expected = expectations()[static_cast<std::size_t>(index)];
    const FormatInfo& shape = info(expected.format);
    constexpr std::size_t kBlocks = 256;
    auto bytes = arbitrary_bytes(kBlocks * shape.block_bytes);
    for (std::size_t i = 0; i < kBlocks; ++i) {
      for (const std::size_t at : expected.factor_bytes) {
        bytes[i * shape.block_bytes + at] &= std::byte{0xBF};
      }
    }
    std::vector<float> values(kBlocks * shape.block_size);
    decode(expected.format, bytes.data(), values.data(), values.size());
    for (float& value : values) {
      value += 0.0F;  // -0 becomes +0
    }
    const QByteArrayView view(reinterpret_cast<const char*>(values.data()),
                              static_cast<qsizetype>(values.size() * sizeof(float)));
    QCOMPARE(QString::fromLatin1(QCryptographicHash::hash(view, QCryptographicHash::Sha256).toHex()),
             QString(expected.sha256));
  }

  void every_decoder_is_covered() {
    for (const FormatInfo& entry : all_formats()) {
      if (!entry.decodes || entry.block_size == 1) {
        continue;
      }
      bool found = false;
      for (const Expected& expected : expectations()) {
        found = found || expected.format == entry.format;
      }
      QVERIFY2(found, std::string(entry.name).c_str());
    }
  }
};

QTEST_APPLESS_MAIN(TestDecoders)
#include "tst_decoders.moc"
