// Finds user-defined tokens in a text: leftmost, and of those the longest, in one pass (Aho & Corasick 1975).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/tokenizer/tokenizer.h"

namespace bitlens::tokenizer {

/// A stretch of a text: one user-defined token, or ordinary text (token < 0).
struct Fragment {
  std::size_t begin = 0;
  std::size_t end = 0;
  TokenId token = -1;
};

/// The automaton is built over the reversed spellings and run over the text from its end: its state at a byte
/// then knows the longest token that *begins* there, so that leftmost-longest needs no second look at any
/// byte. Time is linear in the text whatever the tokens are.
class UserTokens {
 public:
  /// Spellings must be non-empty and distinct.
  explicit UserTokens(const std::vector<std::pair<std::string_view, TokenId>>& tokens);

  /// `text` cut at its user-defined tokens; no fragment is empty.
  [[nodiscard]] std::vector<Fragment> split(std::string_view text) const;

 private:
  using Node = std::uint32_t;  ///< 0: the root, and "none" among children

  struct State {
    Node first_child = 0;
    Node next_sibling = 0;
    Node fall_back = 0;        ///< the longest proper suffix that is a state too
    TokenId token = -1;        ///< the longest token that ends (reversed: begins) here
    std::uint32_t length = 0;  ///< its length in bytes
    unsigned char byte = 0;
  };

  [[nodiscard]] Node child(Node node, unsigned char byte) const;
  Node add_child(Node node, unsigned char byte);

  std::vector<State> states_;
  std::array<Node, 256> root_children_{};
};

}  // namespace bitlens::tokenizer
