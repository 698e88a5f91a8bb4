#include "views/dialogs/about_dialog.h"

#include <QCoreApplication>
#include <QMessageBox>

#include "core/study/session.h"
#include "views/text/units.h"

namespace bitlens::views {

namespace {
struct Tr {
  Q_DECLARE_TR_FUNCTIONS(bitlens::views::About)
};
}  // namespace

void show_about(QWidget* parent) {
  const study::ProgramInfo info = study::program_info();
  QMessageBox box(QMessageBox::NoIcon, Tr::tr("About Bitlens"), shown(info.version), QMessageBox::Close,
                  parent);
  box.setObjectName(QStringLiteral("aboutBox"));
  box.setTextFormat(Qt::PlainText);
  box.setInformativeText(Tr::tr("Studio for mixed-precision quantization of language models.\nInstruction "
                                "set in use: %1.\nFree software "
                                "under the GNU General Public License, version 3 or later.")
                             .arg(shown(info.instruction_set)));
  box.exec();
}

}  // namespace bitlens::views
