// Writing GGUF: exact plans, the same bytes again, and a target that never holds anything half-written.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTemporaryDir>
#include <QTest>
#include <bit>
#include <limits>

#include "core/io/gguf_writer.h"
#include "core/io/model_file.h"
#include "tests/support/gguf_builder.h"

using namespace bitlens;
using namespace bitlens::test;
using io::GgufWriter;
using io::Metadata;
using io::MetadataArray;
using io::TensorPlan;
using kernels::Format;

namespace {

/// Copies a file through the reader and the writer.
Status rewrite(const std::string& from, const std::string& to, bool overwrite, std::size_t piece = 1 << 20) {
  const auto opened = io::open_gguf(from);
  if (!opened) return pass(opened);
  const io::ModelFile& file = **opened;
  std::vector<TensorPlan> plan;
  for (const io::TensorInfo& tensor : file.tensors())
    plan.push_back({tensor.name, tensor.shape, tensor.format});
  auto writer = GgufWriter::create(to, file.metadata(), plan, overwrite);
  if (!writer) return pass(writer);
  for (std::size_t i = 0; i < plan.size(); ++i) {
    for (std::uint64_t done = 0; done < file.tensors()[i].bytes;) {
      std::vector<std::byte> data(std::min<std::uint64_t>(piece, file.tensors()[i].bytes - done));
      if (auto s = file.read(i, done, data); !s) return s;
      if (auto s = (*writer)->write(i, data); !s) return s;
      done += data.size();
    }
  }
  if (auto s = (*writer)->finish(); !s) return s;
  return (*writer)->publish();
}

std::vector<TensorPlan> one_tensor(std::uint64_t elements = 8) {
  return {{"t", {elements}, Format::F32}};
}

}  // namespace

class TestIoWriter : public QObject {
  Q_OBJECT

 private:
  QTemporaryDir folder_;
  std::string path(const char* name) const {
    return folder_.filePath(QString::fromLatin1(name)).toStdString();
  }
  bool exists(const std::string& file) const { return ::access(file.c_str(), F_OK) == 0; }

 private slots:
  void init() {
    folder_ = QTemporaryDir();
    QVERIFY(folder_.isValid());
  }

  void rewritesTheSameBytes() {
    const std::string bytes = sample_gguf().bytes();
    QVERIFY(write_bytes(path("a.gguf"), bytes));
    for (const std::size_t piece : {1U, 7U, 1U << 20}) {
      const Status done = rewrite(path("a.gguf"), path("b.gguf"), true, piece);
      QVERIFY2(done.has_value(), done ? "" : done.error().describe().c_str());
      QVERIFY(read_bytes(path("b.gguf")) == bytes);
    }
    QVERIFY(!exists(path("b.gguf.part")));
    struct stat status {};
    QCOMPARE(::stat(path("b.gguf").c_str(), &status), 0);
    const mode_t mask = ::umask(0);
    ::umask(mask);
    QCOMPARE(status.st_mode & 0777, 0666 & ~mask);
  }

  // Bits that have no meaning, or none that printing would show, must survive.
  void keepsEveryBitOfMetadata() {
    const auto nan32 = std::bit_cast<float>(0x7fa12345U), negative_nan32 = std::bit_cast<float>(0xffc00001U);
    const auto nan64 = std::bit_cast<double>(0x7ff4dead0000beefULL);
    const std::string binary("\0\xFF\xC0\x80 \n", 6);
    const std::string bytes =
        sample_gguf()
            .kv("nan32", nan32)
            .kv("nan64", nan64)
            .kv("minus zero", -0.0F)
            .kv("binary", binary)
            .kv("nans", MetadataArray(std::vector<float>{nan32, negative_nan32, -0.0F}))
            .kv("wide nans", MetadataArray(std::vector<double>{nan64, -0.0}))
            .kv("strings", MetadataArray(std::vector<std::string>{binary, "", std::string(5000, '\xFE')}))
            .bytes();
    QVERIFY(write_bytes(path("a.gguf"), bytes));
    QVERIFY(rewrite(path("a.gguf"), path("b.gguf"), false).has_value());
    QVERIFY(read_bytes(path("b.gguf")) == bytes);
  }

