// The importance matrix the encoders use: which file, or none; and making one from the calibration text.
// Measurements, exports and reports take it from here.
#pragma once

#include <QObject>
#include <QString>

#include "core/quantize/importance.h"
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

  /// Reads a file and takes it if it is this model's.
  void use(SessionPtr session, const QString& path);
  void stop_using();
  /// Makes a matrix from a text, writes it to `path` (replacing what is there), then uses it.
  void make(SessionPtr session, TokensPtr text, const evaluate::Options& options, const QString& path);

 signals:
  void changed();
  void made(const QString& path);
  void failed(const bitlens::Error& error);

 private:
  Engine& engine_;
  quantize::ImportancePtr value_;
  quint64 serial_ = 0;  ///< of the last request: what an older one brings comes too late
};

}  // namespace bitlens::views
