#include "views/dialogs/export_dialog.h"

#include <QCheckBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QStorageInfo>
#include <QVBoxLayout>

#include "views/bridge/engine.h"
#include "views/bridge/errors.h"
#include "views/dialogs/file_choice.h"
#include "views/document/document.h"
#include "views/text/units.h"

namespace bitlens::views {

namespace {

QLabel* plain_label(const char* name, QWidget* parent) {
  auto* label = new QLabel(parent);
  label->setObjectName(QString::fromLatin1(name));
  label->setTextFormat(Qt::PlainText);
  label->setWordWrap(true);
  label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  return label;
}

QString suggested_path(const Document& document) {
  const QFileInfo source(QString::fromStdString(document.session()->file().path()));
  QString name = document.recipe_name();
  for (QChar& c : name)
    if (!c.isLetterOrNumber() && c != QLatin1Char('_') && c != QLatin1Char('-') && c != QLatin1Char('.'))
      c = QLatin1Char('-');
  const QFileInfo folder(source.path());
  const QString where = folder.isWritable() ? source.path() : QDir::homePath();
  return QDir(where).filePath(QStringLiteral("%1-%2.gguf").arg(source.completeBaseName(), name));
}

}  // namespace

ExportDialog::ExportDialog(Document& document, QWidget* parent)
    : QDialog(parent),
      document_(document),
      path_(new QLineEdit(this)),
      browse_(new QPushButton(tr("Choose…"), this)),
      sizes_(plain_label("exportSizes", this)),
      warnings_(plain_label("exportWarnings", this)),
      problem_(plain_label("exportProblem", this)),
      replace_(new QCheckBox(tr("&Replace the existing file"), this)),
      remeasure_(new QCheckBox(tr("Measure the written file on the &evaluation text"), this)),
      buttons_(new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel, this)) {
  setObjectName(QStringLiteral("exportDialog"));
  setWindowTitle(tr("Export model"));
  path_->setObjectName(QStringLiteral("exportPath"));
  path_->setAccessibleName(tr("File to write"));
  browse_->setObjectName(QStringLiteral("exportBrowse"));
  replace_->setObjectName(QStringLiteral("exportReplace"));
  remeasure_->setObjectName(QStringLiteral("exportRemeasure"));
  QPushButton* go = buttons_->button(QDialogButtonBox::Ok);
  go->setText(tr("E&xport"));
  go->setObjectName(QStringLiteral("exportOk"));
  buttons_->button(QDialogButtonBox::Cancel)->setObjectName(QStringLiteral("exportCancel"));
  auto* file_line = new QHBoxLayout;
  file_line->addWidget(path_, 1);
  file_line->addWidget(browse_);
  auto* all = new QVBoxLayout(this);
  auto* form = new QFormLayout;
  form->addRow(tr("File"), file_line);
  form->addRow(tr("Size"), sizes_);
  all->addLayout(form);
  all->addWidget(warnings_);
  all->addWidget(replace_);
  all->addWidget(remeasure_);
  all->addWidget(problem_);
  all->addStretch(1);
  all->addWidget(buttons_);
  setMinimumWidth(560);
  path_->setText(suggested_path(document_));
  path_->selectAll();
  const bool text_ready = document_.texts().evaluation() && document_.texts().evaluation()->tokens &&
                          document_.model().llama().has_value();
  remeasure_->setEnabled(text_ready);
  if (!text_ready) remeasure_->setToolTip(tr("Needs an evaluation text and a model that can be run"));
  connect(path_, &QLineEdit::textChanged, this, &ExportDialog::check);
  connect(replace_, &QCheckBox::toggled, this, &ExportDialog::check);
  connect(&document_, &Document::resolved_changed, this, &ExportDialog::check);
  connect(buttons_, &QDialogButtonBox::accepted, this, &ExportDialog::start);
  connect(buttons_, &QDialogButtonBox::rejected, this, &QDialog::reject);
  connect(browse_, &QPushButton::clicked, this, [this] {
    const QString chosen = choose_target(this, tr("Export model"), path_->text(), tr("GGUF models (*.gguf)"),
                                         QStringLiteral(".gguf"), QFileDialog::DontConfirmOverwrite);
    if (!chosen.isEmpty()) path_->setText(chosen);
  });
  check();
}