  void keepsAlignment() {
    for (const std::uint32_t alignment : {1U, 8U, 64U, 4096U}) {
      GgufBuilder builder;
      builder.alignment(alignment)
          .f32("a", {3}, {1, 2, 3})
          .tensor("zero", {0, 2}, Format::F32, "")
          .f32("b", {1}, {4});
      QVERIFY(write_bytes(path("a.gguf"), builder.bytes()));
      QVERIFY(rewrite(path("a.gguf"), path("b.gguf"), true).has_value());
      QVERIFY(read_bytes(path("b.gguf")) == builder.bytes());
    }
  }

  void plansExactly() {
    Metadata metadata;
    metadata.set("general.architecture", "llama");
    const std::vector<TensorPlan> tensors = {
        {"a", {32, 3}, Format::Q4_0}, {"b", {5}, Format::F32}, {"c", {256}, Format::Q6_K}};
    const auto layout = io::plan_gguf(metadata, tensors);
    QVERIFY(layout.has_value());
    // 24 + (8 + 20 + 4 + 8 + 5) + (8 + 1 + 4 + 16 + 4 + 8) + 2 * (8 + 1 + 4 + 8 + 4 + 8) = 176, padded to
    // 192.
    QCOMPARE(layout->header_bytes, 192ULL);
    QCOMPARE(layout->tensor_bytes, (std::vector<std::uint64_t>{54, 20, 210}));
    QCOMPARE(layout->tensor_offsets, (std::vector<std::uint64_t>{192, 256, 288}));
    QCOMPARE(layout->file_bytes, 512ULL);
    QCOMPARE(io::plan_gguf(Metadata(), {})->file_bytes, 32ULL);
  }

  void refusesImpossiblePlans_data() {
    QTest::addColumn<int>("number");
    QTest::addColumn<QString>("message");
    QTest::newRow("row") << 0 << "t: row length 33 is not a multiple of the block size 32 of Q4_0";
    QTest::newRow("no dimensions") << 1 << "t: the tensor has 0 dimensions";
    QTest::newRow("five dimensions") << 2 << "t: the tensor has 5 dimensions";
    QTest::newRow("overflow") << 3 << "t: the shape has too many elements";
    QTest::newRow("name twice") << 4 << "t: two tensors have this name";
    QTest::newRow("empty name") << 5 << "the name of tensor 0";
    QTest::newRow("long name") << 6 << "the name of tensor 0";
    QTest::newRow("sum") << 7 << "add up to more than a file can hold";
    QTest::newRow("alignment") << 8 << "general.alignment: is 13";
    QTest::newRow("alignment type") << 9 << "general.alignment: has type uint64";
    QTest::newRow("empty key") << 10 << "a key must have";
    QTest::newRow("bool array") << 11 << "k: boolean value is 2";
  }
  void refusesImpossiblePlans() {
    QFETCH(int, number);
    QFETCH(QString, message);
    Metadata metadata;
    std::vector<TensorPlan> plan = one_tensor();
    switch (number) {
      case 0:
        plan = {{"t", {33}, Format::Q4_0}};
        break;
      case 1:
        plan = {{"t", {}, Format::F32}};
        break;
      case 2:
        plan = {{"t", {1, 1, 1, 1, 1}, Format::F32}};
        break;
      case 3:
        plan = {{"t", {1ULL << 32, 1ULL << 32}, Format::F32}};
        break;
      case 4:
        plan.push_back(plan[0]);
        break;
      case 5:
        plan[0].name = "";
        break;
      case 6:
        plan[0].name = std::string(65, 'n');
        break;
      case 7:
        plan = {{"a", {1ULL << 62}, Format::I8}, {"b", {1ULL << 62}, Format::I8}};
        break;
      case 8:
        metadata.set("general.alignment", 13U);
        break;
      case 9:
        metadata.set("general.alignment", std::uint64_t{32});
        break;
      case 10:
        metadata.set("", 1U);
        break;
      case 11:
        metadata.set("k", MetadataArray(io::BoolArray{{2}}));
        break;
    }
    const auto layout = io::plan_gguf(metadata, plan);
    QVERIFY(!layout);
    QVERIFY(layout.error().code == ErrorCode::InvalidArgument);
    const std::string text = layout.error().describe();
    QVERIFY2(QString::fromStdString(text).contains(message), text.c_str());
  }

