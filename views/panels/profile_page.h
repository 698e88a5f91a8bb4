// The map's metric by layer and by module, as bars with error bars.
#pragma once

#include "views/models/profile.h"
#include "views/panels/profiles_panel.h"

class QLabel;

namespace bitlens::views {

class BarPlot;

class ProfilePage : public LazyPage {
  Q_OBJECT
 public:
  ProfilePage(Document& document, MapModel& map, QWidget* parent = nullptr);

 protected:
  void fill() override;
  void retranslate() override;

 private:
  void show_profile(BarPlot& plot, const QString& across, const std::vector<ProfileEntry>& entries);

  Document& document_;
  MapModel& map_;
  BarPlot *layers_, *modules_;
  QLabel* note_;
  std::vector<ProfileEntry> by_layer_, by_module_;
};

}  // namespace bitlens::views
