// Split files: opened from any shard, refused with the shard's name when one is missing, wrong or foreign.
#include <unistd.h>

#include <QTemporaryDir>
#include <QTest>

#include "core/base/hash.h"
#include "core/io/model_file.h"
#include "tests/support/gguf_builder.h"

using namespace bitlens;
using namespace bitlens::test;

namespace {

GgufBuilder shard(std::uint16_t number, std::uint16_t count, std::int32_t tensors) {
  GgufBuilder file;
  if (number == 0) file.kv("general.architecture", "llama").kv("general.name", "split");
  return file.kv("split.no", number).kv("split.count", count).kv("split.tensors.count", tensors);
}

GgufBuilder plain(std::uint16_t number, std::int32_t tensors = 3) {
  return shard(number, 3, tensors)
      .f32(std::string("t").append(std::to_string(number)), {2}, {1.0F * number, 10});
}

}  // namespace

class TestIoSplit : public QObject {
  Q_OBJECT

 private:
  QTemporaryDir folder_;
  std::string path(int number, int count = 3, const char* prefix = "m") const {
    return folder_.filePath(QString::asprintf("%s-%05d-of-%05d.gguf", prefix, number, count)).toStdString();
  }
  void write(int number, const GgufBuilder& file) { QVERIFY(write_bytes(path(number), file.bytes())); }
  void writeAll() {
    for (std::uint16_t i = 0; i < 3; ++i) write(i + 1, plain(i));
  }
  void refuse(ErrorCode code, const char* message, int from = 1) {
    const auto opened = io::open_gguf(path(from));
    QVERIFY(!opened);
    const std::string text = opened.error().describe();
    QVERIFY2(QString::fromStdString(text).contains(message), text.c_str());
    QCOMPARE(error_code_name(opened.error().code), error_code_name(code));
  }

 private slots:
  void init() { writeAll(); }

  void opensFromAnyShard() {
    for (int from = 1; from <= 3; ++from) {
      const auto opened = io::open_gguf(path(from));
      QVERIFY2(opened.has_value(), opened ? "" : opened.error().describe().c_str());
      const io::ModelFile& file = **opened;
      QCOMPARE(file.path(), path(from));
      QCOMPARE(file.shard_paths(), (std::vector<std::string>{path(1), path(2), path(3)}));
      QCOMPARE(file.metadata().get_string("general.name").value(), std::string("split"));
      QCOMPARE(file.tensors().size(), std::size_t{3});
      for (std::size_t i = 0; i < 3; ++i) {
        QCOMPARE(file.tensors()[i].name, std::string("t").append(std::to_string(i)));
        QCOMPARE(file.tensors()[i].shard, static_cast<std::uint32_t>(i));
        std::vector<float> row(2);
        QVERIFY(io::decode_rows(file, i, 0, 1, row.data()).has_value());
        QCOMPARE(row, (std::vector<float>{static_cast<float>(i), 10}));
        QVERIFY(file.is_same_file(path(static_cast<int>(i) + 1)));
      }
      const std::string all = plain(0).bytes() + plain(1).bytes() + plain(2).bytes();
      QCOMPARE(file.file_bytes(), std::uint64_t{all.size()});
      ThreadPool pool(1);
      QCOMPARE(file.sha256({pool}).value(), sha256_hex(all));
    }
  }

  void opensLegalVariants() {
    // Other alignment in a later shard; a first shard without tensors; counts as other integer types.
    write(1, shard(0, 3, 2));
    GgufBuilder second;
    second.alignment(4096).kv("split.no", 1U).kv("split.count", std::uint64_t{3}).f32("a", {3}, {1, 2, 3});
    write(2, second);
    write(3, shard(2, 3, 2).f32("b", {1}, {9}));
    const auto opened = io::open_gguf(path(2));
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().describe().c_str());
    QCOMPARE((*opened)->alignment(), 32ULL);
    std::vector<float> row(3);
    QVERIFY(io::decode_rows(**opened, 0, 0, 1, row.data()).has_value());
    QCOMPARE(row, (std::vector<float>{1, 2, 3}));

