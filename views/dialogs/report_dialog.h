// Writes the HDF5 report of the study: what is in it, where it goes.
#pragma once

#include <QDialog>

class QCheckBox;
class QDialogButtonBox;
class QLabel;
class QLineEdit;

namespace bitlens::views {

class Document;

class ReportDialog : public QDialog {
  Q_OBJECT
 public:
  explicit ReportDialog(Document& document, QWidget* parent = nullptr);

 private:
  void check();
  void start();

  Document& document_;
  QLineEdit* path_;
  QCheckBox *calibration_, *replace_;
  QLabel* problem_;
  QDialogButtonBox* buttons_;
};

}  // namespace bitlens::views
