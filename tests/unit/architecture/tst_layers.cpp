// The layer rule, kept true by scanning every #include:
//   kernels <- core <- { app/cli, views <- app/studio }
// kernels knows no core; core knows no Qt and prints nothing; only views/plots sees QCustomPlot; views and
// app reach the engine through core/study and plain value types.
#include <QDirIterator>
#include <QFile>
#include <QRegularExpression>
#include <QTest>

namespace {

struct Include {
  QString file;  // relative to the source root
  int line;
  QString target;  // as written between the delimiters
};

QStringList sources(const QString& folder) {
  QStringList out;
  const QDir root(QStringLiteral(BITLENS_SOURCE_DIR));
  QDirIterator it(root.filePath(folder), {"*.h", "*.cpp"}, QDir::Files, QDirIterator::Subdirectories);
  while (it.hasNext()) out << root.relativeFilePath(it.next());
  return out;
}

QString text_of(const QString& file) {
  QFile f(QDir(QStringLiteral(BITLENS_SOURCE_DIR)).filePath(file));
  return f.open(QIODevice::ReadOnly) ? QString::fromUtf8(f.readAll()) : QString();
}

QList<Include> includes(const QString& folder) {
  static const QRegularExpression pattern(QStringLiteral("^\\s*#\\s*include\\s*[<\"]([^>\"]+)[>\"]"));
  QList<Include> out;
  for (const QString& file : sources(folder)) {
    int number = 0;
    for (const QString& line : text_of(file).split('\n')) {
      ++number;
      if (const auto match = pattern.match(line); match.hasMatch())
        out << Include{file, number, match.captured(1)};
    }
  }
  return out;
}

QString describe(const Include& include) {
  return QStringLiteral("%1:%2 includes %3").arg(include.file).arg(include.line).arg(include.target);
}

bool is_qt(const QString& target) {
  static const QRegularExpression qt(QStringLiteral("^(Q[A-Z]|Qt)|qcustomplot"));
  return qt.match(target).hasMatch();
}

}  // namespace

class LayersTest : public QObject {
  Q_OBJECT
 private slots:
  void scan_finds_the_sources() {
    QVERIFY(sources("kernels").size() > 3);
    QVERIFY(sources("core").size() > 20);
  }

  void kernels_know_only_kernels() {
    for (const Include& i : includes("kernels"))
      QVERIFY2(!is_qt(i.target) && !i.target.startsWith("core/") && !i.target.startsWith("views/") &&
                   !i.target.startsWith("app/"),
               qPrintable(describe(i)));
  }

  void core_knows_no_qt_and_no_views() {
    for (const Include& i : includes("core"))
      QVERIFY2(!is_qt(i.target) && !i.target.startsWith("views/") && !i.target.startsWith("app/"),
               qPrintable(describe(i)));
  }

  void core_and_kernels_print_nothing_and_never_exit() {
    static const QRegularExpression forbidden(QStringLiteral(
        "std::cout|std::cerr|\\bf?printf\\s*\\(|\\bputs\\s*\\(|\\bexit\\s*\\(|\\babort\\s*\\("));
    for (const QString& folder : {QStringLiteral("kernels"), QStringLiteral("core")})
      for (const QString& file : sources(folder)) {
        const auto match = forbidden.match(text_of(file));
        QVERIFY2(!match.hasMatch(), qPrintable(file + ": " + match.captured(0)));
      }
  }

  void only_plots_see_qcustomplot() {
    for (const QString& folder : {QStringLiteral("views"), QStringLiteral("app")})
      for (const Include& i : includes(folder))
        if (i.target.contains("qcustomplot"))
          QVERIFY2(i.file.startsWith("views/plots/"), qPrintable(describe(i)));
  }

  // Views and app may use the study and plain values, not the machinery behind it.
  void views_and_app_use_the_study() {
    static const QStringList machinery = {"core/run/",      "core/export/",       "core/report/",
                                          "core/io/gguf",   "core/base/mapped",   "kernels/dense/",
                                          "kernels/stats/", "core/tokenizer/spm", "core/tokenizer/bpe"};
    for (const QString& folder : {QStringLiteral("views"), QStringLiteral("app")})
      for (const Include& i : includes(folder))
        for (const QString& prefix : machinery)
          QVERIFY2(!i.target.startsWith(prefix), qPrintable(describe(i)));
  }

  void command_line_knows_no_qt() {
    for (const Include& i : includes("app/cli"))
      QVERIFY2(!is_qt(i.target) && !i.target.startsWith("views/"), qPrintable(describe(i)));
  }

  void views_do_not_know_the_app() {
    for (const Include& i : includes("views"))
      QVERIFY2(!i.target.startsWith("app/"), qPrintable(describe(i)));
  }
};

QTEST_APPLESS_MAIN(LayersTest)
#include "tst_layers.moc"