  void takesDataOnlyInOrder() {
    Metadata metadata;
    const std::vector<TensorPlan> plan = {
        {"a", {8}, Format::F32}, {"zero", {0}, Format::F32}, {"b", {8}, Format::F32}};
    auto created = GgufWriter::create(path("o.gguf"), metadata, plan, false);
    QVERIFY(created.has_value());
    GgufWriter& writer = **created;
    const std::vector<std::byte> data(64);
    QVERIFY(writer.write(2, std::span(data).first(4)).error().code == ErrorCode::InvalidArgument);
    QVERIFY(writer.write(0, std::span(data).first(33)).error().code == ErrorCode::InvalidArgument);
    QVERIFY(writer.finish().error().code == ErrorCode::InvalidArgument);
    QVERIFY(writer.publish().error().code == ErrorCode::InvalidArgument);
    QVERIFY(writer.write(0, std::span(data).first(30)).has_value());
    QVERIFY(writer.write(0, std::span(data).first(2)).has_value());
    QVERIFY(writer.write(0, std::span(data).first(1)).error().code == ErrorCode::InvalidArgument);
    QVERIFY(writer.write(2, std::span(data).first(31)).has_value());
    QVERIFY(QString::fromStdString(writer.finish().error().describe())
                .contains("tensor \"b\" has 31 of 32 bytes"));
    QVERIFY(writer.write(2, std::span(data).first(1)).has_value());
    QVERIFY(writer.write(3, std::span(data).first(1)).error().code == ErrorCode::InvalidArgument);
    QVERIFY(!exists(path("o.gguf")));
    QVERIFY(writer.finish().has_value());
    QVERIFY(io::open_gguf(writer.temporary_path()).has_value());
    QVERIFY(writer.write(2, std::span(data).first(1)).error().code == ErrorCode::InvalidArgument);
    QVERIFY(writer.publish().has_value());
    QVERIFY(writer.publish().error().code == ErrorCode::InvalidArgument);
    QVERIFY(io::open_gguf(path("o.gguf")).has_value());
  }

  void removesWhatWasNotPublished() {
    for (const bool finished : {false, true}) {
      std::string part;
      {
        auto writer = GgufWriter::create(path("o.gguf"), {}, one_tensor(), false);
        QVERIFY(writer.has_value());
        part = (*writer)->temporary_path();
        QVERIFY(exists(part));
        if (finished) {
          QVERIFY((*writer)->write(0, std::vector<std::byte>(32)).has_value());
          QVERIFY((*writer)->finish().has_value());
        } else {
          // An unfinished file is not mistaken for a model.
          QVERIFY(
              QString::fromStdString(io::open_gguf(part).error().describe()).contains("unfinished output"));
        }
      }
      QVERIFY(!exists(part));
      QVERIFY(!exists(path("o.gguf")));
    }
  }

  void keepsAnExistingTarget() {
    QVERIFY(write_bytes(path("o.gguf"), "precious"));
    QVERIFY(write_bytes(path("a.gguf"), sample_gguf().bytes()));
    QVERIFY(rewrite(path("a.gguf"), path("o.gguf"), false).error().code == ErrorCode::Exists);
    QCOMPARE(read_bytes(path("o.gguf")), std::string("precious"));
    QVERIFY(!exists(path("o.gguf.part")));
    QCOMPARE(::chmod(path("o.gguf").c_str(), 0640), 0);
    QVERIFY(rewrite(path("a.gguf"), path("o.gguf"), true).has_value());
    QVERIFY(read_bytes(path("o.gguf")) == sample_gguf().bytes());
    struct stat status {};
    QCOMPARE(::stat(path("o.gguf").c_str(), &status), 0);
    QCOMPARE(status.st_mode & 0777, mode_t{0640});
  }

