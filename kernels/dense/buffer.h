// Aligned memory for dense kernels: 64-byte aligned floats, not initialised, owned, movable.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace bitlens::kernels {

class FloatBuffer {
 public:
  FloatBuffer() = default;
  FloatBuffer(FloatBuffer&& other) noexcept
      : data_(std::move(other.data_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  FloatBuffer& operator=(FloatBuffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  /// Room for `count` floats; what was in the buffer is lost if it has to grow. False: no memory (the buffer
  /// is then empty).
  [[nodiscard]] bool resize(std::size_t count) {
    if (count > capacity_) {
      data_.reset();
      size_ = capacity_ = 0;
      if (count > static_cast<std::size_t>(-1) / sizeof(float) - kAlignment) return false;
      data_.reset(static_cast<float*>(
          ::operator new(count * sizeof(float), std::align_val_t{kAlignment}, std::nothrow)));
      if (data_ == nullptr) return false;
      capacity_ = count;
    }
    size_ = count;
    return true;
  }
  [[nodiscard]] float* data() { return data_.get(); }
  [[nodiscard]] const float* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kAlignment = 64;
  struct Delete {
    void operator()(float* data) const { ::operator delete(data, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<float, Delete> data_;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace bitlens::kernels
