// Files that are odd but valid must open (a reader that refuses everything would pass every hostile case),
// and an open file must keep its promises while the file on disk changes.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QTest>
#include <atomic>
#include <cmath>
#include <thread>

#include "core/base/hash.h"
#include "core/io/model_file.h"
#include "tests/support/gguf_builder.h"

using namespace bitlens;
using namespace bitlens::test;
using io::MetadataArray;
using kernels::Format;

namespace {
using File = std::shared_ptr<const io::ModelFile>;

bool warns(const File& file, const char* about) {
  for (const std::string& warning : file->warnings())
    if (QString::fromStdString(warning).contains(about)) return true;
  return false;
}
}  // namespace

class TestIoOpen : public QObject {
  Q_OBJECT

 private:
  QTemporaryDir folder_;
  std::string path(const char* name) const {
    return folder_.filePath(QString::fromLatin1(name)).toStdString();
  }

  File open(const std::string& bytes, const char* name = "file.gguf") {
    const std::string file = path(name);
    if (!write_bytes(file, bytes)) return nullptr;
    auto opened = io::open_gguf(file);
    if (!opened) qWarning("%s", opened.error().describe().c_str());
    return opened ? *opened : nullptr;
  }

 private slots:
  void readsEverythingOfTheSample() {
    const File file = open(sample_gguf().bytes());
    QVERIFY(file);
    QCOMPARE(file->version(), 3U);
    QCOMPARE(file->alignment(), 32ULL);
    QVERIFY(file->warnings().empty());
    QCOMPARE(file->metadata().entries().size(), std::size_t{26});
    QCOMPARE(file->metadata().get_string("general.name").value(), std::string("sample \xF0\x9F\x99\x82"));
    const auto value = [&](const char* key) { return *file->metadata().find(key); };
    QVERIFY(value("t.u8") == io::MetadataValue(std::uint8_t{255}));
    QVERIFY(value("t.i8") == io::MetadataValue(std::int8_t{-128}));
    QVERIFY(value("t.u16") == io::MetadataValue(std::uint16_t{65535}));
    QVERIFY(value("t.i16") == io::MetadataValue(std::int16_t{-32768}));
    QVERIFY(value("t.u32") == io::MetadataValue(std::uint32_t{4294967295}));
    QVERIFY(value("t.i32") == io::MetadataValue(std::numeric_limits<std::int32_t>::min()));
    QVERIFY(value("t.f32") == io::MetadataValue(1.5F));
    QVERIFY(value("t.bool") == io::MetadataValue(true));
    QVERIFY(value("t.u64") == io::MetadataValue(std::numeric_limits<std::uint64_t>::max()));
    QVERIFY(value("t.i64") == io::MetadataValue(std::numeric_limits<std::int64_t>::min()));
    QVERIFY(value("t.f64") == io::MetadataValue(-0.1));
    QCOMPARE(**file->metadata().get_array<std::int16_t>("a.i16"), (std::vector<std::int16_t>{-1, -2}));
    QCOMPARE(**file->metadata().get_array<std::uint64_t>("a.u64"),
             (std::vector<std::uint64_t>{1, 1ULL << 63}));
    QCOMPARE(**file->metadata().get_array<std::string>("a.string"),
             (std::vector<std::string>{"", "a", "\xFF\xFE", "a long string of many characters"}));
    QVERIFY(value("a.bool") == io::MetadataValue(MetadataArray(io::BoolArray{{0, 1, 1}})));

    QCOMPARE(file->tensors().size(), std::size_t{3});
    const auto index = file->find_tensor("blk.0.ffn_up.weight");
    QCOMPARE(index, std::optional<std::size_t>(2));
    QVERIFY(!file->find_tensor("blk.0.ffn_up"));
    const io::TensorInfo& tensor = file->tensors()[2];
    QCOMPARE(tensor.shape, (std::vector<std::uint64_t>{32, 4}));
    QVERIFY(tensor.format == Format::Q4_0);
    QCOMPARE(tensor.elements(), 128ULL);
    QCOMPARE(tensor.rows(), 4ULL);
    QCOMPARE(tensor.row_bytes(), 18ULL);
    QCOMPARE(tensor.bytes, 72ULL);
    QCOMPARE(tensor.file_offset % 32, 0ULL);
  }

