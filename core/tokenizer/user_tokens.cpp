#include "core/tokenizer/user_tokens.h"

namespace bitlens::tokenizer {

UserTokens::Node UserTokens::child(Node node, unsigned char byte) const {
  if (node == 0) return root_children_[byte];
  Node at = states_[node].first_child;
  while (at != 0 && states_[at].byte != byte) at = states_[at].next_sibling;
  return at;
}

UserTokens::Node UserTokens::add_child(Node node, unsigned char byte) {
  const auto added = static_cast<Node>(states_.size());
  State state;
  state.byte = byte;
  state.next_sibling = states_[node].first_child;
  states_.push_back(state);
  states_[node].first_child = added;
  if (node == 0) root_children_[byte] = added;
  return added;
}

UserTokens::UserTokens(const std::vector<std::pair<std::string_view, TokenId>>& tokens) : states_(1) {
  for (const auto& [spelling, id] : tokens) {
    Node node = 0;
    for (std::size_t i = spelling.size(); i-- > 0;) {
      const auto byte = static_cast<unsigned char>(spelling[i]);
      const Node next = child(node, byte);
      node = next != 0 ? next : add_child(node, byte);
    }
    states_[node].token = id;
    states_[node].length = static_cast<std::uint32_t>(spelling.size());
  }
  // Breadth first, so that a state's shorter suffixes are finished before it.
  std::vector<Node> order;
  order.reserve(states_.size());
  order.push_back(0);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Node parent = order[i];
    for (Node node = states_[parent].first_child; node != 0; node = states_[node].next_sibling) {
      order.push_back(node);
      if (parent == 0) continue;  // falls back to the root
      State& state = states_[node];
      Node suffix = states_[parent].fall_back;
      while (suffix != 0 && child(suffix, state.byte) == 0) suffix = states_[suffix].fall_back;
      state.fall_back = child(suffix, state.byte);
      if (state.token < 0) {
        state.token = states_[state.fall_back].token;
        state.length = states_[state.fall_back].length;
      }
    }
  }
}

std::vector<Fragment> UserTokens::split(std::string_view text) const {
  std::vector<Fragment> fragments;
  if (text.empty()) return fragments;
  std::vector<Fragment> candidates;  // the longest token at each place that has one, last place first
  if (states_.size() > 1) {
    Node node = 0;
    for (std::size_t i = text.size(); i-- > 0;) {
      const auto byte = static_cast<unsigned char>(text[i]);
      Node next = child(node, byte);
      while (next == 0 && node != 0) {
        node = states_[node].fall_back;
        next = child(node, byte);
      }
      node = next;
      if (states_[node].token >= 0) candidates.push_back({i, i + states_[node].length, states_[node].token});
    }
  }
  std::size_t at = 0;
  for (auto candidate = candidates.rbegin(); candidate != candidates.rend(); ++candidate) {
    if (candidate->begin < at) continue;  // inside a token already taken
    if (candidate->begin > at) fragments.push_back({at, candidate->begin, -1});
    fragments.push_back(*candidate);
    at = candidate->end;
  }
  if (at < text.size()) fragments.push_back({at, text.size(), -1});
  return fragments;
}

}  // namespace bitlens::tokenizer
