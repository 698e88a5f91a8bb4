// The importance matrix the encoders use: which file, or none; and making one from the calibration text.
// Measurements, exports and reports take it from here.
#pragma once

#include <QObject>
#include <QString>

#include "core/quantize/importance.h"
#include "core/study/study.h"
#include "views/document/snapshots.h"

namespace bitlens::views {

class Engine;

class ImportanceMatrix : public QObject {
  Q_OBJECT
 public:
  ImportanceMatrix(Engine& engine, QObject* parent);

  /// Null: every column counts the same.
  [[nodiscard]] const quantize::ImportancePtr& value() const { return value_; }
  /// Name of the file in use, without folders.
  [[nodiscard]] QString name() const;

  /// The file in use, for a study; nullopt without one.
  [[nodiscard]] std::optional<study::ImatrixReference> reference() const;
  /// Takes a study's file up again; says so where it is another file now.
  void restore(SessionPtr session, const study::ImatrixReference& reference);
  /// While changed() tells of a restored file.
  [[nodiscard]] bool restoring() const { return !expected_.empty(); }

  /// Reads a file and takes it if it is this model's.
  void use(SessionPtr session, const QString& path);
  void stop_using();
  /// Makes a matrix from a text, writes it to `path` (replacing what is there), then uses it.
  void make(SessionPtr session, TokensPtr text, const evaluate::Options& options, const QString& path);

 signals:
  void changed();
  void made(const QString& path);
  void failed(const bitlens::Error& error);
  /// restore() found a file of other content, and uses it.
  void differs(const QString& path);

 private:
  Engine& engine_;
  quantize::ImportancePtr value_;
  QString path_;          ///< of value_
  std::string expected_;  ///< SHA-256 of the file being restored
  quint64 serial_ = 0;    ///< of the last request: what an older one brings comes too late
};

}  // namespace bitlens::views
