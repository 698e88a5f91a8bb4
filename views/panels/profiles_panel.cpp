#include "views/panels/profiles_panel.h"

#include <QEvent>
#include <QTabBar>
#include <QTabWidget>
#include <QVBoxLayout>

#include "views/panels/additivity_page.h"
#include "views/panels/agreement_page.h"
#include "views/panels/groups_page.h"
#include "views/panels/profile_page.h"

namespace bitlens::views {

namespace {
constexpr int kFillEveryMs = 120;
}  // namespace

LazyPage::LazyPage(QWidget* parent) : QWidget(parent) {
  timer_.setSingleShot(true);
  timer_.setInterval(kFillEveryMs);
  connect(&timer_, &QTimer::timeout, this, [this] {
    if (isVisible()) fill();
  });
}

void LazyPage::fill_soon() {
  if (isVisible() && !timer_.isActive()) timer_.start();
}

void LazyPage::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  fill();
}

void LazyPage::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) {
    retranslate();
    fill();
  }
  QWidget::changeEvent(event);
}

ProfilesPanel::ProfilesPanel(Document& document, MapModel& map, QWidget* parent)
    : QWidget(parent), tabs_(new QTabWidget(this)) {
  setObjectName(QStringLiteral("profilesPanel"));
  tabs_->setObjectName(QStringLiteral("profilesTabs"));
  tabs_->setDocumentMode(true);
  tabs_->addTab(new ProfilePage(document, map), QString());
  tabs_->addTab(new AgreementPage(document, map), QString());
  tabs_->addTab(new GroupsPage(document, map), QString());
  tabs_->addTab(new AdditivityPage(document), QString());
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(8, 4, 8, 4);
  all->addWidget(tabs_);
  retranslate();
}

void ProfilesPanel::retranslate() {
  tabs_->setTabText(0, tr("Profiles"));
  tabs_->setTabText(1, tr("Agreement"));
  tabs_->setTabText(2, tr("Groups"));
  tabs_->setTabText(3, tr("Additivity"));
  tabs_->setAccessibleName(tr("Pages of the profiles"));
  tabs_->tabBar()->setAccessibleName(tr("Pages of the profiles"));
}

void ProfilesPanel::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QWidget::changeEvent(event);
}

}  // namespace bitlens::views
