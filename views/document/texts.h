// The texts of a study: read and tokenized on the engine thread, listed with what came of it.
#pragma once

#include <QObject>
#include <QString>
#include <optional>
#include <vector>

#include "views/document/snapshots.h"

namespace bitlens::views {

class Engine;

struct TextEntry {
  quint64 id = 0;  ///< stable while the list changes
  study::TextReference reference;
  TextPtr text;      ///< null while it is read, or when it could not be
  TokensPtr tokens;  ///< null until tokenized under the open model
  std::optional<Error> problem;
  bool busy = false;

  [[nodiscard]] QString name() const;
};

class Texts : public QObject {
  Q_OBJECT
 public:
  Texts(Engine& engine, QObject* parent);

  [[nodiscard]] const std::vector<TextEntry>& entries() const { return entries_; }
  /// Adds a file (or "sample", "sample-calibration"); the same file with the same use is not added twice.
  void add(const QString& path, study::TextUse use);
  void remove(std::size_t index);
  void set_use(std::size_t index, study::TextUse use);
  void clear();
  /// Tokenizes everything anew under another model.
  void set_session(SessionPtr session);
  /// Restores a study's list; a file whose hash differs from the study's is listed with a warning.
  void restore(const std::vector<study::TextReference>& references);

  /// The text measurements use: the chosen evaluation text, else the first one that is ready.
  [[nodiscard]] const TextEntry* evaluation() const;
  [[nodiscard]] const TextEntry* calibration() const;
  void choose(std::size_t index);  ///< makes this entry the one its use takes
  [[nodiscard]] bool chosen(std::size_t index) const;

 signals:
  void list_changed();  ///< entries added or removed
  void entry_changed(int index);
  void text_failed(const QString& name, const bitlens::Error& error);

 private:
  void load(quint64 id);
  TextEntry* find(quint64 id, int* index = nullptr);
  [[nodiscard]] const TextEntry* chosen_of(study::TextUse use) const;

  Engine& engine_;
  SessionPtr session_;
  std::vector<TextEntry> entries_;
  quint64 next_id_ = 1;
  quint64 chosen_evaluation_ = 0, chosen_calibration_ = 0;
};

}  // namespace bitlens::views
