#include "core/base/name_index.h"

#include <cstring>
#include <random>

namespace bitlens {

namespace {

__extension__ using Wide = unsigned __int128;
constexpr std::uint64_t prime = (std::uint64_t{1} << 61) - 1;

std::uint64_t reduce(Wide value) {
  const Wide folded = (value & prime) + (value >> 61);
  const auto low = static_cast<std::uint64_t>((folded & prime) + (folded >> 61));
  return low >= prime ? low - prime : low;
}

std::uint64_t random_point() {
  std::random_device device;
  const std::uint64_t bits = (std::uint64_t{device()} << 32) | device();
  return bits % (prime - 2) + 2;
}

}  // namespace

std::uint64_t hash_name(std::string_view name) {
  static const std::uint64_t point = random_point();
  std::uint64_t hash = name.size() % prime;
  for (std::size_t i = 0; i < name.size(); i += 7) {
    std::uint64_t chunk = 0;  // 7 bytes: always below the prime
    std::memcpy(&chunk, name.data() + i, name.size() - i < 7 ? name.size() - i : 7);
    hash = reduce(Wide{hash} * point + chunk);
  }
  // The lowest bits choose the slot; a last product with the point spreads short names over them.
  return reduce(Wide{hash} * point);
}

void NameIndex::grow() {
  std::vector<Slot> old(slots_.empty() ? 16 : 2 * slots_.size());
  old.swap(slots_);
  for (const Slot& kept : old) {
    if (kept.item == no_item) continue;
    std::size_t slot = kept.hash & (slots_.size() - 1);
    while (slots_[slot].item != no_item) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = kept;
  }
}

}  // namespace bitlens
