// Writes the quantized model, after showing what will happen: exact size, room on the disk, what the result
// can be read by, and every warning.
#pragma once

#include <QDialog>

class QCheckBox;
class QDialogButtonBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace bitlens::views {

class Document;

class ExportDialog : public QDialog {
  Q_OBJECT
 public:
  explicit ExportDialog(Document& document, QWidget* parent = nullptr);

 private:
  void check();
  void start();

  Document& document_;
  QLineEdit* path_;
  QPushButton* browse_;
  QLabel *sizes_, *warnings_, *problem_;
  QCheckBox *replace_, *remeasure_;
  QDialogButtonBox* buttons_;
};

}  // namespace bitlens::views
