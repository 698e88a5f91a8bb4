// Merges neighbouring symbols, best pair first: the inner loop of byte-pair encoding (Sennrich et al. 2016)
// and of SentencePiece's BPE model (Kudo & Richardson 2018).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace bitlens::tokenizer {

using SymbolId = std::uint32_t;

/// What a pair of symbols merges into.
struct Merge {
  static constexpr SymbolId kNone = 0xFFFFFFFFu;
  std::uint32_t rank = 0;   ///< lower merges first; equal ranks from left to right
  SymbolId symbol = kNone;  ///< kNone: the pair does not merge
};

struct Symbol {
  std::int32_t previous = -1;
  std::int32_t next = -1;
  SymbolId id = 0;
  std::uint32_t begin = 0;  ///< byte offset in the text
};

/// A doubly linked list of symbols and a priority queue of their pairs; a merge costs O(log n), n symbols O(n
/// log n). Keep one for many pieces: its memory is reused.
class SymbolMerger {
 public:
  void clear() { symbols_.clear(); }
  void add(SymbolId id, std::uint32_t begin) {
    const auto index = static_cast<std::int32_t>(symbols_.size());
    if (index > 0) symbols_.back().next = index;
    symbols_.push_back({index - 1, -1, id, begin});
  }

  /// Merges until nothing merges. `pair(left, right)` gives the Merge of two symbols.
  template <typename Pair>
  void merge(Pair&& pair) {
    queue_.clear();
    for (std::size_t i = 1; i < symbols_.size(); ++i) consider(static_cast<std::int32_t>(i - 1), pair);
    std::make_heap(queue_.begin(), queue_.end(), later);
    const std::size_t seeded = queue_.size();
    while (!queue_.empty()) {
      std::pop_heap(queue_.begin(), queue_.end(), later);
      const Candidate best = queue_.back();
      queue_.pop_back();
      ++work_;
      const auto at = static_cast<std::int32_t>(best.order & 0xFFFFFFFFu);
      Symbol& left = symbol(at);
      // Symbols only ever grow, so equal ids on both sides mean that neither changed since the pair was
      // queued.
      if (left.id != best.left || left.next < 0) continue;
      Symbol& right = symbol(left.next);
      if (right.id != best.right) continue;
      left.id = best.merged;
      right.id = Merge::kNone;  // no longer in the list, equal to nothing that is queued
      left.next = right.next;
      if (left.next >= 0) symbol(left.next).previous = at;
      push(left.previous, pair);
      push(at, pair);
    }
    work_ += seeded;
  }

  /// Calls visit(symbol) for what is left, in order, until it returns false.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (std::int32_t i = symbols_.empty() ? -1 : 0; i >= 0; i = symbols_[static_cast<std::size_t>(i)].next)
      if (!visit(symbols_[static_cast<std::size_t>(i)])) return;
  }

  /// Queue operations since construction: the measure of how much work a text was.
  [[nodiscard]] std::uint64_t work() const { return work_; }

 private:
  struct Candidate {
    std::uint64_t order;  ///< rank in the upper half, index of the left symbol in the lower
    SymbolId left, right, merged;
  };
  static bool later(const Candidate& a, const Candidate& b) { return a.order > b.order; }
  Symbol& symbol(std::int32_t index) { return symbols_[static_cast<std::size_t>(index)]; }

  /// Appends the pair at `index` and its right neighbour; the heap is the caller's affair.
  template <typename Pair>
  bool consider(std::int32_t index, Pair& pair) {
    if (index < 0) return false;
    const Symbol& left = symbol(index);
    if (left.next < 0) return false;
    const Symbol& right = symbol(left.next);
    const Merge merge = pair(left.id, right.id);
    if (merge.symbol == Merge::kNone) return false;
    const std::uint64_t order =
        (static_cast<std::uint64_t>(merge.rank) << 32) | static_cast<std::uint32_t>(index);
    queue_.push_back({order, left.id, right.id, merge.symbol});
    return true;
  }
  template <typename Pair>
  void push(std::int32_t index, Pair& pair) {
    if (!consider(index, pair)) return;
    std::push_heap(queue_.begin(), queue_.end(), later);
    ++work_;
  }

  std::vector<Symbol> symbols_;
  std::vector<Candidate> queue_;
  std::uint64_t work_ = 0;
};

}  // namespace bitlens::tokenizer
