// Writing the report: same bytes twice, nothing left behind when refused, text always valid, damage found.
#include <fcntl.h>
#include <unistd.h>

#include <QtTest>

#include "core/report/hdf5_file.h"
#include "core/report/report.h"
#include "sample_report.h"

using namespace bitlens;

namespace {

std::string content(const std::string& path) {
  QFile file(QString::fromStdString(path));
  return file.open(QIODevice::ReadOnly) ? file.readAll().toStdString() : "cannot be read";
}

void write(const std::string& path, const QByteArray& bytes) {
  QFile file(QString::fromStdString(path));
  QVERIFY(file.open(QIODevice::WriteOnly));
  QCOMPARE(file.write(bytes), bytes.size());
}

}  // namespace

class TestReport : public QObject {
  Q_OBJECT
  std::unique_ptr<QTemporaryDir> folder_;
  [[nodiscard]] std::string path(const char* name) const { return folder_->filePath(name).toStdString(); }
  [[nodiscard]] QStringList files() const {
    return QDir(folder_->path()).entryList(QDir::Files | QDir::Hidden);
  }

 private slots:
  void init() { folder_ = std::make_unique<QTemporaryDir>(); }

  void same_input_same_bytes() {
    const auto input = sample_report();
    const auto first = report::write_hdf5(input, path("a.h5"), false);
    QVERIFY2(first.has_value(), first ? "" : first.error().describe().c_str());
    QTest::qSleep(1100);  // object time stamps would have seconds
    QVERIFY(report::write_hdf5(input, path("b.h5"), false).has_value());
    QVERIFY(content(path("a.h5")) == content(path("b.h5")));
    QCOMPARE(files(), (QStringList{"a.h5", "b.h5"}));
  }

  void a_model_alone_is_enough() {
    report::ReportInput input;
    input.model_path = "m.gguf";
    QVERIFY(report::write_hdf5(input, path("a.h5"), false).has_value());
  }

  void an_existing_file_is_kept_unless_overwriting_is_asked_for() {
    write(path("a.h5"), "old");
    const auto refused = report::write_hdf5(sample_report(), path("a.h5"), false);
    QVERIFY(!refused.has_value());
    QVERIFY(refused.error().code == ErrorCode::Exists);
    QCOMPARE(content(path("a.h5")), std::string("old"));
    QVERIFY(report::write_hdf5(sample_report(), path("a.h5"), true).has_value());
    QVERIFY(content(path("a.h5")).substr(1, 3) == "HDF");
    QCOMPARE(files(), QStringList{"a.h5"});
  }

  void never_replaces_the_model() {
    write(path("m.gguf"), "model");
    auto input = sample_report();
    input.model_path = path("m.gguf");
    QCOMPARE(::symlink(input.model_path.c_str(), path("link.h5").c_str()), 0);
    for (const auto& target : {path("m.gguf"), path("./m.gguf"), path("link.h5")}) {
      const auto refused = report::write_hdf5(input, target, true);
      QVERIFY(!refused.has_value());
      QVERIFY(refused.error().code == ErrorCode::InvalidArgument);
    }
    QCOMPARE(content(path("m.gguf")), std::string("model"));
  }

  void refuses_what_does_not_fit_together() {
    auto input = sample_report();
    input.weights.pop_back();
    const auto status = report::write_hdf5(input, path("a.h5"), false);
    QVERIFY(!status.has_value());
    QVERIFY(status.error().code == ErrorCode::InvalidArgument);
    QVERIFY(files().isEmpty());
  }

  void a_folder_that_is_not_there_is_an_error() {
    const auto status = report::write_hdf5(sample_report(), path("missing/a.h5"), false);
    QVERIFY(!status.has_value());
    QVERIFY2(status.error().describe().find("cannot create the file") != std::string::npos,
             status.error().describe().c_str());
    QVERIFY(!report::write_hdf5(sample_report(), folder_->path().toStdString(), true).has_value());
  }

  void text_is_always_valid() {
    QCOMPARE(report::report_text("two\nlines 文"), std::string("two\nlines 文"));
    QCOMPARE(report::report_text(std::string_view("a\xff\0\x1b", 4)), std::string("a\\xFF\\x00\\x1B"));
    QCOMPARE(report::report_text(std::string(5000, 'x')).size(), std::size_t{5000});
  }

  void values_that_do_not_fit_their_dimensions_are_refused() {
    report::Hdf5File file(path("a.h5"));
    file.group("g", {});
    file.dimension("x", std::vector<std::int32_t>{0, 1, 2}, {"x"});
    file.variable("v", {"x"}, std::vector<double>{1, 2}, {"v"});
    const auto status = file.close();
    QVERIFY(!status.has_value());
    QVERIFY(status.error().describe().find("/g/v: 2 values for 3 places") != std::string::npos);
  }

  void empty_dimensions_and_scalars() {
    report::Hdf5File file(path("a.h5"));
    file.group("g", {});
    file.dimension("none", std::vector<std::string>{}, {"nothing"});
    file.variable("v", {"none"}, std::vector<double>{}, {"v"});
    file.variable("s", {}, std::vector<double>{0.5}, {"a scalar"});
    QVERIFY(file.close().has_value());
    QVERIFY(report::verify_hdf5(path("a.h5"), file.written()).has_value());
  }

  void verification_finds_damage() {
    report::Hdf5File file(path("a.h5"));
    file.group("g", {});
    file.dimension("x", std::vector<std::int32_t>{11, 22, 33}, {"x"});
    file.variable("v", {"x"}, std::vector<double>{1234.5678, 2, 3}, {"v"});
    QVERIFY(file.close().has_value());
    QVERIFY(report::verify_hdf5(path("a.h5"), file.written()).has_value());
    auto more = file.written();
    more.push_back({"/g/w", {3}, ""});
    QVERIFY(!report::verify_hdf5(path("a.h5"), more).has_value());

    std::string bytes = content(path("a.h5"));
    const double value = 1234.5678;
    const auto place = bytes.find(std::string(reinterpret_cast<const char*>(&value), sizeof value));
    QVERIFY(place != std::string::npos);
    bytes[place] = static_cast<char>(bytes[place] ^ 1);
    write(path("a.h5"), QByteArray::fromStdString(bytes));
    const auto damaged = report::verify_hdf5(path("a.h5"), file.written());
    QVERIFY(!damaged.has_value());
    QVERIFY2(damaged.error().describe().find("/g/v: verification failed") != std::string::npos,
             damaged.error().describe().c_str());
    write(path("a.h5"), "no report");
    QVERIFY(!report::verify_hdf5(path("a.h5"), file.written()).has_value());
  }
};

QTEST_APPLESS_MAIN(TestReport)
#include "tst_report.moc"
