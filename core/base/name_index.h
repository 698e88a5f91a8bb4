// Finding items of a list by name: a hash table of positions that owns no names (16 to 32 bytes an item), so
// it can be copied together with the list it belongs to. Names come from strangers' files: the hash is a
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
    const Slot& slot = slots_[slot_of(name, short_hash(name), name_of)];
    if (slot.item == no_item) return std::nullopt;
    return slot.item;
  }

  /// Adds item number `item` (< 2^32 - 1). If another item has the same name, returns that and adds nothing.
  template <typename NameOf>
  std::optional<std::size_t> insert(std::size_t item, NameOf&& name_of) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    const std::string_view name = name_of(item);
    const std::uint32_t hash = short_hash(name);
    Slot& slot = slots_[slot_of(name, hash, name_of)];
    if (slot.item != no_item) return slot.item;
    slot = {static_cast<std::uint32_t>(item), hash};
    ++count_;
    return std::nullopt;
  }

  void clear() {
    slots_.clear();
    count_ = 0;
  }

 private:
  static constexpr std::uint32_t no_item = 0xFFFFFFFF;
  struct Slot {
    std::uint32_t item = no_item;
    std::uint32_t hash = 0;  // spares looking at the name, which is somewhere else in memory
  };

  [[nodiscard]] static std::uint32_t short_hash(std::string_view name) {
    return static_cast<std::uint32_t>(hash_name(name));
  }

  /// The slot that holds `name`, or the free one where it belongs.
  template <typename NameOf>
  [[nodiscard]] std::size_t slot_of(std::string_view name, std::uint32_t hash, NameOf&& name_of) const {
    std::size_t slot = hash & (slots_.size() - 1);
    while (slots_[slot].item != no_item &&
           (slots_[slot].hash != hash || std::string_view(name_of(slots_[slot].item)) != name))
      slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }

  void grow();

  std::vector<Slot> slots_;  // a power of two of them, at least half free
  std::size_t count_ = 0;
};

}  // namespace bitlens
