#include "views/bridge/entry.h"

#include <QCoreApplication>
#include <QThread>

namespace bitlens::views {

Entry::Entry(const char* what) {
  if (QCoreApplication::instance() && QThread::currentThread() == QCoreApplication::instance()->thread())
    qCritical("engine entry point '%s' called on the window's thread", what);
}

}  // namespace bitlens::views
