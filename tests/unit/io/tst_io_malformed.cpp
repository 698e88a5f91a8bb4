// Hostile and damaged headers: every case must be refused with its code and its words, in one line that names
// the file, without allocating more than the file justifies. Case names follow what is wrong.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QTest>

#include "allocation_meter.h"
#include "core/io/model_file.h"
#include "tests/support/gguf_builder.h"

using namespace bitlens;
using namespace bitlens::test;
using io::MetadataArray;
using kernels::Format;

namespace {

struct Case {
  const char* name;
  std::string bytes;
  ErrorCode code;
  const char* message;  // part of describe()
};

constexpr std::uint64_t all_ones = ~std::uint64_t{0};

GgufBuilder model() {
  return GgufBuilder().kv("general.architecture", "llama");
}

/// A file whose first key-value record is `record`, with room after it.
std::string with_entry(const Bytes& record) {
  return model().raw_entry(record.str()).f32("t", {64}, std::vector<float>(64)).bytes();
}

/// A file cut right after `record`, the second key-value record.
std::string cut_entry(const Bytes& record) {
  return model().raw_entry(record.str()).header();
}

/// A file with one tensor info, and 4 KiB of data.
std::string with_info(std::string info) {
  return model().raw_info(std::move(info)).data(std::string(4096, 'x')).bytes();
}

std::string zeros(std::size_t count) {
  return std::string(count, '\0');
}

std::vector<Case> not_gguf() {
  const std::string header = sample_gguf().bytes();
  std::vector<Case> cases = {
      {"empty", "", ErrorCode::BadFile, "the file is empty"},
      {"3 bytes", "GGU", ErrorCode::BadFile,
       "the file is 3 bytes long; too short for a GGUF header (24 bytes)"},
      {"only the magic", "GGUF", ErrorCode::BadFile, "the file ends inside the header (4 of 24 bytes)"},
      {"wrong magic", "ABCD" + zeros(60), ErrorCode::BadFile,
       "not a GGUF file (first bytes 41 42 43 44, expected"},
      {"old GGML", "lmgg" + zeros(60), ErrorCode::Unsupported, "old GGML format"},
      {"old GGJT", "tjgg" + zeros(60), ErrorCode::Unsupported, "old GGJT format"},
      {"old GGLA", "GGLA" + zeros(60), ErrorCode::Unsupported, "old GGLA format"},
      {"ZIP", "PK\x03\x04" + zeros(60), ErrorCode::Unsupported, "ZIP archive"},
      {"pickle", "\x80\x02}q" + zeros(60), ErrorCode::Unsupported, "Python pickle"},
      {"HDF5", "\x89HDF\r\n\x1a\n" + zeros(60), ErrorCode::Unsupported, "HDF5"},
      {"gzip", "\x1f\x8b\x08" + zeros(60), ErrorCode::Unsupported, "gzip"},
      {"safetensors", Bytes().u64(39).raw("{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_o").str(),
       ErrorCode::Unsupported, "safetensors"},
      {"web page", "\n <!DOCTYPE html><html><body>404</body>", ErrorCode::BadFile, "web page"},
      {"JSON", "{\"error\":\"Repository not found\"}", ErrorCode::BadFile, "JSON text"},
      {"LFS pointer",
       "version https://git-lfs.github.com/spec/v1\noid "
       "sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
       "size 12345\n",
       ErrorCode::BadFile, "12345 bytes) has not been downloaded"},
      {"zeroed", zeros(4096), ErrorCode::BadFile, "the header is all zeros"},
      {"unfinished output", "bitlens-unfinished\n" + zeros(100), ErrorCode::BadFile, "unfinished output"},
  };
  for (const std::size_t cut : {8U, 12U, 16U, 20U, 23U})
    cases.push_back({"cut in the fixed header", header.substr(0, cut), ErrorCode::BadFile, "of 24 bytes)"});
  return cases;
}

std::vector<Case> counts() {
  return {
      {"version 0", model().version(0).bytes(), ErrorCode::BadFile, "invalid GGUF version 0"},
      {"version 1", model().version(1).bytes(), ErrorCode::Unsupported, "GGUF version 1 is not supported"},
      {"version 4", model().version(4).bytes(), ErrorCode::Unsupported, "GGUF version 4 is newer"},
      {"version 2^31-1", model().version(0x7fffffff).bytes(), ErrorCode::Unsupported,
       "GGUF version 2147483647 is newer"},
      {"big-endian", model().version(0x03000000).bytes(), ErrorCode::Unsupported, "big-endian"},
      {"tensors 2^64-1", model().declare_tensors(all_ones).bytes(), ErrorCode::BadFile,
       "declares 18446744073709551615 tensors; a file of 96 bytes can hold at most 2"},
      {"tensors 2^63", model().declare_tensors(1ULL << 63).bytes(), ErrorCode::BadFile,
       "declares 9223372036854775808 tensors"},
      {"tensors 1e9", model().declare_tensors(1'000'000'000).bytes(), ErrorCode::BadFile,
       "declares 1000000000 tensors"},
      {"entries 2^64-1", model().declare_entries(all_ones).bytes(), ErrorCode::BadFile,
       "declares 18446744073709551615 metadata entries"},
      {"entries 2^63", model().declare_entries(1ULL << 63).bytes(), ErrorCode::BadFile, "metadata entries"},
      {"one entry too many", sample_gguf().declare_entries(27).bytes(), ErrorCode::BadFile,
       "the name of tensor 0 is"},
      {"one entry too few", sample_gguf().declare_entries(25).bytes(), ErrorCode::BadFile,
       "a.empty: the tensor has 9 dimensions"},
      {"one tensor too many", model().f32("t", {64}, std::vector<float>(64)).declare_tensors(2).bytes(),
       ErrorCode::BadFile, "the name of tensor 1"},
  };
}

std::vector<Case> keys() {
  const std::string nul("general.name\0x", 14);
  return {
      {"key length 2^64-1", with_entry(Bytes().u64(all_ones)), ErrorCode::BadFile,
       "key 1: length 18446744073709551615 exceeds the"},
      {"key past the end by 1", cut_entry(Bytes().u64(20).raw(std::string(19, 'k'))), ErrorCode::BadFile,
       "exceeds the 19 bytes left"},
      {"key of 65536 bytes", with_entry(Bytes().string(std::string(65536, 'k')).u32(0).u8(1)),
       ErrorCode::BadFile, "key 1 is 65536 bytes long, longer than 65535"},
      {"empty key", with_entry(Bytes().string("").u32(0).u8(1)), ErrorCode::BadFile, "key 1 is empty"},
      {"NUL in key", with_entry(Bytes().string(nul).u32(0).u8(1)), ErrorCode::BadFile,
       "general.name\\x00x: key 1 contains a NUL byte"},
      {"duplicate key", model().kv("a", 1U).kv("b", 2U).kv("a", 3.0F).bytes(), ErrorCode::BadFile,
       "a: key appears twice (entries 1 and 3)"},
      {"duplicate key, same value", model().kv("general.architecture", "llama").bytes(), ErrorCode::BadFile,
       "key appears twice"},
      {"value type 13", with_entry(Bytes().string("x").u32(13)), ErrorCode::BadFile,
       "x: unknown value type 13"},
      {"value type 255", with_entry(Bytes().string("x").u32(255)), ErrorCode::BadFile,
       "x: unknown value type 255"},
      {"value type 2^32-1", with_entry(Bytes().string("x").u32(0xffffffff)), ErrorCode::BadFile,
       "value type 4294967295"},
      {"cut in key length", cut_entry(Bytes().u32(3)), ErrorCode::BadFile, "ends inside the length of key 1"},
      {"cut after key", cut_entry(Bytes().string("xxxxxxxxxx")), ErrorCode::BadFile,
       "xxxxxxxxxx: the file ends inside the value type"},
      {"cut after value type", cut_entry(Bytes().string("xxxxxxxxxx").u32(4)), ErrorCode::BadFile,
       "ends inside the value"},
      {"cut in a scalar", cut_entry(Bytes().string("xxxxxxxxxx").u32(12).u32(0)), ErrorCode::BadFile,
       "ends inside the value"},
      {"cut after array", cut_entry(Bytes().string("xxxxxxxxxx").u32(9)), ErrorCode::BadFile,
       "array's element type"},
      {"cut after element type", cut_entry(Bytes().string("xxxxxxxxxx").u32(9).u32(4)), ErrorCode::BadFile,
       "array's length"},
      {"cut before string length", cut_entry(Bytes().string("xxxxxxxxxx").u32(8).u32(0)), ErrorCode::BadFile,
       "ends inside the value"},
  };
}

std::vector<Case> values() {
  const auto array = [](std::uint32_t type, std::uint64_t count) {
    return Bytes().string("x").u32(9).u32(type).u64(count);
  };
  Bytes nested = Bytes().string("x").u32(9);
  for (int i = 0; i < 100'000; ++i) nested.u32(9).u64(1);
  return {
      {"string 2^64-1", with_entry(Bytes().string("x").u32(8).u64(all_ones)), ErrorCode::BadFile,
       "x: the value: the file ends inside it: length 18446744073709551615 exceeds the"},
      {"string past the end by 1", cut_entry(Bytes().string("x").u32(8).u64(5).raw("1234")),
       ErrorCode::BadFile, "the file ends inside it"},
      {"bool 2", with_entry(Bytes().string("x").u32(7).u8(2)), ErrorCode::BadFile,
       "x: boolean value is 2, must be 0 or 1"},
      {"bool array element 3", with_entry(array(7, 3).u8(0).u8(1).u8(3)), ErrorCode::BadFile,
       "boolean value of element 2 is 3"},
      {"array type 13", with_entry(array(13, 1)), ErrorCode::BadFile, "x: unknown array element type 13"},
      {"array type 2^32-1", with_entry(array(0xffffffff, 1)), ErrorCode::BadFile,
       "unknown array element type"},
      {"array of arrays", with_entry(array(9, 1).u32(0).u64(1).u8(0)), ErrorCode::BadFile,
       "x: nested arrays are not supported"},
      {"arrays 100000 deep", with_entry(nested), ErrorCode::BadFile, "nested arrays are not supported"},
      {"array 2^64-1", with_entry(array(0, all_ones)), ErrorCode::BadFile,
       "x: an array of 18446744073709551615 elements"},
      {"array of 2^61 doubles", with_entry(array(12, 1ULL << 61)), ErrorCode::BadFile,
       "an array of 2305843009213693952 elements of 8 bytes"},
      {"array of 2^62 floats", with_entry(array(6, 1ULL << 62)), ErrorCode::BadFile, "exceeds the"},
      {"2^32 strings", with_entry(array(8, 1ULL << 32)), ErrorCode::BadFile,
       "an array of 4294967296 elements of 8 bytes or more"},
      {"array one element too long", cut_entry(array(4, 3).u32(1).u32(2)), ErrorCode::BadFile,
       "exceeds the 8 bytes left"},
      {"last string past the end", cut_entry(array(8, 2).string("abcdefgh").u64(9).raw("12345678")),
       ErrorCode::BadFile, "x: element 1: length 9"},
      {"string element 2^64-1", with_entry(array(8, 2).u64(all_ones).u64(0)), ErrorCode::BadFile,
       "x: element 0: length"},
      {"cut in a string element's length", cut_entry(array(8, 2).string("abcdefgh").raw("1234")),
       ErrorCode::BadFile, "ends inside element 1"},
  };
}

std::vector<Case> special_keys() {
  const auto aligned = [](const io::MetadataValue& value) {
    return GgufBuilder().kv("general.alignment", value).bytes();
  };
  return {
      {"alignment 0", aligned(0U), ErrorCode::BadFile, "general.alignment: is 0, must be a power of two"},
      {"alignment 13", aligned(13U), ErrorCode::BadFile, "general.alignment: is 13, must be"},
      {"alignment 48", aligned(48U), ErrorCode::BadFile, "general.alignment: is 48, must be"},
      {"alignment 2^31", aligned(1U << 31), ErrorCode::BadFile, "is 2147483648, which is unreasonably large"},
      {"alignment as int32", aligned(32), ErrorCode::BadFile, "has type int32, expected uint32"},
      {"alignment as uint64", aligned(std::uint64_t{32}), ErrorCode::BadFile,
       "has type uint64, expected uint32"},
      {"alignment as string", aligned("32"), ErrorCode::BadFile, "has type string, expected uint32"},
      {"alignment as array", aligned(MetadataArray(std::vector<std::uint32_t>{32})), ErrorCode::BadFile,
       "has type array"},
      {"architecture a number", GgufBuilder().kv("general.architecture", 1U).bytes(), ErrorCode::BadFile,
       "general.architecture: has type uint32, expected string"},
      {"architecture empty", GgufBuilder().kv("general.architecture", "").bytes(), ErrorCode::BadFile,
       "general.architecture: is empty"},
      {"architecture of 1 MB", GgufBuilder().kv("general.architecture", std::string(1 << 20, 'a')).bytes(),
       ErrorCode::BadFile, "is 1048576 bytes long"},
  };
}

std::vector<Case> tensor_infos() {
  const auto shape = [](std::vector<std::uint64_t> dimensions, std::uint32_t type = 0) {
    return with_info(tensor_bytes("x", dimensions, type, 0));
  };
  const auto type = [&](std::uint32_t number) { return shape({256}, number); };
  const std::string nul("a\0b", 3);
  return {
      {"name of 65 bytes", with_info(tensor_bytes(std::string(65, 'n'), {4}, 0, 0)), ErrorCode::BadFile,
       "the name of tensor 0 is 65 bytes long (limit 64)"},
      {"name length 2^64-1", with_info(Bytes().u64(all_ones).str()), ErrorCode::BadFile,
       "is 18446744073709551615 bytes long"},
      {"empty name", with_info(tensor_bytes("", {4}, 0, 0)), ErrorCode::BadFile,
       "the name of tensor 0 is empty"},
      {"NUL in name", with_info(tensor_bytes(nul, {4}, 0, 0)), ErrorCode::BadFile, "contains a NUL byte"},
      {"duplicate name", model().f32("x", {1}, {1}).f32("y", {1}, {1}).f32("x", {2}, {1, 2}).bytes(),
       ErrorCode::BadFile, "x: tensor appears twice (tensors 0 and 2)"},
      {"0 dimensions", with_info(tensor_bytes("x", {}, 0, 0)), ErrorCode::BadFile,
       "x: the tensor has no dimensions"},
      {"5 dimensions", shape({1, 1, 1, 1, 1}), ErrorCode::BadFile,
       "x: the tensor has 5 dimensions, at most 4"},
      {"2^32-1 dimensions", with_info(Bytes().string("x").u32(0xffffffff).str()), ErrorCode::BadFile,
       "has 4294967295 dimensions"},
      {"dimension 2^63", shape({1ULL << 63}), ErrorCode::BadFile,
       "dimension 9223372036854775808 is out of range"},
      {"dimension 2^64-1", shape({1, all_ones}), ErrorCode::BadFile, "is out of range"},
      {"product wraps to 0", shape({1ULL << 32, 1ULL << 32}), ErrorCode::BadFile,
       "x: the shape has too many elements"},
      {"product wraps to negative", shape({(1ULL << 63) - 1, 2}), ErrorCode::BadFile,
       "the shape has too many elements"},
      {"product wraps before a zero", shape({1ULL << 32, 1ULL << 32, 0}), ErrorCode::BadFile,
       "too many elements"},
      {"bytes wrap", shape({1ULL << 62}), ErrorCode::BadFile, "x: the size of the tensor overflows"},
      {"bytes wrap to small", shape({(1ULL << 61) + 1, 2}), ErrorCode::BadFile,
       "the size of the tensor overflows"},
      {"type 4", type(4), ErrorCode::BadFile, "x: tensor type 4 (Q4_2) was removed"},
      {"type 5", type(5), ErrorCode::BadFile, "tensor type 5 ("},
      {"type 31", type(31), ErrorCode::BadFile, "tensor type 31 ("},
      {"type 36", type(36), ErrorCode::BadFile, "tensor type 36 ("},
      {"type 38", type(38), ErrorCode::BadFile, "tensor type 38 ("},
      {"type 43", type(43), ErrorCode::BadFile, "x: unknown tensor type 43"},
      {"type 2^31", type(1U << 31), ErrorCode::BadFile, "unknown tensor type 2147483648"},
      {"type -1", type(0xffffffff), ErrorCode::BadFile, "unknown tensor type 4294967295"},
      {"row 33 of Q4_0", shape({33}, 2), ErrorCode::BadFile,
       "row length 33 is not a multiple of the block size 32 of Q4_0"},
      {"row 128 of Q4_K", shape({128, 2}, 12), ErrorCode::BadFile,
       "row length 128 is not a multiple of the block size 256"},
      {"cut in the name",
       model().raw_info(Bytes().u64(40).raw("token_embd.weight and many more").str()).header(),
       ErrorCode::BadFile, "ends inside the name of tensor 0"},
      {"cut in the shape", model().raw_info(Bytes().string("token_embd.weight").u32(2).u64(1).str()).header(),
       ErrorCode::BadFile, "token_embd.weight: the file ends inside the shape"},
      {"cut before the offset",
       model().raw_info(Bytes().string("token_embd.weight").u32(1).u64(1).u32(0).str()).header(),
       ErrorCode::BadFile, "token_embd.weight: the file ends inside the tensor info"},
  };
}

std::vector<Case> data_section() {
  const std::string whole =
      model().f32("a", {64}, std::vector<float>(64)).f32("b", {64}, std::vector<float>(64)).bytes();
  const auto at = [](std::uint64_t offset, std::uint64_t elements = 8) {
    return with_info(tensor_bytes("x", {elements}, 0, offset));
  };
  return {
      {"one byte short", whole.substr(0, whole.size() - 1), ErrorCode::BadFile,
       "b: the file is 1 bytes shorter than its tensors need; probably an incomplete download"},
      {"half the data", whole.substr(0, whole.size() - 300), ErrorCode::BadFile,
       "a: the file is 300 bytes shorter"},
      {"ends with the infos", model().f32("t", {64}, std::vector<float>(64)).header(), ErrorCode::BadFile,
       "t: the file ends before the data section"},
      {"offset 8", at(8), ErrorCode::BadFile, "x: data offset 8 is not a multiple of the alignment 32"},
      {"offset 2^64-32", at(all_ones - 31), ErrorCode::BadFile,
       "x: data offset 18446744073709551584 lies outside the file"},
      {"offset 2^60", at(1ULL << 60), ErrorCode::BadFile, "lies outside the file"},
      {"offset past the end", at(8192), ErrorCode::BadFile, "lies outside the file"},
      {"wrong by being larger than the file", at(0, 4096), ErrorCode::BadFile,
       "bytes shorter than its tensors need"},
      {"overlap", model().info("a", {16}, 0, 0).info("b", {16}, 0, 32).data(std::string(128, 0)).bytes(),
       ErrorCode::BadFile, "tensors \"a\" and \"b\" overlap"},
      {"same data twice",
       model().info("a", {16}, 0, 0).info("b", {16}, 0, 0).data(std::string(128, 0)).bytes(),
       ErrorCode::BadFile, "tensors \"a\" and \"b\" overlap"},
      {"overlap, others between",
       model().info("c", {8}, 0, 64).info("a", {32}, 0, 0).info("b", {8}, 0, 32).data(zeros(128)).bytes(),
       ErrorCode::BadFile, "overlap"},
      {"sum of sizes wraps",
       model()
           .info("a", {(1ULL << 61) - 1}, 0, 0)
           .info("b", {(1ULL << 61) - 1}, 0, 0)
           .info("c", {(1ULL << 61) - 1}, 0, 0)
           .bytes(),
       ErrorCode::BadFile, "add up to more than 2^64 bytes"},
      {"padding wraps", with_info(tensor_bytes("x", {(1ULL << 63) - 1}, 24, 0)), ErrorCode::BadFile,
       "shorter than its tensors need"},
  };
}

}  // namespace

class TestIoMalformed : public QObject {
  Q_OBJECT

 private:
  QTemporaryDir folder_;
  std::string path(const char* name) const {
    return folder_.filePath(QString::fromLatin1(name)).toStdString();
  }

  void refuse(const std::string& file, ErrorCode code, const QString& message, std::size_t most_bytes) {
    reset_peak();
    const auto opened = io::open_gguf(file);
    const std::size_t peak = peak_bytes();
    QVERIFY2(!opened, "opened");
    const std::string text = opened.error().describe();
    QVERIFY2(QString::fromStdString(text).contains(message), text.c_str());
    QCOMPARE(error_code_name(opened.error().code), error_code_name(code));
    QVERIFY2(text.find('\n') == std::string::npos, text.c_str());
    QVERIFY2(text.starts_with(file), text.c_str());
    QVERIFY2(peak < most_bytes, std::to_string(peak).c_str());
  }

 private slots:
  void refuses_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("message");
    for (const auto& group :
         {not_gguf(), counts(), keys(), values(), special_keys(), tensor_infos(), data_section()})
      for (const Case& c : group)
        QTest::addRow("%s (%zu bytes)", c.name, c.bytes.size())
            << QByteArray(c.bytes.data(), static_cast<int>(c.bytes.size())) << static_cast<int>(c.code)
            << QString(c.message);
  }
  void refuses() {
    QFETCH(QByteArray, bytes);
    QFETCH(int, code);
    QFETCH(QString, message);
    const std::string file = path("case.gguf");
    QVERIFY(write_bytes(file, {bytes.constData(), static_cast<std::size_t>(bytes.size())}));
    // The reader's buffer and the largest string it may have copied; the declared sizes are far beyond that.
    refuse(file, ErrorCode{code}, message,
           (std::size_t{1} << 20) + 4 * static_cast<std::size_t>(bytes.size()));
  }

  void refusesWhatIsNoFile() {
    const std::string fifo = path("fifo.gguf"), loop = path("loop.gguf"), dangling = path("dangling.gguf");
    QCOMPARE(::mkfifo(fifo.c_str(), 0600), 0);
    QCOMPARE(::symlink(loop.c_str(), loop.c_str()), 0);
    QCOMPARE(::symlink("nowhere", dangling.c_str()), 0);
    const std::string socket = path("s");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    QVERIFY(socket.size() < sizeof(address.sun_path));
    std::copy(socket.begin(), socket.end(), address.sun_path);
    const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
    QCOMPARE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);

    refuse(fifo, ErrorCode::InvalidArgument, "is a FIFO", 1 << 20);  // and does not wait for a writer
    refuse(folder_.path().toStdString(), ErrorCode::InvalidArgument, "is a directory", 1 << 20);
    refuse("/dev/null", ErrorCode::InvalidArgument, "is a device", 1 << 20);
    refuse(socket, ErrorCode::InvalidArgument, "is a socket", 1 << 20);
    refuse(loop, ErrorCode::Io, "symbolic links", 1 << 20);
    refuse(dangling, ErrorCode::NotFound, "No such file", 1 << 20);
    refuse(path("absent.gguf"), ErrorCode::NotFound, "No such file", 1 << 20);
    refuse(path("absent.gguf") + "/x", ErrorCode::NotFound, "", 1 << 20);
    QVERIFY(!io::open_gguf(""));
    QVERIFY(!io::open_gguf(std::string("a\0b", 3)));
    ::close(listener);
  }

