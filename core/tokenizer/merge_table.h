// The merges of a byte-pair encoding by token ids: what two neighbouring tokens become, and how early.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/io/metadata.h"
#include "core/tokenizer/symbol_merger.h"
#include "core/tokenizer/vocabulary.h"

namespace bitlens::tokenizer {

class MergeTable {
 public:
  /// Reads tokenizer.ggml.merges ("left right", the rank is the position). Both parts and what they make must
  /// be tokens: BadFile names the entry that breaks this.
  [[nodiscard]] static Result<MergeTable> read(const io::Metadata& metadata, const std::string& file,
                                               const Vocabulary& vocabulary);

  /// Logarithmic in the number of merges that `left` begins, whatever the file holds.
  [[nodiscard]] Merge find(SymbolId left, SymbolId right) const;

 private:
  struct Entry {
    SymbolId right;
    Merge merge;
  };
  std::vector<std::uint32_t>
      first_;  ///< entries of left symbol s: [first_[s], first_[s + 1]), by right symbol
  std::vector<Entry> entries_;
};

}  // namespace bitlens::tokenizer
