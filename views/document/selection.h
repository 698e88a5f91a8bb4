// Which tensors are selected: one truth for the map, the tree and the inspector.
#pragma once

#include <QObject>
#include <algorithm>
#include <optional>
#include <vector>

namespace bitlens::views {

class Selection : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;

  /// Ascending, without duplicates.
  [[nodiscard]] const std::vector<std::size_t>& tensors() const { return tensors_; }
  /// The one the inspector shows.
  [[nodiscard]] std::optional<std::size_t> current() const { return current_; }
  [[nodiscard]] bool contains(std::size_t tensor) const {
    return std::binary_search(tensors_.begin(), tensors_.end(), tensor);
  }

  void set(std::vector<std::size_t> tensors, std::optional<std::size_t> current) {
    std::sort(tensors.begin(), tensors.end());
    tensors.erase(std::unique(tensors.begin(), tensors.end()), tensors.end());
    if (!current && !tensors.empty()) current = tensors.front();
    if (tensors == tensors_ && current == current_) return;
    tensors_ = std::move(tensors);
    current_ = current;
    emit changed();
  }
  void clear() { set({}, std::nullopt); }

 signals:
  void changed();

 private:
  std::vector<std::size_t> tensors_;
  std::optional<std::size_t> current_;
};

}  // namespace bitlens::views
