// Aligned memory for dense kernels: 64-byte aligned numbers, not initialised, owned, movable. Large ones ask
// for large pages: products walk over more memory than the processor has translations of small pages for.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace bitlens::kernels {

/// Nothing if there is no memory.
[[nodiscard]] void* allocate_numbers(std::size_t bytes);
/// `bytes` as allocated.
void free_numbers(void* memory, std::size_t bytes);

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
      if (count > static_cast<std::size_t>(-1) / 2 / sizeof(T)) return false;
      data_ = {static_cast<T*>(allocate_numbers(count * sizeof(T))), Free{count * sizeof(T)}};
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
  struct Free {
    std::size_t bytes = 0;
    void operator()(T* data) const { free_numbers(data, bytes); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0, capacity_ = 0;
};

using FloatBuffer = Buffer<float>;

}  // namespace bitlens::kernels