    // One shard of one, and the 0 that merging leaves: single files under any name.
    for (const std::uint16_t count : {std::uint16_t{0}, std::uint16_t{1}}) {
      QVERIFY(write_bytes(path(1, 1, "any name"), shard(0, count, 1).f32("t", {1}, {1}).bytes()));
      QVERIFY(io::open_gguf(path(1, 1, "any name")).has_value());
    }
    // A name like a shard's does not make a file one.
    QVERIFY(write_bytes(path(2, 7, "x"), sample_gguf().bytes()));
    QVERIFY(io::open_gguf(path(2, 7, "x")).has_value());
  }

  void warnsWithoutTensorCount() {
    GgufBuilder first;
    first.kv("split.no", std::uint16_t{0}).kv("split.count", std::uint16_t{3}).f32("t0", {1}, {1});
    write(1, first);
    const auto opened = io::open_gguf(path(1));
    QVERIFY(opened.has_value());
    QCOMPARE((*opened)->warnings().size(), std::size_t{1});
  }

  void missingShard() {
    ::unlink(path(3).c_str());
    refuse(ErrorCode::NotFound, "m-00003-of-00003.gguf: shard 3 of 3 is missing");
    ::unlink(path(1).c_str());
    refuse(ErrorCode::NotFound, "m-00001-of-00003.gguf: shard 1 of 3 is missing", 2);
  }
  void damagedShard() {
    QVERIFY(write_bytes(path(2), plain(1).bytes().substr(0, 60)));
    refuse(ErrorCode::BadFile, "m-00002-of-00003.gguf");
    QVERIFY(write_bytes(path(2), ""));
    refuse(ErrorCode::BadFile, "m-00002-of-00003.gguf: the file is empty");
  }
  void wrongNumbers() {
    write(2, plain(2));
    refuse(ErrorCode::BadFile, "split.no: the shard says it is number 3 of 3, its name says 2");
    write(2, shard(3, 3, 3).f32("t1", {1}, {1}));
    refuse(ErrorCode::BadFile, "split.no: shard number 3 (from 0), but there are 3 shards", 2);
    write(2, shard(1, 4, 3).f32("t1", {1}, {1}));
    refuse(ErrorCode::BadFile, "split.count: the shard says it is one of 4, expected 3");
    refuse(ErrorCode::BadFile, "the file says it is one of 4 shards, its name says 3", 2);
    write(2, GgufBuilder().f32("t1", {1}, {1}));
    refuse(ErrorCode::NotFound, "split.count: key split.count is missing");
    write(1, shard(0, 3, 3).kv("x", 1U));
    write(2, GgufBuilder().kv("split.count", "3").f32("t1", {1}, {1}));
    refuse(ErrorCode::BadFile, "m-00002-of-00003.gguf: split.count: has type string");
  }
  void allShardsOf65535() {
    QVERIFY(write_bytes(path(1, 65535), shard(0, 65535, 1).f32("t", {1}, {1}).bytes()));
    const auto opened = io::open_gguf(path(1, 65535));
    QVERIFY(!opened);
    QVERIFY(QString::fromStdString(opened.error().describe()).contains("shard 2 of 65535 is missing"));
  }
  void wrongTensorCount() {
    for (const std::int32_t count : {2, 4}) {
      for (std::uint16_t i = 0; i < 3; ++i) write(i + 1, plain(i, count));
      refuse(ErrorCode::BadFile, "tensors expected, 3 found");
    }
    for (std::uint16_t i = 0; i < 3; ++i) write(i + 1, plain(i, -3));
    refuse(ErrorCode::BadFile, "split.tensors.count: is -3, must not be negative");
  }
  void tensorTwice() {
    write(3, shard(2, 3, 3).f32("t0", {2}, {1, 2}));
    refuse(ErrorCode::BadFile, "t0: tensor is in shard 1 and in shard 3");
  }
  void otherModel() {
    write(2, plain(1).kv("general.architecture", "gpt2"));
    refuse(ErrorCode::BadFile, "m-00002-of-00003.gguf: general.architecture: differs from the first shard");
  }
  void renamed() {
    const std::string other = folder_.filePath("model.gguf").toStdString();
    QVERIFY(write_bytes(other, plain(0).bytes()));
    const auto opened = io::open_gguf(other);
    QVERIFY(!opened);
    QVERIFY(QString::fromStdString(opened.error().describe()).contains("cannot find the other shards of 3"));
  }
};

QTEST_APPLESS_MAIN(TestIoSplit)
#include "tst_io_split.moc"
