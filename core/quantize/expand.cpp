// A scheme for one model: what every matrix gets, written down as few rules of a plain recipe.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "core/quantize/scheme.h"
#include "core/quantize/tensor_kind.h"

namespace bitlens::quantize {

namespace {

/// What the conditions ask about.
struct Facts {
  bool tied = false, importance = false;
  std::uint64_t layers = 0, gqa = 1, experts = 0;
};

std::uint64_t number_or(const io::Metadata& metadata, const std::string& key, std::uint64_t otherwise) {
  if (const auto value = metadata.get_uint(key); value) return *value;
  // Some models have one number per layer; the first stands for all.
  if (const auto list = metadata.get_array<std::uint32_t>(key); list && !(*list)->empty())
    return (*list)->front();
  if (const auto list = metadata.get_array<std::int32_t>(key);
      list && !(*list)->empty() && (*list)->front() >= 0)
    return static_cast<std::uint64_t>((*list)->front());
  return otherwise;
}

/// The number in "blk.N.", if the name starts so.
std::optional<std::uint64_t> layer_of(std::string_view name) {
  constexpr std::string_view kHead = "blk.";
  if (!name.starts_with(kHead)) return std::nullopt;
  name.remove_prefix(kHead.size());
  std::uint64_t layer = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), layer);
  if (error != std::errc() || end == name.data() + name.size() || *end != '.') return std::nullopt;
  return layer;
}

Facts facts_of(const io::ModelFile& file, bool importance) {
  const auto architecture = file.metadata().get_string("general.architecture");
  const std::string head = architecture ? *architecture + "." : std::string();
  Facts facts;
  facts.importance = importance;
  facts.tied = true;
  for (const io::TensorInfo& tensor : file.tensors()) {
    if (tensor.name == "output.weight") facts.tied = false;
    if (const auto layer = layer_of(tensor.name)) facts.layers = std::max(facts.layers, *layer + 1);
  }
  facts.layers = number_or(file.metadata(), head + "block_count", facts.layers);
  const std::uint64_t heads = number_or(file.metadata(), head + "attention.head_count", 1);
  const std::uint64_t kv = number_or(file.metadata(), head + "attention.head_count_kv", heads);
  facts.gqa = kv > 0 ? heads / kv : 1;
  facts.experts = number_or(file.metadata(), head + "expert_count", 0);
  return facts;
}

bool any_glob_matches(const SchemeRule& rule, std::string_view name) {
  return std::any_of(rule.tensors.begin(), rule.tensors.end(),
                     [&](const std::string& glob) { return glob_matches(glob, name); });
}

bool holds(const SchemeRule& rule, const Facts& facts) {
  return (!rule.tied || *rule.tied == facts.tied) &&
         (!rule.importance || *rule.importance == facts.importance) &&
         (!rule.gqa_at_least || facts.gqa >= *rule.gqa_at_least) &&
         (!rule.experts || facts.experts == *rule.experts) &&
         (!rule.layer_count || facts.layers == *rule.layer_count);
}

/// What one matrix gets, and why.
struct Decision {
  FormatChoice format;
  std::string why;
  auto operator<=>(const Decision&) const = default;
};

class Expander {
 public:
  Expander(const Scheme& scheme, const io::ModelFile& file, bool importance)
      : scheme_(scheme), file_(file), facts_(facts_of(file, importance)) {
    // The layers each rule counts.
    for (const SchemeRule& rule : scheme.rules) {
      std::set<std::uint64_t> layers;
      if (rule.layers.kind != LayerCondition::Kind::All)
        for (const io::TensorInfo& tensor : file.tensors())
          if (const auto layer = layer_of(tensor.name); layer && any_glob_matches(rule, tensor.name))
            layers.insert(*layer);
      counted_.emplace_back(layers.begin(), layers.end());
    }
  }