  // Appearing after the check at the beginning: the publication itself must not clobber.
  void keepsATargetThatAppearsMeanwhile() {
    auto writer = GgufWriter::create(path("o.gguf"), {}, one_tensor(), false);
    QVERIFY((*writer)->write(0, std::vector<std::byte>(32)).has_value());
    QVERIFY((*writer)->finish().has_value());
    QVERIFY(write_bytes(path("o.gguf"), "precious"));
    QVERIFY((*writer)->publish().error().code == ErrorCode::Exists);
    QCOMPARE(read_bytes(path("o.gguf")), std::string("precious"));
    writer->reset();
    QVERIFY(!exists(path("o.gguf.part")));
  }

  // Writing over the input itself: the input stays readable until the end, and is then the new file.
  void replacesItsOwnInput() {
    const std::string bytes = sample_gguf().bytes();
    QVERIFY(write_bytes(path("a.gguf"), bytes + std::string(64, 'x')));
    QVERIFY(rewrite(path("a.gguf"), path("a.gguf"), true).has_value());
    QVERIFY(read_bytes(path("a.gguf")) == bytes);
  }

  void replacesWhatALinkLeadsTo() {
    QVERIFY(write_bytes(path("a.gguf"), sample_gguf().bytes()));
    QVERIFY(write_bytes(path("real.gguf"), "old"));
    QCOMPARE(::symlink("real.gguf", path("link.gguf").c_str()), 0);
    QVERIFY(rewrite(path("a.gguf"), path("link.gguf"), false).error().code == ErrorCode::Exists);
    QVERIFY(rewrite(path("a.gguf"), path("link.gguf"), true).has_value());
    struct stat status {};
    QCOMPARE(::lstat(path("link.gguf").c_str(), &status), 0);
    QVERIFY(S_ISLNK(status.st_mode));
    QVERIFY(read_bytes(path("real.gguf")) == sample_gguf().bytes());
  }

  void refusesTargetsThatAreNoFiles() {
    const auto create = [](const std::string& target) {
      return GgufWriter::create(target, {}, one_tensor(), true).error().code;
    };
    QCOMPARE(::mkfifo(path("fifo").c_str(), 0600), 0);
    QVERIFY(create(path("fifo")) == ErrorCode::InvalidArgument);
    QVERIFY(create(folder_.path().toStdString()) == ErrorCode::InvalidArgument);
    QVERIFY(create("/dev/null") == ErrorCode::InvalidArgument);
    QVERIFY(create("") == ErrorCode::InvalidArgument);
    QVERIFY(create(path("no such folder") + "/o.gguf") == ErrorCode::NotFound);
    QVERIFY(create("/proc/o.gguf") != ErrorCode::Exists);  // nobody can write there, not even root
    QVERIFY(create(path(std::string(300, 'n').c_str())) == ErrorCode::Io);
  }

  void usesALeftoverOfADeadRun() {
    QVERIFY(write_bytes(path("a.gguf"), sample_gguf().bytes()));
    const std::string part = path("o.gguf.part");
    for (const std::string& leftover :
         {std::string(), std::string("bitlens-unfinished\n") + std::string(100000, 'x'),
          sample_gguf().bytes()}) {
      QVERIFY(write_bytes(part, leftover));
      QVERIFY(rewrite(path("a.gguf"), path("o.gguf"), true).has_value());
      QVERIFY(read_bytes(path("o.gguf")) == sample_gguf().bytes());
      QVERIFY(!exists(part));
    }
  }

  // A browser's unfinished download has the same ending.
  void leavesAForeignPartFileAlone() {
    QVERIFY(write_bytes(path("a.gguf"), sample_gguf().bytes()));
    const std::string part = path("o.gguf.part");
    QVERIFY(write_bytes(part, "GGUF half a download"));
    QVERIFY(rewrite(path("a.gguf"), path("o.gguf"), false).has_value());
    QCOMPARE(read_bytes(part), std::string("GGUF half a download"));
    ::unlink(part.c_str());
    QVERIFY(write_bytes(path("victim"), "victim"));
    QCOMPARE(::symlink("victim", part.c_str()), 0);
    QVERIFY(rewrite(path("a.gguf"), path("o.gguf"), true).has_value());
    QCOMPARE(read_bytes(path("victim")), std::string("victim"));
    QVERIFY(!exists(path("o.gguf.part1")));
  }

