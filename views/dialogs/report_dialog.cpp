#include "views/dialogs/report_dialog.h"

#include <QCheckBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "views/bridge/engine.h"
#include "views/bridge/errors.h"
#include "views/dialogs/file_choice.h"
#include "views/document/document.h"
#include "views/text/units.h"

namespace bitlens::views {

ReportDialog::ReportDialog(Document& document, QWidget* parent)
    : QDialog(parent),
      document_(document),
      path_(new QLineEdit(this)),
      calibration_(new QCheckBox(tr("With the layers' &inputs over the calibration text"), this)),
      replace_(new QCheckBox(tr("&Replace the existing file"), this)),
      problem_(new QLabel(this)),
      buttons_(new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this)) {
  setObjectName(QStringLiteral("reportDialog"));
  setWindowTitle(tr("Write report"));
  path_->setObjectName(QStringLiteral("reportPath"));
  path_->setAccessibleName(tr("File to write"));
  calibration_->setObjectName(QStringLiteral("reportCalibration"));
  replace_->setObjectName(QStringLiteral("reportReplace"));
  problem_->setObjectName(QStringLiteral("reportProblem"));
  problem_->setTextFormat(Qt::PlainText);
  problem_->setWordWrap(true);
  auto* browse = new QPushButton(tr("Choose…"), this);
  browse->setObjectName(QStringLiteral("reportBrowse"));
  QPushButton* go = buttons_->button(QDialogButtonBox::Ok);
  go->setText(tr("&Write"));
  go->setObjectName(QStringLiteral("reportOk"));
  buttons_->button(QDialogButtonBox::Cancel)->setObjectName(QStringLiteral("reportCancel"));
  auto* about = new QLabel(tr("An HDF5 file with the model's tensors, the recipe, sizes, statistics, "
                              "histograms, the sensitivity of every cell and every measured row "
                              "(%n), each with its units and where it comes from. Opens in h5py and xarray.",
                              nullptr, static_cast<int>(document_.measurements().results().size())),
                           this);
  about->setWordWrap(true);
  auto* line = new QHBoxLayout;
  line->addWidget(path_, 1);
  line->addWidget(browse);
  auto* form = new QFormLayout;
  form->addRow(tr("File"), line);
  auto* all = new QVBoxLayout(this);
  all->addWidget(about);
  all->addLayout(form);
  all->addWidget(calibration_);
  all->addWidget(replace_);
  all->addWidget(problem_);
  all->addStretch(1);
  all->addWidget(buttons_);
  setMinimumWidth(540);
  const QFileInfo source(QString::fromStdString(document_.session()->file().path()));
  const QString folder = QFileInfo(source.path()).isWritable() ? source.path() : QDir::homePath();
  path_->setText(QDir(folder).filePath(source.completeBaseName() + QStringLiteral("-report.h5")));
  const TextEntry* text = document_.texts().calibration();
  calibration_->setEnabled(text && text->tokens && document_.model().llama().has_value());
  calibration_->setChecked(calibration_->isEnabled());
  connect(path_, &QLineEdit::textChanged, this, &ReportDialog::check);
  connect(replace_, &QCheckBox::toggled, this, &ReportDialog::check);
  connect(buttons_, &QDialogButtonBox::accepted, this, &ReportDialog::start);
  connect(buttons_, &QDialogButtonBox::rejected, this, &QDialog::reject);
  connect(browse, &QPushButton::clicked, this, [this] {
    const QString chosen = choose_target(this, tr("Write report"), path_->text(), tr("HDF5 reports (*.h5)"),
                                         QStringLiteral(".h5"), QFileDialog::DontConfirmOverwrite);
    if (!chosen.isEmpty()) path_->setText(chosen);
  });
  check();
}

void ReportDialog::check() {
  const QFileInfo file(path_->text());
  QString problem;
  replace_->setVisible(file.exists());
  if (path_->text().trimmed().isEmpty())
    problem = tr("Give the file a name.");
  else if (!file.absoluteDir().exists())
    problem = tr("The folder does not exist.");
  else if (file.exists() && !replace_->isChecked())
    problem = tr("The file exists already.");
  problem_->setText(problem);
  buttons_->button(QDialogButtonBox::Ok)->setEnabled(problem.isEmpty());
}

void ReportDialog::start() {
  study::ReportRequest request;
  request.session = document_.session();
  request.recipe = document_.effective_recipe();
  request.quantizer = document_.measurements().quantizer();
  request.importance = document_.measurements().importance();
  request.results = document_.measurements().results();
  request.options = document_.measurements().options();
  request.path = QFileInfo(path_->text()).absoluteFilePath().toStdString();
  request.force = replace_->isChecked();
  if (calibration_->isChecked()) request.calibration = document_.texts().calibration()->tokens;
  const study::SweepReport sweeps{document_.sensitivity().results(), true};
  Document* document = &document_;
  const QString name = QFileInfo(path_->text()).fileName();
  struct Done {};
  document_.engine().start<Done>(
      "report", name, Urgency::Asked,
      [request, sweeps](const WorkContext& work) -> Result<Done> {
        const Status written = study::write_report(request, sweeps, work);
        if (!written) return pass(written);
        return Done{};
      },
      document,
      [document, name](const Result<Done>& done) {
        if (done)
          emit document->notice(NoticeKind::Information, tr("Report written: %1").arg(name));
        else if (done.error().code != ErrorCode::Cancelled)
          emit document->notice(NoticeKind::Failure, error_text(done.error()));
      });
  accept();
}

}  // namespace bitlens::views
