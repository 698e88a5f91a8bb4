// XXH64 with seed 0 (Y. Collet, xxHash specification 0.8): a fast checksum that tells whether bytes are the
// same by accident, not by intent. For what strangers may have touched use Sha256.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace bitlens {

class Checksum {
 public:
  void update(std::span<const std::byte> bytes);
  /// Of all bytes so far.
  [[nodiscard]] std::uint64_t finish() const;

 private:
  static constexpr std::size_t kStripe = 32;
  void add_stripe(const std::byte* stripe);

  // The specification's primes 1 + 2, 2, 0 and -1.
  std::array<std::uint64_t, 4> lanes_{0x60EA27EEADC0B5D6U, 0xC2B2AE3D27D4EB4FU, 0, 0x61C8864E7A143579U};
  std::array<std::byte, kStripe> rest_{};  ///< length_ % kStripe bytes of an incomplete stripe
  std::uint64_t length_ = 0;
};

}  // namespace bitlens
