#include "views/panels/profile_page.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>
#include <algorithm>

#include "views/document/document.h"
#include "views/models/map_model.h"
#include "views/plots/bar_plot.h"
#include "views/text/units.h"

namespace bitlens::views {

ProfilePage::ProfilePage(Document& document, MapModel& map, QWidget* parent)
    : LazyPage(parent),
      document_(document),
      map_(map),
      layers_(new BarPlot(this)),
      modules_(new BarPlot(this)),
      note_(new QLabel(this)) {
  setObjectName(QStringLiteral("profilePage"));
  layers_->setObjectName(QStringLiteral("layerProfile"));
  modules_->setObjectName(QStringLiteral("moduleProfile"));
  note_->setObjectName(QStringLiteral("profileNote"));
  note_->setForegroundRole(QPalette::PlaceholderText);
  note_->setWordWrap(true);
  auto* plots = new QHBoxLayout;
  plots->addWidget(layers_, 3);
  plots->addWidget(modules_, 2);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(0, 4, 0, 0);
  all->addLayout(plots, 1);
  all->addWidget(note_);
  connect(&map_, &MapModel::metric_changed, this, &LazyPage::fill_soon);
  connect(&map_, &QAbstractItemModel::dataChanged, this, &LazyPage::fill_soon);
  connect(&map_, &QAbstractItemModel::modelReset, this, &LazyPage::fill_soon);
  connect(&document_.selection(), &Selection::changed, this, &LazyPage::fill_soon);
  connect(layers_, &BarPlot::bar_clicked, this, [this](int bar) {
    document_.selection().set(by_layer_[static_cast<std::size_t>(bar)].tensors, std::nullopt);
  });
  connect(modules_, &BarPlot::bar_clicked, this, [this](int bar) {
    document_.selection().set(by_module_[static_cast<std::size_t>(bar)].tensors, std::nullopt);
  });
  retranslate();
}

void ProfilePage::fill() {
  by_layer_ = layer_profile(document_, map_.metric(), map_.metric_format());
  by_module_ = module_profile(document_, map_.metric(), map_.metric_format());
  show_profile(*layers_, tr("layer"), by_layer_);
  show_profile(*modules_, tr("module"), by_module_);
  QString note = metric_title(map_.metric());
  if (metric_of_format(map_.metric()))
    note = tr("%1 at %2").arg(note, shown(kernels::info(map_.metric_format()).name));
  if (metric_in_nats(map_.metric())) note += tr(" · hatched: at least one cell only predicted");
  note_->setText(note);
}

void ProfilePage::show_profile(BarPlot& plot, const QString& across,
                               const std::vector<ProfileEntry>& entries) {
  const auto current = document_.selection().current();
  std::vector<Bar> bars;
  for (const ProfileEntry& entry : entries)
    bars.push_back({entry.label, entry.value, entry.error, entry.predicted,
                    current && std::ranges::find(entry.tensors, *current) != entry.tensors.end()});
  const QString unit = metric_unit(map_.metric());
  plot.set_data(across, metric_adds_up(map_.metric()) ? tr("sum (%1)").arg(unit) : tr("mean (%1)").arg(unit),
                bars);
}

void ProfilePage::retranslate() {
  for (BarPlot* plot : {layers_, modules_}) plot->set_empty_text(tr("nothing known of this metric yet"));
}

}  // namespace bitlens::views
