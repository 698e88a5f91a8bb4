// Owning handles of HDF5 objects, the library's error messages, and the lock around it.
#pragma once

#include <hdf5.h>

#include <mutex>
#include <string>
#include <utility>

#include "core/base/hash.h"
#include "core/report/hdf5_file.h"

namespace bitlens::report {

/// One HDF5 object; closed by the function that fits its kind.
class Hid {
 public:
  using Closer = herr_t (*)(hid_t);
  Hid() = default;
  Hid(hid_t id, Closer closer) : id_(id), closer_(closer) {}
  Hid(Hid&& other) noexcept : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
  Hid& operator=(Hid&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(closer_, other.closer_);
    return *this;
  }
  ~Hid() {
    if (id_ >= 0) closer_(id_);
  }
  [[nodiscard]] hid_t get() const { return id_; }
  [[nodiscard]] bool valid() const { return id_ >= 0; }
  /// Hands the object over: the caller closes it.
  [[nodiscard]] hid_t release() { return std::exchange(id_, -1); }

 private:
  hid_t id_ = -1;
  Closer closer_ = nullptr;
};

/// The dimension scale functions are not covered by the library's own lock, so one writer or reader at a
/// time.
[[nodiscard]] std::unique_lock<std::mutex> lock_hdf5();

/// Keeps the library from printing its errors while it lives.
class QuietErrors {
 public:
  QuietErrors();
  ~QuietErrors();
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

 private:
  H5E_auto2_t print_ = nullptr;
  void* data_ = nullptr;
};

/// The innermost message of the library's last error, and the code it stands for (OutOfSpace for a full
/// disk).
[[nodiscard]] std::pair<ErrorCode, std::string> last_hdf5_error();

/// Variable-length UTF-8.
[[nodiscard]] Hid text_type();

}  // namespace bitlens::report