  // A file of holes has as many bytes as it likes: sizes must be bounded by more than the file.
  void refusesHugeHeadersInSparseFiles_data() {
    QTest::addColumn<QByteArray>("start");
    QTest::addColumn<QString>("message");
    const auto row = [](const char* name, const std::string& start, const char* message) {
      QTest::newRow(name) << QByteArray(start.data(), static_cast<int>(start.size())) << QString(message);
    };
    const auto entry = [](Bytes record) { return model().raw_entry(record.str()).header(); };
    row("entries", model().declare_entries(1ULL << 33).header(), "at most 1048576 are supported");
    row("tensors", model().declare_tensors(1ULL << 33).header(), "at most 1048576 are supported");
    row("string", entry(Bytes().string("x").u32(8).u64(1ULL << 35)),
        "x: the value is too long: 34359738368 bytes (limit 67108864)");
    row("string element", entry(Bytes().string("x").u32(9).u32(8).u64(1).u64(1ULL << 35)),
        "x: element 0: length");
    row("bytes", entry(Bytes().string("x").u32(9).u32(0).u64(1ULL << 39)),
        "x: the header is larger than the limit");
    row("strings", entry(Bytes().string("x").u32(9).u32(8).u64(30'000'000)),
        "x: an array of 30000000 strings is too long");
    row("empty keys", model().declare_entries(1 << 20).header(), "is empty");
  }
  void refusesHugeHeadersInSparseFiles() {
    QFETCH(QByteArray, start);
    QFETCH(QString, message);
    const std::string file = path("sparse.gguf");
    QVERIFY(write_bytes(file, {start.constData(), static_cast<std::size_t>(start.size())}));
    QCOMPARE(::truncate(file.c_str(), off_t{1} << 40), 0);
    refuse(file, ErrorCode::BadFile, message, 64 << 20);
  }

  // Escapes and line breaks from the file must not reach the terminal.
  void showsNamesEscaped() {
    const std::string file = path("escape.gguf");
    QVERIFY(write_bytes(file, with_info(tensor_bytes("\x1b[31m\nred", {33}, 2, 0))));
    refuse(file, ErrorCode::BadFile, "\\x1B[31m\\x0Ared: row length 33", 1 << 20);
  }
};

QTEST_APPLESS_MAIN(TestIoMalformed)
#include "tst_io_malformed.moc"
