// What stands in the middle of the window while no model is open: the start page, "opening", and the error
// page.
#pragma once

#include <QStringList>
#include <QWidget>

class QLabel;
class QListWidget;
class QPushButton;

namespace bitlens::views {

class Document;

class StartPage : public QWidget {
  Q_OBJECT
 public:
  explicit StartPage(QWidget* parent = nullptr);
  /// Newest first; files that are gone are greyed, with the reason.
  void set_recent(const QStringList& paths);
  void set_sample_present(bool present);

 signals:
  void open_clicked();
  void sample_clicked();
  void path_chosen(const QString& path);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  QStringList recent_;
  QLabel *title_, *subtitle_, *recent_title_, *hint_, *picture_;
  QPushButton *open_, *sample_;
  QListWidget* list_;
};

class OpeningPage : public QWidget {
  Q_OBJECT
 public:
  explicit OpeningPage(Document& document, QWidget* parent = nullptr);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  Document& document_;
  QLabel* text_;
  QPushButton* cancel_;
};

class ErrorPage : public QWidget {
  Q_OBJECT
 public:
  explicit ErrorPage(Document& document, QWidget* parent = nullptr);

 signals:
  void open_clicked();
  void retry_clicked();
  void start_clicked();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  Document& document_;
  QLabel *title_, *path_, *advice_, *detail_;
  QPushButton *open_, *retry_, *start_;
};

}  // namespace bitlens::views
