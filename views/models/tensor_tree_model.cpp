#include "views/models/tensor_tree_model.h"

#include <QFont>
#include <map>

#include "views/document/document.h"
#include "views/text/units.h"

namespace bitlens::views {

namespace {
/// Internal id of a branch; a leaf carries its branch's row + 1.
constexpr quintptr kBranch = 0;
}  // namespace

TensorTreeModel::TensorTreeModel(Document& document, QObject* parent)
    : QAbstractItemModel(parent), document_(document) {
  connect(&document_, &Document::state_changed, this, &TensorTreeModel::rebuild);
  connect(&document_, &Document::resolved_changed, this, [this] {
    for (int b = 0; b < rowCount(); ++b) {
      const QModelIndex branch = index(b, 0);
      emit dataChanged(index(0, Precision, branch), index(rowCount(branch) - 1, Bytes, branch));
    }
  });
  rebuild();
}

void TensorTreeModel::rebuild() {
  beginResetModel();
  branches_.clear();
  places_.clear();
  if (document_.session()) {
    const model::Model& model = document_.model();
    std::map<int, std::vector<std::size_t>> by_layer;
    for (std::size_t t = 0; t < model.file().tensors().size(); ++t)
      by_layer[model.role(t).layer].push_back(t);
    places_.resize(model.file().tensors().size());
    for (auto& [layer, tensors] : by_layer) {
      for (std::size_t i = 0; i < tensors.size(); ++i)
        places_[tensors[i]] = {static_cast<int>(branches_.size()), static_cast<int>(i)};
      branches_.push_back({layer, std::move(tensors)});
    }
  }
  endResetModel();
}

QModelIndex TensorTreeModel::index(int row, int column, const QModelIndex& parent) const {
  if (row < 0 || column < 0 || column >= ColumnCount) return {};
  if (!parent.isValid()) return row < rowCount() ? createIndex(row, column, kBranch) : QModelIndex();
  if (parent.internalId() != kBranch || row >= rowCount(parent)) return {};
  return createIndex(row, column, static_cast<quintptr>(parent.row()) + 1);
}

QModelIndex TensorTreeModel::parent(const QModelIndex& index) const {
  if (!index.isValid() || index.internalId() == kBranch) return {};
  return createIndex(static_cast<int>(index.internalId() - 1), 0, kBranch);
}

int TensorTreeModel::rowCount(const QModelIndex& parent) const {
  if (!parent.isValid()) return static_cast<int>(branches_.size());
  if (parent.internalId() != kBranch || parent.column() > 0) return 0;
  return static_cast<int>(branches_[static_cast<std::size_t>(parent.row())].tensors.size());
}

int TensorTreeModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() && (parent.internalId() != kBranch || parent.column() > 0) ? 0 : ColumnCount;
}

std::vector<std::size_t> TensorTreeModel::tensors_of(const QModelIndex& index) const {
  if (!index.isValid()) return {};
  if (index.internalId() == kBranch) return branches_[static_cast<std::size_t>(index.row())].tensors;
  return {branches_[index.internalId() - 1].tensors[static_cast<std::size_t>(index.row())]};
}

QModelIndex TensorTreeModel::index_of(std::size_t tensor) const {
  if (tensor >= places_.size()) return {};
  return index(places_[tensor].second, 0, index(places_[tensor].first, 0));
}

QVariant TensorTreeModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  if (index.internalId() == kBranch) {
    const Branch& branch = branches_[static_cast<std::size_t>(index.row())];
    if (role == TensorRole) return -1;
    if (role != Qt::DisplayRole && role != Qt::AccessibleTextRole) return {};
    if (index.column() == Name)
      return branch.layer < 0 ? tr("Outside the layers") : QStringLiteral("blk.%1").arg(branch.layer);
    if (index.column() != Bytes || !document_.session()) return {};
    quint64 bytes = 0;
    for (const std::size_t t : branch.tensors)
      bytes += document_.resolved() ? document_.resolved()->tensors[t].bytes
                                    : document_.session()->file().tensors()[t].bytes;
    return bytes_text(bytes);
  }
  const std::size_t tensor = tensors_of(index).front();
  if (role == TensorRole) return static_cast<int>(tensor);
  if (!document_.session()) return {};
  const io::TensorInfo& info = document_.session()->file().tensors()[tensor];
  const bool changed = document_.resolved() && document_.resolved()->tensors[tensor].changed;
  if (role == Qt::FontRole && index.column() == Precision && changed) {
    QFont bold;
    bold.setBold(true);
    return bold;
  }
  if (role == Qt::TextAlignmentRole)
    return index.column() == Bytes ? int(Qt::AlignRight | Qt::AlignVCenter)
                                   : int(Qt::AlignLeft | Qt::AlignVCenter);
  if (role == Qt::ToolTipRole)
    return QStringLiteral("%1\n%2\n%3")
        .arg(shown(info.name), shape_text(info.shape), exact_bytes_text(info.bytes));
  if (role != Qt::DisplayRole && role != Qt::AccessibleTextRole) return {};
  switch (index.column()) {
    case Name: {
      const std::string head = "blk." + std::to_string(document_.model().role(tensor).layer) + ".";
      const bool inside = info.name.starts_with(head);
      return shown(inside ? std::string_view(info.name).substr(head.size()) : std::string_view(info.name),
                   120);
    }
    case Precision:
      return shown(kernels::info(document_.format_of(tensor)).name);
    case Shape:
      return shape_text(info.shape);
    case Bytes:
      return bytes_text(document_.resolved() ? document_.resolved()->tensors[tensor].bytes : info.bytes);
    default:
      return {};
  }
}

QVariant TensorTreeModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  switch (section) {
    case Name:
      return tr("Tensor");
    case Precision:
      return tr("Precision");
    case Shape:
      return tr("Shape");
    case Bytes:
      return tr("Size");
    default:
      return {};
  }
}

Qt::ItemFlags TensorTreeModel::flags(const QModelIndex& index) const {
  if (!index.isValid()) return Qt::NoItemFlags;
  return Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsDropEnabled;
}

}  // namespace bitlens::views
