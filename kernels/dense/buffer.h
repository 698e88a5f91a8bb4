// Aligned memory for dense kernels: 64-byte aligned numbers, not initialised, owned, movable.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace bitlens::kernels {

template <typename T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : data_(std::move(other.data_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  /// Room for `count` numbers; what was in the buffer is lost if it has to grow. False: no memory (the buffer
  /// is then empty).
  [[nodiscard]] bool resize(std::size_t count) {
    if (count > capacity_) {
      data_.reset();
      size_ = capacity_ = 0;
      if (count > static_cast<std::size_t>(-1) / sizeof(T) - kAlignment) return false;
      data_.reset(
          static_cast<T*>(::operator new(count * sizeof(T), std::align_val_t{kAlignment}, std::nothrow)));
      if (data_ == nullptr) return false;
      capacity_ = count;
    }
    size_ = count;
    return true;
  }
  [[nodiscard]] T* data() { return data_.get(); }
  [[nodiscard]] const T* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kAlignment = 64;
  struct Delete {
    void operator()(T* data) const { ::operator delete(data, std::align_val_t{kAlignment}); }
  };
  std::unique_ptr<T, Delete> data_;
  std::size_t size_ = 0, capacity_ = 0;
};

using FloatBuffer = Buffer<float>;

}  // namespace bitlens::kernels
