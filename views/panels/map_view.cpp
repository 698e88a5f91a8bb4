#include "views/panels/map_view.h"

#include <QDragEnterEvent>
#include <QGuiApplication>
#include <QMouseEvent>
#include <QRubberBand>
#include <algorithm>

#include "views/document/document.h"
#include "views/models/map_model.h"
#include "views/panels/format_mime.h"
#include "views/panels/map_delegate.h"

namespace bitlens::views {

MapHeader::MapHeader(Qt::Orientation orientation, QWidget* parent) : QHeaderView(orientation, parent) {
  setAcceptDrops(true);
  setSectionsClickable(true);
  setHighlightSections(true);
  setDefaultAlignment(Qt::AlignCenter);
  viewport()->setAcceptDrops(true);
}

int MapHeader::section_at(const QPoint& position) const {
  return logicalIndexAt(position);
}

void MapHeader::dragEnterEvent(QDragEnterEvent* event) {
  dragMoveEvent(event);
}

void MapHeader::dragMoveEvent(QDragMoveEvent* event) {
  const auto choice = format_in(event->mimeData());
  const int section = section_at(event->position().toPoint());
  if (!choice || section < 0) {
    emit chip_left();
    event->ignore();
    return;
  }
  emit chip_over(section, *choice);
  event->setDropAction(Qt::CopyAction);
  event->accept();
}

void MapHeader::dragLeaveEvent(QDragLeaveEvent*) {
  emit chip_left();
}

void MapHeader::dropEvent(QDropEvent* event) {
  const auto choice = format_in(event->mimeData());
  const int section = section_at(event->position().toPoint());
  emit chip_left();
  if (!choice || section < 0) return event->ignore();
  emit chip_dropped(section, *choice);
  event->setDropAction(Qt::CopyAction);
  event->accept();
}

MapView::MapView(Document& document, MapModel& model, QWidget* parent)
    : QTableView(parent),
      document_(document),
      map_(model),
      band_(new QRubberBand(QRubberBand::Rectangle, viewport())) {
  setObjectName(QStringLiteral("mapView"));
  auto* columns = new MapHeader(Qt::Horizontal, this);
  auto* rows = new MapHeader(Qt::Vertical, this);
  columns->setObjectName(QStringLiteral("mapColumns"));
  rows->setObjectName(QStringLiteral("mapRows"));
  setHorizontalHeader(columns);
  setVerticalHeader(rows);
  setModel(&map_);
  setItemDelegate(new MapDelegate(*this));
  setShowGrid(false);
  setSelectionMode(ExtendedSelection);
  setSelectionBehavior(SelectItems);
  setEditTriggers(NoEditTriggers);
  setTabKeyNavigation(false);
  setAcceptDrops(true);
  viewport()->setAcceptDrops(true);
  setDropIndicatorShown(false);
  setDragDropMode(DropOnly);
  setHorizontalScrollMode(ScrollPerPixel);
  setVerticalScrollMode(ScrollPerPixel);
  setMouseTracking(true);
  setCornerButtonEnabled(true);
  columns->setMinimumSectionSize(48);
  columns->setSectionResizeMode(QHeaderView::Stretch);
  rows->setSectionResizeMode(QHeaderView::Fixed);

  // A column's header must not take the rows outside the layers with it, which start in the first column.
  disconnect(columns, &QHeaderView::sectionPressed, this, nullptr);
  disconnect(columns, &QHeaderView::sectionEntered, this, nullptr);
  connect(columns, &QHeaderView::sectionPressed, this,
          [this](int column) { select_column(column, QGuiApplication::keyboardModifiers()); });
  connect_header(columns, [this](int section) { return map_.tensors_of_column(section); });
  connect_header(rows, [this](int section) { return map_.tensors_of_row(section); });
  connect(&map_, &QAbstractItemModel::modelReset, this, &MapView::lay_out);
  connect(&map_, &MapModel::metric_changed, this, &MapView::fit_rows);
  connect(&document_.selection(), &Selection::changed, this, &MapView::follow_selection);
  lay_out();
}

void MapView::connect_header(MapHeader* header, const std::function<std::vector<std::size_t>(int)>& tensors) {
  connect(header, &MapHeader::chip_over, this, [this, tensors](int section, quantize::FormatChoice choice) {
    show_target(tensors(section), choice);
  });
  connect(header, &MapHeader::chip_left, this, &MapView::end_target);
  connect(header, &MapHeader::chip_dropped, this,
          [this, tensors](int section, quantize::FormatChoice choice) {
            document_.assign(tensors(section), choice);
          });
}

/// Rows share the height between a readable least and a comfortable most: two lines where an error stands
/// below its value.
void MapView::fit_rows() {
  const int line = fontMetrics().height();
  const int least = line + 8, most = metric_in_nats(map_.metric()) ? 2 * line + 10 : line + 14;
  const int rows = std::max(1, map_.rowCount());
  verticalHeader()->setMinimumSectionSize(least);
  verticalHeader()->setDefaultSectionSize(std::clamp((viewport()->height() - 2) / rows, least, most));
}

void MapView::resizeEvent(QResizeEvent* event) {
  QTableView::resizeEvent(event);
  fit_rows();
}

void MapView::lay_out() {
  fit_rows();
  clearSpans();
  for (int row = 0; row < map_.rowCount(); ++row)
    if (map_.is_global_row(row) && map_.columnCount() > 1) setSpan(row, 0, 1, map_.columnCount());
}

void MapView::select_column(int column, Qt::KeyboardModifiers modifiers) {
  int first = -1, last = -1;
  for (int row = 0; row < map_.rowCount(); ++row) {
    if (map_.is_global_row(row)) continue;
    if (first < 0) first = row;
    last = row;
  }
  if (first < 0) return;
  QItemSelection cells(map_.index(first, column), map_.index(last, column));
  if (modifiers & Qt::ShiftModifier && currentIndex().isValid()) {
    const int from = std::min(currentIndex().column(), column),
              to = std::max(currentIndex().column(), column);
    cells = QItemSelection(map_.index(first, from), map_.index(last, to));
  } else {
    selectionModel()->setCurrentIndex(map_.index(first, column), QItemSelectionModel::NoUpdate);
  }
  selectionModel()->select(cells, modifiers & Qt::ControlModifier ? QItemSelectionModel::Toggle
                                                                  : QItemSelectionModel::ClearAndSelect);
}

bool MapView::is_drop_target(std::size_t tensor) const {
  return std::binary_search(target_.begin(), target_.end(), tensor);
}

std::vector<std::size_t> MapView::targets_at(const QPoint& position) const {
  const int cell = map_.tensor_at(indexAt(position));
  if (cell < 0) return {};
  const auto tensor = static_cast<std::size_t>(cell);
  if (document_.selection().contains(tensor)) return document_.selection().tensors();
  return {tensor};
}

void MapView::show_target(std::vector<std::size_t> tensors, quantize::FormatChoice choice) {
  map_.set_dragged(choice);
  std::sort(tensors.begin(), tensors.end());
  if (tensors.empty())
    document_.end_preview();
  else
    document_.preview_assign(tensors, choice);
  if (tensors == target_) return;
  target_ = std::move(tensors);
  viewport()->update();
}

void MapView::end_target() {
  map_.set_dragged(std::nullopt);
  document_.end_preview();
  target_.clear();
  viewport()->update();
}

void MapView::dragEnterEvent(QDragEnterEvent* event) {
  dragMoveEvent(event);
}

void MapView::dragMoveEvent(QDragMoveEvent* event) {
  QTableView::dragMoveEvent(event);  // scrolls near the edges
  const auto choice = format_in(event->mimeData());
  if (!choice) return event->ignore();
  const auto tensors = targets_at(event->position().toPoint());
  show_target(tensors, *choice);
  // Accepted also between cells, so that the drag goes on; the drop looks again.
  event->setDropAction(Qt::CopyAction);
  event->accept();
}

void MapView::dragLeaveEvent(QDragLeaveEvent* event) {
  QTableView::dragLeaveEvent(event);
  end_target();
}

void MapView::dropEvent(QDropEvent* event) {
  const auto choice = format_in(event->mimeData());
  const auto tensors = targets_at(event->position().toPoint());
  stopAutoScroll();
  setState(NoState);
  end_target();
  if (!choice || tensors.empty()) return event->ignore();
  document_.assign(tensors, *choice);
  event->setDropAction(Qt::CopyAction);
  event->accept();
}

void MapView::mousePressEvent(QMouseEvent* event) {
  band_origin_ = event->position().toPoint();
  QTableView::mousePressEvent(event);
}

void MapView::mouseMoveEvent(QMouseEvent* event) {
  QTableView::mouseMoveEvent(event);
  if (!(event->buttons() & Qt::LeftButton)) return;
  const QPoint now = event->position().toPoint();
  if ((now - band_origin_).manhattanLength() < 8) return;
  band_->setGeometry(QRect(band_origin_, now).normalized());
  band_->show();
}

void MapView::mouseReleaseEvent(QMouseEvent* event) {
  band_->hide();
  QTableView::mouseReleaseEvent(event);
}

void MapView::selectionChanged(const QItemSelection& selected, const QItemSelection& deselected) {
  QTableView::selectionChanged(selected, deselected);
  publish_selection();
}

void MapView::currentChanged(const QModelIndex& current, const QModelIndex& previous) {
  QTableView::currentChanged(current, previous);
  publish_selection();
}

void MapView::publish_selection() {
  if (following_) return;
  std::vector<std::size_t> tensors;
  for (const QModelIndex& index : selectionModel()->selectedIndexes())
    if (const int t = map_.tensor_at(index); t >= 0) tensors.push_back(static_cast<std::size_t>(t));
  std::optional<std::size_t> current;
  if (const int t = map_.tensor_at(currentIndex()); t >= 0) current = static_cast<std::size_t>(t);
  document_.selection().set(std::move(tensors), current);
}

void MapView::follow_selection() {
  const Selection& selection = document_.selection();
  std::vector<std::size_t> shown;
  for (const QModelIndex& index : selectionModel()->selectedIndexes())
    if (const int t = map_.tensor_at(index); t >= 0) shown.push_back(static_cast<std::size_t>(t));
  std::sort(shown.begin(), shown.end());
  if (shown == selection.tensors()) return;
  following_ = true;
  QItemSelection cells;
  for (const std::size_t t : selection.tensors())
    if (const QModelIndex index = map_.index_of(t); index.isValid()) cells.select(index, index);
  selectionModel()->select(cells, QItemSelectionModel::ClearAndSelect);
  if (selection.current())
    if (const QModelIndex index = map_.index_of(*selection.current()); index.isValid()) {
      selectionModel()->setCurrentIndex(index, QItemSelectionModel::NoUpdate);
      scrollTo(index);
    }
  following_ = false;
}

}  // namespace bitlens::views
