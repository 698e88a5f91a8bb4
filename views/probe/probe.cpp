#include "views/probe/probe.h"

#include <QAbstractButton>
#include <QApplication>
#include <QComboBox>
#include <QHeaderView>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QLineEdit>
#include <QSaveFile>
#include <QSpinBox>

#include "views/bridge/engine.h"
#include "views/document/document.h"
#include "views/models/map_model.h"
#include "views/panels/chip.h"
#include "views/panels/map_view.h"
#include "views/panels/model_tree.h"
#include "views/text/units.h"

namespace bitlens::views {

namespace {

QJsonArray rect_of(const QWidget& widget, const QRect& local) {
  const double ratio = widget.devicePixelRatioF();
  const QPoint corner = widget.mapToGlobal(local.topLeft());
  return {corner.x() * ratio, corner.y() * ratio, local.width() * ratio, local.height() * ratio};
}

bool on_screen(const QWidget& widget, const QRect& local) {
  return widget.isVisible() && widget.visibleRegion().contains(local.center());
}

QJsonArray headers(const QHeaderView& header) {
  QJsonArray out;
  const QWidget& area = *header.viewport();
  for (int i = 0; i < header.count(); ++i) {
    const int start = header.sectionViewportPosition(i), size = header.sectionSize(i);
    const QRect rect = header.orientation() == Qt::Horizontal ? QRect(start, 0, size, area.height())
                                                              : QRect(0, start, area.width(), size);
    out.append(QJsonObject{{"title", header.model()->headerData(i, header.orientation()).toString()},
                           {"rect", rect_of(area, rect)},
                           {"visible", on_screen(area, rect)}});
  }
  return out;
}

QJsonArray cells(const MapView& view, const Document& document) {
  QJsonArray out;
  const auto& map = *static_cast<const MapModel*>(view.model());
  const QWidget& area = *view.viewport();
  for (int row = 0; row < map.rowCount(); ++row)
    for (int column = 0; column < map.columnCount(); ++column) {
      const QModelIndex index = map.index(row, column);
      const int tensor = map.tensor_at(index);
      if (tensor < 0) continue;
      const auto t = static_cast<std::size_t>(tensor);
      const io::TensorInfo& info = document.session()->file().tensors()[t];
      const QRect rect = view.visualRect(index);
      out.append(QJsonObject{{"tensor", shown(info.name)},
                             {"format", shown(kernels::info(document.format_of(t)).name)},
                             {"source", shown(kernels::info(info.format).name)},
                             {"rect", rect_of(area, rect)},
                             {"visible", on_screen(area, rect)},
                             {"selected", view.selectionModel()->isSelected(index)}});
    }
  return out;
}

QJsonArray tree_rows(const TensorTreeView& tree, const Document& document) {
  QJsonArray out;
  for (QModelIndex index = tree.indexAt(QPoint(2, 2)); index.isValid(); index = tree.indexBelow(index)) {
    const QRect rect = tree.visualRect(index);
    if (rect.top() > tree.viewport()->height()) break;
    const auto tensors = tree.tensors_at(index);
    const bool leaf = tensors.size() == 1 && index.parent().isValid();
    out.append(QJsonObject{{"tensor", leaf ? shown(document.session()->file().tensors()[tensors.front()].name)
                                           : index.data().toString()},
                           {"rect", rect_of(*tree.viewport(), rect)}});
  }
  return out;
}

void add_controls(QWidget& top, QJsonObject& buttons, QJsonObject& fields) {
  for (const QWidget* w : top.findChildren<QWidget*>()) {
    if (w->objectName().isEmpty() || w->objectName().startsWith(QStringLiteral("qt_")) || !w->isVisible())
      continue;
    const auto entry = [&](const QString& text) {
      return QJsonObject{{"rect", rect_of(*w, w->rect())}, {"enabled", w->isEnabled()}, {"text", text}};
    };
    if (const auto* button = qobject_cast<const QAbstractButton*>(w))
      buttons[w->objectName()] = entry(button->text());
    else if (const auto* line = qobject_cast<const QLineEdit*>(w))
      fields[w->objectName()] = entry(line->text());
    else if (const auto* spin = qobject_cast<const QAbstractSpinBox*>(w))
      fields[w->objectName()] = entry(spin->text());
    else if (const auto* combo = qobject_cast<const QComboBox*>(w))
      fields[w->objectName()] = entry(combo->currentText());
  }
}

QJsonArray results(const Measurements& measurements) {
  QJsonArray out;
  for (const study::MeasuredResult& r : measurements.results()) {
    QJsonObject row{{"name", shown(r.name)},
                    {"ppl", r.measurement.perplexity.ppl},
                    {"ppl_se", r.measurement.perplexity.ppl_se},
                    {"file_bytes", static_cast<double>(r.file_bytes)},
                    {"recipe", r.recipe.has_value()}};
    if (const auto& c = r.measurement.comparison) {
      row["kl_mean"] = c->kl_mean;
      row["kl_se"] = c->kl_se;
      row["base_ppl"] = c->base.ppl;
    }
    out.append(row);
  }
  return out;
}

}  // namespace

std::unique_ptr<Probe> Probe::from_environment(QMainWindow& window, Document& document) {
  const QString path = qEnvironmentVariable("BITLENS_TEST_PROBE");
  return path.isEmpty() ? nullptr : std::make_unique<Probe>(window, document, path);
}

Probe::Probe(QMainWindow& window, Document& document, QString path)
    : window_(window), document_(document), path_(std::move(path)) {
  timer_.setInterval(100);
  connect(&timer_, &QTimer::timeout, this, &Probe::write);
  timer_.start();
}

QByteArray Probe::snapshot() const {
  static const char* const states[] = {"empty", "opening", "ready", "failed"};
  QJsonObject out{{"title", window_.windowTitle()},
                  {"window", rect_of(window_, window_.rect())},
                  {"device_pixel_ratio", window_.devicePixelRatioF()},
                  {"state", QLatin1String(states[static_cast<int>(document_.state())])}};
  QJsonArray jobs;
  for (const study::JobStatus& job : document_.engine().jobs()) jobs.append(shown(job.title));
  out["idle"] = jobs.isEmpty();
  out["jobs"] = jobs;
  QJsonArray chips;
  for (const Chip* chip : window_.findChildren<Chip*>())
    chips.append(QJsonObject{{"name", shown(choice_name(chip->choice()))},
                             {"key", chip->number()},
                             {"rect", rect_of(*chip, chip->rect())},
                             {"visible", on_screen(*chip, chip->rect())}});
  out["chips"] = chips;
  QWidget* active = QApplication::activeModalWidget();
  QJsonObject buttons, fields;
  add_controls(active ? *active : static_cast<QWidget&>(window_), buttons, fields);
  out["buttons"] = buttons;
  out["fields"] = fields;
  out["dialog"] = active ? active->objectName() : QString();
  const auto* bar = window_.findChild<QWidget*>(QStringLiteral("messageBar"));
  const auto* text = window_.findChild<QLabel*>(QStringLiteral("messageText"));
  out["message"] = bar && bar->isVisible() && text ? text->text() : QString();
  out["results"] = results(document_.measurements());
  if (document_.session()) {
    if (const auto* view = window_.findChild<MapView*>()) {
      out["cells"] = cells(*view, document_);
      out["rows"] = headers(*view->verticalHeader());
      out["columns"] = headers(*view->horizontalHeader());
    }
    if (const auto* tree = window_.findChild<TensorTreeView*>()) out["tree"] = tree_rows(*tree, document_);
    out["recipe"] =
        QJsonDocument::fromJson(QByteArray::fromStdString(quantize::recipe_to_json(document_.recipe())))
            .object();
    QJsonArray selection;
    for (const std::size_t t : document_.selection().tensors())
      selection.append(shown(document_.session()->file().tensors()[t].name));
    out["selection"] = selection;
    if (const ResolvedPtr& resolved = document_.resolved()) {
      QJsonObject sizes{{"file_bytes", static_cast<double>(resolved->file_bytes)},
                        {"bits_per_weight", resolved->bits_per_weight}};
      if (document_.preview())
        sizes["preview_file_bytes"] = static_cast<double>(document_.preview()->file_bytes);
      out["sizes"] = sizes;
    }
  }
  return QJsonDocument(out).toJson(QJsonDocument::Compact);
}

void Probe::write() {
  const QByteArray now = snapshot();
  if (now == last_) return;
  QSaveFile file(path_);
  if (!file.open(QIODevice::WriteOnly)) return;
  file.write(now);
  if (file.commit()) last_ = now;
}

}  // namespace bitlens::views
