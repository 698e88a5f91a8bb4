#include "views/panels/model_tree.h"

#include <QDragEnterEvent>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QSortFilterProxyModel>
#include <QVBoxLayout>
#include <algorithm>

#include "views/document/document.h"
#include "views/models/tensor_tree_model.h"
#include "views/panels/format_mime.h"
#include "views/text/units.h"

namespace bitlens::views {

TensorTreeView::TensorTreeView(Document& document, QWidget* parent) : QTreeView(parent), document_(document) {
  setObjectName(QStringLiteral("tensorTree"));
  setSelectionMode(ExtendedSelection);
  setUniformRowHeights(true);
  setAlternatingRowColors(true);
  setAcceptDrops(true);
  viewport()->setAcceptDrops(true);
  setDropIndicatorShown(false);
  setDragDropMode(DropOnly);
  setEditTriggers(NoEditTriggers);
  connect(&document_.selection(), &Selection::changed, this, &TensorTreeView::follow_selection);
}

void TensorTreeView::set_models(TensorTreeModel* tensors, QSortFilterProxyModel* proxy) {
  tensors_ = tensors;
  proxy_ = proxy;
  setModel(proxy);
}

std::vector<std::size_t> TensorTreeView::tensors_at(const QModelIndex& proxy_index) const {
  return tensors_->tensors_of(proxy_->mapToSource(proxy_index));
}

std::vector<std::size_t> TensorTreeView::targets_at(const QPoint& position) const {
  const QModelIndex index = indexAt(position);
  if (!index.isValid()) return {};
  if (selectionModel()->isSelected(index) && !document_.selection().tensors().empty())
    return document_.selection().tensors();
  return tensors_at(index);
}

void TensorTreeView::dragEnterEvent(QDragEnterEvent* event) {
  dragMoveEvent(event);
}

void TensorTreeView::dragMoveEvent(QDragMoveEvent* event) {
  QTreeView::dragMoveEvent(event);  // scrolls near the edges, opens branches
  const auto choice = format_in(event->mimeData());
  if (!choice) return event->ignore();
  const auto tensors = targets_at(event->position().toPoint());
  if (tensors.empty())
    document_.end_preview();
  else
    document_.preview_assign(tensors, *choice);
  event->setDropAction(Qt::CopyAction);
  event->accept();
}

void TensorTreeView::dragLeaveEvent(QDragLeaveEvent* event) {
  QTreeView::dragLeaveEvent(event);
  document_.end_preview();
}

void TensorTreeView::dropEvent(QDropEvent* event) {
  const auto choice = format_in(event->mimeData());
  const auto tensors = targets_at(event->position().toPoint());
  stopAutoScroll();
  setState(NoState);
  document_.end_preview();
  if (!choice || tensors.empty()) return event->ignore();
  document_.assign(tensors, *choice);
  event->setDropAction(Qt::CopyAction);
  event->accept();
}

void TensorTreeView::selectionChanged(const QItemSelection& selected, const QItemSelection& deselected) {
  QTreeView::selectionChanged(selected, deselected);
  if (following_ || !tensors_) return;
  std::vector<std::size_t> tensors;
  for (const QModelIndex& row : selectionModel()->selectedRows()) {
    const auto of_row = tensors_at(row);
    tensors.insert(tensors.end(), of_row.begin(), of_row.end());
  }
  std::optional<std::size_t> current;
  if (currentIndex().isValid())
    if (const auto of_current = tensors_at(currentIndex()); of_current.size() == 1)
      current = of_current.front();
  following_ = true;
  document_.selection().set(std::move(tensors), current);
  following_ = false;
}

void TensorTreeView::follow_selection() {
  if (following_ || !tensors_) return;
  following_ = true;
  QItemSelection rows;
  QModelIndex current;
  for (const std::size_t t : document_.selection().tensors()) {
    const QModelIndex index = proxy_->mapFromSource(tensors_->index_of(t));
    if (!index.isValid()) continue;
    rows.select(index, index.siblingAtColumn(TensorTreeModel::ColumnCount - 1));
    if (document_.selection().current() == t) current = index;
  }
  selectionModel()->select(rows, QItemSelectionModel::ClearAndSelect);
  // One picked cell is shown in the tree; a large selection does not unfold it.
  if (current.isValid() && document_.selection().tensors().size() == 1) {
    selectionModel()->setCurrentIndex(current, QItemSelectionModel::NoUpdate);
    scrollTo(current);
  }
  following_ = false;
}

ModelTree::ModelTree(Document& document, QWidget* parent)
    : QWidget(parent),
      document_(document),
      tensors_(new TensorTreeModel(document, this)),
      proxy_(new QSortFilterProxyModel(this)),
      search_(new QLineEdit(this)),
      view_(new TensorTreeView(document, this)),
      summary_(new QLabel(this)) {
  setObjectName(QStringLiteral("modelTree"));
  search_->setObjectName(QStringLiteral("tensorSearch"));
  search_->setClearButtonEnabled(true);
  summary_->setObjectName(QStringLiteral("modelSummary"));
  summary_->setTextFormat(Qt::PlainText);
  summary_->setWordWrap(true);
  proxy_->setSourceModel(tensors_);
  proxy_->setRecursiveFilteringEnabled(true);
  proxy_->setAutoAcceptChildRows(true);
  proxy_->setFilterCaseSensitivity(Qt::CaseInsensitive);
  view_->set_models(tensors_, proxy_);
  view_->header()->setStretchLastSection(false);
  view_->header()->setSectionResizeMode(TensorTreeModel::Name, QHeaderView::Stretch);
  for (const int column : {TensorTreeModel::Precision, TensorTreeModel::Shape, TensorTreeModel::Bytes})
    view_->header()->setSectionResizeMode(column, QHeaderView::ResizeToContents);
  view_->setColumnHidden(TensorTreeModel::Shape, true);
  view_->setIndentation(14);
  auto* all = new QVBoxLayout(this);
  all->setContentsMargins(8, 6, 4, 8);
  all->addWidget(summary_);
  all->addWidget(search_);
  all->addWidget(view_, 1);
  connect(search_, &QLineEdit::textChanged, this, [this](const QString& text) {
    proxy_->setFilterFixedString(text.trimmed());
    if (text.trimmed().isEmpty())
      view_->collapseAll();
    else
      view_->expandAll();
  });
  // Enter selects everything found.
  connect(search_, &QLineEdit::returnPressed, this, [this] {
    std::vector<std::size_t> found;
    for (int b = 0; b < proxy_->rowCount(); ++b) {
      const QModelIndex branch = proxy_->index(b, 0);
      for (int r = 0; r < proxy_->rowCount(branch); ++r) {
        const auto tensors = view_->tensors_at(proxy_->index(r, 0, branch));
        found.insert(found.end(), tensors.begin(), tensors.end());
      }
    }
    document_.selection().set(std::move(found), std::nullopt);
  });
  connect(&document_, &Document::state_changed, this, &ModelTree::update_summary);
  connect(&document_, &Document::state_changed, search_, &QLineEdit::clear);
  retranslate();
}

void ModelTree::update_summary() {
  if (!document_.session()) {
    summary_->setText(tr("No model is open."));
    return;
  }
  const model::Summary& s = document_.model().summary();
  QStringList lines;
  QString name = shown(s.name.empty() ? s.architecture : s.name, 80);
  lines << name;
  lines << tr("%1, %2 parameters").arg(shown(s.architecture, 40), count_text(s.parameters));
  QStringList sizes;
  sizes << tr("%n layer(s)", nullptr, static_cast<int>(s.layers));
  if (s.width) sizes << tr("width %1").arg(*s.width);
  if (s.context) sizes << tr("context %1").arg(*s.context);
  lines << sizes.join(QStringLiteral(", "));
  if (!document_.model().llama()) lines << tr("cannot be run: measuring is not possible");
  summary_->setText(lines.join('\n'));
}

void ModelTree::retranslate() {
  search_->setPlaceholderText(tr("Search tensors"));
  search_->setAccessibleName(tr("Search tensors"));
  search_->setToolTip(tr("Part of a tensor's name. Enter selects all that are found."));
  view_->setAccessibleName(tr("Tensors of the model"));
  view_->header()->setAccessibleName(tr("Columns of the tensor tree"));
  update_summary();
}

void ModelTree::changeEvent(QEvent* event) {
  if (event->type() == QEvent::LanguageChange) retranslate();
  QWidget::changeEvent(event);
}

}  // namespace bitlens::views
