#include "views/models/compare_model.h"

#include <cmath>

#include "views/bridge/entry.h"
#include "views/bridge/side_worker.h"
#include "views/document/document.h"
#include "views/text/units.h"

namespace bitlens::views {

CompareModel::CompareModel(Document& document, QObject* parent)
    : QAbstractTableModel(parent), document_(document) {
  connect(&document_.measurements(), &Measurements::results_changed, this, [this] {
    beginResetModel();
    predicted_.clear();
    endResetModel();
    predict_rows();
  });
  connect(&document_.sensitivity(), &Sensitivity::cells_changed, this, &CompareModel::predict_rows);
}

/// What is known of the cells says what each row's recipe should have cost.
void CompareModel::predict_rows() {
  const SensitivityPtr& known = document_.sensitivity().known();
  const auto& results = document_.measurements().results();
  if (!known || results.empty()) {
    predicted_.clear();
    return;
  }
  struct Row {
    std::optional<quantize::Recipe> recipe;
    quantize::Quantizer quantizer = quantize::Quantizer::Search;
  };
  std::vector<Row> rows;
  for (const study::MeasuredResult& result : results)
    rows.push_back(
        {result.recipe,
         quantize::quantizer_from_name(result.provenance.quantizer).value_or(quantize::Quantizer::Search)});
  using Predicted = std::vector<std::optional<study::RecipePrediction>>;
  document_.side().ask<Predicted>(
      "predict_rows",
      [known, rows, session = document_.session()] {
        const Entry entry("predict");
        Predicted out;
        for (const Row& row : rows) {
          out.emplace_back();
          if (!row.recipe) continue;
          if (const auto resolved = quantize::resolve(*row.recipe, session->file(), row.quantizer))
            out.back() = predict(known, *resolved);
        }
        return out;
      },
      this,
      [this](Predicted predicted) {
        if (predicted.size() != document_.measurements().results().size()) return;  // rows came or went
        predicted_ = std::move(predicted);
        emit dataChanged(index(0, KlPredicted), index(rowCount() - 1, KlPredicted));
      });
}

const study::RecipePrediction* CompareModel::whole_prediction(std::size_t row) const {
  if (row >= predicted_.size() || !predicted_[row] || !predicted_[row]->missing.empty()) return nullptr;
  return &*predicted_[row];
}

int CompareModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(document_.measurements().results().size());
}

int CompareModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : ColumnCount;
}

