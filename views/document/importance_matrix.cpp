#include "views/document/importance_matrix.h"

#include <QFileInfo>
#include <utility>

#include "core/study/imatrix.h"
#include "views/bridge/engine.h"
#include "views/text/units.h"

namespace bitlens::views {

ImportanceMatrix::ImportanceMatrix(Engine& engine, QObject* parent) : QObject(parent), engine_(engine) {}

QString ImportanceMatrix::name() const {
  return value_ ? shown(value_->file, 80) : QString();
}

std::optional<study::ImatrixReference> ImportanceMatrix::reference() const {
  if (!value_) return std::nullopt;
  return study::ImatrixReference{path_.toStdString(), value_->sha256};
}

void ImportanceMatrix::restore(SessionPtr session, const study::ImatrixReference& reference) {
  use(std::move(session), QString::fromStdString(reference.path));
  expected_ = reference.sha256;
}

void ImportanceMatrix::use(SessionPtr session, const QString& path) {
  expected_.clear();
  const quint64 serial = ++serial_;
  engine_.start<quantize::ImportancePtr>(
      "importance", QFileInfo(path).fileName(), Urgency::Asked,
      [session, path](const WorkContext&) { return study::load_importance(path.toStdString(), *session); },
      this,
      [this, serial, path](Result<quantize::ImportancePtr> loaded) {
        if (serial != serial_) return;
        if (!loaded) {
          emit failed(loaded.error());
          return;
        }
        value_ = std::move(*loaded);
        path_ = QFileInfo(path).absoluteFilePath();
        emit changed();
        const std::string expected = std::exchange(expected_, {});
        if (!expected.empty() && expected != value_->sha256) emit differs(path_);
      });
}

void ImportanceMatrix::stop_using() {
  ++serial_;
  expected_.clear();
  if (!value_) return;
  value_.reset();
  emit changed();
}

void ImportanceMatrix::make(SessionPtr session, TokensPtr text, const evaluate::Options& options,
                            const QString& path) {
  const quint64 serial = ++serial_;
  study::ImatrixRequest request;
  request.session = session;
  request.text = std::move(text);
  request.options = options;
  request.path = path.toStdString();
  request.format = importance::imatrix_format_of(request.path);
  request.force = true;  // the file dialog has asked
  engine_.start<study::ImatrixOutcome>(
      "make_importance", QFileInfo(path).fileName(), Urgency::Asked,
      [request](const WorkContext& work) { return study::make_imatrix(request, work); }, this,
      [this, serial, session, path](const Result<study::ImatrixOutcome>& outcome) {
        if (!outcome) {
          if (outcome.error().code != ErrorCode::Cancelled) emit failed(outcome.error());
          return;
        }
        emit made(path);
        if (serial == serial_) use(session, path);
      });
}

}  // namespace bitlens::views