  void refusesASecondWriter() {
    const auto first = GgufWriter::create(path("o.gguf"), {}, one_tensor(), false);
    QVERIFY(first.has_value());
    const auto second = GgufWriter::create(path("o.gguf"), {}, one_tensor(), false);
    QVERIFY(!second);
    QVERIFY(second.error().code == ErrorCode::Exists);
    QVERIFY(QString::fromStdString(second.error().describe()).contains("another process is writing"));
    QVERIFY(exists((*first)->temporary_path()));
  }

  void refusesWhatTheDiskCannotHold() {
    const auto created = GgufWriter::create(path("o.gguf"), {}, one_tensor(1ULL << 55), false);
    QVERIFY(!created);
    QVERIFY(created.error().code == ErrorCode::OutOfSpace);
    const QString text = QString::fromStdString(created.error().describe());
    QVERIFY2(text.contains("needs 144115188075855936 bytes"), qPrintable(text));
    QVERIFY2(text.contains("are free"), qPrintable(text));
    QVERIFY(!exists(path("o.gguf.part")));
  }

  void respectsTheFileSizeLimit() {
    const std::string target = path("o.gguf");
    const pid_t child = ::fork();
    if (child == 0) {  // dies of SIGXFSZ if the limit is not seen in advance
      const rlimit limit{4096, 4096};
      ::setrlimit(RLIMIT_FSIZE, &limit);
      const auto created = GgufWriter::create(target, {}, one_tensor(10000), false);
      const bool right = !created && created.error().code == ErrorCode::OutOfSpace &&
                         GgufWriter::create(target, {}, one_tensor(100), false).has_value();
      ::_exit(right ? 0 : 1);
    }
    int status = -1;
    QCOMPARE(::waitpid(child, &status, 0), child);
    QVERIFY2(WIFEXITED(status) && WEXITSTATUS(status) == 0, std::to_string(status).c_str());
    QVERIFY(!exists(target));
  }

  void noticesAPartFileTakenAway() {
    auto writer = GgufWriter::create(path("o.gguf"), {}, one_tensor(), false);
    QVERIFY((*writer)->write(0, std::vector<std::byte>(32)).has_value());
    QVERIFY((*writer)->finish().has_value());
    const std::string part = (*writer)->temporary_path();
    QCOMPARE(::unlink(part.c_str()), 0);
    QVERIFY(write_bytes(part, "somebody else's"));
    QVERIFY((*writer)->publish().error().code == ErrorCode::Changed);
    writer->reset();
    QCOMPARE(read_bytes(part), std::string("somebody else's"));
  }

  // Killed at any moment: the target is the old file or the new one, and the next run is not hindered.
  void killedAtAnyMoment() {
    const std::string target = path("o.gguf");
    const std::string fresh = GgufBuilder().f32("t", {4096}, std::vector<float>(4096, 2)).bytes();
    QVERIFY(write_bytes(path("new.gguf"), fresh));
    int old_seen = 0, new_seen = 0;
    for (int round = 0; round < 60; ++round) {
      QVERIFY(write_bytes(target, "old"));
      const pid_t child = ::fork();
      if (child == 0) {
        const Status done = rewrite(path("new.gguf"), target, true, 512);
        ::_exit(done ? 0 : 1);
      }
      ::usleep(static_cast<useconds_t>(round * 50));
      ::kill(child, SIGKILL);
      int status = 0;
      QCOMPARE(::waitpid(child, &status, 0), child);
      QVERIFY(!WIFEXITED(status) || WEXITSTATUS(status) == 0);
      const std::string found = read_bytes(target);
      QVERIFY(found == "old" || found == fresh);
      ++(found == "old" ? old_seen : new_seen);
    }
    QVERIFY(old_seen > 0);
    QVERIFY(rewrite(path("new.gguf"), target, true).has_value());
    QVERIFY(read_bytes(target) == fresh);
    QVERIFY(!exists(target + ".part") && !exists(target + ".part1"));
  }
};

QTEST_APPLESS_MAIN(TestIoWriter)
#include "tst_io_writer.moc"
