// Small files: whole or not at all, and reading that never blocks or runs away.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include "core/base/atomic_file.h"
#include "core/base/posix_file.h"

using namespace bitlens;

class TestBaseFiles : public QObject {
  Q_OBJECT

 private:
  QTemporaryDir folder_;
  std::string path(const char* name) const {
    return folder_.filePath(QString::fromLatin1(name)).toStdString();
  }
  std::string content(const char* name) const {
    return read_file(path(name), 1 << 20).value_or("(unreadable)");
  }
  QStringList names() const {
    return QDir(folder_.path())
        .entryList(QDir::AllEntries | QDir::Hidden | QDir::System | QDir::NoDotAndDotDot);
  }
  static mode_t mode(const std::string& file) {
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
  }

 private slots:
  void init() { folder_ = QTemporaryDir(); }

  void createsAndReplaces() {
    QVERIFY(write_file_atomically(path("f"), "one").has_value());
    QCOMPARE(content("f"), std::string("one"));
    QCOMPARE(::chmod(path("f").c_str(), 0640), 0);
    QVERIFY(write_file_atomically(path("f"), "").has_value());
    QCOMPARE(content("f"), std::string());
    QCOMPARE(mode(path("f")), mode_t{0640});
    QCOMPARE(names(), QStringList{"f"});
    const std::string large(5'000'000, 'x');
    QVERIFY(write_file_atomically(path("f"), large).has_value());
    QCOMPARE(read_file(path("f"), large.size()).value(), large);
  }

  void keepsWhatExists() {
    QVERIFY(write_file_atomically(path("f"), "one", false).has_value());
    QVERIFY(write_file_atomically(path("f"), "two", false).error().code == ErrorCode::Exists);
    QCOMPARE(content("f"), std::string("one"));
    QVERIFY(write_file_atomically(path("part"), "three").has_value());
    QVERIFY(publish_file(path("part"), path("f"), false).error().code == ErrorCode::Exists);
    QCOMPARE(content("f"), std::string("one"));
    QCOMPARE(content("part"), std::string("three"));
    QVERIFY(publish_file(path("part"), path("f"), true).has_value());
    QCOMPARE(content("f"), std::string("three"));
    QVERIFY(publish_file(path("f"), path("g"), false).has_value());
    QCOMPARE(names(), QStringList{"g"});
  }

  void followsLinks() {
    QVERIFY(write_file_atomically(path("real"), "one").has_value());
    QCOMPARE(::symlink("real", path("link").c_str()), 0);
    QVERIFY(write_file_atomically(path("link"), "two").has_value());
    QCOMPARE(content("real"), std::string("two"));
    struct stat status {};
    QVERIFY(::lstat(path("link").c_str(), &status) == 0 && S_ISLNK(status.st_mode));
  }

  void refusesWhatIsNoFile() {
    QCOMPARE(::mkfifo(path("fifo").c_str(), 0600), 0);
    QVERIFY(write_file_atomically(path("fifo"), "x").error().code == ErrorCode::InvalidArgument);
    QVERIFY(write_file_atomically(folder_.path().toStdString(), "x").error().code ==
            ErrorCode::InvalidArgument);
    QVERIFY(write_file_atomically("/dev/null", "x").error().code == ErrorCode::InvalidArgument);
    QVERIFY(write_file_atomically(path("absent/f"), "x").error().code == ErrorCode::NotFound);
    QVERIFY(read_file(path("fifo"), 10).error().code == ErrorCode::InvalidArgument);  // without waiting
    QVERIFY(read_file(folder_.path().toStdString(), 10).error().code == ErrorCode::InvalidArgument);
    QVERIFY(read_file("/dev/zero", 10).error().code == ErrorCode::InvalidArgument);
    QVERIFY(read_file(path("absent"), 10).error().code == ErrorCode::NotFound);
    QVERIFY(!read_file(std::string("a\0b", 3), 10));
    QVERIFY(!read_file("", 10));
    QCOMPARE(names(), QStringList{"fifo"});
  }

  void boundsReading() {
    QVERIFY(write_file_atomically(path("f"), std::string("12345\0"
                                                         "7",
                                                         7))
                .has_value());
    QCOMPARE(read_file(path("f"), 7).value(), std::string("12345\0"
                                                          "7",
                                                          7));
    QVERIFY(read_file(path("f"), 6).error().code == ErrorCode::BadFile);
    // The size says 0, the content is there.
    QVERIFY(!read_file("/proc/self/status", 1 << 20).value().empty());
    QVERIFY(read_file("/proc/self/status", 10).error().code == ErrorCode::BadFile);
  }

  void fullDisk() {
    const UniqueFd full(::open("/dev/full", O_WRONLY));
    QVERIFY(full.valid());
    QVERIFY(!pwrite_full(full.get(), std::as_bytes(std::span("x", 1)), 0));
    const Status failed = fail_errno(errno, "write", "f");
    QVERIFY(failed.error().code == ErrorCode::OutOfSpace);
    QCOMPARE(failed.error().describe(), std::string("f: cannot write: No space left on device"));
  }

  void folders() {
    QCOMPARE(folder_of("a/b/c"), std::string("a/b"));
    QCOMPARE(folder_of("c"), std::string("."));
    QCOMPARE(folder_of("/c"), std::string("/"));
  }

  // The old content or the new one, whenever the process dies.
  void killedAtAnyMoment() {
    const std::string fresh(300'000, 'n');
    for (int round = 0; round < 40; ++round) {
      QVERIFY(write_file_atomically(path("f"), "old").has_value());
      const pid_t child = ::fork();
      if (child == 0) ::_exit(write_file_atomically(path("f"), fresh) ? 0 : 1);
      ::usleep(static_cast<useconds_t>(round * 30));
      ::kill(child, SIGKILL);
      int status = 0;
      QCOMPARE(::waitpid(child, &status, 0), child);
      QVERIFY(!WIFEXITED(status) || WEXITSTATUS(status) == 0);
      const std::string found = content("f");
      QVERIFY(found == "old" || found == fresh);
    }
  }
};

QTEST_APPLESS_MAIN(TestBaseFiles)
#include "tst_base_files.moc"
