// How long the window keeps an event waiting while a measurement runs and a chip is dragged over the map.
//
// A helper thread posts a time-stamped event every 2 ms; its age when the window's thread gets to it is the
// latency. Meanwhile a chip moves to another cell every 16 ms, as a hand would drag it, so every move
// resolves the recipe anew. Prints one JSON line: latency in milliseconds (median, p99, max), the cost of the
// moves themselves, and the time to resolve the model's recipe.
//
//   bench_latency MODEL TEXT [SECONDS]     (offscreen unless QT_QPA_PLATFORM says otherwise)
#include <QApplication>
#include <QDragEnterEvent>
#include <QDragMoveEvent>
#include <QElapsedTimer>
#include <QStandardPaths>
#include <QTimer>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include "app/studio/main_window.h"
#include "views/models/map_model.h"
#include "views/panels/format_mime.h"
#include "views/panels/map_panel.h"
#include "views/panels/map_view.h"

namespace {

using Clock = std::chrono::steady_clock;
using namespace bitlens;

class Ping : public QEvent {
 public:
  Ping() : QEvent(static_cast<Type>(QEvent::User + 1)), posted(Clock::now()) {}
  Clock::time_point posted;
};

class Catcher : public QObject {
 public:
  std::vector<double> milliseconds;
  std::atomic<bool> recording = false;

 protected:
  bool event(QEvent* event) override {
    if (event->type() != QEvent::User + 1) return QObject::event(event);
    const std::chrono::duration<double, std::milli> age = Clock::now() - static_cast<Ping*>(event)->posted;
    if (recording) milliseconds.push_back(age.count());
    return true;
  }
};

double at(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

bool wait_for(const std::function<bool()>& met, int seconds) {
  QElapsedTimer timer;
  timer.start();
  while (!met() && timer.elapsed() < seconds * 1000)
    QCoreApplication::processEvents(QEventLoop::WaitForMoreEvents, 20);
  return met();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_latency MODEL TEXT [SECONDS]\n");
    return 2;
  }
  if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  QStandardPaths::setTestModeEnabled(true);
  QApplication::setStyle(QStringLiteral("Fusion"));
  QApplication app(argc, argv);
  studio::Options options;
  options.clean = true;
  studio::Language language;
  language.set(QStringLiteral("en"));
  studio::MainWindow window(options, language);
  window.resize(1400, 860);
  window.show();
  window.open_path(QString::fromLocal8Bit(argv[1]));
  views::Document& document = window.document();
  if (!wait_for([&] { return document.resolved() && window.engine().jobs().empty(); }, 300)) return 1;

  ThreadPool pool(1);
  QElapsedTimer resolving;
  resolving.start();
  constexpr int kResolves = 20;
  for (int i = 0; i < kResolves; ++i)
    (void)quantize::resolve(document.recipe(), document.session()->file(), quantize::Quantizer::Search);
  const double resolve_ms = static_cast<double>(resolving.nsecsElapsed()) / 1e6 / kResolves;

  document.texts().add(QString::fromLocal8Bit(argv[2]), study::TextUse::Evaluation);
  if (!wait_for([&] { return document.measure_obstacle().isEmpty(); }, 120)) return 1;
  document.assign({document.session()->file().find_tensor("blk.0.attn_q.weight").value_or(0)},
                  kernels::Format::Q8_0);
  wait_for([&] { return document.changes_anything(); }, 10);
  document.measure();

  Catcher catcher;
  std::atomic<bool> stop = false;
  std::thread pinger([&] {
    while (!stop) {
      QCoreApplication::postEvent(&catcher, new Ping);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });

  views::MapView& view = window.map_panel().view();
  views::MapModel& map = window.map_panel().map();
  const std::unique_ptr<QMimeData> mime(views::make_format_mime(kernels::Format::Q4_0));
  std::vector<double> moves;
  int step = 0;
  QTimer hand;
  QObject::connect(&hand, &QTimer::timeout, [&] {
    const int rows = map.rowCount(), columns = map.columnCount();
    const QModelIndex cell = map.index(step / columns % rows, step % columns);
    ++step;
    const QPoint where = view.visualRect(cell).center();
    if (!view.viewport()->rect().contains(where)) return;
    const auto begin = Clock::now();
    QDragMoveEvent move(where, Qt::CopyAction, mime.get(), Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(view.viewport(), &move);
    moves.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
  });
  hand.start(16);
  const int seconds = argc > 3 ? std::atoi(argv[3]) : 10;
  catcher.recording = true;
  QElapsedTimer run;
  run.start();
  bool measuring_throughout = true;
  while (run.elapsed() < seconds * 1000) {
    QCoreApplication::processEvents(QEventLoop::AllEvents | QEventLoop::WaitForMoreEvents);
    measuring_throughout = measuring_throughout && document.measurements().measuring();
  }
  catcher.recording = false;
  hand.stop();
  stop = true;
  pinger.join();
  std::printf(
      "{\"events\": %zu, \"latency_ms\": {\"median\": %.3f, \"p99\": %.3f, \"max\": %.3f}, \"moves\": %zu, "
      "\"move_ms\": {\"median\": %.3f, \"p99\": %.3f, \"max\": %.3f}, \"resolve_ms\": %.3f, \"tensors\": "
      "%zu, "
      "\"measuring_throughout\": %s, \"engine_threads\": %d}\n",
      catcher.milliseconds.size(), at(catcher.milliseconds, 0.5), at(catcher.milliseconds, 0.99),
      at(catcher.milliseconds, 1), moves.size(), at(moves, 0.5), at(moves, 0.99), at(moves, 1), resolve_ms,
      document.session()->file().tensors().size(), measuring_throughout ? "true" : "false",
      window.engine().threads());
  window.engine().cancel_all();
  return 0;
}
