// Remembers where in the output the tokens of a piece of text already stand: words repeat, merging them does
// not have to.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "core/tokenizer/tokenizer.h"

namespace bitlens::tokenizer {

/// A direct-mapped cache for one encode() call: fixed memory, and a text made of colliding words only makes
/// it useless, not slow.
class PieceCache {
 public:
  /// `text` and `output` are those of the call; both must outlive the cache.
  PieceCache(std::string_view text, std::vector<TokenId>& output)
      : text_(text),
        output_(output),
        slots_(std::bit_ceil(std::clamp<std::size_t>(text.size() / 4, 16, kMaxSlots))) {}

  /// Appends the tokens of text[begin, end) if they are remembered.
  bool append(std::size_t begin, std::size_t end) {
    if (end - begin > kLongestPiece) return false;
    const std::string_view piece = text_.substr(begin, end - begin);
    const Slot& slot = slots_[index(piece)];
    if (slot.length != piece.size() || text_.substr(slot.begin, slot.length) != piece) return false;
    const std::size_t old = output_.size();
    output_.resize(old + slot.count);
    std::copy_n(output_.begin() + slot.first, slot.count, output_.begin() + static_cast<std::ptrdiff_t>(old));
    return true;
  }
  /// Remembers that the tokens of text[begin, end) are those in the output from `first` on.
  void remember(std::size_t begin, std::size_t end, std::size_t first) {
    if (end - begin > kLongestPiece) return;
    slots_[index(text_.substr(begin, end - begin))] = {
        static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin),
        static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(output_.size() - first)};
  }

 private:
  static constexpr std::size_t kMaxSlots = std::size_t{1} << 17;
  static constexpr std::size_t kLongestPiece = 64;  ///< longer ones rarely repeat
  struct Slot {
    std::uint32_t begin = 0;
    std::uint32_t length = 0;  ///< 0: free (no piece is empty)
    std::uint32_t first = 0;
    std::uint32_t count = 0;
  };
  [[nodiscard]] std::size_t index(std::string_view piece) const {
    return std::hash<std::string_view>{}(piece) & (slots_.size() - 1);
  }

  std::string_view text_;
  std::vector<TokenId>& output_;
  std::vector<Slot> slots_;
};

}  // namespace bitlens::tokenizer
