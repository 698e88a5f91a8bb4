// Glob matching over whole tensor names. `*` is any run of characters, dots included; `?` is one character (a
// whole UTF-8 sequence); everything else stands for itself. No recursion; at most |glob| * |name| steps,
// since only the latest star is ever widened.
#include "core/quantize/recipe.h"

namespace bitlens::quantize {

namespace {

/// Start of the character after the one at `i`.
std::size_t next_character(std::string_view text, std::size_t i) {
  ++i;
  while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U) ++i;
  return i;
}

}  // namespace

bool glob_matches(std::string_view glob, std::string_view name) {
  std::size_t g = 0;
  std::size_t n = 0;
  std::size_t after_star = std::string_view::npos;  // in the glob, just behind the latest star
  std::size_t widened = 0;                          // in the name, where the text behind that star is tried
  while (n < name.size()) {
    if (g < glob.size() && glob[g] == '*') {
      after_star = ++g;
      widened = n;
    } else if (g < glob.size() && glob[g] == '?') {
      ++g;
      n = next_character(name, n);
    } else if (g < glob.size() && glob[g] == name[n]) {
      ++g;
      ++n;
    } else if (after_star != std::string_view::npos) {
      g = after_star;
      n = widened = next_character(name, widened);
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

}  // namespace bitlens::quantize
