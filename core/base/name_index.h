// Finding items of a list by name: a hash table of positions that owns no names (4 to 8 bytes an item), so it
// can be copied together with the list it belongs to. Names come from strangers' files: the hash is a
// polynomial over the field of 2^61 - 1 elements at a point drawn once per process (Carter & Wegman 1979), so
// that nobody can prepare a file whose names all collide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace bitlens {

/// Unequal names of n bytes collide with probability about n / 2^61. Differs from process to process.
[[nodiscard]] std::uint64_t hash_name(std::string_view name);

class NameIndex {
 public:
  /// Position of the item called `name`; `name_of(position)` gives an item's name.
  template <typename NameOf>
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name, NameOf&& name_of) const {
    if (slots_.empty()) return std::nullopt;
    const std::uint32_t item = slots_[slot_of(name, name_of)];
    if (item == empty) return std::nullopt;
    return item;
  }

  /// Adds item number `item` (< 2^32 - 1). If another item has the same name, returns that and adds nothing.
  template <typename NameOf>
  std::optional<std::size_t> insert(std::size_t item, NameOf&& name_of) {
    if (2 * (count_ + 1) > slots_.size()) grow(name_of);
    std::uint32_t& slot = slots_[slot_of(name_of(item), name_of)];
    if (slot != empty) return slot;
    slot = static_cast<std::uint32_t>(item);
    ++count_;
    return std::nullopt;
  }

  void clear() {
    slots_.clear();
    count_ = 0;
  }

 private:
  static constexpr std::uint32_t empty = 0xFFFFFFFF;

  /// The slot that holds `name`, or the free one where it belongs.
  template <typename NameOf>
  [[nodiscard]] std::size_t slot_of(std::string_view name, NameOf&& name_of) const {
    std::size_t slot = hash_name(name) & (slots_.size() - 1);
    while (slots_[slot] != empty && std::string_view(name_of(slots_[slot])) != name)
      slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }

  template <typename NameOf>
  void grow(NameOf&& name_of) {
    std::vector<std::uint32_t> old(slots_.empty() ? 16 : 2 * slots_.size(), empty);
    old.swap(slots_);
    for (const std::uint32_t item : old)
      if (item != empty) slots_[slot_of(name_of(item), name_of)] = item;
  }

  std::vector<std::uint32_t> slots_;  // a power of two of them, at least half free
  std::size_t count_ = 0;
};

}  // namespace bitlens
