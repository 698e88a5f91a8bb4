// How to find what each tensor costs at each format, and how far the run is.
#pragma once

#include <QWidget>

class QCheckBox;
class QComboBox;
class QFormLayout;
class QLabel;
class QListWidget;
class QProgressBar;
class QPushButton;
class QSpinBox;

namespace bitlens::views {

class Document;

class SensitivityPanel : public QWidget {
  Q_OBJECT
 public:
  explicit SensitivityPanel(Document& document, QWidget* parent = nullptr);
  /// Starts, or goes on with a paused run; with a run under way, nothing.
  void start();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void take_plan();
  void show_plan();
  void fill_texts();
  void update_state();
  void update_progress();
  void save_cells();
  void retranslate();

  Document& document_;
  QFormLayout* form_;
  QComboBox* text_;
  QListWidget* formats_;
  QSpinBox *samples_, *context_, *windows_;
  QCheckBox *measure_, *adaptive_, *scores_;
  QLabel *plan_, *stage_, *found_;
  QProgressBar* progress_;
  QPushButton *start_, *pause_, *cancel_, *save_;
  bool showing_ = false;
};

}  // namespace bitlens::views
