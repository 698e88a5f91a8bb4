// How long the window keeps an event waiting while a measurement runs and a chip is dragged over the map.
//
// A helper thread posts a time-stamped event every 2 ms; its age when the window's thread gets to it is the
// latency, which on a busy machine is mostly the scheduler's. What the window itself does is told by the
// processor time its thread spends on one event, whatever else runs: "work", with the worst events by name.
// Meanwhile a chip moves to another cell every 16 ms, as a hand would drag it, so every move resolves the
// recipe anew. Prints one JSON object: times in milliseconds (median, p99, max), the cost of the moves
// themselves, of painting the whole map, and the time to resolve the model's recipe.
//
//   bench_latency MODEL TEXT [SECONDS] [measure|sensitivity]     (offscreen unless QT_QPA_PLATFORM says
//   otherwise)
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
#include <ctime>
#include <nlohmann/json.hpp>
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

/// Milliseconds of processor time this thread has had.
double worked() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

/// Notes what each event costs the window's thread; events sent while another is handled belong to that one.
class WatchedApplication : public QApplication {
 public:
  using QApplication::QApplication;

  struct Handled {
    double milliseconds;
    std::string what;
  };
  std::vector<double> milliseconds;
  std::vector<Handled> slow;  ///< those above kSlow
  bool recording = false;
  static constexpr double kSlow = 4;

  bool notify(QObject* receiver, QEvent* event) override {
    if (!recording || depth_ > 0) return QApplication::notify(receiver, event);
    // The receiver may be gone when its event is handled.
    const std::string what = std::string(receiver->metaObject()->className()) + ' ' +
                             receiver->objectName().toStdString() + ' ' + std::to_string(event->type());
    ++depth_;
    const double begin = worked();
    const bool handled = QApplication::notify(receiver, event);
    const double took = worked() - begin;
    --depth_;
    milliseconds.push_back(took);
    if (took > kSlow) slow.push_back({took, what});
    return handled;
  }

 private:
  int depth_ = 0;
};

double at(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

nlohmann::json spread(const std::vector<double>& values) {
  return {{"count", values.size()},
          {"median", at(values, 0.5)},
          {"p99", at(values, 0.99)},
          {"max", at(values, 1)}};
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
    std::fprintf(stderr, "usage: bench_latency MODEL TEXT [SECONDS] [measure|sensitivity]\n");
    return 2;
  }
  if (qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  QStandardPaths::setTestModeEnabled(true);
  QApplication::setStyle(QStringLiteral("Fusion"));
  WatchedApplication app(argc, argv);
  const bool sensitivity = argc > 4 && std::string_view(argv[4]) == "sensitivity";
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
  if (sensitivity)
    document.find_sensitivity();
  else
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
  catcher.recording = app.recording = true;
  QElapsedTimer run;
  run.start();
  bool busy_throughout = true;
  while (run.elapsed() < seconds * 1000) {
    QCoreApplication::processEvents(QEventLoop::AllEvents | QEventLoop::WaitForMoreEvents);
    busy_throughout = busy_throughout &&
                      (sensitivity ? document.sensitivity().busy() : document.measurements().measuring());
  }
  catcher.recording = app.recording = false;
  hand.stop();
  stop = true;
  pinger.join();
  std::vector<double> repaints;
  for (int i = 0; i < 50; ++i) {
    const double begin = worked();
    view.viewport()->repaint();
    repaints.push_back(worked() - begin);
  }
  std::ranges::sort(app.slow, std::greater{}, &WatchedApplication::Handled::milliseconds);
  nlohmann::json slow = nlohmann::json::array();
  for (std::size_t i = 0; i < std::min<std::size_t>(app.slow.size(), 10); ++i)
    slow.push_back({{"ms", app.slow[i].milliseconds}, {"event", app.slow[i].what}});
  const nlohmann::json figures = {{"job", sensitivity ? "sensitivity" : "measure"},
                                  {"work_ms", spread(app.milliseconds)},
                                  {"slowest_events", slow},
                                  {"latency_ms", spread(catcher.milliseconds)},
                                  {"move_ms", spread(moves)},
                                  {"repaint_map_ms", spread(repaints)},
                                  {"resolve_ms", resolve_ms},
                                  {"tensors", document.session()->file().tensors().size()},
                                  {"busy_throughout", busy_throughout},
                                  {"engine_threads", window.engine().threads()}};
  std::puts(figures.dump(1).c_str());
  window.engine().cancel_all();
  return 0;
}
