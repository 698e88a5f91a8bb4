#include "app/studio/language.h"

#include <QCoreApplication>
#include <QLibraryInfo>

namespace bitlens::studio {

void Language::set(const QString& name) {
  const QString wanted = !name.isEmpty()                                    ? name
                         : QLocale::system().language() == QLocale::Chinese ? QStringLiteral("zh_CN")
                                                                            : QStringLiteral("en");
  if (wanted == name_) return;
  name_ = wanted;
  const QLocale locale(wanted == QLatin1String("zh_CN") ? QLocale(QLocale::Chinese, QLocale::China)
                                                        : QLocale(QLocale::English, QLocale::UnitedStates));
  QLocale::setDefault(locale);
  QCoreApplication::removeTranslator(&own_);
  QCoreApplication::removeTranslator(&qt_);
  // Qt's own texts (dialog buttons) first, so that ours win; both are optional on a bare system.
  if (qt_.load(locale, QStringLiteral("qtbase"), QStringLiteral("_"),
               QLibraryInfo::path(QLibraryInfo::TranslationsPath)))
    QCoreApplication::installTranslator(&qt_);
  if (own_.load(QStringLiteral(":/i18n/studio_%1.qm").arg(wanted)))
    QCoreApplication::installTranslator(&own_);
}

}  // namespace bitlens::studio
