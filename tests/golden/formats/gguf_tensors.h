// The tensors of a well-formed GGUF v3 file, for comparing codecs with reference files: just enough of a
// reader to need nothing but the kernels. Not for files one does not trust.
#pragma once

#include <QByteArray>
#include <QFile>
#include <QString>
#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace bitlens::testing {

struct GgufTensor {
  std::uint32_t type = 0;
  std::vector<std::uint64_t> shape;  ///< ggml order: row length first
  const char* data = nullptr;

  [[nodiscard]] std::size_t row_length() const {
    return shape.empty() ? 1 : static_cast<std::size_t>(shape[0]);
  }
  [[nodiscard]] std::size_t count() const {
    std::size_t product = 1;
    for (const auto extent : shape) {
      product *= static_cast<std::size_t>(extent);
    }
    return product;
  }
};

/// Owns the bytes; tensors point into them. Throws std::runtime_error on anything unexpected.
class GgufTensors {
 public:
  explicit GgufTensors(const QString& path) {
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
      throw std::runtime_error("cannot open " + path.toStdString());
    }
    bytes_ = file.readAll();
    if (take<std::uint32_t>() != 0x46554747U || take<std::uint32_t>() != 3U) {
      throw std::runtime_error("not GGUF v3");
    }
    const auto tensor_count = take<std::uint64_t>();
    const auto pair_count = take<std::uint64_t>();
    std::uint64_t alignment = 32;
    for (std::uint64_t i = 0; i < pair_count; ++i) {
      const std::string key = take_string();
      const auto type = take<std::uint32_t>();
      if (key == "general.alignment" && type == 4) {
        alignment = take<std::uint32_t>();
      } else {
        skip_value(type);
      }
    }
    std::vector<std::pair<std::string, std::uint64_t>> offsets;
    for (std::uint64_t i = 0; i < tensor_count; ++i) {
      const std::string name = take_string();
      GgufTensor tensor;
      tensor.shape.resize(take<std::uint32_t>());
      for (auto& extent : tensor.shape) {
        extent = take<std::uint64_t>();
      }
      tensor.type = take<std::uint32_t>();
      offsets.emplace_back(name, take<std::uint64_t>());
      tensors_[name] = tensor;
    }
    const std::uint64_t begin = (position_ + alignment - 1) / alignment * alignment;
    for (const auto& [name, offset] : offsets) {
      tensors_[name].data = bytes_.constData() + begin + offset;
    }
  }

  [[nodiscard]] const std::map<std::string, GgufTensor>& tensors() const { return tensors_; }
  [[nodiscard]] const GgufTensor* find(const std::string& name) const {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : &found->second;
  }

 private:
  template <class T>
  T take() {
    if (position_ + sizeof(T) > static_cast<std::uint64_t>(bytes_.size())) {
      throw std::runtime_error("GGUF header ends early");
    }
    T value{};
    std::memcpy(&value, bytes_.constData() + position_, sizeof(T));
    position_ += sizeof(T);
    return value;
  }
  std::string take_string() {
    std::string text(take<std::uint64_t>(), '\0');
    for (char& c : text) {
      c = take<char>();
    }
    return text;
  }
  void skip_value(std::uint32_t type) {
    static constexpr std::uint64_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (type == 8) {
      take_string();
    } else if (type == 9) {
      const auto element = take<std::uint32_t>();
      const auto length = take<std::uint64_t>();
      for (std::uint64_t i = 0; i < length; ++i) {
        skip_value(element);
      }
    } else {
      position_ += kSizes[type];
    }
  }

  QByteArray bytes_;
  std::uint64_t position_ = 0;
  std::map<std::string, GgufTensor> tensors_;
};

}  // namespace bitlens::testing
