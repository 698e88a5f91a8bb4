// Little-endian reading of a file's header, front to back, through one buffer. The only place where header
// bytes become values: every read is bounded by the bytes left, and after the first read that does not fit
// everything reads as zero and ok() is false.
//
// Reads with pread and not through a mapping: if somebody truncates the file meanwhile, pread returns fewer
// bytes and that is an error like any other; touching a mapped page that has gone would kill the process with
// SIGBUS.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/base/result.h"

namespace bitlens::io {

static_assert(std::endian::native == std::endian::little, "GGUF values are copied as they stand in the file");

class ByteReader {
 public:
  /// Reads [0, end) of the open file `fd`.
  ByteReader(int fd, std::uint64_t end) : fd_(fd), end_(end) {}

  [[nodiscard]] bool ok() const { return state_ == State::Ok; }
  /// True if the file ended before `end` or could not be read, false if a value just did not fit.
  [[nodiscard]] bool lost_data() const { return state_ == State::Lost; }
  /// errno of a failed read, 0 if the file had become shorter.
  [[nodiscard]] int system_error() const { return system_error_; }
  [[nodiscard]] std::uint64_t position() const { return base_ + used_; }
  [[nodiscard]] std::uint64_t remaining() const { return end_ - position(); }

  /// An integer or a floating-point number; 0 if it does not fit.
  template <typename T>
  [[nodiscard]] T number() {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
    T value{};
    if (have(sizeof(T))) {
      std::memcpy(&value, buffer_.data() + used_, sizeof(T));
      used_ += sizeof(T);
    }
    return value;
  }

  /// `length` bytes as a string; empty if they do not fit. The caller has bounded `length`.
  [[nodiscard]] std::string text(std::uint64_t length);
  /// Fills `target`; leaves it unspecified if that does not fit.
  void bytes(std::span<std::byte> target);

 private:
  enum class State { Ok, Ended, Lost };

  /// Makes `count` (at most the buffer's size) bytes available at buffer_[used_].
  [[nodiscard]] bool have(std::size_t count) { return filled_ - used_ >= count ? ok() : refill(count); }
  [[nodiscard]] bool refill(std::size_t count);
  bool stop(State state, int error = 0);

  static constexpr std::size_t buffer_bytes = 256 * 1024;

  int fd_;
  std::uint64_t end_;
  std::uint64_t base_ = 0;  // file offset of buffer_[0]
  std::vector<std::byte> buffer_;
  std::size_t used_ = 0, filled_ = 0;
  State state_ = State::Ok;
  int system_error_ = 0;
};

}  // namespace bitlens::io
