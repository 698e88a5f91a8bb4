// A second, quiet thread for work that is short but must neither wait behind a long job nor delay the window:
// resolving the recipe under the mouse and autosaving.
#pragma once

#include <QObject>
#include <QPointer>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace bitlens::views {

class SideWorker : public QObject {
  Q_OBJECT
 public:
  explicit SideWorker(QObject* parent = nullptr);
  /// Finishes what was queued (an autosave is not lost), then stops.
  ~SideWorker() override;

  /// Queues `call`. A waiting call with the same non-empty `key` is replaced: only the latest counts.
  void run(const std::string& key, std::function<void()> call);

  /// As run(), and hands `work`'s result to `then` on the window's thread unless `context` is gone.
  template <typename T>
  void ask(const std::string& key, std::function<T()> work, QObject* context, std::function<void(T)> then) {
    run(key, [this, work = std::move(work), then = std::move(then), guard = QPointer<QObject>(context)] {
      auto result = std::make_shared<T>(work());
      QMetaObject::invokeMethod(
          this,
          [guard, then, result] {
            if (guard) then(std::move(*result));
          },
          Qt::QueuedConnection);
    });
  }

 private:
  void loop();

  struct Call {
    std::string key;
    std::function<void()> run;
  };
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Call> calls_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace bitlens::views
