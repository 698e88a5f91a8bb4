#include "views/models/texts_model.h"

#include <QFont>

#include "views/bridge/errors.h"
#include "views/document/document.h"
#include "views/text/units.h"

namespace bitlens::views {

TextsModel::TextsModel(Document& document, QObject* parent)
    : QAbstractTableModel(parent), document_(document) {
  const auto reset = [this] {
    beginResetModel();
    rows_ = static_cast<int>(document_.texts().entries().size());
    endResetModel();
  };
  connect(&document_.texts(), &Texts::list_changed, this, reset);
  connect(&document_.texts(), &Texts::entry_changed, this, [this](int row) {
    if (row < rows_) emit dataChanged(index(row, 0), index(row, ColumnCount - 1));
  });
  connect(&document_.measurements(), &Measurements::options_changed, this, [this] {
    if (rows_ > 0) emit dataChanged(index(0, Windows), index(rows_ - 1, Time));
  });
  const auto estimate = [this] {
    if (rows_ > 0) emit dataChanged(index(0, Time), index(rows_ - 1, Time));
  };
  connect(&document_.measurements(), &Measurements::results_changed, this, estimate);
  connect(&document_, &Document::resolved_changed, this, estimate);
  reset();
}

int TextsModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : rows_;
}
int TextsModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : ColumnCount;
}

QVariant TextsModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rows_) return {};
  const auto row = static_cast<std::size_t>(index.row());
  const TextEntry& entry = document_.texts().entries()[row];
  if (role == Qt::FontRole && document_.texts().chosen(row)) {
    QFont bold;
    bold.setBold(true);
    return bold;
  }
  if (role == Qt::ToolTipRole) {
    if (entry.problem) return error_text(*entry.problem);
    QStringList lines{shown(entry.reference.path)};
    lines << (entry.reference.use == study::TextUse::Evaluation
                  ? tr("Evaluation: perplexity and KL are measured on it")
                  : tr("Calibration: layer inputs are looked at over it"));
    if (entry.text) lines << exact_bytes_text(entry.text->content.size()) << shown(entry.text->sha256);
    return lines.join('\n');
  }
  if (role == Qt::TextAlignmentRole)
    return int((index.column() >= Tokens ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
  if (role != Qt::DisplayRole && role != Qt::AccessibleTextRole) return {};
  const quint64 tokens = entry.tokens ? entry.tokens->tokens.size() : 0;
  switch (index.column()) {
    case Name:
      return entry.name();
    case Use:
      return entry.reference.use == study::TextUse::Evaluation ? tr("eval.") : tr("calib.");
    case Tokens:
      if (entry.problem) return tr("problem");
      return entry.tokens ? count_text(tokens) : entry.busy ? tr("reading") : QStringLiteral("—");
    case Windows:
      return entry.tokens ? count_text(document_.measurements().windows_of(tokens)) : QStringLiteral("—");
    case Time: {
      if (!entry.tokens || !document_.session()) return QStringLiteral("—");
      const Measurements& m = document_.measurements();
      const double seconds =
          m.seconds_for(*document_.session(), m.windows_of(tokens), document_.changes_anything());
      return seconds > 0 ? QStringLiteral("≈ %1").arg(duration_text(seconds)) : QStringLiteral("—");
    }
    default:
      return {};
  }
}

QVariant TextsModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::ToolTipRole) {
    if (section == Tokens) return tr("tokens of the whole text under this model's tokenizer");
    if (section == Windows) return tr("windows the options below cut out of it");
    if (section == Time) return tr("estimated from the last measurement on this machine");
  }
  if (role != Qt::DisplayRole) return {};
  switch (section) {
    case Name:
      return tr("Text");
    case Use:
      return tr("Use");
    case Tokens:
      return tr("Tokens");
    case Windows:
      return tr("Windows");
    case Time:
      return tr("Time");
    default:
      return {};
  }
}

}  // namespace bitlens::views
