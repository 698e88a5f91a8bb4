// bitlens: the studio.
#include <QApplication>
#include <QCommandLineParser>
#include <QSettings>
#include <QTimer>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "app/studio/main_window.h"
#include "core/study/session.h"
#include "views/probe/probe.h"

namespace {

struct Tr {
  Q_DECLARE_TR_FUNCTIONS(bitlens::studio::Main)
};

QSize size_from(const QString& text) {
  const QStringList parts = text.split(QLatin1Char('x'));
  return parts.size() == 2 ? QSize(parts[0].toInt(), parts[1].toInt()) : QSize();
}

}  // namespace

int main(int argc, char** argv) {
  using namespace bitlens;
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe and a file size limit become errors of the write
  std::signal(SIGXFSZ, SIG_IGN);
  if (const Status known = study::limit_instruction_set(std::getenv(study::kInstructionsVariable)); !known) {
    std::fprintf(stderr, "%s\n", known.error().describe().c_str());
    return 2;
  }
  QApplication::setStyle(QStringLiteral("Fusion"));
  QApplication app(argc, argv);
  QApplication::setApplicationName(QStringLiteral("bitlens"));
  QApplication::setOrganizationName(QStringLiteral("bitlens"));
  QApplication::setApplicationDisplayName(QStringLiteral("Bitlens"));
  QApplication::setApplicationVersion(QString::fromStdString(study::program_info().version));
  QGuiApplication::setDesktopFileName(QStringLiteral("bitlens"));

  QCommandLineParser parser;
  parser.setApplicationDescription(Tr::tr("Studio for mixed-precision quantization of language models."));
  const QCommandLineOption clean(QStringLiteral("clean"),
                                 Tr::tr("Neither read nor write the window's layout and recent files."));
  const QCommandLineOption language(QStringLiteral("lang"), Tr::tr("Language: en or zh_CN."),
                                    QStringLiteral("name"));
  const QCommandLineOption dark(QStringLiteral("dark"), Tr::tr("Dark colours."));
  const QCommandLineOption light(QStringLiteral("light"), Tr::tr("Light colours."));
  const QCommandLineOption geometry(QStringLiteral("geometry"), Tr::tr("Size of the window in pixels."),
                                    QStringLiteral("WxH"));
  const QCommandLineOption threads(QStringLiteral("threads"),
                                   Tr::tr("Threads of the engine (0: one per core)."), QStringLiteral("n"),
                                   QStringLiteral("0"));
  parser.addOptions({clean, language, dark, light, geometry, threads});
  parser.addHelpOption();
  parser.addVersionOption();
  parser.addPositionalArgument(QStringLiteral("file"),
                               Tr::tr("A GGUF model, a .bitlens study, or \"sample\"."),
                               QStringLiteral("[file]"));
  parser.process(app);

  studio::Options options;
  options.clean = parser.isSet(clean);
  options.threads = parser.value(threads).toInt();
  const QString kept_scheme = options.clean ? QString() : QSettings().value("window/scheme").toString();
  options.scheme = parser.isSet(dark)    ? views::Scheme::Dark
                   : parser.isSet(light) ? views::Scheme::Light
                                         : views::scheme_from_name(kept_scheme);
  views::apply_scheme(options.scheme);
  studio::Language tongue;
  tongue.set(parser.isSet(language) ? parser.value(language)
             : options.clean        ? QString()
                                    : QSettings().value("window/language").toString());

  studio::MainWindow window(options, tongue);
  if (const QSize size = size_from(parser.value(geometry)); size.isValid() && !size.isEmpty()) {
    window.setWindowState(Qt::WindowNoState);
    window.resize(size);
  }
  const std::unique_ptr<views::Probe> probe = views::Probe::from_environment(window, window.document());
  window.show();
  if (!options.clean) window.offer_recovery();
  const QStringList files = parser.positionalArguments();
  const bool sample_present = !study::sample_folder().empty();
  // After the first paint: the window is there before the file is read.
  QTimer::singleShot(0, &window, [&window, files, sample_present] {
    if (!files.isEmpty())
      window.open_path(files.front());
    else if (sample_present)
      window.open_path(QStringLiteral("sample"));
  });
  return QApplication::exec();
}
