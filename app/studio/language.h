// The language of the window, switchable at run time: English source texts, Chinese complete.
#pragma once

#include <QLocale>
#include <QString>
#include <QTranslator>

namespace bitlens::studio {

class Language {
 public:
  /// "en", "zh_CN", or empty for the system's.
  void set(const QString& name);
  [[nodiscard]] const QString& name() const { return name_; }

 private:
  QString name_;
  QTranslator own_, qt_;
};

}  // namespace bitlens::studio