  void decodesRows() {
    const File file = open(sample_gguf().bytes());
    QVERIFY(file);
    std::vector<float> row(32);
    QVERIFY(io::decode_rows(*file, 0, 1, 1, row.data()).has_value());
    for (std::size_t i = 0; i < 32; ++i) QCOMPARE(row[i], static_cast<float>(i) * 0.125F);
    std::vector<float> half(3);
    QVERIFY(io::decode_rows(*file, 1, 0, 1, half.data()).has_value());
    QCOMPARE(half, (std::vector<float>{1, -1, 0}));
    // Byte j of a Q4_0 block holds weights j (low half) and j + 16, each minus 8, times the scale (1).
    std::vector<float> rows(64);
    QVERIFY(io::decode_rows(*file, 2, 2, 2, rows.data()).has_value());
    for (std::size_t j = 0; j < 16; ++j) {
      QCOMPARE(rows[32 + j], 7.0F - static_cast<float>(j));
      QCOMPARE(rows[48 + j], static_cast<float>(j) - 8.0F);
    }
    QVERIFY(io::decode_rows(*file, 2, 4, 0, rows.data()).has_value());
    QVERIFY(io::decode_rows(*file, 2, 4, 1, rows.data()).error().code == ErrorCode::InvalidArgument);
    QVERIFY(io::decode_rows(*file, 2, ~std::uint64_t{0}, 2, rows.data()).error().code ==
            ErrorCode::InvalidArgument);
    QVERIFY(io::decode_rows(*file, 3, 0, 1, rows.data()).error().code == ErrorCode::InvalidArgument);
  }

  // More than one piece of the decoder's buffer (1 MiB), with a row that straddles the border.
  void decodesManyRows() {
    const std::uint64_t columns = 1000, rows = 700;
    std::vector<float> values(columns * rows);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    const File file = open(GgufBuilder().f32("t", {columns, rows}, values).bytes());
    QVERIFY(file);
    std::vector<float> decoded(columns * (rows - 1));
    QVERIFY(io::decode_rows(*file, 0, 1, rows - 1, decoded.data()).has_value());
    QVERIFY(
        std::equal(decoded.begin(), decoded.end(), values.begin() + static_cast<std::ptrdiff_t>(columns)));
  }

  void refusesToDecodeWhatItCannot() {
    for (const kernels::FormatInfo& format : kernels::all_formats()) {
      const std::string data(format.block_bytes, '\0');
      const File file = open(GgufBuilder().tensor("t", {format.block_size}, format.format, data).bytes());
      QVERIFY2(file != nullptr, std::string(format.name).c_str());  // every listed type opens
      QCOMPARE(file->tensors()[0].bytes, std::uint64_t{format.block_bytes});
      std::vector<float> row(format.block_size);
      const Status decoded = io::decode_rows(*file, 0, 0, 1, row.data());
      QCOMPARE(decoded.has_value(), format.decodes);
      if (!decoded) QVERIFY(decoded.error().code == ErrorCode::Unsupported);
    }
  }

