// Unfinished work beside a journal: large numbers that are replaced every few seconds, so that a kill loses
// no more than those seconds. Two files take turns; the newer whole one counts. What is in them is the memory
// of one machine: native byte order, a checksum for every part, good for the key it was written under only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/posix_file.h"
#include "core/base/result.h"

namespace bitlens::sensitivity {

/// Where work that takes long keeps what it has not finished.
struct KeepState {
  std::string path;  ///< of the files, without their ending; empty: nothing is kept
  std::string key;   ///< what the state depends on
  double seconds = 3;
  /// Told once when the state cannot be written; the work goes on without.
  std::function<void(const Error&)> failed;
};

class StateFile {
 public:
  using Bytes = std::span<const std::byte>;
  /// A whole state that was found.
  class State {
   public:
    [[nodiscard]] const std::vector<std::uint64_t>& sizes() const { return sizes_; }
    /// Part `part` into `target`, which must be of its size; false if it cannot be read or is damaged.
    [[nodiscard]] bool read(std::size_t part, std::span<std::byte> target) const;

   private:
    friend class StateFile;
    UniqueFd file_;
    std::uint64_t sequence_ = 0;
    std::vector<std::uint64_t> sizes_, checksums_, offsets_;
  };

  explicit StateFile(KeepState keep) : keep_(std::move(keep)) {}
  /// Is it time to save again?
  [[nodiscard]] bool due() const;
  /// Counts time from now on.
  void start();
  /// Replaces the older of the two files. A failure is told of once; nothing is written after that.
  void save(std::span<const Bytes> parts);
  /// The newer whole state under this key.
  [[nodiscard]] std::optional<State> newest();
  /// Removes both files, if they are such files.
  void remove();
  [[nodiscard]] static std::string file_of(const std::string& path, int which);

 private:
  [[nodiscard]] std::optional<State> look(int which) const;
  [[nodiscard]] Status write(int which, std::span<const Bytes> parts);

  KeepState keep_;
  double last_ = 0;  // when it was saved
  std::uint64_t sequence_ = 0;
  bool given_up_ = false;
};

template <typename Range>
[[nodiscard]] std::span<const std::byte> bytes_of(const Range& values) {
  return {reinterpret_cast<const std::byte*>(values.data()), values.size() * sizeof(*values.data())};
}
template <typename Range>
[[nodiscard]] std::span<std::byte> writable_bytes_of(Range& values) {
  return {reinterpret_cast<std::byte*>(values.data()), values.size() * sizeof(*values.data())};
}

}  // namespace bitlens::sensitivity
