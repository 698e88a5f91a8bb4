// Every text has its Chinese, every plural its English forms, and place holders survive translation.
#include <QDirIterator>
#include <QFile>
#include <QProcess>
#include <QRegularExpression>
#include <QSet>
#include <QTemporaryDir>
#include <QTest>
#include <QXmlStreamReader>

namespace {

struct Message {
  QString context, source;
  QStringList translations;
  QString type;
};

QList<Message> messages(const QString& path) {
  QList<Message> out;
  QFile file(path);
  if (!file.open(QIODevice::ReadOnly)) return out;
  QXmlStreamReader xml(&file);
  QString context;
  Message m;
  while (!xml.atEnd()) {
    xml.readNext();
    if (xml.isStartElement() && xml.name() == QLatin1String("name")) context = xml.readElementText();
    if (xml.isStartElement() && xml.name() == QLatin1String("message")) m = {context, {}, {}, {}};
    if (xml.isStartElement() && xml.name() == QLatin1String("source")) m.source = xml.readElementText();
    if (xml.isStartElement() && xml.name() == QLatin1String("translation")) {
      m.type = xml.attributes().value(QLatin1String("type")).toString();
      QString text;
      while (!(xml.isEndElement() && xml.name() == QLatin1String("translation")) && !xml.atEnd()) {
        xml.readNext();
        if (xml.isCharacters()) text += xml.text();
        if (xml.isStartElement() && xml.name() == QLatin1String("numerusform")) {
          m.translations << xml.readElementText();
          text.clear();
        }
      }
      if (m.translations.isEmpty()) m.translations << text;
    }
    if (xml.isEndElement() && xml.name() == QLatin1String("message")) out << m;
  }
  return out;
}

QSet<QString> holders(const QString& text) {
  static const QRegularExpression pattern(QStringLiteral("%[0-9n]"));
  QSet<QString> out;
  for (auto it = pattern.globalMatch(text); it.hasNext();) out.insert(it.next().captured(0));
  return out;
}

QString root() {
  return QStringLiteral(BITLENS_SOURCE_DIR);
}

}  // namespace

class TranslationsTest : public QObject {
  Q_OBJECT
 private slots:
  void chinese_is_complete() {
    const auto all = messages(root() + QStringLiteral("/translations/studio_zh_CN.ts"));
    QVERIFY(all.size() > 300);
    for (const Message& m : all) {
      const QByteArray where = (m.context + QStringLiteral(": ") + m.source).toUtf8();
      QVERIFY2(m.type.isEmpty(), where.constData());
      QCOMPARE(m.translations.size(), 1);
      QVERIFY2(!m.translations[0].trimmed().isEmpty() || m.source.trimmed().isEmpty(), where.constData());
      QVERIFY2(holders(m.translations[0]) == holders(m.source), where.constData());
    }
  }

  void english_plurals_are_complete() {
    const auto all = messages(root() + QStringLiteral("/translations/studio_en.ts"));
    QVERIFY(all.size() > 5);
    for (const Message& m : all) {
      QVERIFY2(m.type.isEmpty(), qPrintable(m.source));
      QCOMPARE(m.translations.size(), 2);
      for (const QString& form : m.translations) {
        QVERIFY2(!form.isEmpty() && !form.contains(QStringLiteral("(s)")), qPrintable(m.source));
        QVERIFY2(holders(form) == holders(m.source), qPrintable(m.source));
      }
    }
  }

  // The catalogue holds exactly the texts of the sources.
  void the_catalogue_is_up_to_date() {
    const QString lupdate = QStringLiteral("/usr/lib/qt6/bin/lupdate");
    if (!QFile::exists(lupdate)) QSKIP("needs lupdate (qt6-l10n-tools)");
    QTemporaryDir folder;
    const QString fresh = folder.filePath(QStringLiteral("fresh_zh_CN.ts"));
    QStringList arguments{QStringLiteral("-silent"), QStringLiteral("-I"), root()};
    for (const QString& top : {QStringLiteral("/views"), QStringLiteral("/app/studio")}) {
      QDirIterator it(root() + top, {QStringLiteral("*.cpp"), QStringLiteral("*.h")}, QDir::Files,
                      QDirIterator::Subdirectories);
      while (it.hasNext()) arguments << it.next();
    }
    arguments << QStringLiteral("-ts") << fresh;
    QCOMPARE(QProcess::execute(lupdate, arguments), 0);
    const auto keys = [](const QList<Message>& list) {
      QSet<QString> out;
      for (const Message& m : list) out.insert(m.context + QChar(0) + m.source);
      return out;
    };
    const auto known = keys(messages(root() + QStringLiteral("/translations/studio_zh_CN.ts")));
    const auto now = keys(messages(fresh));
    QVERIFY(now.size() > 300);
    for (const QString& key : now - known) QFAIL(qPrintable(QStringLiteral("not in the catalogue: ") + key));
    for (const QString& key : known - now) QFAIL(qPrintable(QStringLiteral("no longer used: ") + key));
  }
};

QTEST_APPLESS_MAIN(TranslationsTest)
#include "tst_translations.moc"