  void opensOddButValid() {
    File file = open(GgufBuilder().bytes());
    QVERIFY(file && warns(file, "empty"));
    file = open(GgufBuilder().kv("general.architecture", "llama").header());  // vocabulary only: no padding
    QVERIFY(file && file->warnings().empty() && file->tensors().empty());
    file = open(sample_gguf().version(2).bytes());
    QVERIFY(file && file->version() == 2 && file->tensors().size() == 3);
    for (const std::uint32_t alignment : {8U, 64U, 4096U, 1U << 20}) {
      file = open(GgufBuilder().alignment(alignment).f32("a", {3}, {1, 2, 3}).f32("b", {1}, {4}).bytes());
      QVERIFY(file && file->alignment() == alignment && file->warnings().empty());
      float b = 0;
      QVERIFY(io::decode_rows(*file, 1, 0, 1, &b).has_value() && b == 4.0F);
    }
    // ggml opens alignments below 8 although the specification forbids them.
    file = open(GgufBuilder().alignment(1).f32("a", {1}, {1}).bytes());
    QVERIFY(file && warns(file, "multiple of 8"));
    file = open(sample_gguf().padding('\xAA').bytes());
    QVERIFY(file && file->warnings().empty());
    file = open(sample_gguf().bytes() + "trailing bytes that mean nothing, more than padding");
    QVERIFY(file && warns(file, "51 extra bytes"));
    file = open(GgufBuilder().kv(std::string(65535, 'k'), 1U).kv("x", 2U).bytes());
    QVERIFY(file && file->metadata().has(std::string(65535, 'k')));
    file = open(GgufBuilder().f32(std::string(63, 'n'), {1}, {1}).bytes());
    QVERIFY(file && file->warnings().empty());
    // The specification allows 64 bytes, ggml's reader does not.
    file = open(GgufBuilder().f32(std::string(64, 'n'), {1}, {1}).bytes());
    QVERIFY(file && warns(file, "at most 63"));
    file = open(GgufBuilder().f32("../../x", {1}, {1}).f32("bad\x1b\xFF", {1}, {1}).kv("k\n", 1U).bytes());
    QVERIFY(file && warns(file, "1 tensor names contain") && warns(file, "1 keys contain"));
    file = open(
        GgufBuilder().kv("tokens", MetadataArray(std::vector<std::string>{"a", "a", "\xC3", ""})).bytes());
    QVERIFY(file && file->warnings().empty());
    file = open(sample_gguf().bytes(), "model.gguf.crdownload");
    QVERIFY(file && warns(file, "unfinished download"));
    // The last tensor's padding is missing: no data is.
    std::string cut = sample_gguf().bytes();
    const File whole = open(cut);
    cut.resize(whole->tensors()[2].file_offset + whole->tensors()[2].bytes);
    file = open(cut);
    QVERIFY(file && file->warnings().empty());
  }

  void opensEmptyTensors() {
    for (const std::vector<std::uint64_t>& shape :
         {std::vector<std::uint64_t>{0}, {0, 5}, {32, 0}, {1ULL << 40, 0, 7}}) {
      const File file =
          open(GgufBuilder().tensor("zero", shape, Format::Q4_0, "").f32("t", {1}, {5}).bytes());
      QVERIFY(file);
      QCOMPARE(file->tensors()[0].bytes, 0ULL);
      QCOMPARE(file->tensors()[0].elements(), 0ULL);
      QCOMPARE(file->tensors()[0].rows(), 0ULL);
      QVERIFY(io::decode_rows(*file, 0, 0, 0, nullptr).has_value());
      QVERIFY(!io::decode_rows(*file, 0, 0, 1, nullptr));
      float value = 0;
      QVERIFY(io::decode_rows(*file, 1, 0, 1, &value).has_value() && value == 5.0F);
    }
  }

  // Legal by the specification, though ggml wants tensors tight and in order.
  void opensGapsAndOtherOrders() {
    const std::string data = Bytes().number(1.0F).raw(std::string(60, 'g')).number(2.0F).str();
    File file = open(GgufBuilder().info("a", {1}, 0, 0).info("b", {1}, 0, 64).data(data).bytes());
    QVERIFY(file && warns(file, "1 gaps of together 32 unused bytes"));
    file = open(GgufBuilder().info("b", {1}, 0, 64).info("a", {1}, 0, 0).data(data).bytes());
    QVERIFY(file && warns(file, "another order") && warns(file, "gaps"));
    float value = 0;
    QVERIFY(io::decode_rows(*file, 0, 0, 1, &value).has_value() && value == 2.0F);
    file = open(GgufBuilder().info("b", {1}, 0, 64).data(data).bytes());
    QVERIFY(file && warns(file, "1 gaps of together 64"));
  }