void ExportDialog::check() {
  const ResolvedPtr& resolved = document_.resolved();
  QString problem;
  QStringList notes;
  if (document_.recipe_error()) {
    problem = error_text(*document_.recipe_error());
  } else if (!resolved) {
    problem = tr("The recipe is being worked out.");
  } else {
    const QFileInfo file(path_->text());
    const QStorageInfo disk(file.absolutePath());
    sizes_->setText(tr("%1 (%2), %3 bits per weight; free on the disk: %4")
                        .arg(bytes_text(resolved->file_bytes), exact_bytes_text(resolved->file_bytes),
                             bpw_text(resolved->bits_per_weight),
                             disk.isValid() ? bytes_text(static_cast<quint64>(disk.bytesAvailable()))
                                            : QStringLiteral("—")));
    const bool exists = file.exists();
    replace_->setVisible(exists);
    if (path_->text().trimmed().isEmpty())
      problem = tr("Give the file a name.");
    else if (!file.absoluteDir().exists())
      problem = tr("The folder does not exist.");
    else if (exists &&
             file.canonicalFilePath() ==
                 QFileInfo(QString::fromStdString(document_.session()->file().path())).canonicalFilePath())
      problem = tr("This is the open model itself: choose another name.");
    else if (exists && !replace_->isChecked())
      problem = tr("The file exists already.");
    else if (disk.isValid() && disk.bytesAvailable() >= 0 &&
             static_cast<quint64>(disk.bytesAvailable()) < resolved->file_bytes)
      problem = tr("Not enough room on the disk.");
    for (const std::string& warning : resolved->warnings) notes << QStringLiteral("• ") + shown(warning);
    if (const auto& importance = document_.measurements().importance())
      notes << QStringLiteral("• ") + tr("Importance matrix: %1").arg(shown(importance->file, 80));
    if (!document_.changes_anything())
      notes << QStringLiteral("• ") + tr("No tensor changes: the file would be a copy.");
    notes << QStringLiteral("• ") + tr("Read by llama.cpp; by vLLM with its experimental GGUF support.");
  }
  warnings_->setText(notes.join('\n'));
  problem_->setText(problem);
  problem_->setVisible(!problem.isEmpty());
  buttons_->button(QDialogButtonBox::Ok)->setEnabled(problem.isEmpty());
}

void ExportDialog::start() {
  study::ExportRequest request;
  request.session = document_.session();
  request.recipe = document_.named_recipe();
  request.quantizer = document_.measurements().quantizer();
  request.importance = document_.measurements().importance();
  request.path = QFileInfo(path_->text()).absoluteFilePath().toStdString();
  request.force = replace_->isChecked();
  request.options = document_.measurements().options();
  if (remeasure_->isChecked()) request.text = document_.texts().evaluation()->tokens;
  Document* document = &document_;
  document_.engine().start<study::ExportOutcome>(
      "export", QFileInfo(path_->text()).fileName(), Urgency::Asked,
      [request](const WorkContext& work) { return study::export_model(request, work); }, document,
      [document](Result<study::ExportOutcome> outcome) {
        if (!outcome) {
          if (outcome.error().code != ErrorCode::Cancelled)
            emit document->notice(NoticeKind::Failure, error_text(outcome.error()));
          return;
        }
        QString text = tr("Exported %1: %2 in %3.")
                           .arg(shown(outcome->path), exact_bytes_text(outcome->file_bytes),
                                duration_text(outcome->seconds));
        if (outcome->remeasured) {
          const evaluate::Perplexity& p = outcome->remeasured->measurement.perplexity;
          text += QLatin1Char(' ') +
                  tr("Measured from the file: perplexity %1.").arg(value_text(p.ppl, p.ppl_se));
          document->measurements().add(std::move(*outcome->remeasured));
        }
        for (const std::string& warning : outcome->warnings) text += QLatin1Char(' ') + shown(warning);
        emit document->notice(NoticeKind::Information, text);
      });
  accept();
}

}  // namespace bitlens::views
