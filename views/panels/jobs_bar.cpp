#include "views/panels/jobs_bar.h"

#include <QCoreApplication>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QToolButton>
#include <cmath>

#include "views/bridge/engine.h"
#include "views/text/units.h"
#include "views/theme/icons.h"

namespace bitlens::views {

namespace {
struct Tr {
  Q_DECLARE_TR_FUNCTIONS(bitlens::views::Jobs)
};
constexpr int kAppearAfterMs = 250, kVanishAfterMs = 400;
constexpr double kEstimateFromSeconds = 2, kEstimateFromShare = 0.03;
}  // namespace

QString job_title(const std::string& key, const std::string& detail) {
  const QString what = shown(detail, 80);
  if (key == "open") return Tr::tr("Opening %1").arg(what);
  if (key == "tokenize") return Tr::tr("Reading %1").arg(what);
  if (key == "measure") return Tr::tr("Measuring %1").arg(what);
  if (key == "analyze") return Tr::tr("Weight statistics");
  if (key == "sensitivity") return Tr::tr("Sensitivity of %1").arg(what);
  if (key == "loss_places") return Tr::tr("Where %1 costs something").arg(what);
  if (key == "journal") return Tr::tr("Reading what an earlier run found");
  if (key == "grid") return Tr::tr("Quantization grid");
  if (key == "tasks") return Tr::tr("Scoring the tasks of %1").arg(what);
  if (key == "calibrate") return Tr::tr("Layer inputs over %1").arg(what);
  if (key == "importance") return Tr::tr("Reading importance matrix %1").arg(what);
  if (key == "make_importance") return Tr::tr("Making importance matrix %1").arg(what);
  if (key == "export") return Tr::tr("Exporting %1").arg(what);
  if (key == "report") return Tr::tr("Writing report %1").arg(what);
  if (key == "hash") return Tr::tr("Checksum of %1").arg(what);
  return what.isEmpty() ? shown(key) : what;
}

JobsBar::JobsBar(Engine& engine, QWidget* parent)
    : QWidget(parent),
      engine_(engine),
      title_(new QLabel(this)),
      left_(new QLabel(this)),
      waiting_(new QLabel(this)),
      progress_(new QProgressBar(this)),
      pause_(new QToolButton(this)),
      cancel_(new QToolButton(this)) {
  setObjectName(QStringLiteral("jobsBar"));
  title_->setObjectName(QStringLiteral("jobTitle"));
  title_->setTextFormat(Qt::PlainText);
  left_->setObjectName(QStringLiteral("jobTimeLeft"));
  progress_->setObjectName(QStringLiteral("jobProgress"));
  pause_->setObjectName(QStringLiteral("jobPause"));
  cancel_->setObjectName(QStringLiteral("jobCancel"));
  progress_->setRange(0, 1000);
  progress_->setFixedWidth(220);
  progress_->setTextVisible(true);
  for (QToolButton* button : {pause_, cancel_}) {
    button->setAutoRaise(true);
    button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  }
  auto* line = new QHBoxLayout(this);
  line->setContentsMargins(8, 0, 8, 0);
  line->setSpacing(10);
  line->addWidget(title_);
  line->addWidget(progress_);
  line->addWidget(left_);
  line->addWidget(pause_);
  line->addWidget(cancel_);
  line->addWidget(waiting_);
  line->addStretch(1);
  appear_.setSingleShot(true);
  appear_.setInterval(kAppearAfterMs);
  vanish_.setSingleShot(true);
  vanish_.setInterval(kVanishAfterMs);
  connect(&appear_, &QTimer::timeout, this, &JobsBar::show_status);
  connect(&vanish_, &QTimer::timeout, this, &JobsBar::show_status);
  connect(&engine_, &Engine::job_changed, this, &JobsBar::job_changed);
  connect(pause_, &QToolButton::clicked, this, [this] {
    if (status_.state == study::JobState::Paused)
      engine_.resume(status_.id);
    else
      engine_.pause(status_.id);
  });
  connect(cancel_, &QToolButton::clicked, this, [this] { engine_.cancel(status_.id); });
  setMinimumHeight(cancel_->sizeHint().height());
  retranslate();
}

void JobsBar::job_changed(const study::JobStatus& status) {
  using study::JobState;
  if (status.state == JobState::Waiting) {
    if (progress_->isVisible()) show_status();
    return;
  }
  const bool over = status.state == JobState::Finished || status.state == JobState::Failed ||
                    status.state == JobState::Cancelled;
  if (over) {
    if (status.id != status_.id) return;
    active_ = !engine_.jobs().empty();
    appear_.stop();
    if (!active_) vanish_.start();  // the next job often follows at once: no flicker between
    return;
  }
  const bool same = active_ && status.id == status_.id;
  status_ = status;
  active_ = true;
  vanish_.stop();
  if (progress_->isVisible())
    show_status();
  else if (!same && !appear_.isActive())
    appear_.start();
}

void JobsBar::show_status() {
  progress_->setVisible(active_);
  left_->setVisible(active_);
  pause_->setVisible(active_);
  cancel_->setVisible(active_);
  waiting_->setVisible(active_);
  if (!active_) {
    title_->setText(tr("Ready"));
    return;
  }
  const bool paused = status_.state == study::JobState::Paused;
  const QString title = job_title(status_.title, status_.detail);
  title_->setText(paused ? tr("%1 (paused)").arg(title) : title);
  const Progress& p = status_.progress;
  const double share = p.total > 0 ? static_cast<double>(p.done) / static_cast<double>(p.total) : 0;
  progress_->setValue(static_cast<int>(share * 1000));
  progress_->setFormat(p.total > 0 ? share_text(std::floor(share * 100) / 100) : QString());
  const bool estimate =
      status_.seconds_left >= 0 && status_.seconds >= kEstimateFromSeconds && share >= kEstimateFromShare;
  left_->setText(estimate ? tr("%1 left").arg(duration_text(status_.seconds_left)) : QString());
  pause_->setText(paused ? tr("Resume") : tr("Pause"));
  pause_->setIcon(icon(paused ? "resume" : "pause", palette()));
  const int waiting = std::max(0, static_cast<int>(engine_.jobs().size()) - 1);
  waiting_->setText(waiting > 0 ? tr("%n more waiting", nullptr, waiting) : QString());
}

void JobsBar::retranslate() {
  cancel_->setText(tr("Cancel"));
  cancel_->setIcon(icon("cancel", palette()));
  progress_->setAccessibleName(tr("Progress"));
  show_status();
}

void JobsBar::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange || event->type() == QEvent::PaletteChange) retranslate();
  QWidget::changeEvent(event);
}

}  // namespace bitlens::views