  ExpandedScheme run() {
    const auto& tensors = file_.tensors();
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      if (is_norm_or_vector(tensors[t]) || is_integer(tensors[t].format)) continue;
      const Decision decision = fitted(t, decide(tensors[t].name));
      if (const std::string column = column_of(tensors[t].name); !column.empty())
        columns_[column].emplace_back(t, decision);
      else
        single_.emplace_back(t, decision);
    }
    write_rules();
    warn();
    return std::move(out_);
  }

 private:
  Decision decide(const std::string& name) const {
    if (!name.ends_with(".weight")) return {std::nullopt, "no weights of a layer"};
    for (std::size_t r = 0; r < scheme_.rules.size(); ++r) {
      const SchemeRule& rule = scheme_.rules[r];
      if (!holds(rule, facts_) || !any_glob_matches(rule, name)) continue;
      if (rule.layers.kind != LayerCondition::Kind::All) {
        const auto layer = layer_of(name);
        if (!layer) continue;
        const auto at = std::lower_bound(counted_[r].begin(), counted_[r].end(), *layer);
        if (!rule.layers.holds(static_cast<std::uint64_t>(at - counted_[r].begin()), counted_[r].size()))
          continue;
      }
      return {rule.format, rule.why};
    }
    return {scheme_.base, {}};
  }

  std::optional<Format> instead_of(Format format) const {
    for (const auto& [wanted, instead] : scheme_.does_not_fit)
      if (wanted == format) return instead;
    return scheme_.does_not_fit_else;
  }

  Decision fitted(std::size_t tensor, Decision decision) {
    if (!decision.format) return decision;
    const Format wanted = *decision.format;
    const std::uint64_t row = file_.tensors()[tensor].row_length();
    Format used = wanted;
    // Every step goes to another format; a cycle of formats that do not fit ends after as many as there are.
    for (std::size_t step = 0; step < scheme_.does_not_fit.size() + 2; ++step) {
      if (row % kernels::info(used).block_size == 0) break;
      const auto next = instead_of(used);
      if (!next) break;
      used = *next;
    }
    if (used == wanted) return decision;
    out_.substitutions.push_back({tensor, wanted, used});
    return {used, fmt::format("rows of {} do not fit {}", row, kernels::info(wanted).name)};
  }

  /// "blk.*.attn_q.weight" for a tensor of a block, if that means this column and nothing else.
  std::string column_of(const std::string& name) const {
    if (!layer_of(name)) return {};
    const std::string_view part = std::string_view(name).substr(name.find('.', 4) + 1);
    return "blk.*." + std::string(part);
  }

  void write_rules() {
    Recipe& recipe = out_.recipe;
    recipe.name = scheme_.name;
    recipe.fallback = scheme_.base;
    const auto add = [&](const std::string& tensor, const Decision& decision) {
      recipe.rules.push_back({tensor, decision.format, std::nullopt, decision.why});
    };
    const auto is_default = [&](const Decision& decision) { return decision.format == recipe.fallback; };
    for (const auto& [t, decision] : single_)
      if (!is_default(decision)) add(file_.tensors()[t].name, decision);
    std::vector<std::pair<std::string, Decision>> globs;  // after the names they would shadow
    for (const auto& [column, members] : columns_) {
      std::map<Decision, std::size_t> counts;
      for (const auto& [t, decision] : members) ++counts[decision];
      const auto most = std::max_element(counts.begin(), counts.end(),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
      const bool glob = members.size() > 1 && !is_default(most->first) && means_only(column, members);
      if (glob) globs.emplace_back(column, most->first);
      for (const auto& [t, decision] : members)
        if (glob ? decision != most->first : !is_default(decision)) add(file_.tensors()[t].name, decision);
    }
    for (const auto& [glob, decision] : globs) add(glob, decision);
  }

  /// Does the glob match the members and no other tensor?
  bool means_only(const std::string& glob,
                  const std::vector<std::pair<std::size_t, Decision>>& members) const {
    std::size_t matched = 0;
    for (const io::TensorInfo& tensor : file_.tensors()) matched += glob_matches(glob, tensor.name) ? 1U : 0U;
    return matched == members.size();
  }

  void warn() {
    std::map<std::pair<Format, Format>, std::vector<std::size_t>> pairs;
    for (const Substitution& one : out_.substitutions) pairs[{one.wanted, one.used}].push_back(one.tensor);
    for (const auto& [formats, tensors] : pairs) {
      const io::TensorInfo& first = file_.tensors()[tensors.front()];
      out_.warnings.push_back(
          fmt::format("{} tensor{} not fit {} and get{} {} instead (first: {}, rows of {})", tensors.size(),
                      tensors.size() == 1 ? " does" : "s do", kernels::info(formats.first).name,
                      tensors.size() == 1 ? "s" : "", kernels::info(formats.second).name,
                      printable(first.name, 80), first.row_length()));
    }
  }

  const Scheme& scheme_;
  const io::ModelFile& file_;
  Facts facts_;
  std::vector<std::vector<std::uint64_t>> counted_;  // by rule
  std::vector<std::pair<std::size_t, Decision>> single_;
  std::map<std::string, std::vector<std::pair<std::size_t, Decision>>> columns_;
  ExpandedScheme out_;
};

}  // namespace

bool LayerCondition::holds(std::uint64_t layer, std::uint64_t layers) const {
  switch (kind) {
    case Kind::All:
      return true;
    case Kind::FirstCount:
      return layer < count;
    case Kind::Range:
      return layer >= from * layers / from_of && layer < to * layers / to_of;
    case Kind::MoreBits: {
      const std::uint64_t eighth = layers / 8;
      return layer < eighth || layer >= 7 * layers / 8 || (layer - eighth) % 3 == 2;
    }
  }
  return false;
}

ExpandedScheme expand(const Scheme& scheme, const io::ModelFile& file, bool importance) {
  return Expander(scheme, file, importance).run();
}

}  // namespace bitlens::quantize