  void opensAMillionKeysAndTensors() {
    GgufBuilder keys;
    for (int i = 0; i < 1'000'000; ++i) keys.raw_entry(Bytes().string(std::to_string(i)).u32(0).u8(1).str());
    File file = open(keys.bytes());
    QVERIFY(file && file->metadata().entries().size() == 1'000'000);
    QCOMPARE(file->metadata().position("999999"), std::optional<std::size_t>(999'999));
    GgufBuilder tensors;
    for (std::uint64_t i = 0; i < 1'000'000; ++i) tensors.info(std::to_string(i), {0}, 0, 0);
    file = open(tensors.bytes());
    QVERIFY(file && file->tensors().size() == 1'000'000);
    QCOMPARE(file->find_tensor("123456"), std::optional<std::size_t>(123'456));
    const std::vector<std::string> strings(1 << 20);
    file = open(GgufBuilder().kv("x", MetadataArray(strings)).bytes());
    QVERIFY(file && (*file->metadata().get_array<std::string>("x"))->size() == 1 << 20);
  }

  // Offsets above 4 GiB, in a file of holes: costs no disk.
  void readsBeyond4GiB() {
    const std::uint64_t large = std::uint64_t{5} << 30;
    const std::string start =
        GgufBuilder().info("large", {large}, 24, 0).info("after", {1}, 0, large).bytes();
    const std::string file = path("large.gguf");
    QVERIFY(write_bytes(file, start));
    QCOMPARE(::truncate(file.c_str(), static_cast<off_t>(start.size() + large)), 0);
    const int fd = ::open(file.c_str(), O_WRONLY | O_APPEND);
    const float seven = 7;
    QCOMPARE(::write(fd, &seven, sizeof seven), ssize_t{4});
    ::close(fd);
    const auto opened = io::open_gguf(file);
    QVERIFY(opened.has_value());
    QVERIFY((*opened)->tensors()[1].file_offset > large);
    float value = 0;
    QVERIFY(io::decode_rows(**opened, 1, 0, 1, &value).has_value() && value == 7.0F);
    std::byte last{1};
    QVERIFY((*opened)->read(0, large - 1, {&last, 1}).has_value() && last == std::byte{0});
    ::unlink(file.c_str());
  }

  void boundsReads() {
    const File file = open(sample_gguf().bytes());
    std::vector<std::byte> buffer(72);
    QVERIFY(file->read(2, 0, buffer).has_value());
    QVERIFY(file->read(2, 72, {}).has_value());
    QVERIFY(file->read(2, 1, buffer).error().code == ErrorCode::InvalidArgument);
    QVERIFY(file->read(2, ~std::uint64_t{0}, buffer).error().code == ErrorCode::InvalidArgument);
    QVERIFY(file->read(99, 0, buffer).error().code == ErrorCode::InvalidArgument);
  }

  void noticesAShrunkFile() {
    const File file = open(sample_gguf().bytes(), "shrinks.gguf");
    QVERIFY(file->check_unchanged().has_value());
    QCOMPARE(::truncate(path("shrinks.gguf").c_str(), 100), 0);
    std::vector<std::byte> buffer(72);
    const Status read = file->read(2, 0, buffer);
    QVERIFY(!read);
    QVERIFY(read.error().code == ErrorCode::Changed);
    QVERIFY(QString::fromStdString(read.error().describe()).contains("changed on disk while in use"));
    QVERIFY(file->check_unchanged().error().code == ErrorCode::Changed);
    ThreadPool pool(1);
    QVERIFY(file->sha256({pool}).error().code == ErrorCode::Changed);
  }

  // Shrinking in the middle of reads: an error, where a mapped file would end the process with SIGBUS.
  void survivesShrinkingDuringReads() {
    const std::vector<float> values(1 << 20, 1.0F);
    const std::string bytes = GgufBuilder().f32("t", {1 << 20}, values).bytes();
    const File file = open(bytes, "racing.gguf");
    std::atomic<bool> stop{false};
    std::jthread shrinker([&] {
      while (!stop) {
        if (::truncate(path("racing.gguf").c_str(), 4096) != 0) return;
        if (::truncate(path("racing.gguf").c_str(), static_cast<off_t>(bytes.size())) != 0) return;
      }
    });
    std::vector<float> row(1 << 20);
    int changed = 0;
    for (int i = 0; i < 200; ++i) {
      const Status read = io::decode_rows(*file, 0, 0, 1, row.data());
      if (!read && read.error().code == ErrorCode::Changed) ++changed;
      if (!read) QVERIFY(read.error().code == ErrorCode::Changed);
    }
    stop = true;
    QVERIFY(changed > 0);
  }

  void noticesAReplacedFile() {
    const std::string bytes = sample_gguf().bytes();
    std::vector<std::byte> buffer(72);
    File file = open(bytes, "replaced.gguf");
    QVERIFY(write_bytes(path("other.gguf"), bytes));
    QCOMPARE(::rename(path("other.gguf").c_str(), path("replaced.gguf").c_str()), 0);
    QVERIFY(file->check_unchanged().error().code == ErrorCode::Changed);
    QVERIFY(file->read(2, 0, buffer).error().code == ErrorCode::Changed);

    file = open(bytes, "rewritten.gguf");
    const timespec times[2] = {{1, 0}, {1, 1}};
    QCOMPARE(::utimensat(AT_FDCWD, path("rewritten.gguf").c_str(), times, 0), 0);
    QVERIFY(file->read(2, 0, buffer).error().code == ErrorCode::Changed);

    file = open(bytes, "deleted.gguf");
    QCOMPARE(::unlink(path("deleted.gguf").c_str()), 0);
    QVERIFY(file->check_unchanged().error().code == ErrorCode::Changed);
  }

  void knowsItself() {
    const File file = open(sample_gguf().bytes(), "self.gguf");
    QVERIFY(file->is_same_file(path("self.gguf")));
    QCOMPARE(::link(path("self.gguf").c_str(), path("hard.gguf").c_str()), 0);
    QCOMPARE(::symlink("self.gguf", path("soft.gguf").c_str()), 0);
    QVERIFY(file->is_same_file(path("hard.gguf")));
    QVERIFY(file->is_same_file(path("soft.gguf")));
    QVERIFY(!file->is_same_file(path("absent.gguf")));
    QVERIFY(write_bytes(path("copy.gguf"), sample_gguf().bytes()));
    QVERIFY(!file->is_same_file(path("copy.gguf")));
  }

  void hashes() {
    const std::string bytes = GgufBuilder().f32("t", {3 << 20}, std::vector<float>(3 << 20, 0.5F)).bytes();
    const File file = open(bytes);
    ThreadPool pool(1);
    std::vector<std::uint64_t> done;
    WorkContext work{pool, {}, [&](const Progress& progress) {
                       QCOMPARE(progress.stage, std::string("hash"));
                       QCOMPARE(progress.total, file->file_bytes());
                       done.push_back(progress.done);
                     }};
    QCOMPARE(file->sha256(work).value(), sha256_hex(bytes));
    QVERIFY(done.size() > 2 && std::is_sorted(done.begin(), done.end()) && done.back() == bytes.size());
    const std::size_t calls = done.size();
    QCOMPARE(file->sha256(work).value(), sha256_hex(bytes));
    QCOMPARE(done.size(), calls);  // kept

    const File again = open(bytes);
    std::stop_source stop;
    work.stop = stop.get_token();
    work.on_progress = [&](const Progress&) { stop.request_stop(); };
    QVERIFY(again->sha256(work).error().code == ErrorCode::Cancelled);
    QCOMPARE(again->sha256({pool}).value(), sha256_hex(bytes));
  }
};

QTEST_APPLESS_MAIN(TestIoOpen)
#include "tst_io_open.moc"
