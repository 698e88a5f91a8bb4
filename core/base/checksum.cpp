#include "core/base/checksum.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace bitlens {

namespace {

constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87U, kPrime2 = 0xC2B2AE3D27D4EB4FU,
                        kPrime3 = 0x165667B19E3779F9U, kPrime4 = 0x85EBCA77C2B2AE63U,
                        kPrime5 = 0x27D4EB2F165667C5U;

template <typename Word>
std::uint64_t load(const std::byte* from) {
  Word word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

std::uint64_t mix(std::uint64_t lane, std::uint64_t word) {
  return std::rotl(lane + word * kPrime2, 31) * kPrime1;
}

}  // namespace

void Checksum::add_stripe(const std::byte* stripe) {
  for (std::size_t i = 0; i < lanes_.size(); ++i)
    lanes_[i] = mix(lanes_[i], load<std::uint64_t>(stripe + 8 * i));
}

void Checksum::update(std::span<const std::byte> bytes) {
  const std::size_t waiting = length_ % kStripe;
  length_ += bytes.size();
  if (waiting > 0) {
    const auto head = bytes.first(std::min(kStripe - waiting, bytes.size()));
    std::copy(head.begin(), head.end(), rest_.begin() + static_cast<std::ptrdiff_t>(waiting));
    bytes = bytes.subspan(head.size());
    if (waiting + head.size() < kStripe) return;
    add_stripe(rest_.data());
  }
  for (; bytes.size() >= kStripe; bytes = bytes.subspan(kStripe)) add_stripe(bytes.data());
  std::copy(bytes.begin(), bytes.end(), rest_.begin());
}

std::uint64_t Checksum::finish() const {
  std::uint64_t sum = kPrime5;
  if (length_ >= kStripe) {
    sum = std::rotl(lanes_[0], 1) + std::rotl(lanes_[1], 7) + std::rotl(lanes_[2], 12) +
          std::rotl(lanes_[3], 18);
    for (const std::uint64_t lane : lanes_) sum = (sum ^ mix(0, lane)) * kPrime1 + kPrime4;
  }
  sum += length_;
  const std::byte* at = rest_.data();
  std::size_t left = length_ % kStripe;
  for (; left >= 8; at += 8, left -= 8)
    sum = std::rotl(sum ^ mix(0, load<std::uint64_t>(at)), 27) * kPrime1 + kPrime4;
  if (left >= 4) {
    sum = std::rotl(sum ^ (load<std::uint32_t>(at) * kPrime1), 23) * kPrime2 + kPrime3;
    at += 4;
    left -= 4;
  }
  for (; left > 0; ++at, --left) sum = std::rotl(sum ^ (load<std::uint8_t>(at) * kPrime5), 11) * kPrime1;
  sum = (sum ^ (sum >> 33)) * kPrime2;
  sum = (sum ^ (sum >> 29)) * kPrime3;
  return sum ^ (sum >> 32);
}

}  // namespace bitlens
