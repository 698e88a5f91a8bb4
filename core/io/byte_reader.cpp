#include "core/io/byte_reader.h"

#include <algorithm>
#include <cerrno>

#include "core/base/posix_file.h"

namespace bitlens::io {

bool ByteReader::stop(State state, int error) {
  if (ok()) {
    state_ = state;
    system_error_ = error;
  }
  return false;
}

bool ByteReader::refill(std::size_t count) {
  if (!ok()) return false;
  if (count > remaining()) return stop(State::Ended);
  if (buffer_.empty()) buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(buffer_bytes, end_)));
  const std::size_t kept = filled_ - used_;
  std::memmove(buffer_.data(), buffer_.data() + used_, kept);
  base_ += used_;
  used_ = 0;
  filled_ = kept;
  const std::uint64_t left = end_ - base_ - kept;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size() - kept, left));
  const auto got = pread_full(fd_, std::span(buffer_).subspan(kept, wanted), base_ + kept);
  if (got < 0) return stop(State::Lost, errno);
  filled_ += static_cast<std::size_t>(got);
  return filled_ >= count || stop(State::Lost);
}

void ByteReader::bytes(std::span<std::byte> target) {
  if (target.empty() || !ok()) return;
  if (target.size() > remaining()) {
    stop(State::Ended);
    return;
  }
  const std::size_t buffered = std::min(target.size(), filled_ - used_);
  if (buffered > 0) std::memcpy(target.data(), buffer_.data() + used_, buffered);
  used_ += buffered;
  target = target.subspan(buffered);
  if (target.empty()) return;
  if (target.size() < buffer_bytes / 4) {
    if (!have(target.size())) return;
    std::memcpy(target.data(), buffer_.data() + used_, target.size());
    used_ += target.size();
    return;
  }
  // Too much to be worth copying twice: past the buffer, which is empty now.
  const auto got = pread_full(fd_, target, position());
  if (got < 0) {
    stop(State::Lost, errno);
  } else if (static_cast<std::size_t>(got) < target.size()) {
    stop(State::Lost);
  } else {
    base_ += used_ + target.size();
    used_ = filled_ = 0;
  }
}

std::string ByteReader::text(std::uint64_t length) {
  std::string out;
  if (!ok()) return out;
  if (length > remaining()) {
    stop(State::Ended);
    return out;
  }
  const std::size_t size = length;
  if (size <= filled_ - used_) {
    if (size > 0) out.assign(reinterpret_cast<const char*>(buffer_.data() + used_), size);
    used_ += size;
    return out;
  }
  out.resize(size);
  bytes(std::as_writable_bytes(std::span(out)));
  return out;
}

}  // namespace bitlens::io
