// What the map shows, summed up: by layer and module, metric against metric, in groups, and the whole recipe.
#pragma once

#include <QTimer>
#include <QWidget>

class QTabWidget;

namespace bitlens::views {

class Document;
class MapModel;

/// A page that is filled only while it is looked at, and not more often than people can see.
class LazyPage : public QWidget {
  Q_OBJECT
 public:
  explicit LazyPage(QWidget* parent = nullptr);
  void fill_soon();

 protected:
  virtual void fill() = 0;
  virtual void retranslate() = 0;
  void showEvent(QShowEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  QTimer timer_;
};

class ProfilesPanel : public QWidget {
  Q_OBJECT
 public:
  ProfilesPanel(Document& document, MapModel& map, QWidget* parent = nullptr);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  QTabWidget* tabs_;
};

}  // namespace bitlens::views