QVariant CompareModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  const study::MeasuredResult& r = document_.measurements().results()[static_cast<std::size_t>(index.row())];
  const auto& comparison = r.measurement.comparison;
  const bool number = index.column() != Name && index.column() != TextName && index.column() != Protocol &&
                      index.column() != Activations && index.column() != Products &&
                      index.column() != QuantizerName;
  if (role == Qt::TextAlignmentRole) return int((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
  if (role == Qt::ToolTipRole) {
    QStringList lines{shown(r.name)};
    lines << tr("%n window(s) of %1 tokens, %2 scored", nullptr, static_cast<int>(r.provenance.windows))
                 .arg(r.provenance.context)
                 .arg(count_text(r.provenance.scored_tokens));
    lines << tr("text %1, sha256 %2").arg(shown(r.provenance.text_name), shown(r.provenance.text_sha256, 12));
    if (!r.provenance.base_path.empty()) lines << tr("compared with %1").arg(shown(r.provenance.base_path));
    lines << shown(r.provenance.time) << shown(r.provenance.program + ", " + r.provenance.instruction_set);
    for (const std::string& warning : r.measurement.warnings) lines << shown(warning);
    return lines.join('\n');
  }
  const evaluate::Perplexity& p = r.measurement.perplexity;
  if (role == SortRole) {
    switch (index.column()) {
      case FileBytes:
        return static_cast<qulonglong>(r.file_bytes);
      case Bpw:
        return r.bits_per_weight;
      case Ppl:
        return p.ppl;
      case LnRatio:
        return comparison ? comparison->ln_ratio : -INFINITY;
      case KlMean:
        return comparison ? comparison->kl_mean : -INFINITY;
      case KlPredicted: {
        const auto row = static_cast<std::size_t>(index.row());
        return row < predicted_.size() && predicted_[row] ? predicted_[row]->kl_mean : -INFINITY;
      }
      case KlP99:
        return comparison ? comparison->kl_p99 : -INFINITY;
      case Top1:
        return comparison ? comparison->top1_agreement : 2.0;
      case Seconds:
        return r.measurement.seconds;
      default:
        return data(index, Qt::DisplayRole);
    }
  }
  if (role != Qt::DisplayRole && role != Qt::AccessibleTextRole) return {};
  const QString none = QStringLiteral("—");
  switch (index.column()) {
    case Name:
      return shown(r.name, 120);
    case FileBytes:
      return bytes_text(r.file_bytes);
    case Bpw:
      return bpw_text(r.bits_per_weight);
    case Ppl:
      return value_text(p.ppl, p.ppl_se);
    case LnRatio:
      return comparison ? value_text(comparison->ln_ratio, comparison->ln_ratio_se) : none;
    case KlMean:
      return comparison ? value_text(comparison->kl_mean, comparison->kl_se) : none;
    case KlPredicted: {
      const auto row = static_cast<std::size_t>(index.row());
      if (row >= predicted_.size() || !predicted_[row]) return none;
      const study::RecipePrediction& guess = *predicted_[row];
      const QString text = value_text(guess.kl_mean, guess.kl_se);
      return guess.missing.empty() ? text : tr("%1 and more").arg(text);
    }
    case KlP99:
      return comparison ? number_text(comparison->kl_p99) : none;
    case Top1:
      return comparison ? share_text(comparison->top1_agreement) : none;
    case TextName:
      return shown(r.provenance.text_name, 80);
    case Protocol:
      return QStringLiteral("%1 %2 × %3")
          .arg(shown(r.provenance.protocol))
          .arg(r.provenance.context)
          .arg(r.provenance.windows);
    case Activations:
      return shown(r.provenance.activations);
    case Products:
      return r.measurement.compute == evaluate::Compute::Fast ? tr("fast") : tr("exact");
    case QuantizerName:
      return r.recipe ? shown(r.provenance.quantizer) : none;
    case Seconds:
      return r.measurement.seconds > 0 ? duration_text(r.measurement.seconds) : none;
    default:
      return {};
  }
}

QVariant CompareModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::ToolTipRole) {
    switch (section) {
      case Ppl:
        return tr("perplexity = exp(mean −ln p(next token)), ± its standard error");
      case LnRatio:
        return tr(
            "ln(PPL / PPL of the base): mean difference per token on the same tokens, ± its standard error");
      case KlMean:
        return tr("KL(base ‖ this) per token in nats, over the full distributions, ± its standard error");
      case KlPredicted:
        return tr(
            "the same, predicted from what is known of single tensors (Sensitivity); on its own windows of "
            "the text");
      case KlP99:
        return tr("99th percentile of the KL per token, in nats");
      case Top1:
        return tr("share of tokens where both find the same token most probable");
      case Protocol:
        return tr("protocol, tokens per window × windows");
      default:
        return {};
    }
  }
  if (role != Qt::DisplayRole) return {};
  switch (section) {
    case Name:
      return tr("Recipe");
    case FileBytes:
      return tr("File size");
    case Bpw:
      return tr("bpw");
    case Ppl:
      return tr("PPL");
    case LnRatio:
      return tr("ln PPL ratio");
    case KlMean:
      return tr("KL mean");
    case KlPredicted:
      return tr("KL predicted");
    case KlP99:
      return tr("KL p99");
    case Top1:
      return tr("Same top token");
    case TextName:
      return tr("Text");
    case Protocol:
      return tr("Protocol");
    case Activations:
      return tr("Activations");
    case Products:
      return tr("Products");
    case QuantizerName:
      return tr("Quantizer");
    case Seconds:
      return tr("Time");
    default:
      return {};
  }
}

}  // namespace bitlens::views
