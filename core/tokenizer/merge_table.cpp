#include "core/tokenizer/merge_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>

namespace bitlens::tokenizer {

namespace {

constexpr const char* kMerges = "tokenizer.ggml.merges";

struct Row {
  SymbolId left;
  SymbolId right;
  Merge merge;
};

Result<Row> parse(const std::string& text, std::size_t index, const std::string& file,
                  const Vocabulary& vocabulary) {
  const auto bad = [&](std::string_view what) {
    return fail(ErrorCode::BadFile, fmt::format("merge {} \"{}\" {}", index, printable(text, 60), what),
                {file, kMerges, {}});
  };
  // A token may be a space itself, so the separator is looked for behind the first byte.
  const std::size_t space = text.empty() ? std::string::npos : text.find(' ', 1);
  if (space == std::string::npos) return bad("has no space between two parts");
  const std::string_view left = std::string_view(text).substr(0, space);
  const std::string_view right = std::string_view(text).substr(space + 1);
  if (right.empty()) return bad("has an empty part");
  if (right.find(' ', 1) != std::string_view::npos) return bad("has more than two parts");
  const auto left_id = vocabulary.find(left), right_id = vocabulary.find(right);
  if (!left_id || !right_id)
    return bad(
        fmt::format("needs \"{}\", which is not in the vocabulary", printable(left_id ? right : left, 40)));
  const auto merged = vocabulary.find(std::string(left).append(right));
  if (!merged) return bad("makes a token that is not in the vocabulary");
  return Row{static_cast<SymbolId>(*left_id),
             static_cast<SymbolId>(*right_id),
             {static_cast<std::uint32_t>(index), static_cast<SymbolId>(*merged)}};
}

}  // namespace

Result<MergeTable> MergeTable::read(const io::Metadata& metadata, const std::string& file,
                                    const Vocabulary& vocabulary) {
  if (!metadata.has(kMerges))
    return fail(ErrorCode::BadFile, "is missing: byte-level BPE needs merges", {file, kMerges, {}});
  const auto texts = metadata.get_array<std::string>(kMerges);
  if (!texts) return fail(ErrorCode::BadFile, texts.error().message, {file, kMerges, {}});
  if ((*texts)->size() > std::numeric_limits<std::uint32_t>::max())
    return fail(ErrorCode::BadFile,
                fmt::format("has {} entries, more than ranks can count", (*texts)->size()),
                {file, kMerges, {}});
  std::vector<Row> rows;
  rows.reserve((*texts)->size());
  for (std::size_t i = 0; i < (*texts)->size(); ++i) {
    const auto row = parse((**texts)[i], i, file, vocabulary);
    if (!row) return pass(row);
    rows.push_back(*row);
  }
  const auto key = [](const Row& row) { return std::tuple(row.left, row.right, row.merge.rank); };
  std::sort(rows.begin(), rows.end(), [&](const Row& a, const Row& b) { return key(a) < key(b); });
  // A merge listed twice counts where it stands first.
  const auto same_pair = [](const Row& a, const Row& b) { return a.left == b.left && a.right == b.right; };
  rows.erase(std::unique(rows.begin(), rows.end(), same_pair), rows.end());

  MergeTable table;
  table.first_.assign(vocabulary.size() + 1, 0);
  table.entries_.reserve(rows.size());
  for (const Row& row : rows) {
    ++table.first_[row.left + 1];
    table.entries_.push_back({row.right, row.merge});
  }
  for (std::size_t i = 1; i < table.first_.size(); ++i) table.first_[i] += table.first_[i - 1];
  return table;
}

Merge MergeTable::find(SymbolId left, SymbolId right) const {
  const auto begin = entries_.begin() + first_[left];
  const auto end = entries_.begin() + first_[left + 1];
  const auto found =
      std::lower_bound(begin, end, right, [](const Entry& e, SymbolId id) { return e.right < id; });
  return found != end && found->right == right ? found->merge : Merge{};
}

}  // namespace bitlens::tokenizer
