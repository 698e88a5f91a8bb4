#include "views/document/texts.h"

#include <QFileInfo>
#include <algorithm>

#include "views/bridge/engine.h"
#include "views/text/units.h"

namespace bitlens::views {

QString TextEntry::name() const {
  if (text) return shown(text->name, 120);
  return QFileInfo(QString::fromStdString(reference.path)).fileName();
}

Texts::Texts(Engine& engine, QObject* parent) : QObject(parent), engine_(engine) {}

void Texts::add(const QString& path, study::TextUse use) {
  study::TextReference reference{path.toStdString(), {}, use};
  for (const TextEntry& entry : entries_)
    if (entry.reference.path == reference.path && entry.reference.use == use) return;
  TextEntry entry;
  entry.id = next_id_++;
  entry.reference = std::move(reference);
  entries_.push_back(std::move(entry));
  emit list_changed();
  load(entries_.back().id);
}

void Texts::remove(std::size_t index) {
  if (index >= entries_.size()) return;
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index));
  emit list_changed();
}

void Texts::set_use(std::size_t index, study::TextUse use) {
  if (index >= entries_.size() || entries_[index].reference.use == use) return;
  entries_[index].reference.use = use;
  emit entry_changed(static_cast<int>(index));
}

void Texts::clear() {
  entries_.clear();
  emit list_changed();
}

void Texts::set_session(SessionPtr session) {
  session_ = std::move(session);
  std::vector<quint64> ids;
  for (TextEntry& entry : entries_) {
    entry.tokens.reset();
    ids.push_back(entry.id);
  }
  for (const quint64 id : ids) load(id);
}

void Texts::restore(const std::vector<study::TextReference>& references) {
  entries_.clear();
  for (const study::TextReference& reference : references) {
    TextEntry entry;
    entry.id = next_id_++;
    entry.reference = reference;
    entries_.push_back(std::move(entry));
  }
  emit list_changed();
  for (std::size_t i = 0; i < entries_.size(); ++i) load(entries_[i].id);
}

TextEntry* Texts::find(quint64 id, int* index) {
  const auto it =
      std::find_if(entries_.begin(), entries_.end(), [id](const TextEntry& e) { return e.id == id; });
  if (it == entries_.end()) return nullptr;
  if (index) *index = static_cast<int>(it - entries_.begin());
  return &*it;
}

void Texts::load(quint64 id) {
  int index = 0;
  TextEntry* entry = find(id, &index);
  if (!entry) return;
  entry->busy = true;
  entry->problem.reset();
  emit entry_changed(index);
  struct Loaded {
    TextPtr text;
    TokensPtr tokens;
    std::optional<Error> problem;
  };
  engine_.start<Loaded>(
      "tokenize", entry->name(), Urgency::Asked,
      [path = entry->reference.path, text = entry->text,
       session = session_](const WorkContext&) -> Result<Loaded> {
        Loaded loaded{text, nullptr, std::nullopt};
        if (!loaded.text) {
          auto read = study::load_text(path);
          if (!read) return pass(read);
          loaded.text = *read;
        }
        if (session) {
          auto tokens = study::tokenize(*session, loaded.text);
          if (tokens)
            loaded.tokens = *tokens;
          else
            loaded.problem = tokens.error();
        }
        return loaded;
      },
      this,
      [this, id, session = session_](Result<Loaded> loaded) {
        int at = 0;
        TextEntry* done = find(id, &at);
        if (!done || session != session_) return;  // removed, or another model is open by now
        done->busy = false;
        if (loaded) {
          done->text = loaded->text;
          done->tokens = loaded->tokens;
          done->problem = loaded->problem;
          const std::string& known = done->reference.sha256;
          if (!known.empty() && known != done->text->sha256)
            done->problem = Error{ErrorCode::Changed,
                                  "the text differs from the one the study was made with",
                                  {done->reference.path, {}, {}},
                                  nullptr};
          else
            done->reference.sha256 = done->text->sha256;
        } else {
          done->problem = loaded.error();
          if (loaded.error().code != ErrorCode::Cancelled) emit text_failed(done->name(), loaded.error());
        }
        emit entry_changed(at);
      });
}

const TextEntry* Texts::chosen_of(study::TextUse use) const {
  const quint64 wanted = use == study::TextUse::Evaluation ? chosen_evaluation_ : chosen_calibration_;
  const TextEntry* first = nullptr;
  for (const TextEntry& entry : entries_) {
    if (entry.reference.use != use) continue;
    if (entry.id == wanted) return &entry;
    if (!first || (!first->tokens && entry.tokens)) first = &entry;
  }
  return first;
}

const TextEntry* Texts::evaluation() const {
  return chosen_of(study::TextUse::Evaluation);
}
const TextEntry* Texts::calibration() const {
  return chosen_of(study::TextUse::Calibration);
}

void Texts::choose(std::size_t index) {
  if (index >= entries_.size()) return;
  const TextEntry& entry = entries_[index];
  (entry.reference.use == study::TextUse::Evaluation ? chosen_evaluation_ : chosen_calibration_) = entry.id;
  for (std::size_t i = 0; i < entries_.size(); ++i) emit entry_changed(static_cast<int>(i));
}

bool Texts::chosen(std::size_t index) const {
  const TextEntry* entry = chosen_of(entries_[index].reference.use);
  return entry && entry->id == entries_[index].id;
}

}  // namespace bitlens::views
